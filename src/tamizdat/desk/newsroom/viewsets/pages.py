# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newsroom's own pages: about, contact, policies."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, FieldRowPanel, HelpPanel, ObjectList
from wagtail.admin.ui.tables import Column, LocaleColumn
from wagtail.snippets.action_menu import ActionMenuItem
from wagtail.snippets.views.snippets import SnippetViewSet

from tamizdat.desk.newsroom.models import SitePage

PUBLISH = "to-publish-page"


def _state(page: SitePage) -> str:
    version = page.published
    return f"version {version.number}" if version else "not published"


class PublishPageItem(ActionMenuItem):
    """Saves the page and gives it to readers under the next number."""

    name = PUBLISH
    label = "Save and publish"
    icon_name = "upload"

    def is_shown(self, context: dict[str, Any]) -> bool:
        return bool(context["request"].user.has_perm("newsroom.publish_sitepage"))


class SitePageViewSet(SnippetViewSet):
    model = SitePage
    icon = "doc-empty"
    menu_label = "Pages"
    menu_name = "site-pages"
    add_to_admin_menu = True
    menu_order = 150
    list_display: ClassVar = [
        "title",
        LocaleColumn(label="Language"),
        Column("kind", label="Kind", accessor="get_kind_display"),
        Column("state", label="Readers see", accessor=_state),
    ]
    edit_handler = ObjectList(
        [
            HelpPanel(
                content="<p>Readers see a page after <em>Save and publish</em>. Each published "
                "version of the privacy policy keeps its number for ever: a reader's consent "
                "refers to it.</p>"
            ),
            FieldPanel("title", classname="title"),
            FieldPanel("body", heading="Text"),
            FieldRowPanel([FieldPanel("kind"), FieldPanel("slug")]),
            FieldRowPanel([FieldPanel("in_footer"), FieldPanel("order")]),
        ]
    )


def publish_if_asked(request: HttpRequest, page: Any) -> HttpResponse | None:
    """After a page was saved: publish it where that button was used."""
    from tamizdat.desk.newsroom import actions

    if not isinstance(page, SitePage) or PUBLISH not in request.POST:
        return None
    if not request.user.has_perm("newsroom.publish_sitepage"):
        messages.error(request, "The page was saved. Publishing it is for publishers.")
        return None
    version = actions.publish_page(page=page, acting_user=request.user)  # type: ignore[arg-type]  # Only staff get here.
    messages.success(request, f"“{page.title}” is published as version {version.number}.")
    return None
