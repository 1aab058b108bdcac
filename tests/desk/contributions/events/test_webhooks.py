# SPDX-License-Identifier: AGPL-3.0-or-later
"""A provider's calls, as they come: repeated, late, out of order, forged, about what is unknown."""

from __future__ import annotations

import msgspec
import pytest
from django.db import connection

from tamizdat.config import ConfigError
from tamizdat.desk.contributions import providers, reports
from tamizdat.desk.contributions.ledger import balances
from tamizdat.desk.contributions.models import (
    Dispute,
    Gift,
    Movement,
    Payment,
    Payout,
    Refund,
    SeenEvent,
)
from tamizdat.desk.contributions.reports.table import as_csv
from tamizdat.desk.letters.models import Aside
from tamizdat.desk.readers.models import Reader
from tamizdat.giving.port import DisputeFact, MovementFact, PayoutFact, RefundFact
from tests.desk.contributions.events.conftest import ADA, House
from tests.fakes.payments import Bank


def income() -> dict[str, int]:
    return {line.account: line.amount for line in balances() if line.account.startswith("Income")}


def test_a_gift_is_one_row_one_payment_one_booking_and_one_mail(house: House) -> None:
    gift = house.gives("monthly", 500)
    assert (gift.state, gift.kind, gift.amount, gift.currency) == ("active", "monthly", 500, "USD")
    assert [p.gift_id for p in house.paid()] == [gift.pk]
    assert income() == {"Income:Monthly": -500}
    assert house.subjects() == ["Thank you"]


def test_an_address_lies_in_the_vault_and_nowhere_else(house: House) -> None:
    gift = house.gives()
    assert gift.reader == house.reader(ADA)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - the database's own names
            assert not any("post.example" in str(row) for row in cursor.fetchall()), table


def test_the_same_call_again_does_nothing(house: House, bank: Bank) -> None:
    house.gives()
    for event in bank.happened * 3:
        house.hears(event)
    assert (Gift.objects.count(), Payment.objects.count(), len(house.mails())) == (1, 1, 1)
    assert income() == {"Income:Monthly": -500}


def test_a_payment_that_comes_before_its_agreement_is_thanked_for_once_it_is_known(
    house: House, bank: Bank
) -> None:
    fact = house.gift("once", 2000)
    house.hears(bank.tell("paid", house.payment(fact, gift="", intent=fact.intent)))
    assert house.reader(ADA) is None
    assert income() == {"Income:Other": -2000}
    house.hears(bank.tell("completed", fact))
    assert income() == {"Income:Once": -2000}
    assert house.subjects() == ["Thank you"]


def test_two_events_that_tell_of_one_payment_are_thanked_for_once(house: House, bank: Bank) -> None:
    gift = house.gives()
    fact = bank.there["GiftFact", gift.ref]
    payment = bank.there["PaymentFact", house.paid()[0].ref]
    house.later(minutes=1)
    house.hears(bank.tell("invoice paid", msgspec.structs.replace(payment, at=bank.clock), fact))
    assert len(house.mails()) == 1
    assert income() == {"Income:Monthly": -500}


def test_a_payment_under_way_is_neither_booked_nor_thanked_for_nor_failed(
    house: House, bank: Bank
) -> None:
    fact = house.gift("once")
    house.hears(bank.tell("completed", fact))
    pending = house.payment(fact, "pending")
    house.hears(bank.tell("processing", pending))
    assert (income(), house.mails()) == ({}, [])
    house.later(days=3)
    paid = msgspec.structs.replace(pending, state="paid", at=bank.clock)
    house.hears(bank.tell("succeeded", paid))
    assert income() == {"Income:Once": -500}
    assert house.subjects() == ["Thank you"]


def test_a_failure_that_is_told_late_undoes_no_later_payment(house: House, bank: Bank) -> None:
    fact = house.gift()
    failed = bank.tell("failed", house.payment(fact, "failed", ref="pi_1", cause="card_declined"))
    house.later(minutes=2)
    house.hears(bank.tell("paid", house.payment(fact, ref="pi_1")))
    house.hears(failed, at=bank.clock)
    assert Payment.objects.get().state == "paid"
    assert Payment.objects.get().cause == ""


def test_what_was_updated_before_it_was_created_stands_as_it_was_updated(
    house: House, bank: Bank
) -> None:
    created = bank.tell("created", house.gift(ref="sub_1", state="open", address=""))
    house.later(minutes=1)
    updated = bank.tell("updated", house.gift(ref="sub_1", amount=900, address=""))
    for event in (updated, created):
        house.hears(event, at=bank.clock)
    gift = Gift.objects.get()
    assert (gift.state, gift.amount) == ("active", 900)


def test_a_call_that_somebody_else_signed_changes_nothing_and_is_counted(
    house: House, bank: Bank
) -> None:
    body, headers = bank.webhook(bank.tell("completed", house.gift()))
    house.hears_call(body.replace(b"500", b"900"), headers)
    house.hears_call(body, {})
    house.hears_call(body, {**headers, "sandbox-signature": "t=1,v1=" + "0" * 64})
    assert not Gift.objects.exists()
    assert (house.standing.forged, house.standing.last_event) == (3, None)


def test_a_call_that_lay_about_and_comes_again_is_not_believed(house: House, bank: Bank) -> None:
    event = bank.tell("completed", house.gift())
    house.later(hours=3)
    house.hears(event, at=event.at)
    assert not Gift.objects.exists()


def test_what_is_signed_and_cannot_be_read_is_told_to_the_desk(house: House, bank: Bank) -> None:
    from tests.fakes.payments import HEADER, SECRET, sign

    body = b'{"id": "evt_9", "type": "completed"'
    house.hears_call(body, {HEADER: sign(body, SECRET, bank.clock)})
    assert "cannot be read" in house.standing.trouble


def test_a_provider_that_the_newsroom_does_not_have_is_passed_over(
    house: House, bank: Bank
) -> None:
    body, headers = bank.webhook(bank.tell("completed", house.gift()))
    house.hears_call(body, headers, provider="elsewhere")
    assert not Gift.objects.exists()


def test_objects_that_nobody_knows_are_kept_and_harm_nothing(house: House, bank: Bank) -> None:
    at = bank.clock
    house.hears(
        bank.tell(
            "all sorts",
            RefundFact(ref="re_1", at=at, payment="pi_x", state="done", amount=5, currency="USD"),
            DisputeFact(ref="dp_1", at=at, payment="pi_x", state="lost", amount=5, currency="USD"),
            MovementFact(
                ref="txn_1", at=at, kind="adjustment", gross=7, fee=0, net=7, currency="EUR"
            ),
            PayoutFact(ref="po_1", at=at, state="paid", amount=7, currency="EUR"),
        )
    )
    there = [model.objects.count() for model in (Refund, Dispute, Movement, Payout)]
    assert there == [1, 1, 1, 1]
    assert not Reader.objects.exists()


def test_an_event_that_says_nothing_to_us_is_heard_and_forgotten(house: House, bank: Bank) -> None:
    house.hears(bank.tell("customer updated"))
    assert not SeenEvent.objects.exists()
    assert house.standing.last_event is not None


def test_calls_wait_sealed_while_a_secret_is_missing(
    house: House, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Bank:
        raise ConfigError("the secret is missing")

    house.drops(bank.webhook(bank.tell("completed", house.gift())))
    monkeypatch.setattr(providers, "of", missing)
    assert house.collects().failed == 1
    assert Aside.objects.count() == 1
    assert not Gift.objects.exists()


def test_calls_come_through_the_drop_each_once(house: House, bank: Bank) -> None:
    fact = house.gift()
    calls = [
        bank.webhook(bank.tell("completed", fact)),
        bank.webhook(bank.tell("paid", house.payment(fact))),
    ]
    house.drops(*calls, *calls)
    report = house.collects()
    assert (report.handled, report.failed) == (4, 0)
    assert (Gift.objects.count(), len(house.paid()), len(house.mails())) == (1, 1, 1)


def test_what_stands_upon_a_checkout_and_is_no_name_of_ours_is_passed_over(
    house: House, bank: Bank
) -> None:
    """Who has the till's key writes what they like there: formulas for a spreadsheet, a way to
    another file."""
    wrong = {"message": "=cmd|'/c x'!A1", "variant": '"><img src=x>', "language": "../../en"}
    for number, (name, value) in enumerate(wrong.items()):
        fine = {"message": "autumn", "variant": "a", "language": "ru"}
        house.gives("once", 500 + number, **{**fine, name: value})
        gift = Gift.objects.get(amount=500 + number)
        kept = {one: getattr(gift, one) for one in fine}
        assert kept == {**fine, name: ""}
    assert "cmd" not in as_csv(reports.report(house.today, house.today, today=house.today))
    assert len(house.mails()) == len(wrong)
