# SPDX-License-Identifier: AGPL-3.0-or-later
"""How far an issue is, in the desk's words (the numbers are ``engine.standing``'s)."""

from __future__ import annotations

from dataclasses import dataclass

from tamizdat.desk.newsletter import paper
from tamizdat.desk.newsletter.content import issue_url
from tamizdat.desk.newsletter.engine import standing
from tamizdat.desk.newsletter.engine.standing import RelayStanding, Standing
from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.newsletter.numbers import local

MOVING = (Issue.State.STARTING, Issue.State.SENDING)
OTHERS = "smaller receivers"


@dataclass(frozen=True)
class Progress:
    """``percent`` of the readers are done with. ``left`` says how long it still takes. ``paper``:
    whether its page is in the paper (``paper.place``); asked for once it does not move any more."""

    standing: Standing
    words: str
    percent: int
    left: str
    since: str
    until: str
    refusals: list[tuple[str, int]]
    relays: list[tuple[RelayStanding, str]]
    paper: paper.Place
    web: str

    @property
    def over(self) -> bool:
        return self.standing.state in (Issue.State.SENT, Issue.State.CANCELLED)


def progress_of(issue: Issue) -> Progress:
    found = standing.of(issue)
    newsletter = issue.newsletter
    place = "absent" if found.state in MOVING else paper.place(issue)
    return Progress(
        standing=found,
        words=_words(found),
        percent=int(found.done * 100),
        left=_left(found.seconds_left),
        since=local(found.started, newsletter) if found.started else "",
        until=local(found.finished, newsletter) if found.finished else "",
        refusals=[(domain or OTHERS, number) for domain, number in found.refusals],
        relays=[(relay, _relay(relay)) for relay in found.relays],
        paper=place,
        web=issue_url(issue) if found.state == Issue.State.SENT and place != "absent" else "",
    )


def _words(found: Standing) -> str:
    if found.state == Issue.State.STARTING:
        return f"Its readers are gathered: {found.audience:,} so far. Nothing is sent yet."
    if found.state == Issue.State.PAUSED:
        return f"Paused. {found.waiting:,} readers wait for it."
    if found.state == Issue.State.CANCELLED:
        return f"Cancelled. {found.waiting:,} readers did not get it."
    if found.state == Issue.State.SENT:
        return f"Sent to {found.sent:,} of {found.audience:,} readers."
    if not found.workers:
        return "It waits for a worker: none is running. Ask the operator."
    return f"{found.sent:,} of {found.audience:,} readers have it."


def _left(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 90:
        return "less than two minutes"
    if seconds < 5_400:
        return f"about {round(seconds / 60)} minutes"
    return f"about {round(seconds / 3600)} hours"


def _relay(relay: RelayStanding) -> str:
    if relay.paused:
        return "paused by somebody"
    if relay.problem:
        return f"rests: {relay.problem}"
    return "in use"
