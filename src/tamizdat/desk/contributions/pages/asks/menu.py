# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where the menu leads to messages."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from tamizdat.desk.staff.menu import ItemFor


def sees_messages(user: Any) -> bool:
    return bool(user.has_perm("contributions.view_ask"))


@hooks.register("register_contributions_menu_item")
def messages_item() -> MenuItem:
    where = reverse("contributions:asks")
    return ItemFor(
        sees_messages, "Messages", where, name="contributions-messages", icon_name="comment",
        order=100,
    )  # fmt: skip
