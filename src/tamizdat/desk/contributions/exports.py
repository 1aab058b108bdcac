# SPDX-License-Identifier: AGPL-3.0-or-later
"""The books as files that other programs read: hledger, beancount, and CSV.

What always holds: an export has every transaction of its days in the order of days; amounts have
all the digits of their currency and no others; where it does not begin with the first day, what was
before stands in it as one transaction of balances brought forward. ``Equity:Exchange`` changes one
currency into another, each side balanced by itself, so no price is ever written. Nobody is named:
an account, an amount, and the provider's own number of it.

The beancount file ends with what each account must hold, so ``bean-check`` proves it by itself;
that is the sum of what stands in it, so that what is booked while it is read harms no file.

What is not done here: where it is written to (``cli.contributions``).
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Literal, NamedTuple

from django.db.models import F

from tamizdat.desk.contributions import ledger
from tamizdat.desk.contributions.ledger import Line
from tamizdat.desk.contributions.models import Account, Leg, Transaction
from tamizdat.giving.money import Money, exponent, plain

Format = Literal["hledger", "beancount", "csv"]
FORMATS: tuple[Format, ...] = ("hledger", "beancount", "csv")
COLUMNS = ("day", "source", "reverses", "words", "account", "amount", "currency", "smallest_units")
_UNSAFE = re.compile(r"[^\w :#@.,/=+-]+")  # What could end a comment, a text or a line in any.
_ZERO = "0"


class Entry(NamedTuple):
    """A transaction as it is written down."""

    day: date
    source: str
    reverses: str
    words: str
    legs: tuple[Line, ...]


def export(format_: Format, *, since: date | None = None, until: date) -> Iterator[str]:
    """The file in pieces, for the days from ``since`` (else the first) to ``until``."""
    write = {"hledger": _hledger, "beancount": _beancount, "csv": _csv}[format_]
    return write(since, until)


def entries(since: date | None, until: date) -> Iterator[Entry]:
    """Balances brought forward first, where there are any."""
    if since is not None and (before := ledger.balances(since - timedelta(days=1))):
        yield Entry(since, "balances", "", "Balances brought forward", before)
    rows = Transaction.objects.filter(day__lte=until).annotate(reversed=F("reverses__source"))
    if since is not None:
        rows = rows.filter(day__gte=since)
    told = rows.order_by("day", "source").values_list("pk", "day", "source", "reversed", "words")
    some: list[tuple[int, date, str, str | None, str]] = []
    for row in told.iterator():
        some.append(row)
        if len(some) == 500:
            yield from _with_legs(some)
            some = []
    yield from _with_legs(some)


def _with_legs(rows: list[tuple[int, date, str, str | None, str]]) -> Iterator[Entry]:
    legs: dict[int, list[Line]] = {row[0]: [] for row in rows}
    found = Leg.objects.filter(transaction__in=legs).order_by("pk")
    told = found.values_list("transaction_id", "account__name", "amount", "currency")
    for entry, account, amount, currency in told:
        legs[entry].append(Line(account, amount, currency))
    for pk, day, source, reverses, words in rows:
        yield Entry(day, source, reverses or "", words, tuple(legs[pk]))


def _amount(line: Line) -> str:
    return f"{plain(Money(line.amount, line.currency))} {line.currency}"


def _clean(text: str) -> str:
    """Words of ours and numbers of a provider's, of which nothing can be read as a sign."""
    return _UNSAFE.sub("_", text)


def _hledger(since: date | None, until: date) -> Iterator[str]:
    yield f"; {_title(since, until)}\n\n"
    accounts = list(Account.objects.values_list("name", flat=True))
    for name in accounts:
        yield f"account {name}\n"
    currencies = Leg.objects.values_list("currency", flat=True).distinct().order_by("currency")
    known = set(accounts)
    for currency in currencies:
        known.add(currency)
        yield f"commodity {_sample(currency)} {currency}\n"
    for entry in entries(since, until):
        yield from _declared(entry, known)
        yield f"\n{entry.day} {_clean(entry.words)}\n    ; source: {_clean(entry.source)}\n"
        if entry.reverses:
            yield f"    ; reverses: {_clean(entry.reverses)}\n"
        for line in entry.legs:
            yield f"    {line.account}  {_amount(line)}\n"


def _declared(entry: Entry, known: set[str]) -> Iterator[str]:
    """What was opened since the file was begun."""
    for line in entry.legs:
        if line.account not in known:
            yield f"\naccount {line.account}\n"
        if line.currency not in known:
            yield f"\ncommodity {_sample(line.currency)} {line.currency}\n"
        known |= {line.account, line.currency}


def _sample(currency: str) -> str:
    """How hledger is to write a currency: the point is there also where nothing follows."""
    return f"1000.{_ZERO * exponent(currency)}"


def _beancount(since: date | None, until: date) -> Iterator[str]:
    yield f'option "title" "{_title(since, until)}"\n\n'
    opened: set[str] = set()
    sums: Counter[tuple[str, str]] = Counter()
    for entry in entries(since, until):
        for account in sorted({line.account for line in entry.legs} - opened):
            opened.add(account)
            yield f"{entry.day} open {account}\n"
        yield f'\n{entry.day} * "{_clean(entry.words)}"\n  source: "{_clean(entry.source)}"\n'
        if entry.reverses:
            yield f'  reverses: "{_clean(entry.reverses)}"\n'
        for line in entry.legs:
            sums[line.account, line.currency] += line.amount
            yield f"  {line.account}  {_amount(line)}\n"
    yield "\n"
    after = until + timedelta(days=1)
    held = (Line(account, amount, currency) for (account, currency), amount in sums.items())
    for line in ledger.merged(held):
        yield f"{after} balance {line.account}  {_exactly(line)}\n"


def _exactly(line: Line) -> str:
    """An amount of which not the last unit may be wanting."""
    return f"{plain(Money(line.amount, line.currency))} ~ 0 {line.currency}"


def _csv(since: date | None, until: date) -> Iterator[str]:
    """One row a leg."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(COLUMNS)
    for entry in entries(since, until):
        told = (entry.day, _clean(entry.source), _clean(entry.reverses), _clean(entry.words))
        for line in entry.legs:
            amount = plain(Money(line.amount, line.currency))
            table.writerow((*told, line.account, amount, line.currency, line.amount))
        yield out.getvalue()
        out.seek(0)
        out.truncate()
    yield out.getvalue()


def _title(since: date | None, until: date) -> str:
    return f"The books, {f'from {since}' if since else 'from the first day'} to {until}"
