# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every provider must do: the real adapters, each before a real fake of its other side."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamizdat.giving.choice import Choice
from tamizdat.giving.errors import (
    AccountError,
    EventError,
    ForgedEventError,
    NotFoundError,
    ProviderError,
    RefusedError,
)
from tamizdat.giving.money import Money
from tamizdat.giving.port import Event, Fact, Opened
from tests.fakes.stripe import basics as theirs
from tests.giving.folding import Known, folded
from tests.giving.rigs import ADDRESS, BEFORE, DONE, EVERYTHING, GAVE_UP, PAPER, RIGS, Rig, choice

PEOPLE = (theirs.NAME, theirs.STREET, theirs.LAST4, "192.0.2.7", "hidden@")


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    with RIGS[request.param]() as made:
        yield made


def opened(rig: Rig, wanted: Choice, times: int = 1) -> list[Opened]:
    async def together() -> list[Opened]:
        asked = (
            rig.till.open(wanted, done=DONE, gave_up=GAVE_UP, paper=PAPER) for _ in range(times)
        )
        return await asyncio.gather(*asked)

    return asyncio.run(together())


def given_by(rig: Rig, wanted: Choice, card: str = "good") -> str:
    """Give, and what the provider calls the checkout."""
    ref = opened(rig, wanted)[0].ref
    rig.pay(ref, card)
    return ref


def read(rig: Rig) -> list[Event]:
    return [rig.provider.read(b, h, received=rig.received()) for b, h in rig.hooks()]


def told(rig: Rig) -> list[Fact]:
    return [fact for event in read(rig) for fact in event.facts]


def of(known: Known, kind: str) -> list[dict[str, Any]]:
    return [fact for (name, _), fact in known.items() if name == f"{kind}Fact"]


def only(known: Known, kind: str) -> dict[str, Any]:
    (found,) = of(known, kind)
    return found


def need(rig: Rig, *what: str) -> None:
    if missing := set(what) - rig.can:
        pytest.skip(f"{rig.name} knows nothing of: {', '.join(missing)}")


# Opening


def test_fifty_at_once_with_one_wish_are_led_to_one_checkout(rig: Rig) -> None:
    found = opened(rig, choice(), times=50)
    assert len(set(found)) == 1
    assert rig.made() == 1
    assert found[0].url.startswith("http")


def test_two_wishes_are_two_checkouts(rig: Rig) -> None:
    assert opened(rig, choice()) != opened(rig, choice())


@pytest.mark.parametrize(
    ("amount", "currency"), [(500, "USD"), (750, "EUR"), (500, "JPY"), (5120, "KWD")]
)
def test_amounts_are_in_the_smallest_unit_of_each_currency(
    rig: Rig, amount: int, currency: str
) -> None:
    given_by(rig, choice("once", amount, currency))
    known = folded([*told(rig), *rig.provider.listing(BEFORE)])
    for kind in ("Gift", "Payment"):
        assert (only(known, kind)["amount"], only(known, kind)["currency"]) == (amount, currency)
    movement = only(known, "Movement")
    assert (movement["source_amount"], movement["source_currency"]) == (amount, currency)


# Giving once


def test_a_gift_tells_what_was_chosen_and_where_the_receipt_goes(rig: Rig) -> None:
    wanted = choice("once", 1000, variant="b", behalf=True)
    given_by(rig, wanted)
    known = folded(told(rig))
    gift, payment = only(known, "Gift"), only(known, "Payment")
    assert {name: gift[name] for name in ("state", "kind", "amount", "address")} == {
        "state": "active",
        "kind": "once",
        "amount": 1000,
        "address": ADDRESS,
    }
    for name in ("intent", "language", "message", "variant", "behalf"):
        assert gift[name] == getattr(wanted, name)
    assert payment["state"] == "paid"
    assert payment["gift"] == gift["ref"] or payment["intent"] == wanted.intent


def test_a_declined_card_is_named_and_can_be_followed_by_another(rig: Rig) -> None:
    need(rig, "decline")
    ref = opened(rig, choice())[0].ref
    assert rig.pay(ref, "no-money") == "insufficient_funds"
    failed = only(folded(told(rig)), "Payment")
    assert (failed["state"], failed["cause"]) == ("failed", "insufficient_funds")
    assert rig.pay(ref) == ""
    known = folded([*told(rig), *rig.provider.listing(BEFORE)])
    assert only(known, "Payment")["state"] == "paid"
    assert only(known, "Payment")["ref"] == failed["ref"]


def test_what_is_under_way_is_pending_and_never_called_failed(rig: Rig) -> None:
    given_by(rig, choice(), "slow")
    before = folded(told(rig))
    assert only(before, "Payment")["state"] == "pending"
    assert only(before, "Gift")["state"] == "open"
    rig.settle()
    after = folded([*rig.provider.listing(BEFORE), *told(rig)])
    assert only(after, "Payment")["state"] == "paid"
    assert only(after, "Gift")["state"] == "active"


def test_what_was_under_way_and_did_not_come_is_no_gift(rig: Rig) -> None:
    given_by(rig, choice(), "slow-fails")
    early = told(rig)
    rig.settle()
    known = folded([*told(rig), *early])
    assert only(known, "Payment")["state"] == "failed"
    assert only(known, "Payment")["cause"]
    assert only(known, "Gift")["state"] == "expired"


def test_a_checkout_that_was_left_is_over(rig: Rig) -> None:
    rig.leave(opened(rig, choice())[0].ref)
    known = folded(told(rig))
    assert only(known, "Gift")["state"] == "expired"
    assert not of(known, "Payment")


# Giving again and again


@pytest.mark.parametrize("kind", ["monthly", "annual"])
def test_what_goes_on_says_so_and_when_it_is_due(rig: Rig, kind: Any) -> None:
    need(rig, "again")
    given_by(rig, choice(kind, 200))
    known = folded(told(rig))
    gift, payment = only(known, "Gift"), only(known, "Payment")
    assert (gift["state"], gift["kind"], gift["amount"]) == ("active", kind, 200)
    assert gift["address"] == ADDRESS
    assert gift["next_at"] > gift["at"] + (27 if kind == "monthly" else 364) * 86_400
    assert payment["gift"] == gift["ref"]


def test_renewals_name_their_agreement(rig: Rig) -> None:
    need(rig, "again")
    given_by(rig, choice("monthly", 200))
    gift = only(folded(first := told(rig)), "Gift")["ref"]
    rig.renew(gift)
    payments = of(folded([*first, *told(rig)]), "Payment")
    assert [one["state"] for one in payments] == ["paid", "paid"]
    assert {one["gift"] for one in payments} == {gift}


def test_an_agreement_can_be_changed_paused_resumed_and_ended(rig: Rig) -> None:
    need(rig, "again")
    given_by(rig, choice("monthly", 200))
    facts = told(rig)
    gift, calls = only(folded(facts), "Gift")["ref"], rig.provider
    later = datetime.fromtimestamp(rig.received().timestamp(), UTC) + timedelta(days=60)
    wanted = (
        (lambda: calls.change(gift, Money(700, "USD"), key="w1"), ("active", 700)),
        (lambda: calls.pause(gift, later, key="w2"), ("paused", 700)),
        (lambda: calls.resume(gift, key="w3"), ("active", 700)),
        (lambda: calls.cancel(gift, key="w4"), ("ended", 700)),
        (lambda: calls.cancel(gift, key="w4"), ("ended", 700)),
    )
    for wish, expected in wanted:
        rig.tick()
        facts += [*wish(), *told(rig)]
        found = only(folded(facts), "Gift")
        assert (found["state"], found["amount"]) == expected
    listed = only(folded(rig.provider.listing(BEFORE)), "Gift")
    assert (listed["state"], listed["amount"]) == ("ended", 700)


def test_nothing_is_taken_from_what_was_ended(rig: Rig) -> None:
    need(rig, "again")
    given_by(rig, choice("monthly", 200))
    gift = only(folded(facts := told(rig)), "Gift")["ref"]
    rig.provider.cancel(gift, key="w1")
    rig.renew(gift)
    assert len(of(folded([*facts, *told(rig), *rig.provider.listing(BEFORE)]), "Payment")) == 1
    with pytest.raises(RefusedError):
        rig.provider.change(gift, Money(700, "USD"), key="w2")


def test_a_new_card_is_the_provider_s_own_page(rig: Rig) -> None:
    need(rig, "card")
    given_by(rig, choice("annual", 5000))
    gift = only(folded(told(rig)), "Gift")["ref"]
    assert rig.provider.new_card(gift, back=DONE, language="ru").startswith("http")


def test_the_currency_of_an_agreement_stays(rig: Rig) -> None:
    need(rig, "again")
    given_by(rig, choice("monthly", 200))
    gift = only(folded(told(rig)), "Gift")["ref"]
    with pytest.raises(RefusedError):
        rig.provider.change(gift, Money(700, "EUR"), key="w1")


# Back, and in dispute


def test_a_refund_asked_for_twice_under_one_key_is_one(rig: Rig) -> None:
    need(rig, "refund")
    given_by(rig, choice("once", 1000))
    payment = only(folded(facts := told(rig)), "Payment")["ref"]
    for _ in range(3):
        facts += rig.provider.refund(payment, Money(400, "USD"), key="refund-1")
    refund = only(folded([*facts, *told(rig), *rig.provider.listing(BEFORE)]), "Refund")
    assert (refund["payment"], refund["state"], refund["amount"]) == (payment, "done", 400)
    rig.provider.refund(payment, Money(400, "USD"), key="refund-2")
    with pytest.raises(RefusedError):
        rig.provider.refund(payment, Money(400, "USD"), key="refund-3")


@pytest.mark.parametrize("won", [True, False])
def test_a_dispute_says_how_it_ended(rig: Rig, won: bool) -> None:
    need(rig, "dispute")
    given_by(rig, choice("once", 1000))
    payment = only(folded(facts := told(rig)), "Payment")["ref"]
    rig.dispute(payment, won=won)
    facts += [*reversed(told(rig)), *rig.provider.listing(BEFORE)]
    dispute = only(folded(facts), "Dispute")
    assert (dispute["payment"], dispute["state"]) == (payment, "won" if won else "lost")
    assert (dispute["amount"], dispute["due_at"] > dispute["at"]) == (1000, True)
    kinds = sorted(one["kind"] for one in of(folded(facts), "Movement"))
    assert kinds == sorted(["payment", "dispute", *(["dispute-won"] if won else [])])


def test_each_line_of_the_balance_adds_up_and_says_what_it_is_about(rig: Rig) -> None:
    given_by(rig, choice("once", 1000))
    facts = told(rig)
    payment = only(folded(facts), "Payment")["ref"]
    about = {payment}
    if "refund" in rig.can:
        facts += rig.provider.refund(payment, Money(400, "USD"), key="r1")
        about.add(only(folded(facts), "Refund")["ref"])
    movements = of(folded(rig.provider.listing(BEFORE)), "Movement")
    assert {one["about"] for one in movements} == about
    assert all(one["gross"] - one["fee"] == one["net"] for one in movements)


def test_a_payout_is_the_sum_of_what_it_carried(rig: Rig) -> None:
    need(rig, "payout")
    given_by(rig, choice("once", 1000))
    given_by(rig, choice("monthly", 200))
    rig.pay_out()
    known = folded(rig.provider.listing(BEFORE))
    payouts = of(known, "Payout")
    assert payouts
    assert {one["state"] for one in payouts} <= {"paid", "pending"}
    for payout in payouts:
        carried = [one for one in of(known, "Movement") if one["payout"] == payout["ref"]]
        assert sum(one["net"] for one in carried if one["kind"] != "payout") == payout["amount"]


# Events, and what there is


def lived(rig: Rig) -> list[Event]:
    """All that can happen, in its order."""
    given_by(rig, choice("once", 1000))
    given_by(rig, choice("once", 1500), "slow")
    rig.leave(opened(rig, choice())[0].ref)
    found = read(rig)
    rig.settle()
    if "again" in rig.can:
        given_by(rig, choice("monthly", 200))
        found += read(rig)
        gifts = of(folded(fact for event in found for fact in event.facts), "Gift")
        gift = next(one["ref"] for one in gifts if one["kind"] == "monthly")
        rig.renew(gift)
        rig.tick()
        rig.provider.change(gift, Money(300, "USD"), key="w1")
    if "refund" in rig.can:
        paid = of(folded(rig.provider.listing(BEFORE)), "Payment")
        rig.provider.refund(paid[0]["ref"], Money(100, "USD"), key="r1")
        rig.dispute(paid[1]["ref"], won=False)
        rig.pay_out()
    rig.tick()
    return [*found, *read(rig)]


# What only one of the two sources can say.
_OWN = ("at", "address", "checkout")


def alike(known: Known) -> Known:
    return {
        name: {field: value for field, value in fact.items() if field not in _OWN}
        for name, fact in known.items()
    }


def test_events_and_listings_say_the_same(rig: Rig) -> None:
    events = lived(rig)
    facts = [fact for event in events for fact in event.facts]
    listed = list(rig.provider.listing(BEFORE))
    by_events, by_listing = folded(facts), folded(listed)
    assert set(by_events) <= set(by_listing)
    both = alike(folded([*facts, *listed]))
    assert both == alike(folded([*listed, *facts]))
    for name, fact in alike(by_listing).items():
        assert {k: v for k, v in fact.items() if v} == {
            k: v for k, v in both[name].items() if fact.get(k)
        }


def test_what_was_lost_repeated_and_mixed_up_ends_alike_after_a_listing(rig: Rig) -> None:
    facts = [fact for event in lived(rig) for fact in event.facts]
    listed = list(rig.provider.listing(BEFORE))
    whole = alike(folded([*facts, *listed]))

    @settings(max_examples=60, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.sampled_from(facts), max_size=2 * len(facts)), st.randoms())
    def any_order(some: list[Fact], random: Any) -> None:
        mixed = [*some, *listed]
        random.shuffle(mixed)
        assert alike(folded(mixed)) == whole

    any_order()


def test_events_can_be_listed_again(rig: Rig) -> None:
    need(rig, "events")
    hooked = {event.id: event for event in lived(rig) if event.facts}
    again = [event for event in rig.provider.events(BEFORE) if event.facts]
    assert {event.id: event for event in again} == hooked
    assert [event.at for event in again] == sorted(event.at for event in again)


def test_facts_hold_no_person_but_the_address_of_the_receipt(rig: Rig) -> None:
    facts = [fact for event in lived(rig) for fact in event.facts]
    said = msgspec.json.encode([*facts, *rig.provider.listing(BEFORE)]).decode()
    assert ADDRESS in said
    assert [one for one in PEOPLE if one in said] == []


# Who signed it


def test_only_what_the_provider_signed_is_read(rig: Rig) -> None:
    given_by(rig, choice())
    body, headers = rig.hooks()[-1]
    name, signature = next(iter(headers.items()))
    others = {
        "changed": (body.replace(b'"', b"' ", 1), headers),
        "longer": (body + b" ", headers),
        "unsigned": (body, {}),
        "empty": (body, {name: ""}),
        "strange": (body, {name: "t=1,v1=é\u2028"}),
        "cut": (body, {name: signature[:-2]}),
        "no text": (b"\xff\xfe" + body, headers),
        "nothing": (b"", {}),
    }
    for wrong, with_headers in others.values():
        with pytest.raises(ForgedEventError):
            rig.provider.read(wrong, with_headers, received=rig.received())
    assert rig.provider.read(body, headers, received=rig.received()).facts


def test_what_is_signed_for_another_time_is_not_read(rig: Rig) -> None:
    given_by(rig, choice())
    body, headers = rig.hooks()[-1]
    hour = rig.received()
    for days in (-2, 2):
        with pytest.raises(ForgedEventError):
            rig.provider.read(body, headers, received=hour + timedelta(days=days))
    end_of_it = hour + timedelta(minutes=59, seconds=59)
    assert rig.provider.read(body, headers, received=end_of_it).facts


@pytest.mark.parametrize("body", [b"{}", b"[]", b'"', b"null", b"[" * 100_000, b'{"id": 7}'])
def test_what_is_signed_and_cannot_be_read_is_said_to_be_so(rig: Rig, body: bytes) -> None:
    with pytest.raises((EventError, ForgedEventError)):
        rig.provider.read(body, rig.sign(body), received=rig.received())


def test_an_event_of_another_kind_means_nothing(rig: Rig) -> None:
    given_by(rig, choice())
    body, _ = rig.hooks()[-1]
    event = json.loads(body)
    event["type"] = "invoiceitem.created"
    if rig.name == "sandbox":
        event["facts"] = []
    other = json.dumps(event).encode()
    assert rig.provider.read(other, rig.sign(other), received=rig.received()).facts == ()


# What goes wrong


def test_a_key_that_is_wrong_is_somebody_s_matter(rig: Rig) -> None:
    wrong = rig.another(key="rk_test_stolen")
    with pytest.raises(AccountError):
        list(wrong.listing(BEFORE))
    assert wrong.check()


def test_what_is_not_there_is_not_found(rig: Rig) -> None:
    expected = NotFoundError if rig.can == EVERYTHING else RefusedError
    money, day = Money(100, "USD"), datetime(2027, 1, 1, tzinfo=UTC)
    wishes = (
        lambda: rig.provider.refund("pi_none", money, key="k"),
        lambda: rig.provider.cancel("cus_none", key="k"),
        lambda: rig.provider.pause("cus_none", day, key="k"),
        lambda: rig.provider.resume("cus_none", key="k"),
        lambda: rig.provider.change("cus_none", money, key="k"),
        lambda: rig.provider.new_card("cus_none", back=DONE, language="en"),
    )
    for wish in wishes:
        with pytest.raises(expected):
            wish()


def test_what_one_cannot_take_monthly_is_refused_in_words(rig: Rig) -> None:
    if "again" in rig.can:
        pytest.skip(f"{rig.name} takes it")
    with pytest.raises(ProviderError, match="once"):
        opened(rig, choice("monthly"))
