# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's provider: what it says is what happened, and nobody takes it for a real one."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tamizdat.giving.errors import (
    AccountError,
    EventError,
    ForgedEventError,
    NotFoundError,
    RefusedError,
)
from tamizdat.giving.money import Money
from tamizdat.giving.port import (
    DisputeFact,
    GiftFact,
    MovementFact,
    PaymentFact,
    PayoutFact,
    RefundFact,
)
from tamizdat.giving.registry import DeskSettings, TillSettings, make_provider, make_till
from tamizdat.giving.sandbox import pages
from tamizdat.giving.sandbox.api import Api, Keys
from tamizdat.giving.sandbox.app import Sandbox, make_app
from tamizdat.giving.sandbox.balance import exchanged
from tamizdat.giving.sandbox.cards import CARDS
from tamizdat.giving.sandbox.objects import Checkout, Door
from tamizdat.giving.sandbox.schedule import months_later
from tamizdat.giving.sandbox.signing import HEADER, sign
from tests.fakes.sandbox import NOW, SECRET, Direct, FakeSandbox, choice, sandbox

EVER = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def box() -> FakeSandbox:
    return sandbox()


def payments(box: FakeSandbox) -> list[tuple[str, str]]:
    return [(one.state, one.cause) for one in box.store.facts(PaymentFact)]


def test_what_is_paid_is_told_by_events_and_by_lists_alike(box: FakeSandbox) -> None:
    gave = box.give(choice("monthly", 500), address="ada@mail.example")
    told = {}
    for event in box.provider.events(EVER):
        told |= {(type(fact), fact.ref): fact for fact in event.facts}
    listed = {(type(fact), fact.ref): fact for fact in box.provider.listing(EVER)}
    assert told == listed
    gift = listed[GiftFact, gave.gift]
    assert isinstance(gift, GiftFact)
    assert (gift.address, gift.state, gift.kind) == ("ada@mail.example", "active", "monthly")


def test_only_the_event_of_the_checkout_bears_the_address(box: FakeSandbox) -> None:
    gave = box.give(choice("monthly"), address="ada@mail.example")
    box.move(days=31)
    list(box.provider.cancel(gave.gift, key="k"))
    events = list(box.provider.events(EVER))
    bearing = [e.type for e in events if b"ada@" in repr(e).encode()]
    assert bearing == ["checkout.completed"]
    assert len(events) > 4


@pytest.mark.parametrize(
    ("card", "cause"),
    [("declined", "card_declined"), ("no-money", "insufficient_funds"),
     ("expired", "expired_card"), ("abroad", "country_refused")],
)  # fmt: skip
def test_a_decline_says_why_and_another_card_pays(box: FakeSandbox, card: str, cause: str) -> None:
    gave = box.give(choice("once"), card)
    assert gave.cause == cause
    refused = cause == "country_refused"
    assert payments(box) == ([] if refused else [("failed", cause)]), "never authorised"
    assert box.bank.pay(gave.checkout, "good", "").cause == ""
    assert payments(box) == [("paid", "")], "the same payment, tried again"


def test_a_pending_payment_is_never_called_failed_before_it_is(box: FakeSandbox) -> None:
    paid, failed = box.give(choice(), "slow"), box.give(choice(), "slow-fails")
    assert {state for state, _ in payments(box)} == {"pending"}
    box.move(days=3)
    by_ref = {one.ref: one.state for one in box.store.facts(PaymentFact)}
    assert by_ref == {paid.payment: "paid", failed.payment: "failed"}
    gifts = {one.ref: one.state for one in box.store.facts(GiftFact)}
    assert gifts == {paid.gift: "active", failed.gift: "expired"}


def test_months_are_counted_from_the_first_payment(box: FakeSandbox) -> None:
    box.give(choice("monthly"), address="a@b.example")
    box.move(days=125)
    days = [datetime.fromtimestamp(one.at, UTC).date() for one in box.store.facts(PaymentFact)]
    assert [f"{day:%d.%m.}" for day in days] == ["31.03.", "30.04.", "31.05.", "30.06.", "31.07."]


def test_a_leap_day_renews_on_the_last_of_february() -> None:
    leap = int(datetime(2028, 2, 29, 12, tzinfo=UTC).timestamp())
    found = [datetime.fromtimestamp(months_later(leap, 12 * n), UTC).date() for n in (1, 4)]
    assert [day.isoformat() for day in found] == ["2029-02-28", "2032-02-29"]


def test_a_renewal_that_fails_is_tried_three_times_more(box: FakeSandbox) -> None:
    gave = box.give(choice("monthly"), "renewal-fails", address="a@b.example")
    box.move(days=30)
    assert box.store.fact(GiftFact, gave.gift).state == "late"  # type: ignore[union-attr] # is there
    box.move(days=20)
    assert box.store.fact(GiftFact, gave.gift).state == "ended"  # type: ignore[union-attr] # is there
    failures = [e for e in box.provider.events(EVER) if e.type == "payment.failed"]
    assert len(failures) == 4
    assert len({fact.ref for event in failures for fact in event.facts}) == 1


def test_a_new_card_pays_what_is_late(box: FakeSandbox) -> None:
    gave = box.give(choice("monthly"), "renewal-fails", address="a@b.example")
    box.move(days=30)
    token = box.provider.new_card(gave.gift, back="", language="en").rpartition("/")[2]
    assert box.bank.take_card(token, "declined").cause == "card_declined"
    assert box.bank.take_card(token, "good").cause == ""
    assert payments(box) == [("paid", ""), ("paid", "")]
    gift = box.store.fact(GiftFact, gave.gift)
    assert gift is not None
    assert (gift.state, datetime.fromtimestamp(gift.next_at, UTC).date().isoformat()) == (
        "active", "2026-05-31",
    )  # fmt: skip
    box.move(hours=2)
    with pytest.raises(NotFoundError):
        box.bank.behind(token)


def test_a_pause_takes_nothing_and_ends_by_itself(box: FakeSandbox) -> None:
    gave = box.give(choice("monthly"), address="a@b.example")
    until = NOW + timedelta(days=75)
    list(box.provider.pause(gave.gift, until, key="p"))
    box.move(days=70)
    assert len(payments(box)) == 1
    box.move(days=30)
    assert len(payments(box)) == 2, "the one of the end of June"


def test_what_was_changed_or_ended_is_so_from_the_next_payment_on(box: FakeSandbox) -> None:
    gave = box.give(choice("monthly", 500), address="a@b.example")
    first = list(box.provider.change(gave.gift, Money(900, "USD"), key="c"))
    assert list(box.provider.change(gave.gift, Money(900, "USD"), key="c")) == first
    box.move(days=30)
    assert [one.amount for one in box.store.facts(PaymentFact)] == [500, 900]
    list(box.provider.cancel(gave.gift, key="e"))
    box.move(days=300)
    assert len(payments(box)) == 2
    with pytest.raises(RefusedError):
        box.provider.cancel(gave.gift, key="another")


def test_no_more_is_given_back_than_was_paid(box: FakeSandbox) -> None:
    gave = box.give(choice("once", 1000))
    first = list(box.provider.refund(gave.payment, Money(600, "USD"), key="r"))
    assert list(box.provider.refund(gave.payment, Money(600, "USD"), key="r")) == first
    with pytest.raises(RefusedError):
        box.provider.refund(gave.payment, Money(401, "USD"), key="s")
    list(box.provider.refund(gave.payment, Money(400, "USD"), key="t"))
    assert [one.amount for one in box.store.facts(RefundFact)] == [600, 400]
    with pytest.raises(NotFoundError):
        box.provider.refund("pay_none", Money(1, "USD"), key="u")


@pytest.mark.parametrize(
    ("card", "state", "left"),
    [("disputed", "lost", -500 - 1500 + 455), ("disputed-won", "won", -1500 + 455)],
)
def test_a_dispute_takes_back_and_may_be_won(
    box: FakeSandbox, card: str, state: str, left: int
) -> None:
    box.give(choice("once", 500), card)
    box.move(days=2)
    assert [one.state for one in box.store.facts(DisputeFact)] == ["open"]
    box.move(days=20)
    assert [one.state for one in box.store.facts(DisputeFact)] == [state]
    assert sum(one.net for one in box.store.facts(MovementFact)) == left


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["USD", "EUR", "JPY", "KWD"]), st.integers(100, 10**7)),
        min_size=1, max_size=6,
    ),
    st.sampled_from(["", "USD", "JPY", "KWD"]),
)  # fmt: skip
def test_what_is_paid_out_is_what_moved(given_: list[tuple[str, int]], settles: str) -> None:
    box = sandbox(settles=settles)
    for currency, amount in given_:
        box.give(choice("once", amount, currency))
    box.move(days=8)
    lines = box.store.facts(MovementFact)
    assert all(one.net == one.gross - one.fee for one in lines)
    assert sum(one.net for one in lines) == 0, "all was sent"
    assert all(one.payout for one in lines if one.net)
    sent = {one.ref: one.amount for one in box.store.facts(PayoutFact)}
    for ref, amount in sent.items():
        carried = [one for one in lines if one.payout == ref and one.kind != "payout"]
        assert sum(one.net for one in carried) == amount
    box.store.close()


def test_exchanging_counts_in_each_currencys_own_unit() -> None:
    assert exchanged(1500, "JPY", "USD") == 1000
    assert exchanged(1000, "USD", "JPY") == 1500
    assert exchanged(1000, "KWD", "USD") == 325
    assert exchanged(-1, "JPY", "USD") == -1


def test_who_chooses_anew_cannot_pay_the_former_choice(box: FakeSandbox) -> None:
    first = choice("once", 500)
    other = choice("once", 900, intent=first.intent)
    gave, again = box.give(first, "declined"), box.give(other)
    assert again.checkout != gave.checkout
    with pytest.raises(RefusedError):
        box.bank.pay(gave.checkout, "good", "")
    assert box.give(other).checkout == again.checkout
    assert [one.amount for one in box.store.facts(PaymentFact) if one.state == "paid"] == [900]


def test_a_checkout_that_is_left_expires_and_the_same_choice_opens_another(
    box: FakeSandbox,
) -> None:
    wanted = choice("once")
    gave = box.give(wanted, "declined")
    box.move(days=2)
    assert [one.state for one in box.store.facts(GiftFact)] == ["expired"]
    assert box.give(wanted).checkout != gave.checkout


def test_the_tills_key_opens_checkouts_and_nothing_else(box: FakeSandbox) -> None:
    gave = box.give(choice("monthly"), address="a@b.example")
    till = Direct(box.api, box.till._calls._key)  # type: ignore[attr-defined] # the fake's own
    for method, path in (
        ("GET", "/api/events?since=0"),
        ("GET", "/api/facts?since=0"),
        ("GET", "/api/account"),
        ("POST", f"/api/payments/{gave.payment}/refund"),
        ("POST", f"/api/gifts/{gave.gift}/cancel"),
        ("POST", "/api/clock"),
    ):
        with pytest.raises(AccountError):
            till(method, path, {} if method == "POST" else None)


def test_what_it_signs_is_believed_and_nothing_else_is(box: FakeSandbox) -> None:
    box.give(choice())
    now = datetime.now(UTC)
    (body, headers), *_ = box.webhooks()
    assert box.provider.read(body, headers, received=now).facts
    late = now - timedelta(hours=3)
    forged = body.replace(b'"amount":500', b'"amount":900')
    other = sign(body, "x" * 40, int(time.time()))
    for data, said, received in (
        (forged, headers, now),
        (body, {HEADER: other}, now),
        (body, {}, now),
        (body, headers, late),
        (body, {HEADER: "t=1,v1=" + "0" * 64}, now),
    ):
        with pytest.raises(ForgedEventError):
            box.provider.read(data, said, received=received)
    rubbish = b'{"id": 1}'
    signed = {HEADER: sign(rubbish, SECRET, int(time.time()))}
    with pytest.raises(EventError):
        box.provider.read(rubbish, signed, received=now)


def test_an_event_for_another_account_is_forged(box: FakeSandbox) -> None:
    box.store.account = "another"
    box.give(choice())
    (body, headers), *_ = box.webhooks()
    with pytest.raises(ForgedEventError):
        box.provider.read(body, headers, received=datetime.now(UTC))


def test_outside_a_demo_it_does_not_start(tmp_path: Path) -> None:
    plain = Sandbox(
        file=tmp_path / "s.sqlite3", url="http://127.0.0.1:1", webhook="", till="t", desk="d",
        secret="s", demo=False,
    )  # fmt: skip
    with pytest.raises(AccountError):
        make_app(plain)
    with pytest.raises(AccountError):
        make_app(plain._replace(demo=True, url="https://pay.example"))
    with pytest.raises(AccountError):
        make_till(TillSettings(kind="sandbox", key="k", url="https://pay.example"))
    with pytest.raises(AccountError):
        make_provider(DeskSettings(kind="sandbox", key="k", url="http://192.0.2.1"))


@pytest.mark.parametrize("language", ["en", "ru", "ar", "uk"])
def test_every_page_says_that_no_money_moves(language: str) -> None:
    said = pages.words(language)
    made = Checkout(
        ref="chk_1", choice=choice("monthly", language=language), payment="pay_1",
        done="https://p.example/", gave_up="https://d.example/?a=1", paper="<b>Lamp</b>",
        refused=("RU",),
    )  # fmt: skip
    causes = [*said["cause"]]
    shown = [pages.checkout_page(made, cause=cause) for cause in ["", *causes]]
    shown.append(pages.clock_page(1_800_000_000, language))
    shown += [
        pages.card_page("door_1", Door("g", "/", language, 0)),
        pages.told_page("expired", language),
    ]
    for page in shown:
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        tree = parser.parse(page)
        assert tree.find(".//script") is None
        assert b"<b>Lamp" not in page
        mark = "".join(tree.find(".//header[@class='mark']").itertext())
        assert said["no_money"] in mark


def test_every_card_and_cause_has_words_in_every_language() -> None:
    for language in ("en", "ru", "ar"):
        said = pages.words(language)
        assert set(said["card"]) == set(CARDS)
        assert {card.cause for card in CARDS.values() if card.cause} <= set(said["cause"])


def test_an_unknown_request_is_told_so(box: FakeSandbox) -> None:
    api = Api(box.bank, Keys("t", "d"), "http://127.0.0.1:9")
    for method, path, body, status in (
        ("GET", ("nothing",), b"", 404),
        ("POST", ("gifts", "g", "dance"), b"{}", 404),
        ("POST", ("checkouts",), b"{", 400),
        ("GET", ("events",), b"", 200),
    ):
        assert api.answer(method, path, {}, body, "d")[0] == status
    assert api.answer("GET", ("events",), {"since": "x"}, b"", "d")[0] == 400
    assert api.answer("GET", ("events",), {}, b"", "no key")[0] == 403


def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    first = sandbox(tmp_path / "box.sqlite3")
    gave = first.give(choice("monthly"), address="a@b.example")
    first.store.close()
    again = sandbox(tmp_path / "box.sqlite3")
    again.move(days=31)
    assert [one.gift for one in again.store.facts(PaymentFact)] == [gave.gift, gave.gift]
    again.store.close()
