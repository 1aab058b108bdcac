# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who gives again and again: new, regained, lapsed, failed, by month.

What always holds:

- A giver is a reader of the vault, or an agreement whose giver left no address (or was forgotten).
- Somebody gives at the end of a month if a payment of theirs reaches it: until the next one is
  due and ``times.GRACE`` more, for renewals that are tried again; never past the day on which the
  agreement ended.
- **new** gave for the first time; **lapsed** gave at the end of the month before (or came in this
  one) and does not at the end of this; **regained** the other way round. So ``giving`` is what it
  was a month ago, plus new, plus regained, less lapsed. **failed** had a payment that failed.
- The present month ends today.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec
from django.db.models import Min
from django.db.models.functions import Coalesce

from tamizdat.desk.contributions.models import Payment
from tamizdat.desk.contributions.reports import times
from tamizdat.desk.contributions.reports.times import Again

_YEAR_FOUR = 4 * 12


class MonthOfGivers(msgspec.Struct, frozen=True):
    month: str
    giving: int
    new: int
    regained: int
    lapsed: int
    failed: int


def givers(kind: Again, since: date, until: date, *, today: date) -> tuple[MonthOfGivers, ...]:
    """One row a month."""
    until = min(until, today)
    months = range(times.number(since), times.number(until) + 1)
    if not months:  # It begins in days to come.
        return ()
    counted: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for first, ends in _histories(kind, months[0] - 1, until, today).values():
        counted["new"][first] += 1
        for month in months:
            now, was = month in ends, month - 1 in ends
            counted["giving"][month] += now
            counted["regained"][month] += now and not was and month != first
            counted["lapsed"][month] += (was or month == first) and not now
    failed = _failed(kind, since, until)
    return tuple(
        MonthOfGivers(
            month=times.name(month),
            giving=counted["giving"][month],
            new=counted["new"][month],
            regained=counted["regained"][month],
            lapsed=counted["lapsed"][month],
            failed=failed[month],
        )
        for month in months
    )


def giving_now(kind: Again, today: date) -> int:
    """How many give today: ``giving`` of the present month's row, from the few payments that can
    reach today."""
    since = today - _longest(kind)
    return len(
        {
            giver
            for giver, day, ended in _paid(kind, today, since)
            if today < _stop(day, kind, ended)
        }
    )


def _longest(kind: Again) -> timedelta:
    """No payment reaches further than that."""
    return times.GRACE + timedelta(days=31 * times.STEP[kind])


def _stop(day: date, kind: Again, ended: date | None) -> date:
    """The first day that a payment does not reach."""
    reached = times.reaches(day, kind)
    return reached if ended is None else min(reached, ended)


def _histories(
    kind: Again, earliest: int, until: date, today: date
) -> dict[int, tuple[int, set[int]]]:
    """By giver: the month of the first payment, and the months from ``earliest`` on at whose end
    they give. Givers whose payments reach none of these are left out."""
    found: dict[int, tuple[int, set[int]]] = {}
    firsts = _firsts(kind, until)
    last = times.number(until)
    # No earlier one reaches so far. (There is no day before the year 1.)
    since = times.first_day(max(earliest, _YEAR_FOUR)) - _longest(kind)
    for giver, day, ended in _paid(kind, until, since):
        ends = found.setdefault(giver, (times.number(firsts[giver]), set()))[1]
        month = times.number(day)
        stop = _stop(day, kind, ended)
        while month <= last and min(times.last_day(month), today) < stop:
            ends.add(month)
            month += 1
    return found


def _firsts(kind: Again, until: date) -> dict[int, date]:
    """By giver, the day of the first payment ever."""
    rows = Payment.objects.filter(state=Payment.State.PAID, gift__kind=kind, day__lte=until)
    giver = Coalesce("gift__reader_id", "gift_id")
    return dict(rows.order_by().values_list(giver).annotate(Min("day")))


def _paid(kind: Again, until: date, since: date) -> Iterator[tuple[int, date, date | None]]:
    """Giver, day, end of the agreement. Both kinds of ids are drawn at random."""
    rows = Payment.objects.filter(
        state=Payment.State.PAID, gift__kind=kind, day__range=(since, until)
    )
    told = rows.order_by().values_list("gift_id", "gift__reader_id", "gift__ended", "day")
    for gift, reader, ended, day in told.iterator():
        yield reader or gift, day, ended


def _failed(kind: Again, since: date, until: date) -> Counter[int]:
    rows = Payment.objects.filter(
        state=Payment.State.FAILED, gift__kind=kind, day__range=(since, until)
    )
    told = rows.values_list("gift_id", "gift__reader_id", "day")
    return Counter(
        month for month, _ in {(times.number(day), reader or gift) for gift, reader, day in told}
    )
