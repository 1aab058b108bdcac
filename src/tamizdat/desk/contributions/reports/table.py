# SPDX-License-Identifier: AGPL-3.0-or-later
"""A whole report as one table, for spreadsheets: a row for each number.

What always holds: amounts have all the digits of their currency and the sign of arithmetic;
``number`` counts payments, givers or gifts, and is empty where there is nothing to count.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from tamizdat.desk.contributions.reports import Report
from tamizdat.desk.contributions.reports.givers import MonthOfGivers
from tamizdat.giving.money import Money, plain

COLUMNS = ("report", "when", "what", "currency", "amount", "number")
Row = tuple[str, str, str, str, str, str]


def as_csv(report: Report) -> str:
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    table.writerows(rows(report))
    return out.getvalue()


def rows(report: Report) -> Iterator[Row]:
    yield from _sums(report)
    whole = f"{report.since} {report.until}"
    for one in report.averages:
        yield _row("average", whole, one.kind, one.currency, one.average, one.payments)
        yield _row("middle", whole, one.kind, one.currency, one.middle, one.payments)
    yield from _givers("monthly givers", report.monthly)
    yield from _givers("annual givers", report.annual)
    yield from _messages(report, whole)
    yield from _forecast(report)
    for payout in report.payouts:
        said = f"{payout.provider} {payout.ref} {payout.state}"
        amount, lines = payout.amount, payout.lines
        yield _row("payout", f"{payout.day}", said, payout.currency, amount, lines)
    for held in report.balances:
        yield _row("balance", f"{report.until}", held.account, held.currency, held.amount)


def _row(
    report: str, when: str, what: str, currency: str, amount: int, number: int | None = None
) -> Row:
    said = plain(Money(amount, currency))
    return report, when, what, currency, said, "" if number is None else f"{number}"


def _sums(report: Report) -> Iterator[Row]:
    for series in report.sums:
        for month, amount, number in zip(
            report.months, series.amounts, series.payments, strict=True
        ):
            yield _row("sum", month, series.what, series.currency, amount, number)


def _givers(name: str, months: tuple[MonthOfGivers, ...]) -> Iterator[Row]:
    for one in months:
        for what in ("giving", "new", "regained", "lapsed", "failed"):
            yield name, one.month, what, "", "", f"{getattr(one, what)}"


def _messages(report: Report, whole: str) -> Iterator[Row]:
    for message in report.messages:
        for one in message.variants:
            said = f"{message.message}/{one.variant}"
            yield "gifts by message", whole, said, "", "", f"{one.gifts}"
            for sum_ in one.sums:
                yield _row("sum by message", whole, said, sum_.currency, sum_.amount, one.gifts)


def _forecast(report: Report) -> Iterator[Row]:
    for series in report.forecast.series:
        for what in ("promised", "expected"):
            for month, amount in zip(report.forecast.months, getattr(series, what), strict=True):
                yield _row("forecast", month, what, series.currency, amount)
