# SPDX-License-Identifier: AGPL-3.0-or-later
"""An article as a page, with the fields that lists, search and publishing touch."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from wagtail.admin.panels import FieldPanel
from wagtail.fields import StreamField
from wagtail.models import Page
from wagtail.search import index

from tamizdat.desk.newsroom.blocks import ArticleBody


class ArticlePage(Page):
    kicker = models.CharField(max_length=80, blank=True)
    standfirst = models.TextField(blank=True)
    section = models.ForeignKey(
        "newsroom.Section", null=True, on_delete=models.PROTECT, related_name="+"
    )
    body = StreamField(ArticleBody(), blank=True)

    content_panels: ClassVar = [
        *Page.content_panels,
        *map(FieldPanel, ("kicker", "standfirst", "section", "body")),
    ]
    search_fields: ClassVar = [
        *Page.search_fields,
        index.SearchField("kicker"),
        index.SearchField("standfirst"),
        index.SearchField("body"),
    ]

    class Meta:
        app_label = "article_pages"
