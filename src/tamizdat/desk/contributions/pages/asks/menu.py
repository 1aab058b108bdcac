# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages in the menu and on the home page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from tamizdat.desk.contributions.pages.asks import home
from tamizdat.desk.staff.menu import ItemFor
from tamizdat.desk.staff.models import User


def sees_messages(user: Any) -> bool:
    return bool(user.has_perm("contributions.view_ask"))


@hooks.register("register_contributions_menu_item")
def messages_item() -> MenuItem:
    where = reverse("contributions:asks")
    return ItemFor(
        sees_messages, "Messages", where, name="contributions-messages", icon_name="comment",
        order=100,
    )  # fmt: skip


# After the newsroom's own panels, which replace Wagtail's.
@hooks.register("construct_homepage_panels", order=5)
def asks_panel(request: HttpRequest, panels: list[Any]) -> None:
    found = home.rows_for(request.user) if isinstance(request.user, User) else []
    if found:
        panels.insert(0, home.AsksPanel(found))
