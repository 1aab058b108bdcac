# SPDX-License-Identifier: AGPL-3.0-or-later
"""The books balance, are only ever added to, and hold each thing once; the database sees to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamizdat.desk.contributions import ledger
from tamizdat.desk.contributions.errors import BookedError, LedgerError, UnbalancedError
from tamizdat.desk.contributions.ledger import Line
from tamizdat.desk.contributions.models import Account, Ask, AskVersion, Leg, Transaction

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 23)
TEN = (Line("Assets:Bank", 1000, "USD"), Line("Income:Once", -1000, "USD"))
TWELVE = (Line("Assets:Bank", 1200, "USD"), Line("Income:Once", -1200, "USD"))
YEN = (Line("Assets:Bank", 500, "JPY"), Line("Income:Once", -500, "JPY"))


def write(source: str = "test:1", legs: tuple[Line, ...] = TEN, **more: Any) -> Transaction:
    return ledger.write(source=source, words="A gift", day=DAY, legs=legs, **more)


def settle(legs: tuple[Line, ...], day: date = DAY) -> Transaction | None:
    return ledger.settle(source="test:1", words="A gift", day=day, legs=legs)


def run(sql: str, *values: object) -> None:
    """Whatever somebody might do past our own code."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


@contextmanager
def in_vain() -> Iterator[None]:
    """What is done in it is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def lay_legs(entry: int, *legs: tuple[str, int, str]) -> None:
    for name, amount, currency in legs:
        account, _ = Account.objects.get_or_create(name=name, kind=name.split(":")[0])
        Leg.objects.create(transaction_id=entry, account=account, amount=amount, currency=currency)


PUT = (
    "INSERT INTO contributions_transaction (id, source, words, day, reverses_id) "
    "VALUES (%s, %s, 'x', '2026-11-23', %s)"
)


def test_what_is_written_stands_in_the_balances() -> None:
    write()
    write("test:2", YEN)
    assert ledger.balances() == (
        Line("Assets:Bank", 500, "JPY"),
        Line("Assets:Bank", 1000, "USD"),
        Line("Income:Once", -500, "JPY"),
        Line("Income:Once", -1000, "USD"),
    )
    assert ledger.balances(until=DAY - timedelta(1)) == ()


def test_a_source_is_booked_once_however_often_it_is_asked() -> None:
    assert write().pk == write().pk
    assert ledger.balances() == TEN


def test_a_source_is_not_silently_booked_with_another_amount() -> None:
    write()
    with pytest.raises(BookedError):
        write(legs=TWELVE)
    assert ledger.balances() == TEN


@pytest.mark.parametrize(
    "legs",
    [
        (),
        (Line("Assets:Bank", 5, "USD"),),
        (Line("Assets:Bank", 5, "USD"), Line("Income:Once", -4, "USD")),
        (Line("Assets:Bank", 5, "USD"), Line("Income:Once", -5, "EUR")),
    ],
)
def test_legs_that_do_not_balance_are_not_written(legs: tuple[Line, ...]) -> None:
    with pytest.raises(UnbalancedError):
        write(legs=legs)
    assert not Leg.objects.exists()


def test_an_account_is_of_one_of_the_five_kinds() -> None:
    with pytest.raises(LedgerError, match="is no account"):
        write(legs=(Line("Pockets:Bank", 5, "USD"), Line("Income:Once", -5, "USD")))


@pytest.mark.parametrize(
    "legs",
    [
        [],
        [("Assets:Bank", 5, "USD")],
        [("Assets:Bank", 5, "USD"), ("Income:Once", -4, "USD")],
        [("Assets:Bank", 5, "USD"), ("Income:Once", -5, "EUR")],
        [("Assets:Bank", 5, "USD"), ("Income:Once", -5, "USD"), ("Assets:Bank", 1, "JPY")],
    ],
)
def test_the_database_refuses_a_transaction_that_does_not_balance(
    legs: list[tuple[str, int, str]],
) -> None:
    with in_vain():
        lay_legs(7, *legs)
        with pytest.raises(IntegrityError):
            run(PUT, 7, "test:1", None)
        if legs:  # What is laid without its transaction is refused when it is committed.
            with pytest.raises(IntegrityError), transaction.atomic():
                connection.check_constraints()


def test_the_database_takes_no_leg_once_its_transaction_is_there() -> None:
    entry = write()
    with pytest.raises(IntegrityError):
        lay_legs(entry.pk, ("Assets:Bank", 5, "USD"), ("Income:Once", -5, "USD"))


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE contributions_leg SET amount = amount + 1",
        "UPDATE contributions_leg SET transaction_id = 1",
        "DELETE FROM contributions_leg",
        "UPDATE contributions_transaction SET day = '2020-01-01'",
        "UPDATE contributions_transaction SET words = 'nothing happened'",
        "DELETE FROM contributions_transaction",
        "UPDATE contributions_account SET name = 'Income:Else' WHERE name = 'Income:Once'",
        "DELETE FROM contributions_account",
    ],
)
def test_the_database_changes_and_forgets_nothing(sql: str) -> None:
    write()
    with pytest.raises(IntegrityError):
        run(sql)
    assert ledger.balances() == TEN


@pytest.mark.parametrize("table", ["contributions_leg", "contributions_transaction"])
def test_nothing_is_replaced_or_emptied_by_the_back_door(table: str) -> None:
    write()
    if connection.vendor == "sqlite":
        columns = {"contributions_leg": "id, transaction_id, account_id, amount, currency"}
        names = columns.get(table, "id, source, words, day, reverses_id")
        sql = f"INSERT OR REPLACE INTO {table} ({names}) SELECT {names} FROM {table}"  # noqa: S608
    else:
        sql = f"TRUNCATE {table} CASCADE"
        connection.check_constraints()  # Nothing else stands in its way.
    with pytest.raises(IntegrityError):
        run(sql)


def test_a_reversal_takes_back_what_was_booked_once() -> None:
    entry = write()
    taken = ledger.reverse(entry, day=DAY)
    assert ledger.balances() == ()
    assert ledger.reverse(entry, day=DAY).pk == taken.pk
    lay_legs(9, ("Assets:Bank", -1000, "USD"), ("Income:Once", 1000, "USD"))
    with pytest.raises(IntegrityError):
        run(PUT, 9, "test:again", entry.pk)
    run(PUT, 9, "test:else", None)


def test_a_reversal_of_another_amount_or_account_is_refused() -> None:
    entry = write()
    with pytest.raises(LedgerError):
        write("reverse:test:1", YEN, reverses=entry)
    with pytest.raises(LedgerError):
        write("reverse:test:1", TWELVE, reverses=entry)


def test_what_is_wanted_otherwise_is_reversed_and_booked_anew() -> None:
    settle(TEN)
    settle(TWELVE)
    assert ledger.balances() == TWELVE
    assert sorted(Transaction.objects.values_list("source", flat=True)) == [
        "reverse:test:1",
        "test:1",
        "test:1#2",
    ]
    assert settle(()) is None
    assert ledger.balances() == ()
    settle(TEN)
    assert ledger.balances() == TEN
    assert Transaction.objects.count() == 5


@given(st.lists(st.sampled_from([(), TEN, TWELVE, YEN]), max_size=7))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_wanted_before_the_books_say_the_last(wanted: list[tuple[Line, ...]]) -> None:
    with in_vain():
        for legs in wanted:
            settle(legs)
            assert ledger.balances() == legs
            before = Transaction.objects.count()
            settle(legs)
            assert Transaction.objects.count() == before


def test_who_comes_second_with_the_same_source_takes_what_is_there() -> None:
    """Two workers that looked at the same time: both found nothing, both write."""
    legs = ledger.merged(TEN)
    first = ledger._insert("test:1", "A gift", DAY, legs, None)
    second = ledger._insert("test:1", "A gift", DAY, legs, None)
    assert first.pk == second.pk
    assert ledger.balances() == TEN


def test_a_currency_sum_beyond_any_number_is_refused() -> None:
    most = 2**63 - 1
    with in_vain():
        lay_legs(7, ("Assets:Bank", most, "USD"), ("Assets:Bank", most, "USD"))
        with pytest.raises(DatabaseError, match=r"overflow|sum to nothing"):
            run(PUT, 7, "test:1", None)


def test_an_approved_message_keeps_what_it_said() -> None:
    author = get_user_model().objects.create_user(username="ada")
    ask = Ask.objects.create(slug="winter", title="Winter", place="ribbon")
    version = AskVersion.objects.create(
        ask=ask,
        number=1,
        content={"said": "Help us"},
        written_by=author,
        approved=timezone.now(),
    )
    for change in ({"content": {}}, {"number": 2}, {"approved_by": author}):
        with pytest.raises(IntegrityError), transaction.atomic():
            AskVersion.objects.filter(pk=version.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        AskVersion.objects.all()._raw_delete("default")
    author.delete()
    version.refresh_from_db()
    assert version.written_by is None
