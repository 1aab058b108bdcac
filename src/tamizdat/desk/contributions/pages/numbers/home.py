# SPDX-License-Identifier: AGPL-3.0-or-later
"""Contributions on the desk's home page, for those who may see them.

What always holds: it reads the last twelve months' payments by an index and nothing older, keeps
nothing, and adds up no currencies.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
from django.db.models import Count, Sum
from wagtail.admin.ui.components import Component

from tamizdat.desk.contributions import providers
from tamizdat.desk.contributions.models import Payment
from tamizdat.desk.contributions.pages.numbers.wording import compared, money, month_words
from tamizdat.desk.contributions.reports import times
from tamizdat.desk.contributions.reports.givers import giving_now
from tamizdat.desk.publishing.dashboard import Bar

MONTHS = 12
MOST = 3  # currencies


class OfCurrency(msgspec.Struct, frozen=True, kw_only=True):
    """``chart`` is for ``publishing/includes/chart.html``."""

    currency: str
    so_far: str
    last: str
    chart: dict[str, Any]


class ContributionsPanel(Component):
    name = "contributions-numbers"
    template_name = "contributions/numbers/home.html"
    order = 110

    def __init__(self, found: dict[str, Any]) -> None:
        super().__init__()
        self.found = found

    def get_context_data(self, parent_context: Mapping[str, Any]) -> dict[str, Any]:
        return self.found


def panel(today: date) -> ContributionsPanel | None:
    """None for a newsroom that has no provider and was never given anything."""
    if not providers.all_settings() and not Payment.objects.exists():
        return None
    return ContributionsPanel(numbers(today))


def numbers(today: date) -> dict[str, Any]:
    now = times.number(today)
    sums, payments = _by_currency(times.first_day(now - MONTHS + 1), today)
    most = sorted(sums, key=lambda currency: (-payments[currency], currency))[:MOST]
    return {
        "currencies": [_of(currency, sums[currency], now) for currency in most],
        "more": len(sums) - len(most),
        "giving": giving_now("monthly", today),
    }


def _by_currency(since: date, until: date) -> tuple[defaultdict[str, Counter[int]], Counter[str]]:
    """By currency: what was paid in each month; how many payments there were."""
    rows = Payment.objects.filter(state=Payment.State.PAID, day__range=(since, until)).order_by()
    told = rows.values_list("currency", "day").annotate(Sum("amount"), Count("pk"))
    sums: defaultdict[str, Counter[int]] = defaultdict(Counter)
    payments: Counter[str] = Counter()
    for currency, day, amount, count in told:
        sums[currency][times.number(day)] += amount
        payments[currency] += count
    return sums, payments


def _of(currency: str, sums: Counter[int], now: int) -> OfCurrency:
    return OfCurrency(
        currency=currency,
        so_far=money(sums[now], currency),
        last=money(sums[now - 1], currency),
        chart=_chart(currency, [sums[month] for month in range(now - MONTHS + 1, now + 1)], now),
    )


def _chart(currency: str, values: list[int], now: int) -> dict[str, Any]:
    """The last bar is the present month, which is not over."""
    most, width = max(1, *values), 100 / len(values)
    bars = [
        Bar(
            x=round(place * width + width * 0.15, 2),
            width=round(width * 0.7, 2),
            height=round(100 * max(0, value) / most, 2),
            words=f"{month_words(times.name(now - len(values) + 1 + place))}: "
            f"{money(value, currency)}",
            last=place == len(values) - 1,
        )
        for place, value in enumerate(values)
    ]
    last = month_words(times.name(now - 1))
    said = f"{last}: {money(values[-2], currency)}"
    than = compared(values[-2], values[-3], now - 2)
    whole = f"{money(sum(values), currency)} in {len(values)} months"
    return {"bars": bars, "words": f"{said}{f', {than}' if than else ''}. {whole}."}
