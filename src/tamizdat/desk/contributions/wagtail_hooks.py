# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of contributions: addresses, menu, the log's words, the alarm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, include, path, reverse
from wagtail import hooks
from wagtail.admin.menu import Menu, MenuItem, SubmenuMenuItem
from wagtail.admin.ui.components import Component
from wagtail.log_actions import LogActionRegistry

from tamizdat.desk.contributions import alarm, urls
from tamizdat.desk.contributions.pages.asks import menu as menu_of_asks  # noqa: F401
from tamizdat.desk.contributions.pages.gifts import menu as menu_of_gifts  # noqa: F401
from tamizdat.desk.contributions.pages.numbers import menu as menu_of_numbers  # noqa: F401

MENU = "register_contributions_menu_item"


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    return [path("contributions/", include((urls.urlpatterns, urls.app_name)))]


@hooks.register("register_admin_menu_item")
def contributions_item() -> MenuItem:
    """Nobody sees it who sees nothing in it. Each kind of pages adds its own to ``MENU``."""
    menu = Menu(register_hook_name=MENU)
    return SubmenuMenuItem("Contributions", menu, name="contributions", icon_name="pick", order=108)


@hooks.register("register_log_actions")
def register_log_actions(registry: LogActionRegistry) -> None:
    for name, label, said in _WORDS:
        registry.register_action(f"tamizdat.refund_{name}", label, said)
    registry.register_action(
        "tamizdat.wish_seen_to", "See to a wish", "Saw to what a giver asked for by hand"
    )
    registry.register_action(
        "tamizdat.reconcile_ask", "Reconcile now", "Had a payment provider asked what happened"
    )
    for name, label, said in _OF_ASKS:
        registry.register_action(f"tamizdat.ask_{name}", label, said)


_WORDS = (
    ("ask", "Ask for a refund", "Asked for a payment to be given back"),
    ("approve", "Approve a refund", "Approved a refund"),
    ("decline", "Decline a refund", "Declined a refund"),
    ("fail", "Refund failed", "A provider refused a refund"),
)


_OF_ASKS = (
    ("write", "Write a message to readers", "Wrote a message to readers"),
    ("approve", "Approve a message to readers", "Approved a message to readers"),
    ("stop", "Take down a message to readers", "Took down a message to readers"),
)


class AlarmPanel(Component):
    """What somebody must look at, in sentences."""

    name = "contributions-alarm"
    template_name = "contributions/alarm.html"
    order = 40

    def __init__(self, alarms: list[str]) -> None:
        super().__init__()
        self.alarms = alarms

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        return {"alarms": self.alarms, "standing": reverse("contributions:standing")}


# After the newsroom's own panels, which replace Wagtail's.
@hooks.register("construct_homepage_panels", order=5)
def alarm_panel(request: HttpRequest, panels: list[Any]) -> None:
    """A webhook that is silent, and whatever else is wrong with a provider, is told at once."""
    found = alarm.alarms() if request.user.has_perm("contributions.view_standing") else []
    if found:
        panels.insert(0, AlarmPanel(found))
