# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's half: reads events, lists what there is, gives back, changes agreements.

What always holds: whatever is asked for twice under one ``key`` is done once, also days later: a
refund bears its key at Stripe and is looked for first, and all else is the same when done again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from tamizdat.giving.errors import NotFoundError, RefusedError
from tamizdat.giving.money import Money
from tamizdat.giving.port import Event, Fact
from tamizdat.giving.registry import DeskSettings
from tamizdat.giving.stripe import checks, facts, listing, shapes, webhooks
from tamizdat.giving.stripe.amounts import to_stripe
from tamizdat.giving.stripe.client import Wire, client, said_at, shaped
from tamizdat.giving.stripe.errors import in_our_words
from tamizdat.giving.stripe.till import locale

_OVER = ("canceled", "incomplete_expired")
_LATE = ("past_due", "unpaid")


class StripeProvider:
    """``port.Provider``. An agreement is called by its customer (see ``facts``)."""

    name = "stripe"

    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings
        self._live = "_live_" in settings.key
        self._http = Wire()
        self._api = client(settings.key, settings.url, self._http)

    def read(self, body: bytes, headers: Mapping[str, str], *, received: datetime) -> Event:
        return webhooks.read(
            body,
            headers,
            secrets=self._settings.webhook,
            received=received,
            live=self._live,
            account=self._settings.account,
        )

    def events(self, since: datetime) -> Iterator[Event]:
        with in_our_words():
            yield from listing.events(self._api, since)

    def listing(self, since: datetime) -> Iterator[Fact]:
        with in_our_words():
            yield from listing.everything(self._api, since)

    def refund(self, payment: str, money: Money, *, key: str) -> Iterable[Fact]:
        name = "payment_intent" if payment.startswith("pi_") else "charge"
        asked = {name: payment, "amount": to_stripe(money), "metadata": {"key": key}}
        with in_our_words():
            for one in self._api.refunds.list({name: payment, "limit": 100}).auto_paging_iter():
                found: shapes.Refund = shaped(one, shapes.Refund)
                if (found.metadata or {}).get("key") == key:
                    return (facts.refund(found),)
            # Stripe repeats its answer to a key, a refusal too: so a key is good for a day.
            again = f"refund-{key}-{datetime.now(UTC):%Y%m%d}"
            made = self._api.refunds.create(asked, {"idempotency_key": again})
        return (facts.refund(shaped(made, shapes.Refund)),)

    def cancel(self, gift: str, *, key: str) -> Iterable[Fact]:
        with in_our_words():
            found, at = self._found(gift)
            if found.status in _OVER:
                return (facts.gift(found, at),)
            ended = self._api.subscriptions.cancel(
                found.id, {"invoice_now": False, "prorate": False}
            )
            return (_told(ended),)

    def pause(self, gift: str, until: datetime, *, key: str) -> Iterable[Fact]:
        paused = {"behavior": "void", "resumes_at": int(until.timestamp())}
        with in_our_words():
            found, _ = self._running(gift)
            if found.status in _LATE:  # Stripe goes on trying to take what is open already.
                self._void(found.id)
        return self._update(gift, {"pause_collection": paused})

    def resume(self, gift: str, *, key: str) -> Iterable[Fact]:
        return self._update(gift, {"pause_collection": ""})

    def change(self, gift: str, money: Money, *, key: str) -> Iterable[Fact]:
        amount = to_stripe(money)
        with in_our_words():
            found, _ = self._running(gift)
        item = next(iter(found.items.data), None)
        if item is None or item.price.currency.upper() != money.currency:
            raise RefusedError("the currency of an agreement cannot change: a new one is needed")
        often = item.price.recurring or shapes.Recurring("month")
        price = {
            "currency": item.price.currency,
            "product": shapes.id_of(item.price.product),
            "recurring": {"interval": often.interval, "interval_count": often.interval_count},
            "unit_amount": amount,
        }
        # Nothing is taken or given back for the time that was paid already.
        items = [{"id": item.id, "quantity": 1, "price_data": price}]
        return self._update(gift, {"items": items, "proration_behavior": "none"})

    def new_card(self, gift: str, *, back: str, language: str) -> str:
        with in_our_words():
            found, _ = self._running(gift)
            portal = self._api.billing_portal.sessions.create(
                {
                    "customer": shapes.id_of(found.customer),
                    "return_url": back,
                    "locale": locale(language),
                    "flow_data": {"type": "payment_method_update"},
                }
            )
        return str(portal.url)

    def check(self) -> list[str]:
        return checks.problems(self._api, self._settings, live=self._live)

    def close(self) -> None:
        self._http.close()

    def _update(self, gift: str, asked: dict[str, Any]) -> Iterable[Fact]:
        with in_our_words():
            found, _ = self._running(gift)
            changed = self._api.subscriptions.update(found.id, asked)
            return (_told(changed),)

    def _void(self, subscription: str) -> None:
        asked = {"subscription": subscription, "status": "open", "limit": 100}
        for invoice in self._api.invoices.list(asked).auto_paging_iter():
            self._api.invoices.void_invoice(invoice.id)

    def _running(self, gift: str) -> tuple[shapes.Subscription, int]:
        found, at = self._found(gift)
        if found.status in _OVER:
            raise RefusedError("this agreement is over")
        return found, at

    def _found(self, gift: str) -> tuple[shapes.Subscription, int]:
        """The agreement of a customer, as of when: the one that runs, else the last one. Raises
        ``NotFoundError``."""
        if not gift.startswith("cus_"):
            raise NotFoundError("Stripe has no agreement of this name")
        page = self._api.subscriptions.list({"customer": gift, "status": "all", "limit": 100})
        known = [shaped(one, shapes.Subscription) for one in page.data]
        if not known:
            raise NotFoundError("Stripe has no agreement of this name")
        found = max(known, key=lambda one: (one.status not in _OVER, one.created))
        return found, said_at(page)


def _told(changed: Any) -> Fact:
    return facts.gift(shaped(changed, shapes.Subscription), said_at(changed))


def make_provider(settings: DeskSettings) -> StripeProvider:
    """Raises ``AccountError`` for an address that is not safe."""
    return StripeProvider(settings)
