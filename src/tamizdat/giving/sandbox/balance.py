# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sandbox's balance: a line for all that moves, what it keeps for itself, and payouts.

What always holds: ``gross`` − ``fee`` = ``net``; amounts are exchanged in whole numbers, half away
from zero, by rates that never change.
"""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from typing import Final

import msgspec

from tamizdat.giving.money import EXPONENTS
from tamizdat.giving.port import (
    DisputeFact,
    Fact,
    MovementFact,
    MovementKind,
    PaymentFact,
    PayoutFact,
    RefundFact,
)
from tamizdat.giving.sandbox.store import Store, new_ref

WEEK: Final = 7 * 86_400
DISPUTE_FEE: Final = {0: 1_500, 2: 1_500, 3: 5_000}
_FIXED: Final = {0: 30, 2: 30, 3: 100}
_SHARE: Final = Fraction(29, 1000)
# Invented: what one of each is worth, in dollars. Others are worth one.
_WORTH: Final = {"EUR": Fraction(11, 10), "JPY": Fraction(1, 150), "KWD": Fraction(13, 4)}


class Balance:
    def __init__(self, store: Store, settles: str = "") -> None:
        self._store = store
        self._settles = settles

    def paid(self, payment: PaymentFact) -> tuple[Fact, ...]:
        currency = self._settles or payment.currency
        gross = exchanged(payment.amount, payment.currency, currency)
        fee = min(gross, _rounded(gross * _SHARE) + _FIXED[EXPONENTS[currency]])
        return self._move("payment", payment, payment.ref, payment.amount, fee)

    def refunded(self, refund: RefundFact) -> tuple[Fact, ...]:
        return self._move("refund", refund, refund.ref, -refund.amount, 0)

    def disputed(self, dispute: DisputeFact) -> tuple[Fact, ...]:
        fee = DISPUTE_FEE[EXPONENTS[self._settles or dispute.currency]]
        return self._move("dispute", dispute, dispute.ref, -dispute.amount, fee)

    def won(self, dispute: DisputeFact) -> tuple[Fact, ...]:
        return self._move("dispute-won", dispute, dispute.ref, dispute.amount, 0)

    def _move(
        self,
        kind: MovementKind,
        of: PaymentFact | RefundFact | DisputeFact,
        about: str,
        amount: int,
        fee: int,
    ) -> tuple[Fact, ...]:
        currency = self._settles or of.currency
        gross = exchanged(amount, of.currency, currency)
        line = MovementFact(
            ref=new_ref("mov"), at=0, kind=kind, gross=gross, fee=fee, net=gross - fee,
            currency=currency, source_amount=amount, source_currency=of.currency, about=about,
        )  # fmt: skip
        if not self._store.planned("payout"):
            self._store.plan("payout", "", self._store.now + WEEK)
        return self._store.tell("balance.moved", line)

    def pay_out(self) -> None:
        """Send what there is to the newsroom's bank, each currency by itself."""
        lines: dict[str, list[MovementFact]] = defaultdict(list)
        for line in self._store.facts(MovementFact):
            if not line.payout:
                lines[line.currency].append(line)
        for currency, carried in lines.items():
            total = sum(line.net for line in carried)
            if total > 0:
                self._pay_out(currency, total, carried)
        if any(sum(line.net for line in carried) <= 0 for carried in lines.values()):
            self._store.plan("payout", "", self._store.now + WEEK)

    def _pay_out(self, currency: str, total: int, carried: list[MovementFact]) -> None:
        ref = new_ref("out")
        sent = PayoutFact(ref=ref, at=0, state="paid", amount=total, currency=currency)
        line = MovementFact(
            ref=new_ref("mov"), at=0, kind="payout", gross=-total, fee=0, net=-total,
            currency=currency, source_amount=-total, source_currency=currency, about=ref,
            payout=ref,
        )  # fmt: skip
        with_it = (msgspec.structs.replace(one, payout=ref) for one in carried)
        self._store.tell("payout.paid", sent, line, *with_it)


def exchanged(amount: int, currency: str, into: str) -> int:
    """In the smallest unit of ``into``."""
    if currency == into:
        return amount
    rate = _WORTH.get(currency, Fraction(1)) / _WORTH.get(into, Fraction(1))
    scale = Fraction(10) ** (EXPONENTS[into] - EXPONENTS[currency])
    return _rounded(amount * rate * scale)


def _rounded(number: Fraction) -> int:
    whole = int(abs(number) + Fraction(1, 2))
    return whole if number >= 0 else -whole
