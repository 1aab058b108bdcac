# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our adapter before a Stripe that somebody else wrote: localstripe. What goes and what does not is
said in ``tests/fakes/stripe/others``."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tamizdat.giving.errors import ForgedEventError, RefusedError
from tamizdat.giving.money import Money
from tamizdat.giving.port import PayoutFact
from tamizdat.giving.registry import DeskSettings, make_provider
from tamizdat.giving.stripe import facts, shapes
from tamizdat.giving.stripe.client import Wire, client, shaped
from tamizdat.giving.stripe.errors import in_our_words
from tests.fakes.stripe.others import localstripe, webhook

pytest.importorskip("localstripe", reason="localstripe is not installed in this environment")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
KEY, SECRET = "sk_test_localstripe", "whsec_localstripe"
GOOD, DECLINED = "4242424242424242", "4000000000000341"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with localstripe() as url:
        yield url


@pytest.fixture
def api(url: str) -> Iterator[Any]:
    http = Wire()
    yield client(KEY, url, http)
    http.close()


def charged(api: Any, number: str) -> Any:
    card = {"number": number, "exp_month": 12, "exp_year": 2035, "cvc": "123"}
    method = api.payment_methods.create({"type": "card", "card": card})
    with in_our_words():
        return api.payment_intents.create(
            {"amount": 1000, "currency": "eur", "payment_method": method.id, "confirm": True}
        )


def payments(api: Any) -> list[Any]:
    found = api.charges.list({"limit": 100}).data
    return [facts.payment(shaped(one, shapes.Charge)) for one in found]


def test_a_charge_is_given_back_once(api: Any, url: str) -> None:
    paid = charged(api, GOOD)
    known = next(one for one in payments(api) if one.ref == paid.id)
    assert (known.state, known.amount, known.currency) == ("paid", 1000, "EUR")
    provider = make_provider(DeskSettings(kind="stripe", key=KEY, url=url))
    found = [
        fact
        for _ in range(3)
        for fact in provider.refund(paid.id, Money(400, "EUR"), key="refund-1")
    ]
    assert len({fact.ref for fact in found}) == 1
    assert [(fact.payment, fact.state, fact.amount) for fact in found[:1]] == [
        (paid.id, "done", 400)
    ]


def test_a_declined_card_is_named(api: Any) -> None:
    with pytest.raises(RefusedError):
        charged(api, DECLINED)
    failed = [one for one in payments(api) if one.state == "failed"]
    assert [one.cause for one in failed] == ["card_declined"]


def test_its_signature_is_believed_and_no_other(api: Any, url: str) -> None:
    with webhook() as (address, taken):
        hook = json.dumps({"url": address, "secret": SECRET}).encode()
        urllib.request.urlopen(
            urllib.request.Request(
                f"{url}/_config/webhooks/ours", hook, {"Content-Type": "application/json"}
            )
        ).close()
        made = api.payouts.create({"amount": 900, "currency": "eur"})
        # What the tests before this one did is told late.
        calls = iter(lambda: taken.get(timeout=30), None)
        body, headers = next(call for call in calls if made.id.encode() in call[0])
    now = datetime.now(UTC)
    ours, other = (
        make_provider(DeskSettings(kind="stripe", key=KEY, url=url, webhook=(secret,)))
        for secret in (SECRET, "whsec_other")
    )
    event = ours.read(body, headers, received=now)
    (fact,) = event.facts
    assert isinstance(fact, PayoutFact)
    assert (event.type, fact.ref, fact.amount) == ("payout.created", made.id, 900)
    with pytest.raises(ForgedEventError):
        other.read(body, headers, received=now)
    with pytest.raises(ForgedEventError):
        ours.read(body + b"\n", headers, received=now)
