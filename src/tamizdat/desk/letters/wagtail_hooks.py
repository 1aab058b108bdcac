# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of letters: addresses, menus, the log's words."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, include, path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.log_actions import LogActionRegistry

from tamizdat.desk.letters import inbox, urls
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


class _InboxItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return sees_readers(request.user)


class _AsideItem(MenuItem):
    def is_shown(self, request: HttpRequest) -> bool:
        return inbox.operates(request.user)


@hooks.register("register_admin_menu_item")
def inbox_item() -> MenuItem:
    return _InboxItem(
        "Messages", reverse("letters:inbox"), name="messages", icon_name="mail", order=125
    )


@hooks.register("register_reports_menu_item")
def aside_item() -> MenuItem:
    return _AsideItem(
        "Kept aside", reverse("letters:aside"), name="kept-aside", icon_name="warning", order=900
    )
