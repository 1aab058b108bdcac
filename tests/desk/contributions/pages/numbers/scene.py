# SPDX-License-Identifier: AGPL-3.0-or-later
"""Invented years of giving, told by a provider and booked by the books' own rules, many at once.

What always holds: the same arguments give the same years; what stands in the books is what
``books`` books, written in bulk (a test books some of it again, and nothing changes).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from django.db import transaction
from django.utils import timezone

from tamizdat.desk.contributions import books, ledger
from tamizdat.desk.contributions.calendar import months_later
from tamizdat.desk.contributions.models import (
    Ask,
    AskVersion,
    Dispute,
    Gift,
    Leg,
    Movement,
    Payment,
    Payout,
    Refund,
    Standing,
    Transaction,
)
from tamizdat.desk.contributions.reports import times
from tamizdat.desk.readers.models import random_id
from tamizdat.giving.money import exponent

KEPT = 0.955  # Of monthly givers who paid, those who pay again.
WEEK = timedelta(days=7)


class Years:
    """``each``: how many begin to give in a month, about a third of them monthly."""

    def __init__(
        self,
        until: date,
        months: int,
        *,
        each: int = 12,
        currency: str = "USD",
        provider: str = "stripe",
        seed: int = 7,
    ) -> None:
        self.chance = Random(f"{seed} {currency} {provider}")
        self.until, self.currency, self.provider = until, currency, provider
        self.unit = 10 ** exponent(currency)
        self.rows: dict[type[Any], list[Any]] = {
            kind: [] for kind in (Gift, Payment, Refund, Dispute, Movement, Payout)
        }
        last = times.number(until)
        for month in range(last - months + 1, last + 1):
            # Autumn is when people give.
            season = 1.8 if month % 12 in (10, 11) else 1.0
            for _ in range(round(each * season)):
                self._gift(times.first_day(month))
        self._payouts()

    def _made(self, model: type[Any], ref: str, day: date, **fields: Any) -> Any:
        row = model(
            provider=self.provider, ref=f"{ref}{self._next(model)}", day=day, at=1, **fields
        )
        self.rows[model].append(row)
        return row

    def _next(self, kind: type[Any]) -> str:
        return f"_{self.currency.lower()}_{len(self.rows[kind]):06}"

    def _gift(self, first: date) -> None:
        kind = self.chance.choices(("once", "monthly", "annual"), (55, 35, 10))[0]
        day = first + timedelta(days=self.chance.randrange(28))
        if day > self.until:
            return
        amount = self.chance.choice((3, 5, 5, 10, 10, 20, 50)) * self.unit
        amount *= {"once": 2, "monthly": 1, "annual": 10}[kind] * (
            100 if self.currency == "JPY" else 1
        )
        asked = self.chance.random() < 0.5
        gift = self._made(
            Gift, "sub", day,
            kind=kind, amount=amount, currency=self.currency, state="active",
            message="autumn-letter" if asked else "",
            variant=self.chance.choices(("plain", "story"), (40, 60))[0] if asked else "",
        )  # fmt: skip
        self._payments(gift)

    def _payments(self, gift: Gift) -> None:
        step, nth = times.STEP.get(gift.kind), 0
        while (day := months_later(gift.day, nth * (step or 1))) <= self.until:
            if nth and self.chance.random() < 0.02:
                self._made(
                    Payment, "pi", day, gift=gift, gift_ref=gift.ref, amount=gift.amount,
                    currency=self.currency, state="failed", cause="card_declined",
                )  # fmt: skip
            self._paid(gift, day)
            if step is None or self.chance.random() > KEPT:
                if step:
                    gift.state = "ended"
                    gift.ended = min(self.until, day + timedelta(days=20))
                return
            nth += 1

    def _paid(self, gift: Gift, day: date) -> None:
        payment = self._made(
            Payment, "pi", day, gift=gift, gift_ref=gift.ref, amount=gift.amount,
            currency=self.currency, state="paid",
        )  # fmt: skip
        fee = min(gift.amount, gift.amount * 29 // 1000 + 3 * self.unit // 10)
        self._move("payment", day, gift.amount, fee, payment.ref)
        drawn = self.chance.random()
        if drawn < 0.006:
            row = self._made(
                Refund, "re", min(self.until, day + timedelta(days=3)), payment_ref=payment.ref,
                amount=gift.amount, currency=self.currency, state="done",
            )  # fmt: skip
            self._move("refund", row.day, -gift.amount, 0, row.ref)
        elif drawn < 0.008:
            row = self._made(
                Dispute, "dp", min(self.until, day + timedelta(days=20)), payment_ref=payment.ref,
                amount=gift.amount, currency=self.currency, state="lost",
            )  # fmt: skip
            row.at = int(datetime.combine(row.day, time(12)).timestamp())
            self._move("dispute", row.day, -gift.amount, 15 * self.unit, row.ref)

    def _move(self, kind: str, day: date, gross: int, fee: int, about: str) -> Movement:
        row: Movement = self._made(
            Movement, "txn", day,
            kind=kind, gross=gross, fee=fee, net=gross - fee, currency=self.currency,
            source_amount=gross, source_currency=self.currency, about=about,
        )  # fmt: skip
        return row

    def _payouts(self) -> None:
        """Each week what lies in the balance goes to the bank, but for the last days."""
        lines = sorted(self.rows[Movement], key=lambda row: row.day)
        if not lines:
            return
        week: list[Movement] = []
        end = lines[0].day + WEEK
        for line in lines:
            if line.day >= end:
                week = self._payout(week, end)
                while line.day >= end:
                    end += WEEK
            week.append(line)

    def _payout(self, lines: list[Movement], day: date) -> list[Movement]:
        """What is left for the next one: all of it where there is nothing to send."""
        amount = sum(line.net for line in lines)
        if amount <= 0:
            return lines
        row = self._made(Payout, "po", day, amount=amount, currency=self.currency, state="paid")
        for line in lines:
            line.payout = row.ref
        self._move("payout", day, -amount, 0, row.ref).payout = row.ref
        return []

    def write(self) -> Years:
        """Into the database, booked and reconciled."""
        with transaction.atomic():
            for kind, rows in self.rows.items():
                kind.objects.bulk_create(rows, batch_size=500)
            book(self.rows)
        now = timezone.now()
        Standing.objects.update_or_create(
            provider=self.provider,
            defaults={"begun": now, "last_event": now, "reconciled": now, "reconciled_to": now},
        )
        return self


_BOOK: dict[type[Any], Any] = {
    Payment: books.book_payment,
    Refund: books.book_refund,
    Dispute: books.book_dispute,
    Movement: books.book_movement,
    Payout: books.book_payout,
}


def book(rows: dict[type[Any], list[Any]]) -> None:
    """What ``books`` wants of each row, written together."""
    wanted: list[dict[str, Any]] = []
    settle, books.settle = books.settle, lambda **told: wanted.append(told)  # type: ignore[assignment]  # returns nothing
    try:
        for kind, some in rows.items():
            for row in some if kind in _BOOK else ():
                _BOOK[kind](row)
    finally:
        books.settle = settle
    _write([{**one, "legs": ledger.merged(one["legs"])} for one in wanted])


def _write(wanted: Iterable[dict[str, Any]]) -> None:
    entries, legs = [], []
    told = [one for one in wanted if one["legs"]]
    accounts = ledger._accounts({leg.account for one in told for leg in one["legs"]})
    for one in told:
        entry = Transaction(
            id=random_id(), source=one["source"], words=one["words"], day=one["day"]
        )
        entries.append(entry)
        legs += [
            Leg(
                transaction_id=entry.pk, account_id=accounts[leg.account],
                amount=leg.amount, currency=leg.currency,
            )
            for leg in one["legs"]
        ]  # fmt: skip
    Leg.objects.bulk_create(legs, batch_size=2000)
    Transaction.objects.bulk_create(entries, batch_size=500)


def approve_message(slug: str = "autumn-letter", **weights: int) -> None:
    """A message that somebody approved long ago."""
    ask = Ask.objects.create(slug=slug, place="message")
    content = {
        "variants": [
            {"slug": name, "weight": weight, "texts": {}} for name, weight in weights.items()
        ]
    }
    AskVersion.objects.create(
        ask=ask, number=1, content=content,
        approved=timezone.make_aware(datetime(2020, 1, 1, 12)),
    )  # fmt: skip
