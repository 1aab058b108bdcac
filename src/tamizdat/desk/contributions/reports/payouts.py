# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the providers sent to the bank, held against the lines of their balances.

What always holds: a payout is the sum of the lines that it carried. ``missing`` is what these lines
do not explain: nothing, once all of them are here. A provider that does not say which payout
carried a line has ``lines`` 0, and nothing can be held against it.
"""

from __future__ import annotations

from datetime import date

import msgspec
from django.db.models import Count, QuerySet, Sum

from tamizdat.desk.contributions.models import Movement, Payout


class OfPayout(msgspec.Struct, frozen=True, kw_only=True):
    """``gross`` came in, less ``fees``, by ``lines`` of the balance."""

    provider: str
    ref: str
    day: date
    state: str
    currency: str
    amount: int
    gross: int
    fees: int
    lines: int

    @property
    def missing(self) -> int:
        return self.amount - self.gross + self.fees if self.lines else 0


Carried = dict[tuple[str, str, str], tuple[int, int, int]]


def payouts(since: date, until: date) -> tuple[OfPayout, ...]:
    """Oldest first."""
    rows = Payout.objects.filter(day__range=(since, until))
    carried = _carried(rows)
    return tuple(_payout(row, carried) for row in rows.order_by("day", "pk"))


def _carried(rows: QuerySet[Payout]) -> Carried:
    """Gross, fees and how many lines, by provider, payout and currency; all in one question."""
    lines = Movement.objects.filter(payout__in=rows.order_by().values("ref"))
    sums = (
        lines.exclude(kind__in=("payout", "payout-failed"))
        .order_by()
        .values_list("provider", "payout", "currency")
        .annotate(Sum("gross"), Sum("fee"), Count("pk"))
    )
    return {(one[0], one[1], one[2]): (one[3], one[4], one[5]) for one in sums}


def _payout(row: Payout, carried: Carried) -> OfPayout:
    gross, fees, lines = carried.get((row.provider, row.ref, row.currency), (0, 0, 0))
    return OfPayout(
        provider=row.provider,
        ref=row.ref,
        day=row.day,
        state=row.state,
        currency=row.currency,
        amount=row.amount,
        gross=gross,
        fees=fees,
        lines=lines,
    )
