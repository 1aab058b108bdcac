# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever happens to a gift, told in whatever order, the books say where the money is."""

from __future__ import annotations

from datetime import date
from random import Random

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamizdat.desk.contributions import books, ledger
from tamizdat.desk.contributions.ledger import Line
from tamizdat.desk.contributions.models import Gift, Leg, Movement, Payment, Refund, Transaction
from tests.desk.contributions.books.scene import History, Told, tell

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 23)
_EACH = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def payment(state: str = "paid", **more: object) -> Payment:
    fields: dict[str, object] = {"amount": 1000, "currency": "USD", "at": 1, "day": DAY, **more}
    return Payment.objects.create(provider="stripe", ref="pi_1", state=state, **fields)


def gift(kind: str) -> Gift:
    return Gift.objects.create(
        provider="stripe", ref="sub_1", kind=kind, state="active", day=DAY, currency="USD"
    )


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_what_was_not_paid_is_not_booked(state: str) -> None:
    assert books.book_payment(payment(state)) is None
    assert ledger.balances() == ()


@pytest.mark.parametrize(
    ("kind", "account"),
    [("once", "Income:Once"), ("monthly", "Income:Monthly"), ("annual", "Income:Annual")],
)
def test_a_payment_is_income_of_its_kind_which_the_provider_owes(kind: str, account: str) -> None:
    books.book_payment(payment(gift=gift(kind)))
    assert ledger.balances() == (
        Line("Assets:Stripe:Receivable", 1000, "USD"),
        Line(account, -1000, "USD"),
    )


def test_a_payment_that_came_before_its_agreement_changes_its_kind_when_that_is_known() -> None:
    paid = payment()
    books.book_payment(paid)
    assert Line("Income:Other", -1000, "USD") in ledger.balances()
    agreed = gift("monthly")
    Payment.objects.update(gift=agreed)
    books.book_gift(agreed)
    assert ledger.balances() == (
        Line("Assets:Stripe:Receivable", 1000, "USD"),
        Line("Income:Monthly", -1000, "USD"),
    )


def test_a_fee_and_an_exchange_stand_apart() -> None:
    books.book_payment(payment(gift=gift("once")))
    row = Movement.objects.create(
        provider="stripe", ref="txn_1", kind="payment", gross=920, fee=43, net=877, currency="EUR",
        source_amount=1000, source_currency="USD", about="pi_1", at=2, day=DAY,
    )  # fmt: skip
    books.book_movement(row)
    assert ledger.balances() == (
        Line("Assets:Stripe:Balance", 877, "EUR"),
        Line("Equity:Exchange", -920, "EUR"),
        Line("Equity:Exchange", 1000, "USD"),
        Line("Expenses:Fees:Stripe", 43, "EUR"),
        Line("Income:Once", -1000, "USD"),
    )


def test_a_fee_by_itself_and_an_adjustment_have_their_accounts() -> None:
    for number, kind in enumerate(("fee", "adjustment")):
        books.book_movement(
            Movement.objects.create(
                provider="btc_pay", ref=f"{number}", kind=kind, gross=-300, fee=0, net=-300,
                currency="JPY", source_amount=-300, source_currency="JPY", at=1, day=DAY,
            )
        )  # fmt: skip
    assert ledger.balances() == (
        Line("Assets:Btc-Pay:Balance", -600, "JPY"),
        Line("Equity:Adjustments", 300, "JPY"),
        Line("Expenses:Fees:Btc-Pay", 300, "JPY"),
    )


def test_a_movement_of_nothing_is_not_booked() -> None:
    row = Movement(
        provider="stripe", ref="t", kind="payment", gross=0, fee=0, net=0, currency="USD",
        source_amount=0, source_currency="USD", at=1, day=DAY,
    )  # fmt: skip
    assert books.book_movement(row) is None


def test_a_refund_that_people_asked_for_is_booked_when_the_provider_did_it() -> None:
    asked = Refund(
        provider="stripe", ref=None, key="refund-1", payment_ref="pi_1", amount=400,
        currency="USD", state="approved", day=DAY,
    )  # fmt: skip
    assert books.book_refund(asked) is None
    asked.ref = "re_1"
    assert books.book_refund(asked) is None
    asked.state = "done"
    assert books.book_refund(asked) is not None
    assert Line("Income:Refunds", 400, "USD") in ledger.balances()


def test_an_endless_number_of_a_provider_has_a_source_of_its_own() -> None:
    longest = [books.source("stripe", "payment", "p" * 254 + end) for end in "ab"]
    assert len(set(longest)) == 2
    assert all(len(f"reverse:{one}#999") <= 300 for one in longest)
    assert books.source("stripe", "payment", "pi_1") == "stripe:payment:pi_1"


def told_in_any_order(chance: Random, gifts: int) -> None:
    """In its order; then again, shuffled, with a third told twice."""
    history = History(chance, gifts)
    wanted = ledger.merged(Line(a, n, c) for (a, c), n in history.wanted.items())
    found = []
    for round_ in range(2):
        with transaction.atomic():
            told: list[Told] = list(history.told)
            if round_:
                told += chance.sample(told, len(told) // 3)
                chance.shuffle(told)
            for one in told:
                tell(one)
            found.append(ledger.balances())
            assert not Transaction.objects.exclude(legs__isnull=False).exists()
            transaction.set_rollback(True)
    assert found == [wanted, wanted]


@given(st.randoms(use_true_random=False))
@settings(max_examples=8, suppress_health_check=_EACH)
def test_any_history_told_in_any_order_ends_in_the_same_books(chance: Random) -> None:
    told_in_any_order(chance, 2)


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
@settings(max_examples=100, suppress_health_check=_EACH)
def test_any_long_history_told_in_any_order_ends_in_the_same_books(chance: Random) -> None:
    told_in_any_order(chance, 8)


def test_what_is_told_a_hundred_times_is_booked_once() -> None:
    history = History(Random(5), 1)
    for one in history.told:
        tell(one)
    before = Leg.objects.count()
    for one in [history.told[-1]] * 100:
        tell(one)
    assert Leg.objects.count() == before
