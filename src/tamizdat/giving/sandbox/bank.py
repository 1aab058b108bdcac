# SPDX-License-Identifier: AGPL-3.0-or-later
"""What happens at the sandbox: checkouts, payments, refunds, changes of agreements.

What always holds: one checkout for a choice, one payment for a checkout, however often they are
asked for; who chooses anew with the same intent cannot pay the former choice any more. Nothing is
given back twice for one ``key`` and never more than was paid. Each payment, refund and dispute has
a line in the balance.

What is not done here: what happens by itself when time passes (``schedule``).
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec

from tamizdat.giving.errors import NotFoundError, RefusedError
from tamizdat.giving.money import Money
from tamizdat.giving.port import Fact, GiftFact, PaymentFact, RefundFact
from tamizdat.giving.sandbox import schedule
from tamizdat.giving.sandbox.balance import Balance
from tamizdat.giving.sandbox.cards import CARDS, REFUSED, Card
from tamizdat.giving.sandbox.objects import Checkout, Door, Mark, Plan
from tamizdat.giving.sandbox.store import Store, new_ref

DAY: Final = 86_400
EXPIRES: Final = DAY
DOOR: Final = 3_600


class _Answer(msgspec.Struct, frozen=True):
    facts: tuple[Fact, ...]


class Outcome(NamedTuple):
    """``cause`` is empty where it was taken (or is under way)."""

    cause: str = ""


class Bank:
    """``settles``: the currency of the balance, where all is exchanged into one."""

    def __init__(self, store: Store, *, settles: str = "") -> None:
        self.store = store
        self.balance = Balance(store, settles)

    def open(self, wanted: Checkout) -> Checkout:
        """A checkout; the former one where it is for the same choice and was not left too long."""
        with self.store.change():
            known = self.store.get("intent", wanted.choice.intent, Mark)
            former = self.checkout(known.ref) if known else None
            if former and former.choice == wanted.choice and former.state != "expired":
                return former
            if former and former.state == "open":
                self.store.unplan(former.ref)
                schedule.expire(self.store, former.ref)
            self.store.put("checkout", wanted.ref, wanted)
            self.store.put("intent", wanted.choice.intent, Mark(wanted.ref))
            self.store.plan("expire", wanted.ref, self.store.now + EXPIRES)
            return wanted

    def checkout(self, ref: str) -> Checkout:
        """Raises ``NotFoundError``."""
        found = self.store.get("checkout", ref, Checkout)
        if found is None:
            raise NotFoundError("the sandbox has no such checkout")
        return found

    def pay(self, ref: str, card: str, address: str) -> Outcome:
        """Try to pay. Nothing is taken again for a checkout that is complete. Raises
        ``NotFoundError`` and ``RefusedError``."""
        with self.store.change():
            checkout = self.checkout(ref)
            if checkout.state == "complete":
                return Outcome()
            if checkout.state == "expired":
                raise RefusedError("this checkout was left for too long")
            used = CARDS.get(card, CARDS["declined"])
            if used.abroad and checkout.refused:
                return Outcome(REFUSED)  # Never authorised: there is no payment to tell of.
            if used.cause:
                self.store.tell("payment.failed", _payment(checkout, "failed", used.cause))
                return Outcome(used.cause)
            self._complete(checkout, card, used, address)
            return Outcome()

    def _complete(self, checkout: Checkout, card: str, used: Card, address: str) -> None:
        self.store.put(
            "checkout", checkout.ref, msgspec.structs.replace(checkout, state="complete")
        )
        self.store.unplan(checkout.ref)
        gift = _gift(checkout, used, address)
        if checkout.choice.kind != "once":
            plan = Plan(card=card, anchor=self.store.now, last=checkout.payment)
            gift = msgspec.structs.replace(gift, next_at=schedule.first(self.store, gift, plan))
        self.store.tell("checkout.completed", gift)
        payment = _payment(checkout, "pending" if used.slow else "paid", gift=gift.ref)
        if used.slow:
            self.store.tell("payment.pending", payment)
            self.store.plan(
                "settle" if used.settles else "bounce", payment.ref, self.store.now + 2 * DAY
            )
            return
        self.store.tell("payment.paid", payment)
        self.balance.paid(payment)
        if used.disputed:
            self.store.plan("dispute", payment.ref, self.store.now + DAY)
            if used.wins:
                self.store.put("wins", payment.ref, Mark(payment.ref))

    def refund(self, payment: str, money: Money, *, key: str) -> tuple[Fact, ...]:
        """Give back. Raises ``NotFoundError`` and ``RefusedError``."""
        with self.store.change():
            if (told := self._told(key)) is not None:
                return told
            paid = self.store.fact(PaymentFact, payment)
            if paid is None:
                raise NotFoundError("the sandbox has no such payment")
            back = sum(one.amount for one in self.store.facts(RefundFact) if one.payment == payment)
            if paid.state != "paid" or money.currency != paid.currency:
                raise RefusedError("this was not paid, or in another currency")
            if not 0 < money.amount <= paid.amount - back:
                raise RefusedError("no more can be given back than was paid")
            made = RefundFact(
                ref=new_ref("ref"), at=0, payment=payment, state="done",
                amount=money.amount, currency=money.currency,
            )  # fmt: skip
            facts = self.store.tell("refund.done", made)
            return self._tell_once(key, (*facts, *self.balance.refunded(made)))

    def cancel(self, gift: str, *, key: str) -> tuple[Fact, ...]:
        with self.store.change():
            if (told := self._told(key)) is not None:
                return told
            found = self._again_and_again(gift)
            self.store.unplan(gift)
            ended = msgspec.structs.replace(found, state="ended", next_at=0)
            return self._tell_once(key, self.store.tell("gift.ended", ended))

    def pause(self, gift: str, until: int, *, key: str) -> tuple[Fact, ...]:
        with self.store.change():
            if (told := self._told(key)) is not None:
                return told
            found = self._again_and_again(gift)
            self.store.unplan(gift)
            self.store.plan("resume", gift, max(until, self.store.now))
            paused = msgspec.structs.replace(found, state="paused")
            return self._tell_once(key, self.store.tell("gift.paused", paused))

    def resume(self, gift: str, *, key: str) -> tuple[Fact, ...]:
        with self.store.change():
            if (told := self._told(key)) is not None:
                return told
            found = self._again_and_again(gift)
            if found.state != "paused":
                return self._tell_once(key, self.store.tell("gift.changed", found))
            return self._tell_once(key, schedule.resume(self.store, found))

    def change(self, gift: str, money: Money, *, key: str) -> tuple[Fact, ...]:
        with self.store.change():
            if (told := self._told(key)) is not None:
                return told
            found = self._again_and_again(gift)
            if money.currency != found.currency or money.amount <= 0:
                raise RefusedError("the amount must be above nothing, in the same currency")
            changed = msgspec.structs.replace(found, amount=money.amount)
            return self._tell_once(key, self.store.tell("gift.changed", changed))

    def door(self, gift: str, back: str, language: str) -> str:
        """The token of a page for another card, good for an hour."""
        with self.store.change():
            self._again_and_again(gift)
            token = new_ref("door")
            self.store.put("door", token, Door(gift, back, language, self.store.now + DOOR))
            return token

    def behind(self, token: str) -> Door:
        """Raises ``NotFoundError``."""
        found = self.store.get("door", token, Door)
        if found is None or found.until < self.store.now:
            raise NotFoundError("this address is out of time: ask for a new one")
        return found

    def take_card(self, token: str, card: str) -> Outcome:
        """Use another card from now on; what is late is tried again at once."""
        with self.store.change():
            door, used = self.behind(token), CARDS.get(card, CARDS["declined"])
            if used.cause or used.abroad:
                return Outcome(used.cause or REFUSED)
            found = self._again_and_again(door.gift)
            plan = schedule.plan_of(self.store, door.gift)
            self.store.put("plan", door.gift, msgspec.structs.replace(plan, card=card))
            if found.state == "late":
                schedule.renew_now(self.store, self.balance, door.gift)
            return Outcome()

    def _again_and_again(self, gift: str) -> GiftFact:
        found = self.store.fact(GiftFact, gift)
        if found is None:
            raise NotFoundError("the sandbox has no such agreement")
        if found.kind == "once" or found.state in ("ended", "expired"):
            raise RefusedError("this agreement is over")
        return found

    def _told(self, key: str) -> tuple[Fact, ...] | None:
        """What was answered to this wish before."""
        found = self.store.get("answer", key, _Answer)
        return found.facts if found else None

    def _tell_once(self, key: str, facts: tuple[Fact, ...]) -> tuple[Fact, ...]:
        self.store.put("answer", key, _Answer(facts))
        return facts


def _payment(
    checkout: Checkout,
    state: Literal["pending", "paid", "failed"],
    cause: str = "",
    *,
    gift: str = "",
) -> PaymentFact:
    choice = checkout.choice
    return PaymentFact(
        ref=checkout.payment,
        at=0,
        state=state,
        amount=choice.amount,
        currency=choice.currency,
        gift=gift or (checkout.ref if choice.kind == "once" else ""),
        intent=choice.intent,
        cause=cause,
    )


def _gift(checkout: Checkout, used: Card, address: str) -> GiftFact:
    choice = checkout.choice
    return GiftFact(
        ref=checkout.ref if choice.kind == "once" else new_ref("gift"),
        at=0,
        state="open" if used.slow else "active",
        intent=choice.intent,
        kind=choice.kind,
        amount=choice.amount,
        currency=choice.currency,
        language=choice.language,
        message=choice.message,
        variant=choice.variant,
        behalf=choice.behalf,
        address=address,
        checkout=checkout.ref,
    )
