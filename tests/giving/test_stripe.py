# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is particular to Stripe. Its other side is ours (``tests/fakes/stripe``)."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
import stripe as library

from tamizdat.giving.errors import (
    AccountError,
    EventError,
    ForgedEventError,
    GivingError,
    NotFoundError,
    RefusedError,
    UnreachableError,
)
from tamizdat.giving.money import Money
from tamizdat.giving.port import Opened
from tamizdat.giving.registry import DeskSettings, TillSettings, make_provider, make_till
from tamizdat.giving.stripe import errors, facts, shapes
from tamizdat.giving.stripe.amounts import from_stripe, to_stripe
from tamizdat.giving.stripe.till import locale, session
from tests.fakes.stripe.basics import DAY, RefusalError, encoded
from tests.fakes.stripe.server import DESK, TILL, serving
from tests.fakes.stripe.world import World
from tests.giving.folding import folded
from tests.giving.rigs import (
    BEFORE,
    DONE,
    GAVE_UP,
    NOW,
    OLD_SECRET,
    PAPER,
    RIGS,
    SECRET,
    StripeRig,
    choice,
)
from tests.giving.test_contract import given_by, of, only, opened, told


@pytest.fixture(autouse=True)
def sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library waits for half a second and more before it tries again."""
    monkeypatch.setattr(library.HTTPClient, "INITIAL_DELAY", 0.01)


@pytest.fixture
def rig() -> Iterator[StripeRig]:
    with RIGS["stripe"]() as made:
        yield made


# Every exception of the library


def _all(kind: type[BaseException]) -> set[type[BaseException]]:
    return {kind}.union(*(_all(one) for one in kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(_all(library.StripeError), key=str), ids=str)
def test_every_exception_of_the_library_is_one_of_ours(kind: Any) -> None:
    importlib.import_module("stripe.oauth_error")
    assert kind in errors.KINDS
    error = kind.__new__(kind)
    library.StripeError.__init__(error, "Wilhelmina Quist, rk_live_77", http_body="her address")
    with pytest.raises(GivingError) as raised, errors.in_our_words():
        raise error
    assert type(raised.value) is errors.KINDS[kind]
    assert raised.value.__cause__ is None
    assert "Quist" not in str(raised.value)
    assert "rk_live" not in str(raised.value)


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (400, "parameter_invalid_integer", RefusedError),
        (400, "resource_missing", NotFoundError),
        (404, "", NotFoundError),
        (401, "", AccountError),
        (403, "", AccountError),
        (402, "card_declined", RefusedError),
        (409, "idempotency_key_in_use", UnreachableError),
        (429, "", UnreachableError),
        (500, "", UnreachableError),
        (503, "", UnreachableError),
    ],
)
def test_what_stripe_answers_is_said_in_our_words(
    rig: StripeRig, status: int, code: str, expected: type[GivingError]
) -> None:
    def refuse(method: str, path: str) -> None:
        raise RefusalError(status, "invalid_request_error", code, "Wilhelmina Quist may not")

    rig.server.before = refuse
    with pytest.raises(expected) as raised:
        list(rig.provider.listing(BEFORE))
    assert "Quist" not in str(raised.value)
    assert "req_fake" in str(raised.value)
    assert raised.value.permanent is (expected is not UnreachableError)


def test_a_stripe_that_is_not_there_is_out_of_reach() -> None:
    with serving(World(now=NOW)) as server:
        url = server.url
    provider = make_provider(DeskSettings(kind="stripe", key=DESK, url=url))
    with pytest.raises(UnreachableError):
        list(provider.listing(BEFORE))


# The letterbox's key and address


def test_the_letterbox_refuses_the_key_that_can_do_everything() -> None:
    with pytest.raises(AccountError, match="restricted"):
        make_till(TillSettings(kind="stripe", key="sk_live_x"))


def test_no_key_travels_in_clear() -> None:
    with pytest.raises(AccountError, match="https"):
        make_till(TillSettings(kind="stripe", key=TILL, url="http://stripe.example"))


def test_the_letterbox_s_key_can_open_checkouts_and_nothing_else(rig: StripeRig) -> None:
    with pytest.raises(AccountError):
        list(rig.another(key=TILL).events(BEFORE))
    with pytest.raises(AccountError):
        rig.another(key=TILL).refund("pi_1", Money(100, "USD"), key="k")


def test_the_letterbox_never_lists_checkouts(rig: StripeRig) -> None:
    """So a line of Stripe's log that lists them was a thief (docs/operating/giving.md)."""
    first, _ = opened(rig, wanted := choice(), times=2)
    rig.pay(first.ref)
    opened(rig, wanted)  # Comes back after it was paid.
    asked, made = {one[:2] for one in rig.server.requests}, "/v1/checkout/sessions"
    assert asked == {("POST", made), ("GET", f"{made}/{first.ref}")}


def test_nothing_is_told_of_the_machine(rig: StripeRig) -> None:
    opened(rig, choice())
    for _, _, headers in rig.server.requests:
        assert headers["User-Agent"] == "Tamizdat"
        assert [name for name in headers if name.startswith("X-")] == []


# What is asked for


def test_one_s_own_amount_can_be_monthly() -> None:
    asked = session(choice("monthly", 1234), done=DONE, gave_up=GAVE_UP, paper=PAPER)
    (item,) = asked["line_items"]
    assert item["price_data"]["unit_amount"] == 1234
    assert item["price_data"]["recurring"] == {"interval": "month"}
    assert asked["mode"] == "subscription"
    assert asked["adaptive_pricing"] == {"enabled": False}


def test_what_travels_with_a_gift_names_nobody() -> None:
    wanted = choice("once", 500, variant="b", back="https://paper.example")
    asked = session(wanted, done=DONE, gave_up=GAVE_UP, paper=PAPER)
    assert set(asked["metadata"]) == {"intent", "kind", "language", "message", "variant"}
    assert asked["payment_intent_data"] == {"metadata": asked["metadata"]}


@pytest.mark.parametrize(
    ("language", "said"), [("ru", "ru"), ("pt-BR", "pt"), ("ar", "auto"), ("uk", "auto")]
)
def test_its_page_speaks_the_reader_s_language_where_it_can(language: str, said: str) -> None:
    assert locale(language) == said


@pytest.mark.parametrize(
    ("amount", "currency", "there"),
    [(500, "USD", 500), (500, "JPY", 500), (500, "ISK", 50_000), (5120, "KWD", 5120)],
)
def test_amounts_are_counted_as_stripe_does(amount: int, currency: str, there: int) -> None:
    assert to_stripe(Money(amount, currency)) == there
    assert from_stripe(there, currency.lower()) == (amount, currency)


def test_an_amount_that_stripe_cannot_take_is_refused() -> None:
    with pytest.raises(RefusedError):
        to_stripe(Money(5124, "KWD"))
    with pytest.raises(EventError):
        from_stripe(100, "zzz")


# One wish, one charge


def test_who_paid_and_comes_back_is_led_to_the_thanks(rig: StripeRig) -> None:
    wanted = choice()
    given_by(rig, wanted)
    assert opened(rig, wanted)[0].url == DONE
    assert rig.made() == 1


def test_a_checkout_that_was_left_is_replaced_by_one(rig: StripeRig) -> None:
    wanted = choice()
    rig.leave(opened(rig, wanted)[0].ref)
    again = [opened(rig, wanted)[0] for _ in range(3)]
    assert len(set(again)) == 1
    assert rig.made() == 2


def test_another_amount_is_another_checkout_and_not_an_error(rig: StripeRig) -> None:
    wanted = choice("once", 500)
    first = opened(rig, wanted)[0]
    other = opened(rig, choice("once", 900, intent=wanted.intent))[0]
    assert first.ref != other.ref
    assert rig.world.pay(first.ref) == "expired"
    rig.pay(other.ref)
    known = folded(told(rig))
    with_intent = [one for one in of(known, "Gift") if one["intent"] == wanted.intent]
    assert [(one["ref"], one["amount"]) for one in with_intent] == [(other.ref, 900)]


def test_of_two_tabs_with_two_amounts_the_later_one_can_be_paid(rig: StripeRig) -> None:
    wanted = choice("once", 500)
    changed = choice("once", 900, intent=wanted.intent)
    for one in (wanted, changed, wanted, changed, changed):
        last = opened(rig, one)[0]
        payable = [s["id"] for s in rig.world.all("session") if s["status"] == "open"]
        assert payable == [last.ref]


def test_who_paid_in_one_tab_is_thanked_in_the_other(rig: StripeRig) -> None:
    wanted = choice("once", 500)
    first = opened(rig, wanted)[0]
    rig.pay(first.ref)
    other = opened(rig, choice("once", 900, intent=wanted.intent))[0]
    assert (other.ref, other.url) == (first.ref, DONE)
    assert not [one for one in rig.world.all("session") if one["status"] == "open"]


def test_while_the_checkout_before_cannot_be_ended_no_other_is_told(rig: StripeRig) -> None:
    wanted = choice("once", 500)
    first = opened(rig, wanted)[0]
    changed = choice("once", 900, intent=wanted.intent)
    faults = [RefusalError(500, "api_error") for _ in range(20)]

    def refuse(method: str, path: str) -> None:
        if path.endswith("/expire") and faults:
            raise faults.pop()

    rig.server.before = refuse
    with pytest.raises(UnreachableError):
        opened(rig, changed)
    faults.clear()
    other = opened(rig, changed)[0]
    assert rig.world.pay(first.ref) == "expired"
    assert rig.world.pay(other.ref) == ""


def test_two_letterboxes_open_one_checkout(rig: StripeRig) -> None:
    wanted = choice()
    other = make_till(TillSettings(kind="stripe", key=TILL, url=rig.server.url))

    async def there() -> Opened:
        return await other.open(wanted, done=DONE, gave_up=GAVE_UP, paper=PAPER)

    assert asyncio.run(there()) == opened(rig, wanted)[0]
    asyncio.run(other.close())


def test_a_fault_that_stripe_remembers_holds_nobody_up(rig: StripeRig) -> None:
    faults = [RefusalError(500, "api_error")]

    def once(method: str, path: str) -> None:
        if faults:
            raise faults.pop()

    rig.server.before = once
    assert opened(rig, choice())[0].url
    assert rig.made() == 1


def test_a_refund_tried_again_a_week_later_is_one(rig: StripeRig) -> None:
    given_by(rig, choice("once", 1000))
    payment = only(folded(told(rig)), "Payment")["ref"]
    for _ in range(2):
        rig.provider.refund(payment, Money(500, "USD"), key="refund-7")
        rig.world.now += 7 * DAY
    assert len(rig.world.all("refund")) == 1


# Agreements


def test_retries_that_fail_and_then_succeed_are_one_payment(rig: StripeRig) -> None:
    given_by(rig, choice("monthly", 200))
    seen = told(rig)
    gift = only(folded(seen), "Gift")["ref"]
    there = rig.world.subscription_of(gift)
    there["_card"] = "funds"
    rig.renew(gift)
    seen += told(rig)
    assert only(folded(seen), "Gift")["state"] == "late"
    assert sorted(one["state"] for one in of(folded(seen), "Payment")) == ["failed", "paid"]
    there["_card"] = "success"
    rig.world.now += 3 * DAY
    rig.world.try_again(gift)
    late = told(rig)
    known = folded([*late, *seen])
    assert only(known, "Gift")["state"] == "active"
    assert [one["state"] for one in of(known, "Payment")] == ["paid", "paid"]


def test_nothing_is_taken_from_what_was_late_and_is_paused(rig: StripeRig) -> None:
    given_by(rig, choice("monthly", 200))
    gift = only(folded(seen := told(rig)), "Gift")["ref"]
    there = rig.world.subscription_of(gift)
    there["_card"] = "funds"
    rig.renew(gift)
    until = datetime.fromtimestamp(rig.world.now + 70 * DAY, UTC)
    rig.world.now += DAY
    seen += rig.provider.pause(gift, until, key="w1")
    assert only(folded([*seen, *told(rig)]), "Gift")["state"] == "paused"
    there["_card"] = "success"
    rig.world.try_again(gift)
    rig.renew(gift)
    paid = of(folded([*seen, *rig.provider.listing(BEFORE)]), "Payment")
    assert sorted(one["state"] for one in paid) == ["failed", "paid"]


def test_an_agreement_that_stripe_gave_up_is_over(rig: StripeRig) -> None:
    given_by(rig, choice("monthly", 200))
    gift = only(folded(seen := told(rig)), "Gift")["ref"]
    rig.world.now += DAY
    rig.world.give_up(gift)
    assert only(folded([*told(rig), *seen]), "Gift")["state"] == "ended"


def test_a_refund_that_the_bank_sends_back_failed(rig: StripeRig) -> None:
    given_by(rig, choice("once", 1000))
    payment = only(folded(seen := told(rig)), "Payment")["ref"]
    (refund,) = rig.provider.refund(payment, Money(500, "USD"), key="r")
    rig.world.refund_fails(refund.ref)
    known = folded([*told(rig), refund, *seen, *rig.provider.listing(BEFORE)])
    assert only(known, "Refund")["state"] == "failed"
    assert sum(one["net"] for one in of(known, "Movement")) == 1000 - 60


def test_what_is_exchanged_says_what_it_was() -> None:
    with serving(World(now=NOW, settles="eur", rate=0.9)) as server:
        rig = StripeRig(server)
        given_by(rig, choice("once", 1000, "USD"))
        line = only(folded(rig.provider.listing(BEFORE)), "Movement")
    assert (line["gross"], line["currency"]) == (900, "EUR")
    assert (line["source_amount"], line["source_currency"]) == (1000, "USD")


def test_what_is_listed_and_cannot_be_read_is_somebody_s_matter(rig: StripeRig) -> None:
    rig.world.charge(100, "zzz", "success", intent="pi_1", customer=None, metadata={})
    with pytest.raises(RefusedError, match="ZZZ"):
        list(rig.provider.listing(BEFORE))


def test_many_pages_are_read_to_their_end(rig: StripeRig) -> None:
    for number in range(230):
        rig.world.charge(100, "usd", "success", intent=f"pi_{number}", customer=None, metadata={})
    known = folded(rig.provider.listing(BEFORE))
    assert len(of(known, "Payment")) == len(of(known, "Movement")) == 230


def test_older_shapes_of_a_subscription_are_read_too() -> None:
    old = {
        "id": "sub_1", "created": NOW, "customer": {"id": "cus_1"}, "status": "active",
        "current_period_end": NOW + 30 * DAY, "metadata": {},
        "items": {"data": [{"id": "si_1", "price": {
            "currency": "usd", "unit_amount": 500, "recurring": {"interval": "month"}}}]},
    }  # fmt: skip
    fact = facts.gift(msgspec.convert(old, shapes.Subscription), NOW)
    assert (fact.ref, fact.kind, fact.amount) == ("cus_1", "monthly", 500)
    assert fact.next_at == NOW + 30 * DAY


# Who signed it


def test_an_older_secret_is_believed_while_it_is_replaced(rig: StripeRig) -> None:
    given_by(rig, choice())
    body, _ = rig.hooks()[-1]
    header = library.WebhookSignature.generate_signature_header(
        body.decode(), OLD_SECRET, rig.world.now
    )
    assert rig.provider.read(body, {"stripe-signature": header}, received=rig.received()).facts


@pytest.mark.parametrize(
    ("change", "why"),
    [({"livemode": True}, "test and live"), ({"account": "acct_other"}, "another account")],
)
def test_events_of_another_account_or_mode_are_none_of_ours(
    rig: StripeRig, change: dict[str, Any], why: str
) -> None:
    given_by(rig, choice())
    body, _ = rig.hooks()[-1]
    other = json.dumps({**json.loads(body), **change}).encode()
    with pytest.raises(ForgedEventError, match=why):
        rig.provider.read(other, rig.sign(other), received=rig.received())


@pytest.mark.parametrize("shift", [-301, 3_901])
def test_a_signature_older_or_younger_than_its_hour_is_refused(rig: StripeRig, shift: int) -> None:
    given_by(rig, choice())
    body, _ = rig.hooks()[-1]
    hour = int(rig.received().timestamp())
    at = {"stripe-signature": library.WebhookSignature.generate_signature_header(
        body.decode(), SECRET, hour + shift)}  # fmt: skip
    with pytest.raises(ForgedEventError, match="another time"):
        rig.provider.read(body, at, received=rig.received())


def test_a_signed_event_whose_object_is_broken_is_told_as_such(rig: StripeRig) -> None:
    body = encoded(
        {"id": "evt_1", "object": "event", "type": "charge.succeeded", "created": NOW,
         "livemode": False, "data": {"object": {"id": "ch_1"}}}
    )  # fmt: skip
    with pytest.raises(EventError):
        rig.provider.read(body, rig.sign(body), received=rig.received())


# The account


def _endpoint(rig: StripeRig, **change: Any) -> None:
    rig.world.put(
        "endpoint",
        {
            "id": rig.world.id("we"),
            "url": "https://drop.example/v1/webhook/stripe",
            "status": "enabled",
            "enabled_events": list(facts.TYPES),
            **change,
        },
    )


def test_a_webhook_that_is_right_is_not_spoken_of(rig: StripeRig) -> None:
    _endpoint(rig)
    assert rig.provider.check() == ["Stripe: this is a key of the test mode: no money moves"]
    assert len(facts.TYPES) <= 20  # as many as its list of events can be asked for


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "https://elsewhere.example/hook"}, "no webhook leads"),
        ({"status": "disabled"}, "switched off"),
        ({"enabled_events": ["charge.failed"]}, "does not tell of charge.dispute"),
    ],
)
def test_what_is_wrong_with_the_webhook_is_said(
    rig: StripeRig, change: dict[str, Any], said: str
) -> None:
    _endpoint(rig, **change)
    assert any(said in line for line in rig.provider.check())


def test_cards_that_were_to_be_refused_and_were_not_are_told_of() -> None:
    now = int(datetime.now(UTC).timestamp())
    with serving(World(now=now)) as server:
        rig = StripeRig(server)
        _endpoint(rig)
        charge = rig.world.charge(500, "usd", "success", intent="pi_1", customer=None, metadata={})
        charge["payment_method_details"]["card"]["country"] = "RU"
        rig.world.charge(500, "usd", "blocked", intent="pi_2", customer=None, metadata={})
        wanted = DeskSettings(
            kind="stripe", key=DESK, webhook=(SECRET,), url=server.url,
            refused_countries=("RU", "BY"),
        )  # fmt: skip
        said = make_provider(wanted).check()
    assert any("took 1 payments" in line and "('RU', 'BY')" in line for line in said)


def test_a_card_that_radar_refuses_is_told_as_blocked(rig: StripeRig) -> None:
    rig.world.charge(500, "usd", "blocked", intent="pi_2", customer=None, metadata={})
    payment = only(folded(told(rig)), "Payment")
    assert (payment["state"], payment["cause"]) == ("failed", "blocked")


def test_listings_reach_back_to_what_can_still_change(rig: StripeRig) -> None:
    given_by(rig, choice(), "slow")
    rig.world.now += 10 * DAY
    rig.settle()
    since = datetime.fromtimestamp(rig.world.now, UTC) - timedelta(days=2)
    assert only(folded(rig.provider.listing(since)), "Payment")["state"] == "paid"
