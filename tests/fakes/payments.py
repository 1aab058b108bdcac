# SPDX-License-Identifier: AGPL-3.0-or-later
"""A payment provider in memory: what happened, what there is, and what the desk asked of it.

A real implementation of ``giving.port.Provider`` that signs and checks as the sandbox does. Ours,
and no picture of any provider's wire format: those have fakes of their own. ``History`` invents
what givers, banks and the provider do, as the events that a provider would tell of it.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from tamizdat.giving.errors import EventError, NotFoundError, ProviderError
from tamizdat.giving.money import Money
from tamizdat.giving.port import (
    DisputeFact,
    Event,
    Fact,
    GiftFact,
    MovementFact,
    PaymentFact,
    PayoutFact,
    RefundFact,
)
from tamizdat.giving.sandbox.signing import HEADER, check, sign

NAME = "sandbox"
SECRET = "whsec-of-the-tests-and-of-nobody-else"
START = int(datetime(2026, 9, 1, tzinfo=UTC).timestamp())
HOUR, DAY = 3600, 86_400
CURRENCIES = ("JPY", "KWD", "USD", "EUR")


class Bank:
    """``port.Provider``. ``trouble`` is raised instead of any answer while it is set."""

    name = NAME

    def __init__(self) -> None:
        self.happened: list[Event] = []
        self.there: dict[tuple[str, str], Fact] = {}
        self.done: dict[str, list[Fact]] = {}
        self.asked: list[tuple[str, str, str]] = []
        self.trouble: ProviderError | None = None
        self.clock = START

    # What it tells

    def tell(self, type_: str, *facts: Fact, at: int = 0) -> Event:
        """Something happens: an event, and things are as these facts say."""
        at = at or self.clock
        told = Event(id=f"evt_{len(self.happened)}", type=type_, at=at, facts=facts)
        self.happened.append(told)
        for fact in facts:
            self.there[type(fact).__name__, fact.ref] = fact
        return told

    def webhook(self, event: Event, *, at: int = 0) -> tuple[bytes, dict[str, str]]:
        """Body and header fields of the call that tells of an event."""
        body = msgspec.json.encode(event)
        return body, {HEADER: sign(body, SECRET, at or event.at)}

    # The port

    def read(self, body: bytes, headers: Mapping[str, str], *, received: datetime) -> Event:
        check(body, headers.get(HEADER, ""), (SECRET,), received=received)
        try:
            return msgspec.json.decode(body, type=Event)
        except msgspec.DecodeError as error:
            raise EventError(f"an event cannot be read: {error}") from None

    def events(self, since: datetime) -> Iterator[Event]:
        self._answer()
        told = [one for one in self.happened if one.at >= since.timestamp()]
        yield from sorted(told, key=lambda one: one.at)

    def listing(self, since: datetime) -> Iterator[Fact]:
        self._answer()
        yield from self.there.values()

    def refund(self, payment: str, money: Money, *, key: str) -> Iterable[Fact]:
        fact = RefundFact(
            ref=f"re_{key}",
            payment=payment,
            state="done",
            at=self.clock,
            amount=money.amount,
            currency=money.currency,
        )
        return self._do("refund", payment, key, fact)

    def cancel(self, gift: str, *, key: str) -> Iterable[Fact]:
        return self._change("cancel", gift, key, state="ended", next_at=0)

    def pause(self, gift: str, until: datetime, *, key: str) -> Iterable[Fact]:
        due = int(until.timestamp())
        return self._change("pause", gift, key, state="paused", next_at=due)

    def resume(self, gift: str, *, key: str) -> Iterable[Fact]:
        return self._change("resume", gift, key, state="active")

    def change(self, gift: str, money: Money, *, key: str) -> Iterable[Fact]:
        return self._change("change", gift, key, amount=money.amount)

    def new_card(self, gift: str, *, back: str, language: str) -> str:
        self._answer()
        self.asked.append(("card", gift, ""))
        return f"https://bank.example/card/{gift}?language={language}"

    def check(self) -> list[str]:
        return []

    def _answer(self) -> None:
        if self.trouble is not None:
            raise self.trouble

    def _change(self, what: str, gift: str, key: str, **changes: Any) -> list[Fact]:
        now = self.there.get(("GiftFact", gift))
        if now is None:
            raise NotFoundError("there is no such agreement")
        fact = msgspec.structs.replace(now, at=max(self.clock, now.at + 1), **changes)
        return self._do(what, gift, key, fact)

    def _do(self, what: str, ref: str, key: str, fact: Fact) -> list[Fact]:
        self._answer()
        self.asked.append((what, ref, key))
        if key not in self.done:
            self.done[key] = [fact]
            self.tell(what, fact, at=fact.at)
        return self.done[key]


class History:
    """Invents what happens at a bank. The same seed invents the same."""

    def __init__(self, seed: int, *, gifts: int = 6) -> None:
        self.bank = Bank()
        self.chance = random.Random(seed)
        self.unpaid: dict[str, list[MovementFact]] = {}
        self.number = 0
        for number in range(gifts):
            self._gift(number)
            if self.chance.random() < 0.4:
                self._payout()
        self._payout()

    def _tick(self) -> int:
        """Some things happen in the same second."""
        self.bank.clock += self.chance.choice((0, 1, 40, HOUR, DAY))
        return self.bank.clock

    def _ref(self, prefix: str) -> str:
        self.number += 1
        return f"{prefix}_{self.number}"

    def _gift(self, number: int) -> None:
        chance, kind = self.chance, self.chance.choice(("once", "monthly", "annual"))
        gift = GiftFact(
            ref=self._ref("cs" if kind == "once" else "sub"),
            at=self._tick(),
            state="open",
            intent=f"intent-{number:015d}",
            kind=kind,  # type: ignore[arg-type] # one of the three
            amount=chance.randrange(1, 100_000),
            currency=chance.choice(CURRENCIES),
            language=chance.choice(("en", "ru")),
            message="autumn",
            variant=chance.choice(("a", "b")),
        )
        if chance.random() < 0.3:
            self.bank.tell("opened", gift)
        if chance.random() < 0.1:
            expired = msgspec.structs.replace(gift, at=self._tick() + 1, state="expired")
            self.bank.tell("expired", expired)
            return
        address = f"giver{number}@post.example" if chance.random() < 0.8 else ""
        active = msgspec.structs.replace(gift, at=self._tick(), state="active", address=address)
        payment = self._ref("pi")
        told: list[tuple[str, tuple[Fact, ...]]] = [
            ("completed", (active,)),
            ("paid", (self._paid(payment, active),)),
        ]
        if chance.random() < 0.5:
            told.reverse()
        for type_, facts in told:
            self.bank.tell(type_, *facts)
        self._becomes(payment, active)
        if kind != "once":
            self._renew(active)

    def _paid(self, ref: str, gift: GiftFact, state: str = "paid") -> PaymentFact:
        return PaymentFact(
            ref=ref,
            at=self._tick(),
            state=state,  # type: ignore[arg-type] # one of the three
            amount=gift.amount,
            currency=gift.currency,
            gift=gift.ref if self.chance.random() < 0.6 else "",
            intent=gift.intent,
            cause="card_declined" if state == "failed" else "",
        )

    def _renew(self, gift: GiftFact) -> None:
        now = gift
        for _ in range(self.chance.randrange(4)):
            ref, what = self._ref("pi"), self.chance.random()
            if what < 0.3:
                self.bank.tell("failed", self._paid(ref, now, "failed"))
                now = self._becomes_state(now, "late")
            if what < 0.2:
                continue
            self.bank.tell("paid", self._paid(ref, now))
            now = self._becomes_state(now, "active")
            self._becomes(ref, now)
            if self.chance.random() < 0.3:
                amount = self.chance.randrange(1, 100_000)
                at = max(self._tick(), now.at) + 1
                now = msgspec.structs.replace(now, amount=amount, at=at)
                self.bank.tell("changed", now)
        if self.chance.random() < 0.3:
            self._becomes_state(now, "ended")

    def _becomes_state(self, gift: GiftFact, state: str) -> GiftFact:
        at = max(self._tick(), gift.at) + 1  # Else nobody could say which came last.
        found = msgspec.structs.replace(gift, state=state, at=at)
        self.bank.tell("updated", found)
        return found

    def _becomes(self, payment: str, gift: GiftFact) -> None:
        """It reaches the balance; some of it goes back."""
        self._move("payment", payment, gift.amount, gift.currency)
        what = self.chance.random()
        if what < 0.2:
            self._refund(payment, gift)
        elif what < 0.35:
            self._dispute(payment, gift)

    def _refund(self, payment: str, gift: GiftFact) -> None:
        amount = self.chance.randrange(1, gift.amount + 1)
        ref, end = self._ref("re"), self.chance.choice(("done", "done", "failed"))
        for state in ("pending", end):
            fact = RefundFact(
                ref=ref,
                at=self._tick(),
                payment=payment,
                state=state,  # type: ignore[arg-type] # one of the three
                amount=amount,
                currency=gift.currency,
            )
            self.bank.tell(f"refund {state}", fact)
        self._move("refund", ref, -amount, gift.currency)
        if end == "failed":
            self._move("refund-failed", ref, amount, gift.currency)

    def _dispute(self, payment: str, gift: GiftFact) -> None:
        ref, end = self._ref("dp"), self.chance.choice(("open", "won", "lost"))
        for state in ("open", end):
            fact = DisputeFact(
                ref=ref,
                at=self._tick(),
                payment=payment,
                state=state,  # type: ignore[arg-type] # one of the three
                amount=gift.amount,
                currency=gift.currency,
                reason="fraudulent",
            )
            self.bank.tell(f"dispute {state}", fact)
        self._move("dispute", ref, -gift.amount, gift.currency)
        if end == "won":
            self._move("dispute-won", ref, gift.amount, gift.currency)

    def _move(self, kind: str, about: str, amount: int, currency: str) -> None:
        """A line of the balance, now and then exchanged into euros."""
        gross, here = amount, currency
        if currency != "EUR" and self.chance.random() < 0.4:
            gross, here = amount * 9 // 10 or amount, "EUR"
        fee = self.chance.randrange(0, abs(gross) // 20 + 2)
        fact = MovementFact(
            ref=self._ref("txn"),
            at=self._tick(),
            kind=kind,  # type: ignore[arg-type] # one of those
            gross=gross,
            fee=fee,
            net=gross - fee,
            currency=here,
            source_amount=amount,
            source_currency=currency,
            about=about,
        )
        self.unpaid.setdefault(here, []).append(fact)
        if self.chance.random() < 0.5:
            self.bank.tell("balance", fact)
        else:  # Some providers tell of their balance in lists alone.
            self.bank.there["MovementFact", fact.ref] = fact

    def _payout(self) -> None:
        for currency, moved in self.unpaid.items():
            net = sum(fact.net for fact in moved)
            if net <= 0:
                continue
            payout = self._ref("po")
            for fact in moved:
                carried = msgspec.structs.replace(fact, payout=payout)
                self.bank.there["MovementFact", fact.ref] = carried
            moved.clear()
            states = ("pending", self.chance.choice(("paid", "paid", "failed")))
            for state in states:
                fact_of = PayoutFact(
                    ref=payout,
                    at=self._tick(),
                    state=state,  # type: ignore[arg-type] # one of the three
                    amount=net,
                    currency=currency,
                )
                self.bank.tell(f"payout {state}", fact_of)
            self._move_out(payout, "payout", -net, currency)
            if states[1] == "failed":
                self._move_out(payout, "payout-failed", net, currency)

    def _move_out(self, payout: str, kind: str, amount: int, currency: str) -> None:
        fact = MovementFact(
            ref=self._ref("txn"),
            at=self._tick(),
            kind=kind,  # type: ignore[arg-type] # one of those
            gross=amount,
            fee=0,
            net=amount,
            currency=currency,
            about=payout,
        )
        self.bank.tell("balance", fact)
