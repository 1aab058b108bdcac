# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the providers sent to the bank, held against the lines of their balances.

What always holds: a payout is the sum of the lines that it carried. ``missing`` is what these lines
do not explain: nothing, once all of them are here. A provider that does not say which payout
carried a line has ``lines`` 0, and nothing can be held against it.
"""

from __future__ import annotations

from datetime import date

import msgspec
from django.db.models import Count, Sum

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


def payouts(since: date, until: date) -> tuple[OfPayout, ...]:
    """Oldest first."""
    rows = Payout.objects.filter(day__range=(since, until)).order_by("day", "pk")
    return tuple(_payout(row) for row in rows)


def _payout(row: Payout) -> OfPayout:
    carried = Movement.objects.filter(provider=row.provider, payout=row.ref, currency=row.currency)
    sums = carried.exclude(kind__in=("payout", "payout-failed")).aggregate(
        gross=Sum("gross"), fees=Sum("fee"), lines=Count("pk")
    )
    return OfPayout(
        provider=row.provider,
        ref=row.ref,
        day=row.day,
        state=row.state,
        currency=row.currency,
        amount=row.amount,
        gross=sums["gross"] or 0,
        fees=sums["fees"] or 0,
        lines=sums["lines"],
    )
