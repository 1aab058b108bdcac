# SPDX-License-Identifier: AGPL-3.0-or-later
"""What happens at the sandbox by itself: renewals, retries, settlements, disputes, payouts.

What always holds: all happens in the order of its time, each at its own, however far the clock was
moved; a renewal that fails is tried three times more and then the agreement ends. Months are
counted from the first payment: what began on a 31st renews on the last day of shorter months.
"""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from typing import Final

import msgspec

from tamizdat.giving.errors import NotFoundError
from tamizdat.giving.port import DisputeFact, Fact, GiftFact, PaymentFact
from tamizdat.giving.sandbox.balance import Balance
from tamizdat.giving.sandbox.cards import CARDS
from tamizdat.giving.sandbox.objects import Checkout, Mark, Plan
from tamizdat.giving.sandbox.store import Job, Store, new_ref

DAY: Final = 86_400
RETRIES: Final = (3 * DAY, 5 * DAY, 7 * DAY)
ANSWER: Final = 14 * DAY
MONTHS: Final = {"monthly": 1, "annual": 12}


def months_later(at: int, months: int) -> int:
    """The same time of day so many months later (UTC), on the last day of shorter months."""
    then = datetime.fromtimestamp(at, UTC)
    year, month = divmod(then.year * 12 + then.month - 1 + months, 12)
    day = min(then.day, calendar.monthrange(year, month + 1)[1])
    return int(then.replace(year=year, month=month + 1, day=day).timestamp())


def first(store: Store, gift: GiftFact, plan: Plan) -> int:
    """Begin: when the next payment is due."""
    return _next(store, gift, plan)


def plan_of(store: Store, gift: str) -> Plan:
    """Raises ``NotFoundError``."""
    found = store.get("plan", gift, Plan)
    if found is None:
        raise NotFoundError("the sandbox has no plan for this agreement")
    return found


def _next(store: Store, gift: GiftFact, plan: Plan) -> int:
    """Plan the next payment that lies ahead."""
    turn = plan.turn
    while True:
        turn += 1
        at = months_later(plan.anchor, turn * MONTHS[gift.kind or "monthly"])
        if at > store.now:
            break
    store.put("plan", gift.ref, msgspec.structs.replace(plan, turn=turn - 1, tries=0))
    store.plan("renew", gift.ref, at)
    return at


def resume(store: Store, gift: GiftFact) -> tuple[Fact, ...]:
    """Go on after a pause, with the next payment as it would have been."""
    store.unplan(gift.ref)
    at = _next(store, gift, plan_of(store, gift.ref))
    return store.tell("gift.resumed", msgspec.structs.replace(gift, state="active", next_at=at))


def run(store: Store, balance: Balance, until: int) -> None:
    """Let everything happen that is due by then."""
    while True:
        with store.change():
            job = store.due(until)
            if job is None:
                return
            with store.as_of(job.at):
                _do(store, balance, job)


def _do(store: Store, balance: Balance, job: Job) -> None:
    match job.what:
        case "renew" | "retry":
            renew_now(store, balance, job.ref)
        case "resume":
            gift = store.fact(GiftFact, job.ref)
            if gift is not None and gift.state == "paused":
                resume(store, gift)
        case "settle" | "bounce":
            _settle(store, balance, job.ref, took=job.what == "settle")
        case "dispute":
            dispute(store, balance, job.ref)
        case "decide":
            decide(store, balance, job.ref, won=store.get("wins", job.ref, Mark) is not None)
        case "expire":
            expire(store, job.ref)
        case "payout":
            balance.pay_out()


def renew_now(store: Store, balance: Balance, ref: str) -> None:
    """Take what is due, or try again to."""
    gift, plan = store.fact(GiftFact, ref), plan_of(store, ref)
    if gift is None or gift.state not in ("active", "late"):
        return
    store.unplan(ref)
    again = gift.state == "late"
    payment = PaymentFact(
        ref=plan.last if again else new_ref("pay"), at=0, state="paid",
        amount=gift.amount, currency=gift.currency, gift=ref,
    )  # fmt: skip
    if again and (before := store.fact(PaymentFact, plan.last)) is not None:
        payment = msgspec.structs.replace(before, state="paid", cause="")
    turn = plan.turn if again else plan.turn + 1
    plan = msgspec.structs.replace(plan, last=payment.ref, turn=turn)
    cause = CARDS[plan.card].renews
    if cause:
        _fail(store, gift, plan, msgspec.structs.replace(payment, state="failed", cause=cause))
        return
    store.tell("payment.paid", payment)
    balance.paid(payment)
    at = _next(store, gift, plan)
    store.tell("gift.renewed", msgspec.structs.replace(gift, state="active", next_at=at))


def _fail(store: Store, gift: GiftFact, plan: Plan, payment: PaymentFact) -> None:
    store.tell("payment.failed", payment)
    if plan.tries >= len(RETRIES):
        store.put("plan", gift.ref, plan)
        store.tell("gift.ended", msgspec.structs.replace(gift, state="ended", next_at=0))
        return
    at = store.now + RETRIES[plan.tries]
    store.plan("retry", gift.ref, at)
    store.put("plan", gift.ref, msgspec.structs.replace(plan, tries=plan.tries + 1))
    store.tell("gift.late", msgspec.structs.replace(gift, state="late", next_at=at))


def _settle(store: Store, balance: Balance, ref: str, *, took: bool) -> None:
    payment = store.fact(PaymentFact, ref)
    gift = store.fact(GiftFact, payment.gift) if payment else None
    if payment is None or gift is None:
        return
    if took:
        paid = msgspec.structs.replace(payment, state="paid")
        store.tell("payment.paid", paid)
        balance.paid(paid)
        store.tell("gift.changed", msgspec.structs.replace(gift, state="active"))
        return
    cause = "insufficient_funds"
    store.tell("payment.failed", msgspec.structs.replace(payment, state="failed", cause=cause))
    store.unplan(gift.ref)
    state = "expired" if gift.kind == "once" else "ended"
    store.tell("gift.ended", msgspec.structs.replace(gift, state=state, next_at=0))


def dispute(store: Store, balance: Balance, payment: str) -> tuple[Fact, ...]:
    """Its bank takes a payment back."""
    paid = store.fact(PaymentFact, payment)
    if paid is None or paid.state != "paid":
        return ()
    if any(one.payment == payment for one in store.facts(DisputeFact)):
        return ()
    made = DisputeFact(
        ref=new_ref("dis"), at=0, payment=payment, state="open", amount=paid.amount,
        currency=paid.currency, reason="fraudulent", due_at=store.now + ANSWER,
    )  # fmt: skip
    facts = store.tell("dispute.opened", made)
    if store.get("wins", payment, Mark) is not None:
        store.put("wins", made.ref, Mark())
    store.plan("decide", made.ref, store.now + ANSWER)
    return (*facts, *balance.disputed(made))


def decide(store: Store, balance: Balance, ref: str, *, won: bool) -> tuple[Fact, ...]:
    """How a dispute ends."""
    open_ = store.fact(DisputeFact, ref)
    if open_ is None or open_.state != "open":
        return ()
    store.unplan(ref)
    ended = msgspec.structs.replace(open_, state="won" if won else "lost")
    facts = store.tell("dispute.closed", ended)
    return (*facts, *balance.won(ended)) if won else facts


def expire(store: Store, ref: str) -> None:
    """A checkout that was left can be paid no more."""
    checkout = store.get("checkout", ref, Checkout)
    if checkout is None or checkout.state != "open":
        return
    store.put("checkout", ref, msgspec.structs.replace(checkout, state="expired"))
    choice = checkout.choice
    left = GiftFact(
        ref=ref, at=0, state="expired", intent=choice.intent, kind=choice.kind,
        amount=choice.amount, currency=choice.currency, language=choice.language,
        message=choice.message, variant=choice.variant, behalf=choice.behalf, checkout=ref,
    )  # fmt: skip
    store.tell("checkout.expired", left)
