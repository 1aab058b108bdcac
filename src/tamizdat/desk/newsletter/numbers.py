# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts that the desk shows: of issues that were sent, and of subscribers. Pure reading.

What always holds: only numbers come out of here, no reader and no address.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, Sum
from django.utils import formats

from tamizdat.desk.newsletter.models import Issue, Newsletter, Subscription, Tally
from tamizdat.desk.outgoing.models import Suppression
from tamizdat.desk.publishing.dashboard import Bar

WEEKS = 12
ON_THEIR_WAY = (Issue.State.STARTING, Issue.State.SENDING, Issue.State.PAUSED)
DONE = (Issue.State.SENT, Issue.State.CANCELLED)


@dataclass(frozen=True)
class Row:
    """An issue in the list. ``when`` is said in the newsletter's zone."""

    issue: Issue
    when: str
    sent: int
    refused: int
    went: bool


def rows_of(issues: Iterable[Issue], newsletter: Newsletter) -> list[Row]:
    """One query for all counts."""
    found = list(issues)
    counts = _counts(found)
    return [
        Row(
            issue=issue,
            when=_when(issue, newsletter),
            sent=counts[issue.pk]["sent"],
            refused=counts[issue.pk]["refused"],
            went=issue.started is not None,
        )
        for issue in found
    ]


def _counts(issues: list[Issue]) -> dict[int, dict[str, int]]:
    counts: defaultdict[int, dict[str, int]] = defaultdict(lambda: {"sent": 0, "refused": 0})
    tallies = Tally.objects.filter(issue__in=issues, kind="state", name__in=["sent", "refused"])
    for issue, name, total in tallies.values_list("issue_id", "name").annotate(Sum("count")):
        counts[issue][name] = max(0, total)
    return counts


def _when(issue: Issue, newsletter: Newsletter) -> str:
    if issue.state in (*ON_THEIR_WAY, *DONE) and issue.started:
        return local(issue.started, newsletter)
    if issue.scheduled_for is None:
        return ""
    said = local(issue.scheduled_for, newsletter)
    return said if issue.state == Issue.State.SCHEDULED else f"proposed: {said}"


def local(when: datetime, newsletter: Newsletter) -> str:
    """“Friday, 27 November, 17:00”, by the newsletter's clocks."""
    here = when.astimezone(ZoneInfo(newsletter.zone))
    # The formatter turns moments into the desk's own zone; clocks on the wall are meant here.
    return formats.date_format(here.replace(tzinfo=None), "l, j F Y, H:i")


@dataclass(frozen=True)
class Standing:
    """One newsletter's subscriptions."""

    newsletter: Newsletter
    active: int
    paused: int
    pending: int
    left: int
    full: int
    chart: dict[str, Any]


def of_subscribers(today: date) -> dict[str, Any]:
    counts, full = _by_state()
    paused = _paused(today)
    chart = _growth(today)
    return {
        "standings": [
            Standing(
                newsletter=one,
                active=counts[one.pk]["active"],
                paused=paused.get(one.pk, 0),
                pending=counts[one.pk]["pending"],
                left=counts[one.pk]["left"],
                full=full.get(one.pk, 0),
                chart=chart[one.pk],
            )
            for one in Newsletter.objects.order_by("-active", "title")
        ],
        "suppressed": _suppressed(),
        "weeks": WEEKS,
    }


def _by_state() -> tuple[dict[int, dict[str, int]], dict[int, int]]:
    """By newsletter: how many stand so; how many of those who get it get whole articles. All in
    one pass through one index."""
    counts: defaultdict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    full: defaultdict[int, int] = defaultdict(int)
    rows = Subscription.objects.order_by().values_list("newsletter_id", "state", "text")
    for newsletter, state, text, number in rows.annotate(n=Count("*")):
        counts[newsletter][state] += number
        full[newsletter] += number if (state, text) == ("active", "full") else 0
    return counts, full


def _paused(today: date) -> dict[int, int]:
    """Of those who get each newsletter, how many pause."""
    pausing = Subscription.objects.filter(state="active", paused_until__gt=today).order_by()
    return dict(pausing.values_list("newsletter_id").annotate(n=Count("*")))


def _suppressed() -> list[tuple[str, int]]:
    rows = Suppression.objects.filter(lifted=None).order_by().values_list("reason")
    words = dict(Suppression.Reason.choices)
    return [(str(words[reason]), n) for reason, n in rows.annotate(Count("pk"))]


def _growth(today: date) -> defaultdict[int, dict[str, Any]]:
    """For each newsletter, who came in each of the last weeks, less who left."""
    monday = today - timedelta(days=today.weekday())
    first = monday - timedelta(weeks=WEEKS - 1)
    net: defaultdict[int, list[int]] = defaultdict(lambda: [0] * WEEKS)
    came = Subscription.objects.filter(since__gte=first).exclude(state="pending")
    for sign, name, rows in (
        (1, "since", came),
        (-1, "left", Subscription.objects.filter(left__gte=first)),
    ):
        for newsletter, day, n in (
            rows.order_by().values_list("newsletter_id", name).annotate(n=Count("*"))
        ):
            at = (day - first).days // 7
            if 0 <= at < WEEKS:
                net[newsletter][at] += sign * n
    return defaultdict(
        lambda: {"bars": [], "words": ""}, {pk: chart(row, first) for pk, row in net.items()}
    )


def chart(net: list[int], first: date) -> dict[str, Any]:
    """Bars of 100 × 100 for each week's growth; a week that lost readers has none."""
    most, width = max(1, *net), 100 / len(net)
    bars = [
        Bar(
            x=at * width + width * 0.15,
            width=width * 0.7,
            height=100 * max(0, n) / most,
            words=f"Week of {formats.date_format(first + timedelta(weeks=at), 'j F')}: {n:+d}",
            last=at == len(net) - 1,
        )
        for at, n in enumerate(net)
    ]
    return {"bars": bars, "words": f"{sum(net):+d} in {len(net)} weeks, {net[-1]:+d} in this one."}


def audience_now(newsletter: Newsletter, today: date) -> int:
    """About how many would get an issue now: those who are not pausing. (Who is suppressed or has
    withdrawn consent is left out when it starts.)"""
    active = Subscription.objects.filter(newsletter=newsletter, state="active")
    # Two counts in an index: one of those who do not pause would read every row.
    return active.count() - active.filter(paused_until__gt=today).count()
