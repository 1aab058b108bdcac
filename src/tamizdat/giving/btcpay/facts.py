# SPDX-License-Identifier: AGPL-3.0-or-later
"""From BTCPay's invoices and webhooks to facts. Pure: nothing is asked of anybody.

What always holds: an invoice is a gift and its payment at once, so all go by its id. A webhook
says nothing of the amount; so our till writes upon the invoice what was chosen and when, and a
webhook and a listing say the same. Where they do not, the listing counts, which has the invoice.
An invoice of somebody else's making is told by listings alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from tamizdat.giving.choice import INTENT
from tamizdat.giving.errors import EventError
from tamizdat.giving.money import EXPONENTS
from tamizdat.giving.port import (
    Fact,
    GiftFact,
    GiftState,
    MovementFact,
    PaymentFact,
    PaymentState,
)

SATOSHIS: Final = 8
# By the status of an invoice and by the event that tells of it. A gift that was begun and left says
# nothing of money: there was none.
STATES: Final[dict[str, tuple[GiftState, PaymentState | None]]] = {
    "Processing": ("open", "pending"),
    "Settled": ("active", "paid"),
    "Invalid": ("expired", "failed"),
    "Expired": ("expired", None),
}
TYPES: Final = {f"Invoice{status}": status for status in STATES}


class Marks(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What our till writes upon an invoice. ``amount`` in the currency's smallest unit, ``at`` unix
    seconds."""

    intent: str
    amount: int
    currency: str
    at: int
    language: str = ""
    message: str = ""
    variant: str = ""
    behalf: bool = False


class Metadata(msgspec.Struct, frozen=True):
    """Of an invoice. Names and addresses that it may have are not read."""

    tamizdat: Marks | None = None
    buyerEmail: str | None = None  # noqa: N815 - as it is called there


class Invoice(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    status: str
    created_time: int
    amount: str = "0"
    currency: str = ""
    metadata: Metadata | None = None


class Delivery(msgspec.Struct, frozen=True, rename="camel"):
    """A call of the webhook."""

    delivery_id: str
    type: str
    timestamp: int
    store_id: str
    invoice_id: str = ""
    original_delivery_id: str | None = None
    metadata: Metadata | None = None


class Paid(msgspec.Struct, frozen=True):
    value: str
    status: str = "Settled"


class Method(msgspec.Struct, frozen=True, rename="camel"):
    """By which way an invoice was paid: ``BTC-CHAIN``, ``BTC-LN``, …"""

    payment_method_id: str = ""
    payment_method: str = ""  # as versions before 2.0 call it
    payments: list[Paid] = []


def of_delivery(delivery: Delivery) -> tuple[Fact, ...]:
    """Nothing for events that mean nothing to us, and for invoices that our till did not make."""
    status, metadata = TYPES.get(delivery.type, ""), delivery.metadata
    if not status or metadata is None or metadata.tamizdat is None:
        return ()
    return tuple(_facts(delivery.invoice_id, status, metadata.tamizdat, metadata))


def of_invoice(invoice: Invoice) -> tuple[Fact, ...]:
    """Raises ``EventError`` for an amount that cannot be read."""
    if invoice.status not in STATES:
        return ()
    metadata = invoice.metadata or Metadata()
    return tuple(_facts(invoice.id, invoice.status, marks_of(invoice), metadata))


def marks_of(invoice: Invoice) -> Marks:
    """Ours, or what can be told of an invoice that was made elsewhere. How much it is over the
    invoice itself says, and no mark: who has the till's key may write any."""
    amount = smallest(invoice.amount, EXPONENTS.get(invoice.currency, 0))
    if invoice.metadata and (ours := invoice.metadata.tamizdat):
        return msgspec.structs.replace(ours, amount=amount, currency=invoice.currency)
    return Marks(intent="", amount=amount, currency=invoice.currency, at=invoice.created_time)


def _facts(ref: str, status: str, marks: Marks, metadata: Metadata) -> Iterator[Fact]:
    if marks.currency not in EXPONENTS:
        raise EventError("BTCPay tells of a currency that nobody here knows")
    gift, payment = STATES[status]
    intent = marks.intent if INTENT.match(marks.intent) else ""
    if gift == "expired":
        yield GiftFact(ref=ref, at=marks.at, state="expired", checkout=ref)
    else:
        yield GiftFact(
            ref=ref, at=marks.at, state=gift, intent=intent, kind="once", amount=marks.amount,
            currency=marks.currency, language=marks.language[:35], message=marks.message[:60],
            variant=marks.variant[:60], behalf=marks.behalf, checkout=ref,
            address=(metadata.buyerEmail or "") if gift == "active" else "",
        )  # fmt: skip
    if payment and marks.amount > 0:
        yield PaymentFact(
            ref=ref, at=marks.at, state=payment, amount=marks.amount, currency=marks.currency,
            gift=ref, intent=intent, cause="not_confirmed" if payment == "failed" else "",
        )  # fmt: skip


def movement(invoice: Invoice, methods: list[Method]) -> MovementFact | None:
    """What the wallet got for a settled invoice, in bitcoin; other coins are not booked."""
    marks = marks_of(invoice)
    got = sum(
        smallest(one.value, SATOSHIS)
        for method in methods
        if (method.payment_method_id or method.payment_method).startswith("BTC")
        for one in method.payments
        if one.status == "Settled"
    )
    if not got:
        return None
    return MovementFact(
        ref=invoice.id,
        at=marks.at,
        kind="payment",
        gross=got,
        fee=0,
        net=got,
        currency="BTC",
        source_amount=marks.amount,
        source_currency=marks.currency,
        about=invoice.id,
    )


def smallest(amount: str, digits: int) -> int:
    """``"5.00"`` with two digits is 500; what is smaller than the smallest unit is cut off. Raises
    ``EventError``."""
    try:
        return int(Decimal(amount).scaleb(digits))
    except (InvalidOperation, ValueError, OverflowError):
        raise EventError("BTCPay tells of an amount that cannot be read") from None
