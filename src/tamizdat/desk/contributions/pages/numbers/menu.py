# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of the numbers: the first item of the menu, a panel of the home page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from wagtail import hooks
from wagtail.admin.menu import MenuItem

from tamizdat.desk.contributions.pages.numbers import home
from tamizdat.desk.staff.menu import ItemFor

SEE = "contributions.view_gift"


def sees_gifts(user: Any) -> bool:
    return bool(user.has_perm(SEE))


@hooks.register("register_contributions_menu_item")
def overview_item() -> MenuItem:
    where = reverse("contributions:overview")
    return ItemFor(
        sees_gifts, "Overview", where, name="contributions-overview", icon_name="table", order=10
    )


# After the newsroom's own panels, which replace Wagtail's.
@hooks.register("construct_homepage_panels", order=6)
def numbers_panel(request: HttpRequest, panels: list[Any]) -> None:
    found = home.panel(timezone.localdate()) if sees_gifts(request.user) else None
    if found is not None:
        panels.append(found)
