# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is read of Stripe's objects, and nothing more.

What always holds: a name, a postal address, a card's digits or country, an IP are in none of these
shapes, so they end here. Field names are Stripe's (API 2026-10-28.endive); those that older
versions put elsewhere are not used, as events come in the version of the account.
"""

from __future__ import annotations

import msgspec


class Named(msgspec.Struct, frozen=True):
    """An object that stands where its id could stand."""

    id: str


Reference = str | Named | None


def id_of(reference: Reference) -> str:
    return reference.id if isinstance(reference, Named) else reference or ""


class CustomerDetails(msgspec.Struct, frozen=True):
    email: str | None = None


class Session(msgspec.Struct, frozen=True):
    id: str
    created: int
    mode: str
    status: str | None = None
    payment_status: str = ""
    amount_total: int | None = None
    currency: str | None = None
    customer: Reference = None
    customer_details: CustomerDetails | None = None
    metadata: dict[str, str] | None = None


class Recurring(msgspec.Struct, frozen=True):
    interval: str = ""
    interval_count: int = 1


class Price(msgspec.Struct, frozen=True):
    currency: str
    product: Reference = None
    unit_amount: int | None = None
    recurring: Recurring | None = None


class Item(msgspec.Struct, frozen=True):
    id: str
    price: Price
    quantity: int | None = 1
    current_period_end: int = 0


class Items(msgspec.Struct, frozen=True):
    data: list[Item] = []


class Pause(msgspec.Struct, frozen=True):
    resumes_at: int | None = None


class Subscription(msgspec.Struct, frozen=True):
    id: str
    created: int
    customer: Reference
    status: str
    items: Items = Items()
    pause_collection: Pause | None = None
    current_period_end: int | None = None
    metadata: dict[str, str] | None = None


class Outcome(msgspec.Struct, frozen=True):
    type: str | None = None


class Charge(msgspec.Struct, frozen=True):
    id: str
    created: int
    amount: int
    currency: str
    status: str
    customer: Reference = None
    payment_intent: Reference = None
    failure_code: str | None = None
    outcome: Outcome | None = None
    metadata: dict[str, str] | None = None


class Refund(msgspec.Struct, frozen=True):
    id: str
    created: int
    amount: int
    currency: str
    status: str | None = None
    charge: Reference = None
    payment_intent: Reference = None
    metadata: dict[str, str] | None = None


class EvidenceDetails(msgspec.Struct, frozen=True):
    due_by: int | None = None


class Dispute(msgspec.Struct, frozen=True):
    id: str
    created: int
    amount: int
    currency: str
    status: str
    reason: str = ""
    charge: Reference = None
    payment_intent: Reference = None
    evidence_details: EvidenceDetails | None = None


class Payout(msgspec.Struct, frozen=True):
    id: str
    created: int
    amount: int
    currency: str
    status: str
    automatic: bool = True


class Source(msgspec.Struct, frozen=True):
    """What a line of the balance is about, as far as it matters which it is."""

    id: str
    object: str = ""
    amount: int | None = None
    currency: str | None = None
    payment_intent: Reference = None


class Line(msgspec.Struct, frozen=True):
    """A balance transaction."""

    id: str
    created: int
    amount: int
    fee: int
    net: int
    currency: str
    reporting_category: str
    exchange_rate: float | None = None
    source: Source | str | None = None


class Endpoint(msgspec.Struct, frozen=True):
    """A webhook endpoint."""

    url: str
    status: str = ""
    enabled_events: list[str] = []


class CardOf(msgspec.Struct, frozen=True):
    country: str | None = None


class Details(msgspec.Struct, frozen=True):
    card: CardOf | None = None


class Where(msgspec.Struct, frozen=True):
    """Of a charge, the country of its card: looked at for ``check``, and dropped at once."""

    status: str
    payment_method_details: Details | None = None


class Data(msgspec.Struct, frozen=True):
    object: msgspec.Raw


class Envelope(msgspec.Struct, frozen=True):
    """An event."""

    id: str
    type: str
    created: int
    livemode: bool
    data: Data
    account: str | None = None
