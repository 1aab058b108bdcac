# SPDX-License-Identifier: AGPL-3.0-or-later
"""On the home page: messages that wait for a second person, for who may be that person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from wagtail.admin.templatetags.wagtailadmin_tags import user_display_name
from wagtail.admin.ui.components import Component

from tamizdat.desk.contributions import asking
from tamizdat.desk.contributions.models import Ask
from tamizdat.desk.contributions.pages.asks import standing
from tamizdat.desk.contributions.pages.asks.verdict import problems_of
from tamizdat.desk.publishing.dashboard import Row
from tamizdat.desk.staff.models import User

LOOKED_AT, SHOWN = 20, 5


class AsksPanel(Component):
    name = "contributions-asks"
    template_name = "contributions/asks/home.html"
    order = 44

    def __init__(self, rows: list[Row]) -> None:
        super().__init__()
        self.rows = rows

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        return {"rows": self.rows}


def rows_for(user: User) -> list[Row]:
    """Those that are whole, and that somebody else changed last."""
    if not user.has_perm(asking.APPROVE):
        return []
    asks = Ask.objects.exclude(state=Ask.State.STOPPED).select_related("changed_by")
    if settings.NEWSROOM.settings.desk.four_eyes:
        asks = asks.exclude(changed_by=user)
    newest = list(asks.order_by("-changed")[:LOOKED_AT])
    waiting = [ask for ask, where in standing.of_all(newest) if where.waits]
    return [_row(ask) for ask in waiting if not problems_of(ask)][:SHOWN]


def _row(ask: Ask) -> Row:
    return Row(
        words=f"Approve a message: {ask.title}",
        link=reverse("contributions:ask_approve", args=[ask.pk]),
        meta=f"by {user_display_name(ask.changed_by)}" if ask.changed_by else "",
    )
