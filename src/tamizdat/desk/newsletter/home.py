# SPDX-License-Identifier: AGPL-3.0-or-later
"""Issues on the desk's home page: what was held, what is on its way, what goes out by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.urls import reverse
from wagtail.admin.ui.components import Component

from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.newsletter.numbers import ON_THEIR_WAY, local
from tamizdat.desk.publishing.dashboard import Row

State = Issue.State
SHOWN = 6


class IssuesPanel(Component):
    """``rows``: the held ones first."""

    name = "newsletter-issues"
    template_name = "newsletter/home.html"
    order = 50

    def __init__(self, rows: list[Row]) -> None:
        super().__init__()
        self.rows = rows

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        return {"rows": self.rows}


def rows() -> list[Row]:
    """At most ``SHOWN`` lines, by what needs somebody most."""
    return list(_rows())[:SHOWN]


def _rows() -> Iterator[Row]:
    found = Issue.objects.select_related("newsletter").defer("frozen", "note")
    for states in ((State.HELD,), ON_THEIR_WAY, (State.SCHEDULED,)):
        for issue in found.filter(state__in=states).order_by("scheduled_for", "pk")[:SHOWN]:
            due = issue.state == State.SCHEDULED and issue.scheduled_for
            yield Row(
                words=str(issue),
                link=reverse("newsletter:sending", args=[issue.pk]),
                meta=local(issue.scheduled_for, issue.newsletter)
                if due and issue.scheduled_for
                else issue.get_state_display(),
                why=issue.problem if issue.state == State.HELD else "",
            )
