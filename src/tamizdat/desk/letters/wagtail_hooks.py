# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of letters: addresses, menus, the log's words."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.log_actions import LogActionRegistry

from tamizdat.desk.letters import inbox, urls
from tamizdat.desk.staff.menu import ItemFor
from tamizdat.desk.staff.roles import sees_readers


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    return [path("messages/", include((urls.urlpatterns, urls.app_name)))]


@hooks.register("register_log_actions")
def register_log_actions(registry: LogActionRegistry) -> None:
    registry.register_action("tamizdat.letter_mark", "Mark message", "Marked a message")
    registry.register_action("tamizdat.letter_note", "Note", "Wrote a note beside a message")
    registry.register_action("tamizdat.letter_delete", "Delete message", "Deleted a message")
    registry.register_action("tamizdat.letter_bring_back", "Bring back", "Brought a message back")
    registry.register_action(
        "tamizdat.letter_discard", "Discard", "Discarded submissions that could not be read"
    )


@hooks.register("register_admin_menu_item")
def inbox_item() -> MenuItem:
    where = reverse("letters:inbox")
    return ItemFor(sees_readers, "Messages", where, name="messages", icon_name="mail", order=125)


@hooks.register("register_reports_menu_item")
def aside_item() -> MenuItem:
    where = reverse("letters:aside")
    return ItemFor(
        inbox.operates, "Kept aside", where, name="kept-aside", icon_name="warning", order=900
    )
