# SPDX-License-Identifier: AGPL-3.0-or-later
"""At the side of the editor: where the article stands on its way to readers."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from wagtail.admin.ui.side_panels import BaseSidePanel

from tamizdat.desk.publishing import state


class PaperSidePanel(BaseSidePanel):
    """“Live in edition 214 since 14:05”, and what can be done about it."""

    class SidePanelToggle(BaseSidePanel.SidePanelToggle):
        aria_label = "In the paper"
        icon_name = "site"

    name = "paper"
    title = "In the paper"
    template_name = "publishing/side_panel.html"
    order = 150

    def get_context_data(self, parent_context: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        return {
            **context,
            "article": self.object,
            "state": state.of(self.object),
            "panel_url": reverse("publishing:panel", args=[self.object.pk]),
            "may_publish": self.request.user.has_perm("newsroom.publish_article"),
        }

    class Media:
        js = ("publishing/state.js",)
        css = {"all": ("publishing/publishing.css",)}
