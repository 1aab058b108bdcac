# SPDX-License-Identifier: AGPL-3.0-or-later
"""Invented histories of giving: what a provider tells in its order, and what must be in the books
in the end, reckoned here by plain sums."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from random import Random
from typing import Any, NamedTuple

from django.db import models

from tamizdat.desk.contributions import books
from tamizdat.desk.contributions.models import (
    Dispute,
    Gift,
    Movement,
    Payment,
    Payout,
    Refund,
)

FIRST = date(2026, 1, 5)
CURRENCIES = ("USD", "EUR", "JPY", "KWD")
MODELS: dict[str, type[models.Model]] = {
    "gift": Gift,
    "payment": Payment,
    "refund": Refund,
    "dispute": Dispute,
    "movement": Movement,
    "payout": Payout,
}
BOOK: dict[str, Any] = {
    "gift": books.book_gift,
    "payment": books.book_payment,
    "refund": books.book_refund,
    "dispute": books.book_dispute,
    "movement": books.book_movement,
    "payout": books.book_payout,
}


class Told(NamedTuple):
    """A fact, as rows know it."""

    what: str
    ref: str
    at: int
    fields: dict[str, Any]


class History:
    """``told`` in the order in which it happened; ``wanted``: what each account must hold."""

    def __init__(self, chance: Random, gifts: int = 3) -> None:
        self.chance = chance
        self.told: list[Told] = []
        self.wanted: Counter[tuple[str, str]] = Counter()
        self.day = FIRST
        for number in range(gifts):
            self._gift(f"sub_{number}")
        self._payouts()

    def _tell(self, what: str, ref: str, **fields: Any) -> None:
        self.day += timedelta(days=self.chance.randint(0, 9))
        if what != "gift":
            fields.setdefault("day", self.day)
        self.told.append(Told(what, ref, len(self.told) * 10, fields))

    def _move(self, kind: str, ref: str, gross: int, fee: int, here: str, **source: Any) -> None:
        source = source or {"source_amount": gross, "source_currency": here}
        self._tell(
            "movement", f"txn_{len(self.told)}", kind=kind, gross=gross, fee=fee,
            net=gross - fee, currency=here, about=ref, **source,
        )  # fmt: skip
        self.wanted["Assets:Stripe:Balance", here] += gross - fee
        self.wanted["Expenses:Fees:Stripe", here] += fee
        if source["source_currency"] != here:
            self.wanted["Equity:Exchange", here] -= gross
            self.wanted["Equity:Exchange", source["source_currency"]] += source["source_amount"]

    def _gift(self, ref: str) -> None:
        kind = self.chance.choice(("once", "monthly", "annual"))
        currency, here = self.chance.choice(CURRENCIES), self.chance.choice(CURRENCIES)
        self._tell("gift", ref, kind=kind, state="active", day=self.day, currency=currency)
        for number in range(1 if kind == "once" else self.chance.randint(1, 3)):
            self._payment(f"pi_{ref}_{number}", ref, kind, currency, here)

    def _payment(self, ref: str, gift: str, kind: str, currency: str, here: str) -> None:
        amount = self.chance.randint(1, 10**6)
        same = {"amount": amount, "currency": currency, "gift_ref": gift}
        if self.chance.random() < 0.4:
            self._tell("payment", ref, state="pending", **same)
        if self.chance.random() < 0.2:
            self._tell("payment", ref, state="failed", cause="card_declined", **same)
            return
        self._tell("payment", ref, state="paid", **same)
        self.wanted[f"Income:{kind.capitalize()}", currency] -= amount
        self._in_balance("payment", ref, amount, currency, here, fee=self.chance.randint(0, 90))
        what = self.chance.choice(("kept", "refund", "dispute", "both"))
        if what in ("refund", "both"):
            self._refund(ref, self.chance.randint(1, amount), currency, here)
        if what in ("dispute", "both"):
            self._dispute(ref, amount, currency, here)

    def _in_balance(
        self, kind: str, ref: str, amount: int, currency: str, here: str, fee: int
    ) -> None:
        """A line of the balance, exchanged where that is in another currency."""
        if here == currency:
            self._move(kind, ref, amount, fee, here)
            return
        rate = self.chance.uniform(0.5, 2)
        changed = round(amount * rate)
        self._move(kind, ref, changed, fee, here, source_amount=amount, source_currency=currency)

    def _refund(self, payment: str, amount: int, currency: str, here: str) -> None:
        ref = f"re_{payment}"
        same = {"payment_ref": payment, "amount": amount, "currency": currency}
        self._tell("refund", ref, state="pending", **same)
        self._in_balance("refund", ref, -amount, currency, here, fee=0)
        self._tell("refund", ref, state="done", **same)
        if self.chance.random() < 0.3:
            self._in_balance("refund-failed", ref, amount, currency, here, fee=0)
            self._tell("refund", ref, state="failed", **same)
            return
        self.wanted["Income:Refunds", currency] += amount

    def _dispute(self, payment: str, amount: int, currency: str, here: str) -> None:
        ref = f"dp_{payment}"
        same = {"payment_ref": payment, "amount": amount, "currency": currency}
        self._tell("dispute", ref, state="open", **same)
        self._in_balance("dispute", ref, -amount, currency, here, fee=1500)
        end = self.chance.choice(("open", "won", "lost"))
        if end != "open":
            self._tell("dispute", ref, state=end, **same)
        if end == "won":
            self._in_balance("dispute-won", ref, amount, currency, here, fee=0)
            return
        held = "Expenses:Disputes" if end == "lost" else "Assets:Stripe:Disputed"
        self.wanted[held, currency] += amount

    def _payouts(self) -> None:
        """What is in the balance goes to the bank; or comes back from it."""
        held = {c: n for (account, c), n in self.wanted.items() if account.endswith("Balance")}
        for number, (currency, amount) in enumerate(sorted(held.items())):
            ref = f"po_{number}"
            if amount <= 0:
                self._move("fee", ref, -7, 0, currency)
                self.wanted["Expenses:Fees:Stripe", currency] += 7
                continue
            self._tell("payout", ref, state="pending", amount=amount, currency=currency)
            self._move("payout", ref, -amount, 0, currency)
            self._tell("payout", ref, state="paid", amount=amount, currency=currency)
            if self.chance.random() < 0.3:
                self._tell("payout", ref, state="failed", amount=amount, currency=currency)
                self._move("payout-failed", ref, amount, 0, currency)
                continue
            self.wanted["Assets:Bank", currency] += amount


def tell(told: Told) -> None:
    """Take a fact in as whoever takes facts in must: the later one counts, then it is booked."""
    model: Any = MODELS[told.what]
    row = model.objects.filter(provider="stripe", ref=told.ref).first()
    row = row or model(provider="stripe", ref=told.ref, at=-1)
    if told.at >= row.at:
        for name, value in {**told.fields, "at": told.at}.items():
            setattr(row, name, value)
    if isinstance(row, Payment) and row.gift is None:
        row.gift = Gift.objects.filter(provider="stripe", ref=row.gift_ref).first()
    row.save()
    if isinstance(row, Gift):
        Payment.objects.filter(provider="stripe", gift_ref=row.ref).update(gift=row)
    BOOK[told.what](row)
