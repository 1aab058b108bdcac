# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat contributions report``: sums, givers, messages and what is to come, as text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import msgspec

from tamizdat.cli.common import dir_option, json_option, print_json, start_django

if TYPE_CHECKING:
    from tamizdat.desk.contributions.reports import Report

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])\Z")
_Command = TypeVar("_Command", bound=Callable[..., Any])
GIVERS = ("giving", "new", "regained", "lapsed", "failed")


class Month(click.ParamType[date]):
    """``2026-11``: its first day."""

    name = "YYYY-MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        found = _MONTH.match(value)
        if found is None or found[1] == "0000":
            self.fail(f"“{value}” is no month: write it as 2026-11", param, ctx)
        return date(int(found[1]), int(found[2]), 1)


def months_options(command: _Command) -> _Command:
    """``--since`` and ``--until``: whole months, both included."""
    until = click.option("--until", type=Month(), help="The last month.  [default: the present]")
    since = click.option("--since", type=Month(), help="The first month.")
    return since(until(command))


def period(since: date | None, until: date | None, *, first: date) -> tuple[date, date]:
    """First and last day. Raises ``click.UsageError`` where the last month is before the first."""
    from django.utils import timezone

    last = until or timezone.localdate()
    last = (last.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    begun = since or first
    if begun > last:
        raise click.UsageError("the last month is before the first one")
    return begun, last


def _year_back() -> date:
    from django.utils import timezone

    today = timezone.localdate()
    month = today.year * 12 + today.month - 12
    return date(month // 12, month % 12 + 1, 1)


@click.command()
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "csv"]),
    default="text",
    show_default=True,
    help="A text to read, or one table for a spreadsheet.",
)
@months_options
@dir_option
@json_option
def report(
    format_: str, since: date | None, until: date | None, folder: Path, as_json: bool
) -> None:
    """Say what was given and who goes on giving.

    Sums by month and kind, new, regained, lapsed and failed givers, averages, what each message
    brought, what is to come, payouts, balances. The last twelve months where none are named.
    """
    start_django(folder)
    from django.utils import timezone

    from tamizdat.desk.contributions import reports
    from tamizdat.desk.contributions.reports.table import as_csv

    first, last = period(since, until, first=_year_back())
    found = reports.report(first, last, today=timezone.localdate())
    if as_json:
        print_json({"ok": True, **msgspec.to_builtins(found)})
    elif format_ == "csv":
        click.echo(as_csv(found), nl=False)
    else:
        click.echo("\n".join(lines(found)))


def lines(report: Report) -> Iterator[str]:
    """The report in words."""
    yield f"From {report.since} to {report.until}"
    yield from _sums(report)
    yield from _averages(report)
    for name, rows in (("Monthly", report.monthly), ("Annual", report.annual)):
        if any(getattr(row, what) for row in rows for what in GIVERS):
            yield from ("", f"{name} givers")
            counted = [[row.month, *(f"{getattr(row, w):,}" for w in GIVERS)] for row in rows]
            yield from _table(["", *GIVERS], counted)
    yield from _messages(report)
    yield from _forecast(report)
    yield from _payouts(report)
    if report.balances:
        yield from ("", f"The books on {report.until}")
        yield from _table(
            [], [[one.account, _said(one.amount, one.currency)] for one in report.balances]
        )


def _said(amount: int, currency: str) -> str:
    from tamizdat.giving.money import Money, decimal, exponent

    money = Money(amount, currency)
    return f"{decimal(money):,.{exponent(currency)}f} {currency}"


def _table(head: Sequence[str], rows: list[list[str]]) -> Iterator[str]:
    """The first column to the left, the others to the right."""
    every = [list(head), *rows] if head else rows
    widths = [max(len(row[place]) for row in every) for place in range(len(every[0]))]
    for first, *others in every:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        yield f"  {'  '.join((first.ljust(widths[0]), *cells))}".rstrip()


def _sums(report: Report) -> Iterator[str]:
    for currency in sorted({one.currency for one in report.sums}):
        mine = [one for one in report.sums if one.currency == currency]
        rows = [
            [month, *(_said(one.amounts[place], currency) for one in mine)]
            for place, month in enumerate(report.months)
        ]
        yield from ("", f"By month, in {currency}")
        whole = ["in all", *(_said(sum(one.amounts), currency) for one in mine)]
        yield from _table(["", *(one.what for one in mine)], [*rows, whole])


def _averages(report: Report) -> Iterator[str]:
    if report.averages:
        yield from ("", "Payments: average, the one in the middle, how many")
        rows = [
            [
                one.kind,
                _said(one.average, one.currency),
                _said(one.middle, one.currency),
                f"{one.payments:,}",
            ]
            for one in report.averages
        ]
        yield from _table([], rows)


def _messages(report: Report) -> Iterator[str]:
    for message in report.messages:
        yield from ("", f"The message “{message.message}”: {message.gifts:,} gifts")
        for one in message.variants:
            drawn = "" if one.drawn is None else f", drawn for {one.drawn:.0%}"
            sums = ", ".join(_said(sum_.amount, sum_.currency) for sum_ in one.sums)
            yield (
                f"  {one.variant or 'without a variant'}: {one.gifts:,} gifts, {one.share:.0%} "
                f"(between {one.low:.0%} and {one.high:.0%}){drawn}"
                f"{'; ' if sums else ''}{sums}"
            )
        yield f"  {message.words}"


def _forecast(report: Report) -> Iterator[str]:
    for one in report.forecast.series:
        yield from ("", f"To come, in {one.currency}, before fees")
        rows = [
            [month, _said(promised, one.currency), _said(expected, one.currency)]
            for month, promised, expected in zip(
                report.forecast.months, one.promised, one.expected, strict=True
            )
        ]
        yield from _table(["", "if nobody leaves", "if people stay as they did"], rows)
    for kept in report.forecast.kept if report.forecast.series else ():
        known = f"{kept.share:.0%} of {kept.number:,} payments were followed by the next one"
        few = f"too few {kept.kind} payments to tell how people stay ({kept.number:,})"
        yield f"  {kept.kind}: {known}" if kept.known else f"  {few}"


def _payouts(report: Report) -> Iterator[str]:
    if report.payouts:
        yield from ("", "Payouts")
    for one in report.payouts:
        missing = _said(one.missing, one.currency) if one.missing else ""
        yield (
            f"  {one.day}  {one.provider}  {_said(one.amount, one.currency)}  {one.state}, "
            f"{one.lines} lines{f', {missing} not explained' if missing else ''}"
        )
