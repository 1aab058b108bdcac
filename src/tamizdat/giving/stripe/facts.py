# SPDX-License-Identifier: AGPL-3.0-or-later
"""From Stripe's objects to facts. Pure: nothing is asked of anybody.

What always holds:

- A payment is called by its payment intent, also by refunds, disputes and lines of the balance;
  its facts come from charges, which say the same in an event and in a listing.
- An agreement that goes on is called by its **customer**: Checkout makes a new one for each, and
  it is the only thing that a charge of a renewal says of its agreement (since API 2025-03-31 a
  charge names no invoice). What is given once has no customer; ``intent`` joins it.
- ``at`` is when the object began, so that an event and a listing say the same; what follows is
  told by the state's rank. Only a subscription changes to and fro: there ``at`` is the event's.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec

from tamizdat.giving.choice import INTENT, KINDS, Kind
from tamizdat.giving.errors import EventError
from tamizdat.giving.port import (
    DisputeFact,
    DisputeState,
    Event,
    Fact,
    GiftFact,
    GiftState,
    MovementFact,
    MovementKind,
    PaymentFact,
    PaymentState,
    PayoutFact,
    PayoutState,
    RefundFact,
    RefundState,
)
from tamizdat.giving.stripe import shapes
from tamizdat.giving.stripe.amounts import from_stripe
from tamizdat.giving.stripe.shapes import id_of

# What the webhook must be set to, and what ``events`` asks for (twenty at most).
TYPES: Final[dict[str, Any]] = {
    "checkout.session.completed": shapes.Session,
    "checkout.session.async_payment_succeeded": shapes.Session,
    "checkout.session.async_payment_failed": shapes.Session,
    "checkout.session.expired": shapes.Session,
    "customer.subscription.created": shapes.Subscription,
    "customer.subscription.updated": shapes.Subscription,
    "customer.subscription.deleted": shapes.Subscription,
    "charge.succeeded": shapes.Charge,
    "charge.failed": shapes.Charge,
    "charge.pending": shapes.Charge,
    "refund.created": shapes.Refund,
    "refund.updated": shapes.Refund,
    "refund.failed": shapes.Refund,
    "charge.dispute.created": shapes.Dispute,
    "charge.dispute.updated": shapes.Dispute,
    "charge.dispute.closed": shapes.Dispute,
    "payout.created": shapes.Payout,
    "payout.paid": shapes.Payout,
    "payout.failed": shapes.Payout,
    "payout.canceled": shapes.Payout,
}
_GIFT: Final[dict[str, GiftState]] = {
    "incomplete": "open",
    "incomplete_expired": "expired",
    "trialing": "active",
    "active": "active",
    "past_due": "late",
    "unpaid": "late",
    "paused": "paused",
    "canceled": "ended",
}
_PAYMENT: Final[dict[str, PaymentState]] = {"succeeded": "paid", "failed": "failed"}
_REFUND: Final[dict[str, RefundState]] = {
    "succeeded": "done",
    "failed": "failed",
    "canceled": "failed",
}
_DISPUTE: Final[dict[str, DisputeState]] = {
    "won": "won",
    "warning_closed": "won",
    "prevented": "won",
    "lost": "lost",
}
_PAYOUT: Final[dict[str, PayoutState]] = {"paid": "paid", "failed": "failed", "canceled": "failed"}
_MOVEMENT: Final[dict[str, MovementKind]] = {
    "charge": "payment",
    "refund": "refund",
    "refund_failure": "refund-failed",
    "dispute": "dispute",
    "dispute_reversal": "dispute-won",
    "fee": "fee",
    "tax": "fee",
    "network_cost": "fee",
    "payout": "payout",
    "payout_reversal": "payout-failed",
}
_INTERVALS: Final[dict[str, Kind]] = {"month": "monthly", "year": "annual"}


def event_of(envelope: shapes.Envelope) -> Event:
    """Raises ``EventError`` where it cannot be read."""
    shape = TYPES.get(envelope.type)
    facts: tuple[Fact, ...] = ()
    if shape is not None:
        try:
            found = msgspec.json.decode(envelope.data.object, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise EventError(f"an event {envelope.type} cannot be read: {error}") from None
        facts = _facts(envelope.type, found, envelope.created)
    return Event(id=envelope.id, type=envelope.type, at=envelope.created, facts=facts)


def _facts(kind: str, found: Any, at: int) -> tuple[Fact, ...]:
    match found:
        case shapes.Session():
            fact = gift_of_session(found, failed=kind.endswith("payment_failed"))
            return (fact,) if fact else ()
        case shapes.Subscription():
            return (gift(found, at),)
        case shapes.Charge():
            return (payment(found),)
        case shapes.Refund():
            return (refund(found),)
        case shapes.Dispute():
            return (dispute(found),)
        case _:
            return (payout(found),)


def gift_of_session(session: shapes.Session, *, failed: bool = False) -> GiftFact | None:
    """What a checkout says of its agreement: nothing while it is open. ``failed``: what was under
    way did not come. One that was left does not say for which wish it was: that may have another,
    with another amount."""
    if session.mode not in ("payment", "subscription"):
        return None
    if session.status == "expired" or failed:
        return GiftFact(ref=session.id, at=session.created, state="expired", checkout=session.id)
    if session.status != "complete":
        return None
    again = session.mode == "subscription"
    given = from_stripe(session.amount_total or 0, session.currency or "")
    told = {"kind": "monthly" if again else "once", **_ours(session)}
    return GiftFact(
        ref=id_of(session.customer) if again else session.id,
        at=session.created,
        state="open" if session.payment_status == "unpaid" else "active",
        amount=given.amount,
        currency=given.currency,
        address=(session.customer_details.email if session.customer_details else "") or "",
        checkout=session.id,
        **told,
    )


def gift(subscription: shapes.Subscription, at: int) -> GiftFact:
    """As of ``at``: what a subscription is can only be told with the time when it was that."""
    item = next(iter(subscription.items.data), None)
    told: dict[str, Any] = {}
    if item is not None:
        price, often = item.price, item.price.recurring or shapes.Recurring()
        each = from_stripe((price.unit_amount or 0) * (item.quantity or 1), price.currency)
        told = {"amount": each.amount, "currency": each.currency}
        if often.interval_count == 1:
            told["kind"] = _INTERVALS.get(often.interval, "")
    state = _GIFT.get(subscription.status, "open")
    if state == "active" and subscription.pause_collection:
        state = "paused"
    return GiftFact(
        ref=id_of(subscription.customer),
        at=at,
        state=state,
        next_at=0 if state in ("ended", "expired") else _next(subscription, item),
        **{**_ours(subscription), **told},
    )


def payment(charge: shapes.Charge) -> PaymentFact:
    state = _PAYMENT.get(charge.status, "pending")
    blocked = charge.outcome is not None and charge.outcome.type == "blocked"
    cause = "blocked" if blocked else (charge.failure_code or "failed")[:60]
    given = from_stripe(charge.amount, charge.currency)
    return PaymentFact(
        ref=id_of(charge.payment_intent) or charge.id,
        at=charge.created,
        state=state,
        amount=given.amount,
        currency=given.currency,
        gift=id_of(charge.customer),
        intent=_intent(charge.metadata),
        cause=cause if state == "failed" else "",
    )


def refund(found: shapes.Refund) -> RefundFact:
    back = from_stripe(found.amount, found.currency)
    return RefundFact(
        ref=found.id,
        at=found.created,
        payment=id_of(found.payment_intent) or id_of(found.charge),
        state=_REFUND.get(found.status or "", "pending"),
        amount=back.amount,
        currency=back.currency,
    )


def dispute(found: shapes.Dispute) -> DisputeFact:
    taken = from_stripe(found.amount, found.currency)
    return DisputeFact(
        ref=found.id,
        at=found.created,
        payment=id_of(found.payment_intent) or id_of(found.charge),
        state=_DISPUTE.get(found.status, "open"),
        amount=taken.amount,
        currency=taken.currency,
        reason=found.reason[:60],
        due_at=(found.evidence_details.due_by if found.evidence_details else 0) or 0,
    )


def payout(found: shapes.Payout) -> PayoutFact:
    sent = from_stripe(found.amount, found.currency)
    return PayoutFact(
        ref=found.id,
        at=found.created,
        state=_PAYOUT.get(found.status, "pending"),
        amount=sent.amount,
        currency=sent.currency,
    )


def movement(line: shapes.Line, *, payout: str = "") -> MovementFact:
    """A line of the balance; ``payout`` is what carried it, where that is known."""
    gross = from_stripe(line.amount, line.currency)
    net = from_stripe(line.net, line.currency).amount
    source = line.source if isinstance(line.source, shapes.Source) else None
    before = gross
    if line.exchange_rate is not None and source and source.amount and source.currency:
        before = from_stripe(abs(source.amount) * (-1 if line.amount < 0 else 1), source.currency)
    kind = _MOVEMENT.get(line.reporting_category, "adjustment")
    return MovementFact(
        ref=line.id,
        at=line.created,
        kind=kind,
        gross=gross.amount,
        fee=gross.amount - net,
        net=net,
        currency=gross.currency,
        source_amount=before.amount,
        source_currency=before.currency,
        about=_about(kind, source, line),
        payout=payout,
    )


def _about(kind: MovementKind, source: shapes.Source | None, line: shapes.Line) -> str:
    if source is None:
        return line.source if isinstance(line.source, str) else ""
    return (id_of(source.payment_intent) or source.id) if kind == "payment" else source.id


def _next(subscription: shapes.Subscription, item: shapes.Item | None) -> int:
    """When the next payment is due, at the earliest."""
    period = (item.current_period_end if item else 0) or subscription.current_period_end or 0
    pause = subscription.pause_collection
    return max(period, (pause.resumes_at or 0) if pause else 0)


def _intent(metadata: dict[str, str] | None) -> str:
    said = (metadata or {}).get("intent", "")
    return said if INTENT.match(said) else ""


def _ours(found: shapes.Session | shapes.Subscription) -> dict[str, Any]:
    """What our till wrote on it. Empty for what was begun elsewhere."""
    said = found.metadata or {}
    if not _intent(said):
        return {}
    kind: Kind | Literal[""] = next((one for one in KINDS if one == said.get("kind")), "")
    ours: dict[str, Any] = {
        "intent": said["intent"],
        "language": said.get("language", "")[:35],
        "message": said.get("message", "")[:60],
        "variant": said.get("variant", "")[:60],
        "behalf": said.get("behalf") == "1",
    }
    return {**ours, "kind": kind} if kind else ours
