# SPDX-License-Identifier: AGPL-3.0-or-later
"""An article as readers will see it, before they do: the real page by the real renderer.

What always holds: nothing is written, and nothing of the preview can be published from it.
"""

from __future__ import annotations

import re

from django.http import HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape

from tamizdat.desk.newsroom.models import Article
from tamizdat.edition.errors import EditionError
from tamizdat.edition.views import ArticleFacts

_MEDIA = re.compile(rb"/media/[0-9a-f]{2}/([0-9a-f]{64})\.[a-z0-9]+")
_SCRIPT = re.compile(rb"<script\b[^>]*\bsrc=[^>]*></script>")  # It lies in the paper, not here.
_DRAFT_PATH = "/preview/"


def preview(article: Article) -> HttpResponse:
    """The page, or a page that says in plain words what keeps it from being one."""
    try:
        page = _page(article)
    except (EditionError, OSError) as error:
        words = escape(str(error))
        return HttpResponse(f"<!doctype html><title>Preview</title><p>Not yet: {words}</p>")
    return HttpResponse(for_desk(page))


def for_desk(page: bytes) -> bytes:
    """A page of the paper as the desk can show it: its pictures come from here, nothing runs."""
    base = reverse("newsroom:file", args=["0" * 64]).encode().replace(b"0" * 64, rb"\1")
    return _SCRIPT.sub(b"", _MEDIA.sub(base, page))


def _page(article: Article) -> bytes:
    from tamizdat.desk.publishing.site import site_from_desk
    from tamizdat.desk.publishing.stories import story_from_article
    from tamizdat.edition.render import PageRenderer

    now = timezone.now()
    first = article.first_published_at or now
    path = article.path or _DRAFT_PATH
    if not article.headline:
        article.headline = "Untitled"
    story = story_from_article(article, version=1, first=first, now=now, path=path)
    renderer = PageRenderer(site_from_desk())
    return renderer.article(story, renderer.card(story, path), ArticleFacts())
