# SPDX-License-Identifier: AGPL-3.0-or-later
"""Panels at the side of the editor."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from wagtail.admin.ui.side_panels import BaseSidePanel

from tamizdat.desk.newsroom.models import ArticleComment


class CommentsSidePanel(BaseSidePanel):
    """What colleagues say about the article, and a field to answer."""

    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = "Comments"
        icon_name = "comment"

        def get_context_data(self, parent_context: Any) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            context["count"] = ArticleComment.objects.filter(
                article=self.panel.object.pk, parent=None, resolved_at=None
            ).count()
            return context

    name = "newsroom-comments"
    title = "Comments"
    template_name = "newsroom/comments_panel.html"
    order = 350

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        context["comments_url"] = reverse("newsroom:comments", args=[self.object.pk])
        return context

    class Media:
        js = ("newsroom/desk.js",)
