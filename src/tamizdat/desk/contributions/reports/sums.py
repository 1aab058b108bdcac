# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sums by month and kind, from the books; averages, from the payments.

What always holds: a sum of what was given is before fees and refunds, and those stand beside it as
what they cost, positive. What was reversed in the books is not in them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date

import msgspec
from django.db.models import Count, QuerySet, Sum

from tamizdat.desk.contributions.models import Account, Leg, Payment
from tamizdat.desk.contributions.reports import times

KINDS = ("once", "monthly", "annual", "other")
COSTS = ("fees", "refunds", "disputes")


class Series(msgspec.Struct, frozen=True):
    """``what`` is one of ``KINDS`` or ``COSTS``; ``amounts`` and ``payments`` by month."""

    what: str
    currency: str
    amounts: tuple[int, ...]
    payments: tuple[int, ...]


class Average(msgspec.Struct, frozen=True):
    """Of the payments of a kind: how many, the average, and the one in the middle."""

    kind: str
    currency: str
    payments: int
    average: int
    middle: int


def sums(since: date, until: date) -> tuple[Series, ...]:
    """By kind and currency; those of which there is nothing in all the time are left out."""
    amounts, counts = _amounts(since, until), _counts(since, until)
    months = range(times.number(since), times.number(until) + 1)
    order = (*KINDS, *COSTS)
    keys = sorted(amounts.keys() | counts.keys(), key=lambda key: (key[1], order.index(key[0])))
    return tuple(
        Series(
            what,
            currency,
            tuple(amounts[what, currency][month] for month in months),
            tuple(counts[what, currency][month] for month in months),
        )
        for what, currency in keys
    )


def averages(since: date, until: date) -> tuple[Average, ...]:
    rows = _paid(since, until).values_list("gift__kind", "currency", "amount")
    grouped: defaultdict[tuple[str, str], Counter[int]] = defaultdict(Counter)
    for kind, currency, amount, number in rows.annotate(Count("pk")).order_by():
        grouped[kind or "other", currency][amount] += number
    keys = sorted(grouped, key=lambda key: (key[1], KINDS.index(key[0])))
    return tuple(_average(kind, currency, grouped[kind, currency]) for kind, currency in keys)


def _average(kind: str, currency: str, amounts: Counter[int]) -> Average:
    number = amounts.total()
    total = sum(amount * times_ for amount, times_ in amounts.items())
    return Average(kind, currency, number, (2 * total + number) // (2 * number), _middle(amounts))


def _middle(amounts: Counter[int]) -> int:
    """The lower one of two in the middle."""
    left = (amounts.total() + 1) // 2
    for amount, number in sorted(amounts.items()):
        left -= number
        if left <= 0:
            return amount
    return 0


Months = defaultdict[tuple[str, str], Counter[int]]


def _amounts(since: date, until: date) -> Months:
    rows = Leg.objects.filter(
        account__kind__in=(Account.Kind.INCOME, Account.Kind.EXPENSES),
        transaction__day__range=(since, until),
    ).values_list("account__name", "currency", "transaction__day")
    found = (
        (*_what(account), currency, day, sum_)
        for account, currency, day, sum_ in rows.annotate(Sum("amount")).order_by()
    )
    return _by_month(
        (what, currency, day, sign * sum_) for what, sign, currency, day, sum_ in found
    )


def _counts(since: date, until: date) -> Months:
    rows = _paid(since, until).values_list("gift__kind", "currency", "day")
    return _by_month(
        (kind or "other", *rest) for kind, *rest in rows.annotate(Count("pk")).order_by()
    )


def _by_month(rows: Iterable[tuple[str, str, date, int]]) -> Months:
    found: Months = defaultdict(Counter)
    for what, currency, day, amount in rows:
        if amount:
            found[what, currency][times.number(day)] += amount
    return found


def _paid(since: date, until: date) -> QuerySet[Payment]:
    return Payment.objects.filter(state=Payment.State.PAID, day__range=(since, until))


def _what(account: str) -> tuple[str, int]:
    """What it stands for in a report, and with which sign."""
    kind, _, rest = account.lower().partition(":")
    first = rest.partition(":")[0]
    if kind == "income" and first != "refunds":
        return (first if first in KINDS else "other"), -1
    return first, 1
