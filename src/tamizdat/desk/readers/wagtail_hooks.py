# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of readers: addresses, the menu, the log's words."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.log_actions import LogActionRegistry

from tamizdat.desk.readers import urls
from tamizdat.desk.staff.menu import ItemFor
from tamizdat.desk.staff.roles import sees_readers


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    return [path("readers/", include((urls.urlpatterns, urls.app_name)))]


@hooks.register("register_log_actions")
def register_log_actions(actions: LogActionRegistry) -> None:
    actions.register_action("tamizdat.reader_find", "Look up", "Looked up a reader")
    actions.register_action("tamizdat.reader_export", "Export", "Exported a reader's data")
    actions.register_action("tamizdat.reader_erase", "Erase", "Erased a reader's data")
    actions.register_action("tamizdat.vault_begin", "Begin vault", "Made the vault's first key")
    actions.register_action("tamizdat.vault_rotate", "Rotate", "Changed the vault's key")
    actions.register_action("tamizdat.vault_shred", "Shred", "Destroyed the vault's key")


@hooks.register("register_admin_menu_item")
def readers_item() -> MenuItem:
    where = reverse("readers:find")
    return ItemFor(sees_readers, "Readers", where, name="readers", icon_name="group", order=126)
