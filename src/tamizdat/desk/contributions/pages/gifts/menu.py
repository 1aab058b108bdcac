# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gifts in the menu and on the home page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.urls import reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.admin.ui.components import Component

from tamizdat.desk.contributions.actions import APPROVE, LOOK_AFTER
from tamizdat.desk.contributions.models import Dispute, Refund
from tamizdat.desk.contributions.pages.gifts import words
from tamizdat.desk.contributions.pages.gifts.base import VIEW
from tamizdat.desk.publishing.dashboard import Row
from tamizdat.desk.staff.menu import ItemFor
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import sees_readers

MENU = "register_contributions_menu_item"
SHOWN = 5
_Who = AbstractBaseUser | AnonymousUser


def _sees_gifts(user: _Who) -> bool:
    return isinstance(user, User) and user.has_perm(VIEW)


def _sees_givers_alone(user: _Who) -> bool:
    return sees_readers(user) and not _sees_gifts(user)


def _looks_after(user: _Who) -> bool:
    return isinstance(user, User) and user.has_perm(LOOK_AFTER)


@hooks.register(MENU)
def gifts_item() -> MenuItem:
    """Who sees gifts finds the rest by its tabs."""
    where = reverse("contributions:gifts")
    return ItemFor(_sees_gifts, "Gifts", where, name="gifts", icon_name="pick", order=200)


@hooks.register(MENU)
def givers_item() -> MenuItem:
    where = reverse("contributions:gift_find")
    return ItemFor(
        _sees_givers_alone, "Find a giver", where, name="givers", icon_name="group", order=210
    )


@hooks.register(MENU)
def providers_item() -> MenuItem:
    where = reverse("contributions:standing")
    return ItemFor(
        _looks_after, "Payment providers", where, name="providers", icon_name="site", order=400
    )


class GiftsPanel(Component):
    """On the home page: refunds that wait for a second person, disputes that wait for an answer."""

    name = "contributions-gifts"
    template_name = "contributions/gifts/home.html"
    order = 45

    def __init__(self, rows: list[Row]) -> None:
        super().__init__()
        self.rows = rows

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        return {"rows": self.rows}


# After the newsroom's own panels, which replace Wagtail's.
@hooks.register("construct_homepage_panels", order=5)
def gifts_panel(request: HttpRequest, panels: list[Any]) -> None:
    if found := rows_for(request.user):
        panels.insert(0, GiftsPanel(found))


def rows_for(user: _Who) -> list[Row]:
    """What waits for this person."""
    if not isinstance(user, User) or not user.has_perm(VIEW):
        return []
    return [*(_refunds(user) if user.has_perm(APPROVE) else []), *_disputes()]


def _refunds(user: User) -> list[Row]:
    waiting = Refund.objects.filter(state=Refund.State.ASKED).exclude(asked_by=user)
    return [
        Row(
            words=f"Approve a refund: {words.money(one.amount, one.currency)}",
            link=reverse("contributions:refund", args=[one.pk]),
            meta=f"asked for by {words.name_of(one.asked_by)}" if one.asked_by else "",
        )
        for one in waiting.select_related("asked_by").order_by("pk")[:SHOWN]
    ]


def _disputes() -> list[Row]:
    still = Dispute.objects.filter(state=Dispute.State.OPEN).order_by("due", "pk")
    return [
        Row(
            words=f"Answer a dispute: {words.money(one.amount, one.currency)}",
            link=reverse("contributions:disputes"),
            meta=f"by {words.day(one.due)}" if one.due else "",
        )
        for one in still[:SHOWN]
    ]
