# SPDX-License-Identifier: AGPL-3.0-or-later
"""How much a relay or a receiving domain takes in any span of time, over all workers.

::

    with transaction.atomic():
        granted = limits.take(limits.of_relay(relay), 100)   # 0 … 100

What always holds: in no span of that length is more granted than its limit, wherever the span
begins (a span is cut into slices; every slice that it touches counts whole). All workers ask the
database and go by its clock; where that was set back, what lies further ahead than one span counts
no more. Where nothing is limited the database is not asked.

What is not done here: waiting. Who is granted less does something else meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.db import connection

from tamizdat.config import MailSettings, RelaySettings
from tamizdat.desk.outgoing import clock

SLICES = 10


class Allowance(NamedTuple):
    """At most ``limit`` in any ``span`` seconds."""

    key: str
    span: int
    limit: int


def of_relay(relay: RelaySettings) -> tuple[Allowance, ...]:
    """What limits a relay; empty where nothing does."""
    wanted = ((1, relay.per_second), (60, relay.per_minute), (3600, relay.per_hour))
    return tuple(Allowance(f"relay {relay.name}", span, n) for span, n in wanted if n)


def for_issues(allowances: Sequence[Allowance]) -> tuple[Allowance, ...]:
    """What of a relay's limits issues may use: a twentieth, and one mail at least, is left for
    single mails, which then wait behind no issue. A limit of one is shared."""
    return tuple(
        one._replace(limit=one.limit - max(1, one.limit // 20)) if one.limit > 1 else one
        for one in allowances
    )


def of_domains(mail: MailSettings) -> dict[str, tuple[Allowance, ...]]:
    """What limits receiving domains, by domain."""
    return {
        one.domain.lower(): tuple(
            Allowance(f"domain {one.domain.lower()}"[:80], span, n)
            for span, n in ((60, one.per_minute), (3600, one.per_hour))
            if n
        )
        for one in mail.domains
    }


def take(allowances: Sequence[Allowance], wanted: int) -> int:
    """Take up to ``wanted`` of what all of these allow; how many were granted.

    Inside a transaction, which should be short: others who ask for the same wait for its end.
    """
    if not allowances or wanted <= 0:
        return max(wanted, 0)
    now = clock.now().timestamp()
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for key in sorted({one.key for one in allowances}):
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
            now = clock.now().timestamp()
        left = [one.limit - _used(cursor, one, now) for one in allowances]
        granted = max(0, min(wanted, *left))
        if granted:
            for one in allowances:
                _spend(cursor, one, now, granted)
    return granted


def give_back(allowances: Sequence[Allowance], unused: int) -> None:
    """Of what was taken in this transaction so much was not needed."""
    now = clock.now().timestamp()
    with connection.cursor() as cursor:
        for one in allowances:
            cursor.execute(
                "UPDATE outgoing_spent SET used = used - %s "
                "WHERE key = %s AND span = %s AND slice = %s AND used >= %s",
                [unused, one.key, one.span, _slice(one, now), unused],
            )


def _slice(one: Allowance, now: float) -> int:
    return int(now * SLICES // one.span)


def _used(cursor: object, one: Allowance, now: float) -> int:
    execute, fetch = cursor.execute, cursor.fetchone  # type: ignore[attr-defined] # Django's cursor
    execute(
        "SELECT COALESCE(SUM(used), 0) FROM outgoing_spent "
        "WHERE key = %s AND span = %s AND slice BETWEEN %s AND %s",
        [one.key, one.span, _slice(one, now) - SLICES, _slice(one, now) + SLICES],
    )
    return int(fetch()[0])


def _spend(cursor: object, one: Allowance, now: float, count: int) -> None:
    execute = cursor.execute  # type: ignore[attr-defined] # Django's cursor
    here = _slice(one, now)
    execute(
        "INSERT INTO outgoing_spent (key, span, slice, used) VALUES (%s, %s, %s, %s) "
        "ON CONFLICT (key, span, slice) DO UPDATE SET used = outgoing_spent.used + %s",
        [one.key, one.span, here, count, count],
    )
    execute(
        "DELETE FROM outgoing_spent WHERE key = %s AND span = %s AND slice < %s",
        [one.key, one.span, here - 2 * SLICES],
    )


def wait_for(allowances: Iterable[Allowance]) -> float:
    """For how many seconds it is of no use to ask again, where nothing was granted."""
    return min((one.span / SLICES for one in allowances), default=0.0) or 0.05


class Slots:
    """When to come back with what a domain does not take now: spread as the limit lets it in, so
    that what was put off is not looked at again and again. One for each worker and domain."""

    def __init__(self, allowances: Sequence[Allowance]) -> None:
        self._step = max((one.span / one.limit for one in allowances), default=1.0)
        self._next = 0.0

    def next(self) -> float:
        """Seconds from now until the next one's turn."""
        now = time.monotonic()
        self._next = max(self._next + self._step, now + self._step)
        return self._next - now
