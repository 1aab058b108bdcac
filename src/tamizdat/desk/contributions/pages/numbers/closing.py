# SPDX-License-Identifier: AGPL-3.0-or-later
"""Closing a month: whether each one is whole, and its books as files.

What always holds: a month is said to be whole only where it is over, every provider that moved
something in it was reconciled after its end, and every payout of it is explained by its lines. What
a provider tells of it later is booked later (``docs/operating/books.md``).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, time

import msgspec
from django.db.models import Min
from django.utils import formats, timezone

from tamizdat.desk.contributions import exports, reports
from tamizdat.desk.contributions.exports import Format
from tamizdat.desk.contributions.models import Movement, Payment, Standing, Transaction
from tamizdat.desk.contributions.pages.numbers.wording import counted, money, month_words
from tamizdat.desk.contributions.reports import times
from tamizdat.desk.contributions.reports.payouts import OfPayout
from tamizdat.desk.contributions.reports.sums import KINDS

# How a file is called, and what it is.
FILES: dict[Format, tuple[str, str]] = {
    "hledger": ("journal", "text/plain; charset=utf-8"),
    "beancount": ("beancount", "text/plain; charset=utf-8"),
    "csv": ("csv", "text/csv; charset=utf-8"),
}
_MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])\Z")


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """``name``: ``2026-10``. ``state``: whole, open (not over), waiting (for a reconciliation) or
    wrong; ``said`` is why. ``given`` and ``paid_out`` are sentences' worth, a currency each."""

    name: str
    words: str
    state: str
    word: str
    said: str
    given: tuple[str, ...]
    paid_out: tuple[str, ...]
    payouts: int


_WORDS = {
    "whole": "Whole",
    "open": "Not over yet",
    "waiting": "Not reconciled yet",
    "wrong": "Not explained",
}


def years(today: date) -> list[int]:
    """Those of which there are books, the present one first; empty where there are none."""
    first = Transaction.objects.aggregate(day=Min("day"))["day"]
    return list(range(today.year, first.year - 1, -1)) if first else []


def months_of(year: int, today: date) -> list[Month]:
    """The newest first, from the month in which the books begin."""
    begun = Transaction.objects.aggregate(day=Min("day"))["day"]
    since = max(date(year, 1, 1), begun.replace(day=1))
    until = min(date(year, 12, 31), times.last_day(times.number(today)))
    given = _given(since, until)
    movers = _movers(since, until)
    rows = Standing.objects.in_bulk()
    out: defaultdict[int, list[OfPayout]] = defaultdict(list)
    for one in reports.payouts(since, until):
        out[times.number(one.day)].append(one)
    return [
        _month(month, today, given[month], out[month], movers[month], rows)
        for month in range(times.number(until), times.number(since) - 1, -1)
    ]


def _month(
    month: int,
    today: date,
    given: list[str],
    out: list[OfPayout],
    movers: set[str],
    rows: dict[str, Standing],
) -> Month:
    state, said = _state(month, today, out, movers, rows)
    sums: defaultdict[str, int] = defaultdict(int)
    for one in out:
        if one.state == "paid":
            sums[one.currency] += one.amount
    return Month(
        name=times.name(month),
        words=month_words(times.name(month)),
        state=state,
        word=_WORDS[state],
        said=said,
        given=tuple(given),
        paid_out=tuple(money(amount, currency) for currency, amount in sorted(sums.items())),
        payouts=sum(one.state == "paid" for one in out),
    )


def _state(
    month: int, today: date, out: list[OfPayout], movers: set[str], rows: dict[str, Standing]
) -> tuple[str, str]:
    wrong = [one for one in out if one.missing]
    if wrong:
        missing = ", ".join(
            f"{money(one.missing, one.currency)} of the payout of {one.day} ({one.provider})"
            for one in wrong[:3]
        )
        return "wrong", f"No line of the balance accounts for {missing}."
    if times.last_day(month) >= today:
        return "open", "More may come."
    late = [name for name in sorted(movers) if not _reconciled(rows.get(name), month)]
    if late:
        return "waiting", " ".join(_late(name, rows.get(name)) for name in late)
    unknown = sum(not one.lines for one in out)
    said = "Nothing moved." if not movers and not out else "Reconciled after its end."
    if unknown:
        return "whole", f"{said} Of {counted(unknown, 'payout')} the provider names no lines."
    return "whole", f"{said} Each payout is explained." if out else said


def _reconciled(row: Standing | None, month: int) -> bool:
    end = timezone.make_aware(datetime.combine(times.first_day(month + 1), time()))
    return row is not None and row.reconciled_to is not None and row.reconciled_to >= end


def _late(name: str, row: Standing | None) -> str:
    if row is None or row.reconciled_to is None:
        return f"{name} was never reconciled."
    when = formats.date_format(timezone.localtime(row.reconciled_to), "j F, H:i")
    return f"{name} was last reconciled on {when}, before it ended."


def _given(since: date, until: date) -> defaultdict[int, list[str]]:
    """By month, an amount a currency."""
    sums: defaultdict[int, defaultdict[str, int]] = defaultdict(lambda: defaultdict(int))
    first = times.number(since)
    for one in reports.sums(since, until):
        if one.what in KINDS:
            for place, amount in enumerate(one.amounts):
                sums[first + place][one.currency] += amount
    said: defaultdict[int, list[str]] = defaultdict(list)
    for month, by_currency in sums.items():
        said[month] = [money(n, currency) for currency, n in sorted(by_currency.items()) if n]
    return said


def _movers(since: date, until: date) -> defaultdict[int, set[str]]:
    """By month, the providers that had a payment or a line of the balance in it."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for rows in (
        Payment.objects.filter(state=Payment.State.PAID, day__range=(since, until)),
        Movement.objects.filter(day__range=(since, until)),
    ):
        for provider, day in rows.order_by().values_list("provider", "day").distinct():
            found[times.number(day)].add(provider)
    return found


def asked(name: str, today: date) -> tuple[date, date] | None:
    """First and last day of the month ``2026-10``; None where that is none, or is to come."""
    if not _MONTH.match(name):
        return None
    month = times.number(date.fromisoformat(f"{name}-01"))
    if month > times.number(today):
        return None
    return times.first_day(month), times.last_day(month)


def file(format_: Format, since: date, until: date) -> Iterator[bytes]:
    """What ``tamizdat contributions export`` writes for these months, in pieces of some thousand
    bytes: one a transaction would be many calls for little."""
    some: list[str] = []
    size = 0
    for piece in exports.export(format_, since=since, until=until):
        some.append(piece)
        size += len(piece)
        if size > 30_000:
            yield "".join(some).encode()
            some, size = [], 0
    yield "".join(some).encode()
