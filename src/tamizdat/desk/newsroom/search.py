# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finding articles by words: the newest first, as a newsroom looks for them.

What always holds: words may be begun (“ferr” finds “ferry”); those in headlines are found with
those in the text; the work does not grow with how many are found beyond what a page shows.
"""

from __future__ import annotations

import re

from django.db import models
from wagtail.search.backends import get_search_backend

from tamizdat.desk.newsroom.models import Article


def search_articles(articles: models.QuerySet[Article], query: str) -> models.QuerySet[Article]:
    """Those with all the words in the headline (begun words count) or anywhere in the text."""
    words = " ".join(re.findall(r"\w+", query))
    if not words:
        return articles.none()
    backend = get_search_backend()
    every = Article.objects.order_by().only("pk")
    begun = backend.autocomplete(words, every, order_by_relevance=False).get_queryset()
    whole = backend.search(words, every, order_by_relevance=False).get_queryset()
    keys = begun.order_by().values("pk").union(whole.order_by().values("pk"))
    return articles.filter(pk__in=keys)
