# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finding articles by words: the newest first, as a newsroom looks for them.

What always holds: words may be begun (“ferr” finds “ferry”); those in headlines are found with
those in the text; no more than ``MOST`` articles are looked at, those last added, so that a word
of every second article costs no more than a rare one.
"""

from __future__ import annotations

import re
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, models
from wagtail.search.backends import get_search_backend

from tamizdat.desk.newsroom.models import Article

MOST = 5000


def search_articles(articles: models.QuerySet[Article], query: str) -> models.QuerySet[Article]:
    """Those with all the words in the headline (begun words count) or anywhere in the text."""
    return articles.filter(pk__in=found_keys(query))


def found_keys(query: str) -> list[int]:
    """The keys of the articles with these words, the last added first, at most ``MOST``."""
    words = " ".join(re.findall(r"\w+", query))
    if not words:
        return []
    backend = get_search_backend()
    every = Article.objects.order_by().only("pk")
    begun = _newest(backend.autocomplete(words, every, order_by_relevance=False))
    whole = _newest(backend.search(words, every, order_by_relevance=False))
    return sorted({*begun, *whole}, reverse=True)[:MOST]


def _newest(results: Any) -> list[int]:
    if connection.vendor == "sqlite":
        keys = _entries(results).values_list("index_entry__object_id", flat=True)
    else:
        keys = results.get_queryset().order_by("-pk").values_list("pk", flat=True)
    return [int(key) for key in keys[:MOST]]


def _entries(results: Any) -> Any:
    """Entries of SQLite's index in their own order, which it follows backwards without reading
    what it leaves out. (Wagtail's query reads the entry and the article of every match.)"""
    from modelsearch.backends.database.sqlite.query import MatchExpression  # Only where SQLite is.
    from wagtail.search.models import SQLiteFTSIndexEntry

    compiler = results.query_compiler
    words = compiler.build_search_query(compiler.query, config=compiler.get_config(results.backend))
    return SQLiteFTSIndexEntry.objects.filter(
        MatchExpression(compiler.fields or compiler.FTS_TABLE_FIELDS, words),
        index_entry__content_type=ContentType.objects.get_for_model(Article),
    ).order_by("-index_entry_id")
