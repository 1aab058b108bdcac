# SPDX-License-Identifier: AGPL-3.0-or-later
"""Against Stripe itself, in the test mode of an account of yours. No money moves.

    TAMIZDAT_STRIPE_TEST_KEY=sk_test_… .venv/bin/pytest tests/giving/test_real_account.py

The key's account should be one that is only for tests: these make sessions, charges, customers and
subscriptions in it, and end the latter. What only a person can do, to pay on Stripe's own page, is
not done here (docs/operating/giving.md says how to do it by hand).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tamizdat.giving.errors import NotFoundError, RefusedError
from tamizdat.giving.money import Money
from tamizdat.giving.port import GiftFact
from tamizdat.giving.registry import DeskSettings, TillSettings, make_provider, make_till
from tamizdat.giving.stripe import facts, shapes
from tamizdat.giving.stripe.client import Wire, client, shaped
from tamizdat.giving.stripe.errors import in_our_words
from tests.giving.folding import folded
from tests.giving.rigs import DONE, GAVE_UP, PAPER, choice
from tests.giving.test_contract import of

KEY = os.environ.get("TAMIZDAT_STRIPE_TEST_KEY", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not KEY, reason="TAMIZDAT_STRIPE_TEST_KEY names no test account"),
]


@pytest.fixture(scope="module", autouse=True)
def no_money() -> None:
    assert "_test_" in KEY, "this key moves money: take one of the test mode"


@pytest.fixture
def api() -> Iterator[Any]:
    http = Wire()
    yield client(KEY, "", http)
    http.close()


@pytest.fixture
def provider() -> Any:
    return make_provider(DeskSettings(kind="stripe", key=KEY))


def since() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


def soon(look: Callable[[], bool]) -> None:
    """Stripe's lists follow within seconds."""
    end = time.monotonic() + 60
    while not look() and time.monotonic() < end:
        time.sleep(2)
    assert look()


@pytest.mark.parametrize(
    ("kind", "amount", "currency"),
    [
        ("once", 500, "USD"), ("monthly", 234, "EUR"), ("annual", 5000, "USD"),
        ("once", 500, "JPY"), ("once", 500, "ISK"), ("once", 5120, "KWD"),
    ],
)  # fmt: skip
def test_a_wish_is_one_session_of_the_chosen_amount(
    api: Any, kind: Any, amount: int, currency: str
) -> None:
    till = make_till(TillSettings(kind="stripe", key=KEY))
    wanted = choice(kind, amount, currency)

    async def asked() -> set[str]:
        opened = (till.open(wanted, done=DONE, gave_up=GAVE_UP, paper=PAPER) for _ in range(5))
        found = {one.ref for one in await asyncio.gather(*opened)}
        await till.close()
        return found

    (ref,) = asyncio.run(asked())
    session = api.checkout.sessions.retrieve(ref)
    assert session.currency == currency.lower()
    assert facts.from_stripe(session.amount_total, session.currency).amount == amount
    api.checkout.sessions.expire(ref)
    left = facts.gift_of_session(shaped(api.checkout.sessions.retrieve(ref), shapes.Session))
    assert left is not None
    assert left.state == "expired"


def test_a_charge_is_listed_with_its_line_and_given_back_once(api: Any, provider: Any) -> None:
    paid = api.payment_intents.create(
        {"amount": 1000, "currency": "usd", "payment_method": "pm_card_bypassPending",
         "payment_method_types": ["card"], "confirm": True}
    )  # fmt: skip
    key = secrets.token_hex(8)
    refunds = {
        f.ref for _ in range(3) for f in provider.refund(paid.id, Money(400, "USD"), key=key)
    }
    assert len(refunds) == 1

    def there() -> bool:
        known = folded(provider.listing(since()))
        return {paid.id, *refunds} <= {one["about"] for one in of(known, "Movement")}

    soon(there)


@pytest.mark.parametrize(
    ("card", "cause"),
    [
        ("pm_card_visa_chargeDeclined", "card_declined"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card"),
    ],
)
def test_declined_cards_are_named(api: Any, provider: Any, card: str, cause: str) -> None:
    with pytest.raises(RefusedError), in_our_words():
        api.payment_intents.create(
            {"amount": 777, "currency": "usd", "payment_method": card,
             "payment_method_types": ["card"], "confirm": True}
        )  # fmt: skip

    def there() -> bool:
        payments = of(folded(provider.listing(since())), "Payment")
        return any((one["state"], one["cause"]) == ("failed", cause) for one in payments)

    soon(there)


def test_an_agreement_is_changed_paused_resumed_and_ended(api: Any, provider: Any) -> None:
    customer = api.customers.create({"payment_method": "pm_card_visa"})
    api.customers.update(
        customer.id, {"invoice_settings": {"default_payment_method": "pm_card_visa"}}
    )
    product = api.products.create({"name": PAPER})
    price = {"currency": "usd", "product": product.id, "unit_amount": 500,
             "recurring": {"interval": "month"}}  # fmt: skip
    api.subscriptions.create({"customer": customer.id, "items": [{"price_data": price}]})
    gift, until = customer.id, datetime.now(UTC) + timedelta(days=70)
    wishes = (
        (lambda: provider.change(gift, Money(700, "USD"), key="a"), ("active", 700)),
        (lambda: provider.pause(gift, until, key="b"), ("paused", 700)),
        (lambda: provider.resume(gift, key="c"), ("active", 700)),
        (lambda: provider.cancel(gift, key="d"), ("ended", 700)),
        (lambda: provider.cancel(gift, key="d"), ("ended", 700)),
    )
    for wish, expected in wishes:
        (fact,) = wish()
        assert isinstance(fact, GiftFact)
        assert (fact.ref, fact.state, fact.amount) == (gift, *expected)

    def there() -> bool:
        paid = of(folded(provider.listing(since())), "Payment")
        return any(one["gift"] == gift and one["state"] == "paid" for one in paid)

    soon(there)  # A charge of a subscription names its customer: all else hangs upon that.
    api.customers.delete(customer.id)


def test_events_are_listed_and_read(provider: Any) -> None:
    found = list(provider.events(since()))
    assert [one.at for one in found] == sorted(one.at for one in found)


def test_what_is_not_there_is_not_found(provider: Any) -> None:
    with pytest.raises(NotFoundError):
        provider.cancel("cus_doesnotexist", key="x")
    assert all(line.startswith("Stripe") for line in provider.check())
