# SPDX-License-Identifier: AGPL-3.0-or-later
"""What Wagtail keeps beside an article, for many at once: audit rows, search, references.

What always holds: the rows are those that saving each article in the editor would have made;
only the number of queries differs (one for each kind instead of one for each article).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils import timezone
from wagtail.models import ModelLogEntry, ReferenceIndex
from wagtail.search.backends import get_search_backends_with_name

from tamizdat.desk.newsroom.models import Article


def log_many(
    articles: Sequence[Article], action: str, data: Sequence[dict[str, Any]] | None = None
) -> None:
    """One audit row for each article. No account is named: a command did it."""
    now = timezone.now()
    kind = ContentType.objects.get_for_model(Article)
    ModelLogEntry.objects.bulk_create(
        ModelLogEntry(
            content_type=kind,
            object_id=str(article.pk),
            label=article.headline,
            action=action,
            timestamp=now,
            data=data[number] if data else {},
            content_changed=True,
        )
        for number, article in enumerate(articles)
    )


def index(articles: Sequence[Article]) -> None:
    """Put new articles into the search index and into the index of what refers to what."""
    for _, backend in get_search_backends_with_name(with_auto_update=True):
        backend.get_index_for_model(Article).add_items(Article, list(articles))
    kind = ContentType.objects.get_for_model(Article)
    ReferenceIndex.objects.bulk_create(
        ReferenceIndex(
            content_type=kind,
            base_content_type=kind,
            object_id=str(article.pk),
            to_content_type_id=to_kind,
            to_object_id=to_id,
            model_path=model_path,
            content_path=content_path,
            content_path_hash=ReferenceIndex._get_content_path_hash(content_path),
        )
        for article in articles
        for to_kind, to_id, model_path, content_path in set(
            ReferenceIndex._extract_references_from_object(article)
        )
    )
