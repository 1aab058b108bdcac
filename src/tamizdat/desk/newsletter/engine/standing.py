# SPDX-License-Identifier: AGPL-3.0-or-later
"""How far an issue is: what the desk's page and the terminal show.

What always holds: it costs a few questions to small tables, however many readers there are.
"""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.conf import settings

from tamizdat.desk.newsletter.engine import tallies
from tamizdat.desk.newsletter.models import Issue, Sender
from tamizdat.desk.outgoing.models import Relay

STATES = ("queued", "sending", "deferred", "sent", "refused", "unknown")


class RelayStanding(msgspec.Struct, frozen=True, kw_only=True):
    """``sent``: mails of this issue that it took. ``problem``: why it rests."""

    name: str
    sent: int = 0
    paused: bool = False
    problem: str = ""
    next_try: datetime | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """``audience`` are all readers of the issue, gathered so far while it is ``starting``. Of
    ``refused`` those are not refusals that ``left`` before it was sent. ``rate`` in mails a second,
    ``seconds_left`` None where nobody can say. ``refusals`` by large receiving domain, the most
    first; the empty name are all others."""

    issue: int
    state: str
    audience: int
    queued: int = 0
    sending: int = 0
    deferred: int = 0
    sent: int = 0
    refused: int = 0
    unknown: int = 0
    left: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    workers: int = 0
    started: datetime | None = None
    finished: datetime | None = None
    refusals: tuple[tuple[str, int], ...] = ()
    relays: tuple[RelayStanding, ...] = ()

    @property
    def waiting(self) -> int:
        return self.queued + self.sending + self.deferred

    @property
    def done(self) -> float:
        """From 0 to 1."""
        over = self.sent + self.refused + self.unknown
        return over / (over + self.waiting) if over + self.waiting else 0.0


def of(issue: Issue) -> Standing:
    """How far it is now."""
    row = Issue.objects.defer("frozen").get(pk=issue.pk)
    counts = tallies.of(row.pk)
    states = {of.name: max(0, n) for of, n in counts.items() if of.kind == "state"}
    refusals = [(of.name, n) for of, n in counts.items() if of.kind == "refused"]
    by_relay = {of.name: n for of, n in counts.items() if of.kind == "relay"}
    living = list(Sender.objects.filter(lost=False).values_list("rate", flat=True))
    rate = sum(living) if row.state == Issue.State.SENDING else 0.0
    soon = states.get("queued", 0) + states.get("sending", 0)
    return Standing(
        issue=row.pk,
        state=row.state,
        audience=row.audience,
        **{state: states.get(state, 0) for state in STATES},
        left=sum(n for of, n in counts.items() if of.kind == "left"),
        rate=round(rate, 1),
        seconds_left=soon / rate if rate else None,
        workers=len(living),
        started=row.started,
        finished=row.finished,
        refusals=tuple(sorted(refusals, key=lambda found: -found[1])),
        relays=tuple(_relays(by_relay)),
    )


def _relays(sent: dict[str, int]) -> list[RelayStanding]:
    """Those of the settings, and those that were there when the issue went."""
    rows = {row.name: row for row in Relay.objects.all()}
    names = [relay.name for relay in settings.NEWSROOM.settings.relays]
    found = []
    for name in dict.fromkeys([*names, *sorted(sent)]):
        row = rows.get(name) or Relay(name=name)
        found.append(
            RelayStanding(
                name=name,
                sent=sent.get(name, 0),
                paused=row.paused,
                problem=row.problem,
                next_try=row.next_try,
            )
        )
    return found
