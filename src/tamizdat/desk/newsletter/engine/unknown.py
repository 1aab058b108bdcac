# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mails of which nobody knows whether they went: what a relay's log says, else the newsroom's word.

What always holds:

- Where the relay's log is there (``relay.log``), a mail that it took counts as sent; one that it
  never saw is queued again, once the log is so much younger than the doubt that it would stand
  there (``SURE``), and where the log goes back to before the issue was started: what was turned
  over and put away says nothing.
- Where there is none, ``[mail] unknown`` decides: ``hold`` (shown, until a person decides) or
  ``resend``, at most once by itself. Each that is sent again is marked so (``Delivery.resent``).

What is not done here: finding out which mails are in doubt (``senders``).
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from django.db import connection, transaction

from tamizdat.config import Newsroom
from tamizdat.desk.newsletter.engine import finish, relay_log, rows, tallies
from tamizdat.desk.newsletter.engine.press import MessageIds
from tamizdat.desk.newsletter.engine.rows import moment
from tamizdat.desk.newsletter.engine.tallies import DESK, Of, moved
from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.outgoing import clock

log = logging.getLogger("tamizdat.newsletter")
SURE = timedelta(seconds=60)
KEPT = timedelta(days=7)  # after which an issue's rows in doubt are not looked up any more
MOST = 2_000
State = Issue.State

_DOUBTED = f"""
SELECT id, subscription_id, relay, finished, resent FROM newsletter_delivery
WHERE issue_id = %s AND {rows.of_state("unknown")} LIMIT {MOST}
"""  # noqa: S608 - ours
_RESOLVE = f"""
UPDATE newsletter_delivery SET state = %s, worker = '', code = %s, said = %s, finished = %s,
  resent = resent OR %s
WHERE id = %s AND {rows.of_state("unknown")}
"""  # noqa: S608 - ours
_RESEND = f"""
UPDATE newsletter_delivery SET state = 'queued', worker = '', resent = %s, finished = NULL
WHERE issue_id = %s AND {rows.of_state("unknown")}
"""  # noqa: S608 - ours


class Doubt(NamedTuple):
    id: int
    subscription: int
    relay: str
    since: datetime | None
    resent: bool


def settle(newsroom: Newsroom) -> int:
    """Settle what can be settled now. How many rows."""
    known = Issue.objects.filter(started__gt=clock.now() - KEPT).exclude(state=State.CANCELLED)
    return sum(
        _settle(newsroom, issue)
        for issue in known.values_list("pk", flat=True)
        if rows.any_in(issue, "unknown")
    )


def _settle(newsroom: Newsroom, issue: int) -> int:
    doubts, settled = _doubts(issue), 0
    logs = {relay.name: relay.log for relay in newsroom.settings.relays if relay.log}
    for name, path in logs.items():
        of = [doubt for doubt in doubts if doubt.relay == name]
        if of:
            settled += _by_log(newsroom, issue, of, Path(path))
    if newsroom.settings.mail.unknown == "resend":
        rest = [d for d in doubts if d.relay not in logs and not d.resent]
        settled += _apply(issue, [(doubt, "queued", "", "", True) for doubt in rest])
    return settled


def _doubts(issue: int) -> list[Doubt]:
    with connection.cursor() as cursor:
        cursor.execute(_DOUBTED, [issue])
        return [
            Doubt(row, sub, relay, _aware(since), bool(resent))
            for row, sub, relay, since, resent in cursor.fetchall()
        ]


def _aware(value: datetime | str | None) -> datetime | None:
    if isinstance(value, str):  # SQLite
        value = datetime.fromisoformat(value)
    if value is not None and value.tzinfo is None:
        value = value.replace(tzinfo=clock.now().tzinfo)
    return value


def _by_log(newsroom: Newsroom, issue: int, doubts: Sequence[Doubt], path: Path) -> int:
    ids = MessageIds(newsroom, issue)
    wanted = {ids.of(doubt.subscription): doubt for doubt in doubts}
    try:
        found = relay_log.look_up(path, set(wanted))
    except OSError as error:
        log.warning("the relay's log %s cannot be read: %s", path, error.strerror)
        return 0
    started = Issue.objects.filter(pk=issue).values_list("started", flat=True).get()
    whole = found.begins is not None and started is not None and found.begins <= started
    changes = []
    for name, doubt in wanted.items():
        said = found.fates.get(name)
        if said is not None:
            state = "refused" if said.bounced else "sent"
            changes.append((doubt, state, said.code, "as the relay's log says", False))
        elif whole and doubt.since is not None and found.written > doubt.since + SURE:
            changes.append((doubt, "queued", "", "", False))
    return _apply(issue, changes)


@transaction.atomic
def _apply(issue: int, changes: Sequence[tuple[Doubt, str, str, str, bool]]) -> int:
    """Rows get their state, where they are still in doubt. An issue with rows to send goes on."""
    counts: Counter[Of] = Counter()
    now = moment(clock.now())
    with connection.cursor() as cursor:
        for doubt, state, code, said, resent in changes:
            over = None if state == "queued" else now
            cursor.execute(_RESOLVE, [state, code[:20], said, over, resent, doubt.id])
            if cursor.rowcount:
                counts.update(moved("unknown", state, 1))
                if state == "sent":
                    counts[Of("relay", doubt.relay)] += 1
                elif state == "refused":
                    counts[Of("refused", "")] += 1
    if counts.get(Of("state", "queued")):
        finish.reopen(issue)
    tallies.add(issue, DESK, counts)
    return -counts[Of("state", "unknown")]


def resend(issue: int) -> int:
    """Queue all that are in doubt, as a person decided. How many. Inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(_RESEND, [True, issue])
        count = int(cursor.rowcount)
    if count:
        finish.reopen(issue)
        tallies.add(issue, DESK, moved("unknown", "queued", count))
    return count
