# SPDX-License-Identifier: AGPL-3.0-or-later
"""The port to payment providers: what the letterbox and the desk need, in our words.

Two halves, held by two machines with two keys:

- A ``Till`` stands with the letterbox. It can open a checkout and nothing else.
- A ``Provider`` stands with the desk. It reads events, lists what there is, gives back, changes.

Everything a provider says becomes **facts**: small, plain, without any person but the address that
a receipt goes to. What always holds of facts:

- Each names the provider's own object (``ref``) and when the provider said so (``at``, seconds
  since 1970 by the provider's clock). The same fact may come twice, late, in any order, and from
  an event as well as from a listing: it means the same. Of two about one object the later one
  (``at``, then ``rank`` of its state) counts.
- A fact never needs another to have come before.
- Amounts are in the currency's smallest unit, also where the provider counts otherwise.

A provider is a folder ``giving/NAME/`` with ``till.py`` (``make_till``) and ``provider.py``
(``make_provider``); ``registry`` finds them by name. Every exception of its library becomes one of
``errors``; no other package imports that library.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, Protocol

import msgspec

from tamizdat.giving.choice import Choice, Kind
from tamizdat.giving.money import Money


class _Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``ref``: the provider's name of the object; ``at``: unix seconds of the provider's clock."""

    ref: str
    at: int


GiftState = Literal["open", "active", "late", "paused", "ended", "expired"]
PaymentState = Literal["pending", "paid", "failed"]
RefundState = Literal["pending", "done", "failed"]
DisputeState = Literal["open", "won", "lost"]
PayoutState = Literal["pending", "paid", "failed"]
MovementKind = Literal[
    "payment", "refund", "refund-failed", "dispute", "dispute-won", "fee", "payout",
    "payout-failed", "adjustment",
]  # fmt: skip


class GiftFact(_Fact, frozen=True, tag="gift"):
    """An agreement to give: once (``ref`` names the checkout) or again and again (``ref`` names
    what the provider keeps of it: the subscription, or the customer that exists for it alone, by
    which its payments name it). ``intent`` is ours. ``late``: a renewal failed and is tried again.
    ``address`` is where a receipt goes, only in facts from completed checkouts; ``next_at`` is when
    the next payment is due. An empty text or 0 says that this fact does not tell."""

    state: GiftState
    intent: str = ""
    kind: Kind | Literal[""] = ""
    amount: int = 0
    currency: str = ""
    language: str = ""
    message: str = ""
    variant: str = ""
    behalf: bool = False
    address: str = ""
    next_at: int = 0
    checkout: str = ""


class PaymentFact(_Fact, frozen=True, tag="payment"):
    """Money that moves, or tried to, from a giver. ``gift`` is the ``ref`` of its agreement where
    the fact tells; ``cause`` a short code of why it failed (``card_declined``)."""

    state: PaymentState
    amount: int
    currency: str
    gift: str = ""
    intent: str = ""
    cause: str = ""


class RefundFact(_Fact, frozen=True, tag="refund"):
    payment: str
    state: RefundState
    amount: int
    currency: str


class DisputeFact(_Fact, frozen=True, tag="dispute"):
    """``due_at``: until when the newsroom may answer."""

    payment: str
    state: DisputeState
    amount: int
    currency: str
    reason: str = ""
    due_at: int = 0


class MovementFact(_Fact, frozen=True, tag="movement"):
    """One line of the provider's balance. ``gross`` − ``fee`` = ``net``, signed, in the balance's
    ``currency``; ``source_amount`` and ``source_currency`` are what it was before it was exchanged
    (the same where it was not). ``about`` is the payment, refund, dispute or payout it belongs to,
    ``payout`` the payout that carried it."""

    kind: MovementKind
    gross: int
    fee: int
    net: int
    currency: str
    source_amount: int = 0
    source_currency: str = ""
    about: str = ""
    payout: str = ""


class PayoutFact(_Fact, frozen=True, tag="payout"):
    state: PayoutState
    amount: int
    currency: str


Fact = GiftFact | PaymentFact | RefundFact | DisputeFact | MovementFact | PayoutFact
# Of two facts about one object with the same ``at``, the one whose state stands further right
# counts: what can still become something else stands before what it becomes.
RANKS: dict[type[_Fact], tuple[str, ...]] = {
    GiftFact: ("open", "expired", "active", "paused", "late", "ended"),
    PaymentFact: ("pending", "failed", "paid"),
    RefundFact: ("pending", "done", "failed"),
    DisputeFact: ("open", "lost", "won"),
    PayoutFact: ("pending", "paid", "failed"),
}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says happened. ``id`` is unique for the provider; ``type`` its own word.
    ``facts`` are empty for events that mean nothing to us."""

    id: str
    type: str
    at: int
    facts: tuple[Fact, ...] = ()


class Opened(msgspec.Struct, frozen=True):
    """A checkout: where the giver goes (``url``) and what the provider calls it."""

    ref: str
    url: str


class Till(Protocol):
    """With the letterbox. ``methods`` are names of ways to pay, for the page (``card``, …)."""

    name: str

    async def open(self, choice: Choice, *, done: str, gave_up: str, paper: str) -> Opened:
        """A checkout for this choice; the same one however often it is asked for the same intent.
        ``done`` and ``gave_up`` are where the giver comes back to, ``paper`` what is shown as the
        receiver. Raises ``ProviderError``."""

    async def close(self) -> None: ...


class Provider(Protocol):
    """With the desk. Every call is safe to repeat: ``key`` is ours and stands for one wish.
    All raise ``ProviderError``."""

    name: str

    def read(self, body: bytes, headers: Mapping[str, str], *, received: datetime) -> Event:
        """A webhook as it came. ``received`` is the hour in which the letterbox took it, so a
        signature's age is judged within that hour. Raises ``ForgedEventError``, ``EventError``."""

    def events(self, since: datetime) -> Iterator[Event]:
        """All events since then, oldest first, as far back as the provider keeps them."""

    def listing(self, since: datetime) -> Iterator[Fact]:
        """What there is now of everything that changed since then: agreements, payments, refunds,
        disputes, movements, payouts. What closes the gaps that lost events left."""

    def refund(self, payment: str, money: Money, *, key: str) -> Iterable[Fact]: ...

    def cancel(self, gift: str, *, key: str) -> Iterable[Fact]:
        """At once; nothing is taken any more."""

    def pause(self, gift: str, until: datetime, *, key: str) -> Iterable[Fact]: ...

    def resume(self, gift: str, *, key: str) -> Iterable[Fact]: ...

    def change(self, gift: str, money: Money, *, key: str) -> Iterable[Fact]:
        """Another amount from the next payment on."""

    def new_card(self, gift: str, *, back: str, language: str) -> str:
        """The address of the provider's own page for it, for a short time."""

    def check(self) -> list[str]:
        """What is wrong with the account, its key and its webhook, in words; for ``doctor``."""
