# SPDX-License-Identifier: AGPL-3.0-or-later
"""The numbers that one looks at first: the last month that is over, against the one before it."""

from __future__ import annotations

from datetime import date

import msgspec

from tamizdat.desk.contributions import reports
from tamizdat.desk.contributions.pages.numbers.wording import compared, money, month_words, number
from tamizdat.desk.contributions.reports import times
from tamizdat.desk.contributions.reports.givers import MonthOfGivers
from tamizdat.desk.contributions.reports.sums import KINDS


class Number(msgspec.Struct, frozen=True):
    """``beside`` says how it was a month before."""

    label: str
    value: str
    beside: str = ""


class Head(msgspec.Struct, frozen=True):
    """``month``: “October 2026”."""

    month: str
    numbers: tuple[Number, ...]


class _Money(msgspec.Struct, frozen=True):
    given: int
    payments: int
    fees: int
    back: int

    @property
    def average(self) -> int:
        """Rounded half up; nothing where nobody paid."""
        both = 2 * self.payments
        return (2 * self.given + self.payments) // both if self.payments > 0 else 0


def of(month: int, currency: str, givers: tuple[MonthOfGivers, ...]) -> Head:
    """``givers`` holds at least this month and the one before it."""
    was, now = _money(month - 1, currency), _money(month, currency)
    by_name = {row.month: row.giving for row in givers}
    giving, gave = by_name.get(times.name(month), 0), by_name.get(times.name(month - 1), 0)

    def amount(label: str, one: int, before: int) -> Number:
        return Number(label, money(one, currency), compared(one, before, month - 1))

    return Head(
        month_words(times.name(month)),
        (
            amount("Given", now.given, was.given),
            amount("Average payment", now.average, was.average),
            Number("Monthly givers", number(giving), compared(giving, gave, month - 1)),
            amount("Fees", now.fees, was.fees),
            amount("Given back", now.back, was.back),
        ),
    )


def month_of(until: date, today: date) -> int:
    """The last month that is over by ``until`` and by today."""
    end = min(until, today)
    month = times.number(end)
    return month if end == times.last_day(month) else month - 1


def _money(month: int, currency: str) -> _Money:
    found = reports.sums(times.first_day(month), times.last_day(month))
    mine = {one.what: one for one in found if one.currency == currency}
    kinds = [mine[what] for what in KINDS if what in mine]
    cost = {what: mine[what].amounts[0] for what in mine if what not in KINDS}
    return _Money(
        given=sum(one.amounts[0] for one in kinds),
        payments=sum(one.payments[0] for one in kinds),
        fees=cost.get("fees", 0),
        back=cost.get("refunds", 0) + cost.get("disputes", 0),
    )
