# SPDX-License-Identifier: AGPL-3.0-or-later
"""Refunds with four eyes; what the provider says about them in the end."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from wagtail.models import ModelLogEntry

from tamizdat.desk.contributions import actions, alarm
from tamizdat.desk.contributions.errors import FourEyesError, RefundError
from tamizdat.desk.contributions.ledger import balances
from tamizdat.desk.contributions.models import Payment, Refund
from tamizdat.desk.staff.models import User
from tamizdat.giving.errors import RefusedError, UnreachableError
from tamizdat.giving.money import Money
from tamizdat.giving.port import DisputeFact, Fact, RefundFact
from tests.desk.contributions.events.conftest import House
from tests.fakes.payments import NAME, Bank


@pytest.fixture
def asks(publisher: User) -> User:
    return _may(publisher)


@pytest.fixture
def approves(operator: User) -> User:
    return _may(operator)


def _may(user: User) -> User:
    rights = Permission.objects.filter(codename__in=("ask_refund", "approve_refund"))
    user.user_permissions.add(*rights)
    return User.objects.get(pk=user.pk)


@pytest.fixture
def payment(house: House) -> Payment:
    house.gives("once", 1000)
    return house.paid()[0]


def five(payment: Payment) -> Money:
    return Money(500, payment.currency)


def refunded() -> int:
    return sum(line.amount for line in balances() if line.account == "Income:Refunds")


def test_one_asks_another_approves_the_provider_does(
    house: House, bank: Bank, payment: Payment, asks: User, approves: User
) -> None:
    refund = actions.ask_refund(
        payment=payment, money=five(payment), why="Given twice by mistake", acting_user=asks
    )
    actions.carry_out_refunds(now=house.now)
    assert bank.asked == []
    actions.approve_refund(refund=refund, acting_user=approves)
    actions.carry_out_refunds(now=house.now)
    refund.refresh_from_db()
    assert (refund.state, refund.ref) == ("done", f"re_refund-{refund.pk}")
    assert refunded() == 500
    said = [entry.action for entry in ModelLogEntry.objects.order_by("pk")]
    assert said[-2:] == ["tamizdat.refund_ask", "tamizdat.refund_approve"]


def test_who_asked_does_not_approve(payment: Payment, asks: User) -> None:
    refund = actions.ask_refund(
        payment=payment, money=five(payment), why="A mistake", acting_user=asks
    )
    with pytest.raises(FourEyesError, match="another person"):
        actions.approve_refund(refund=refund, acting_user=asks)
    assert Refund.objects.get().state == "asked"


def test_who_may_not_is_refused(payment: Payment, reporter: User) -> None:
    with pytest.raises(PermissionDenied):
        actions.ask_refund(payment=payment, money=five(payment), why="x", acting_user=reporter)


def test_never_more_is_given_back_than_was_paid(payment: Payment, asks: User) -> None:
    actions.ask_refund(payment=payment, money=five(payment), why="Half", acting_user=asks)
    with pytest.raises(RefundError, match=r"At most 5\.00 USD"):
        actions.ask_refund(
            payment=payment, money=Money(501, "USD"), why="The rest and more", acting_user=asks
        )
    with pytest.raises(RefundError, match="in USD"):
        actions.ask_refund(payment=payment, money=Money(5, "EUR"), why="x", acting_user=asks)
    with pytest.raises(RefundError, match="Say why"):
        actions.ask_refund(payment=payment, money=five(payment), why=" ", acting_user=asks)


def test_what_is_disputed_is_not_given_back_a_second_time(
    house: House, bank: Bank, payment: Payment, asks: User
) -> None:
    fact = DisputeFact(
        ref="dp_1", at=bank.clock, payment=payment.ref, state="open", amount=1000, currency="USD"
    )
    house.hears(bank.tell("dispute", fact))
    with pytest.raises(RefundError, match="disputed"):
        actions.ask_refund(payment=payment, money=five(payment), why="x", acting_user=asks)


def test_a_declined_refund_leaves_the_amount_free(
    payment: Payment, asks: User, approves: User
) -> None:
    refund = actions.ask_refund(
        payment=payment, money=Money(1000, "USD"), why="All", acting_user=asks
    )
    actions.decline_refund(refund=refund, why="They gave again", acting_user=approves)
    assert actions.ask_refund(
        payment=payment, money=Money(1000, "USD"), why="All", acting_user=asks
    )
    with pytest.raises(RefundError, match="meanwhile"):
        actions.approve_refund(refund=refund, acting_user=approves)


def test_a_webhook_that_is_quicker_than_the_answer_makes_no_second_refund(
    house: House, bank: Bank, payment: Payment, asks: User, approves: User
) -> None:
    refund = actions.ask_refund(
        payment=payment, money=five(payment), why="A mistake", acting_user=asks
    )
    actions.approve_refund(refund=refund, acting_user=approves)
    quick = RefundFact(
        ref=f"re_refund-{refund.pk}",
        at=bank.clock,
        payment=payment.ref,
        state="pending",
        amount=500,
        currency="USD",
    )
    house.hears(bank.tell("refund", quick))
    actions.carry_out_refunds(now=house.now)
    house.reconciles()
    assert Refund.objects.count() == 1
    assert refunded() in (0, 500)


def test_a_refund_begun_at_the_provider_is_booked_too(
    house: House, bank: Bank, payment: Payment
) -> None:
    fact = RefundFact(
        ref="re_own", at=bank.clock, payment=payment.ref, state="done", amount=300, currency="USD"
    )
    house.hears(bank.tell("refund", fact))
    refund = Refund.objects.get()
    assert (refund.asked_by, refund.state, refunded()) == (None, "done", 300)


def test_no_answer_is_tried_again_and_gives_back_once(
    house: House, bank: Bank, payment: Payment, asks: User, approves: User
) -> None:
    refund = actions.ask_refund(
        payment=payment, money=five(payment), why="A mistake", acting_user=asks
    )
    actions.approve_refund(refund=refund, acting_user=approves)
    bank.trouble = UnreachableError("no answer")
    actions.carry_out_refunds(now=house.now)
    refund.refresh_from_db()
    assert (refund.state, refund.said) == ("approved", "no answer")
    bank.trouble = None
    house.later(minutes=2)
    actions.carry_out_refunds(now=house.now)
    actions.carry_out_refunds(now=house.now)
    assert len(bank.done) == 1
    assert refunded() == 500


def test_what_the_provider_refuses_is_said_with_its_words(
    house: House, bank: Bank, payment: Payment, asks: User, approves: User
) -> None:
    refund = actions.ask_refund(
        payment=payment, money=five(payment), why="A mistake", acting_user=asks
    )
    actions.approve_refund(refund=refund, acting_user=approves)
    bank.trouble = RefusedError("it is older than a year")
    actions.carry_out_refunds(now=house.now)
    refund.refresh_from_db()
    assert (refund.state, refund.said) == ("failed", "it is older than a year")
    assert any("1 refund failed" in said for said in alarm.alarms(house.now))
    assert NAME in {refund.provider}


@pytest.mark.parametrize("what", ["disputed", "lost", "given back", "given back in part", "failed"])
def test_what_became_of_the_payment_since_it_was_asked_for_is_seen_when_it_is_approved(
    house: House, bank: Bank, payment: Payment, asks: User, approves: User, what: str
) -> None:
    refund = actions.ask_refund(
        payment=payment, money=Money(1000, "USD"), why="All", acting_user=asks
    )
    about: dict[str, Any] = {"payment": payment.ref, "at": bank.clock, "currency": "USD"}
    happened: dict[str, Fact] = {
        "disputed": DisputeFact(ref="dp", state="open", amount=1000, **about),
        "lost": DisputeFact(ref="dp", state="lost", amount=1000, **about),
        "given back": RefundFact(ref="re_own", state="done", amount=1000, **about),
        "given back in part": RefundFact(ref="re_own", state="pending", amount=1, **about),
    }
    if what == "failed":
        Payment.objects.filter(pk=payment.pk).update(state="failed")
    else:
        house.hears(bank.tell(what, happened[what]))
    with pytest.raises(RefundError, match="Since this was asked for something changed"):
        actions.approve_refund(refund=refund, acting_user=approves)
    actions.carry_out_refunds(now=house.now)
    assert bank.asked == []
    actions.decline_refund(refund=refund, why="", acting_user=asks)


def test_a_dispute_that_was_won_or_a_refund_that_failed_holds_nothing_up(
    house: House, bank: Bank, payment: Payment, asks: User, approves: User
) -> None:
    refund = actions.ask_refund(
        payment=payment, money=Money(1000, "USD"), why="All", acting_user=asks
    )
    about: dict[str, Any] = {"payment": payment.ref, "at": bank.clock, "currency": "USD"}
    house.hears(bank.tell("won", DisputeFact(ref="dp", state="won", amount=1000, **about)))
    house.hears(bank.tell("not", RefundFact(ref="re_x", state="failed", amount=1000, **about)))
    actions.approve_refund(refund=refund, acting_user=approves)
    actions.carry_out_refunds(now=house.now)
    assert refunded() == 1000


def test_of_two_refunds_of_one_amount_none_is_lost_whichever_is_told_first(
    house: House,
    bank: Bank,
    payment: Payment,
    asks: User,
    approves: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The provider does the second one while the first one has to wait, and its webhook is quicker
    than its answer."""
    first, second = (
        actions.ask_refund(payment=payment, money=five(payment), why="Half", acting_user=asks)
        for _ in range(2)
    )
    for one in (first, second):
        actions.approve_refund(refund=one, acting_user=approves)
    Refund.objects.filter(pk=first.pk).update(at=int(house.now.timestamp()))
    given = bank.refund

    def quick(ref: str, money: Money, *, key: str) -> Any:
        answer = given(ref, money, key=key)
        house.hears(bank.happened[-1])
        return answer

    monkeypatch.setattr(bank, "refund", quick)
    actions.carry_out_refunds(now=house.now)
    house.later(minutes=2)
    actions.carry_out_refunds(now=house.now)
    house.reconciles()
    told = Refund.objects.order_by("pk").values_list("pk", "state", "ref")
    assert list(told) == [(one.pk, "done", f"re_refund-{one.pk}") for one in (first, second)]
    assert (len(bank.done), refunded()) == (2, 1000)


def test_a_clock_that_is_set_back_holds_no_refund_up(
    house: House, bank: Bank, payment: Payment, asks: User, approves: User
) -> None:
    refund = actions.ask_refund(
        payment=payment, money=five(payment), why="A mistake", acting_user=asks
    )
    actions.approve_refund(refund=refund, acting_user=approves)
    bank.trouble = UnreachableError("no answer")
    house.later(days=2)
    actions.carry_out_refunds(now=house.now)
    bank.trouble = None
    house.later(days=-2)
    actions.carry_out_refunds(now=house.now)
    assert refunded() == 500
