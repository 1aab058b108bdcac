# SPDX-License-Identifier: AGPL-3.0-or-later
"""What givers are told, and what they change by the link in a receipt."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from importlib import resources
from string import Formatter
from typing import Any

import msgspec
import pytest

from tamizdat.desk.contributions.givers import mails, selfservice
from tamizdat.desk.contributions.models import Gift, Payment, Wish
from tamizdat.desk.outgoing.links import Links, Purpose, day_stamp
from tamizdat.desk.readers import answers, requests, retention
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.giving.errors import NotFoundError, RefusedError, UnreachableError
from tests.desk.contributions.events.conftest import ADA, House
from tests.fakes.payments import Bank

BEN = "ben@post.example"


# Receipts


def test_each_payment_has_a_receipt_with_a_number_and_the_first_one_thanks(
    house: House, bank: Bank
) -> None:
    gift = house.gives("monthly", 500)
    house.later(seconds=30)
    fact = bank.there["GiftFact", gift.ref]
    house.hears(bank.tell("renewed", house.payment(fact)))  # type: ignore[arg-type] # it is one
    year = house.today.year
    assert house.subjects() == ["Thank you", f"Receipt {year}-2"]
    assert "$5 a month" in house.last_words()
    assert sorted(p.receipt for p in house.paid()) == [1, 2]


def test_receipts_of_several_givers_have_no_gaps(house: House, bank: Bank) -> None:
    house.gives("once", 500)
    house.gives("once", 700, address="")
    house.gives("once", 900, address=BEN)
    numbers = dict(Payment.objects.values_list("amount", "receipt"))
    assert numbers == {500: 1, 700: 0, 900: 2}


def test_a_subject_names_neither_the_paper_nor_money(house: House) -> None:
    house.gives()
    house.asks("list")
    assert not any(re.search(r"Meridian|\$|gift|donat", one) for one in house.subjects())


def test_who_leaves_no_address_is_written_to_by_nobody(house: House) -> None:
    gift = house.gives("once", address="")
    assert gift.reader is None
    assert not Reader.objects.exists()


def test_the_mail_is_in_the_language_of_the_page(house: House) -> None:
    house.gives("monthly", 500, language="ru")
    assert house.subjects() == ["Спасибо"]
    assert "в месяц" in house.last_words()


def test_an_address_that_is_none_loses_no_payment(house: House) -> None:
    gift = house.gives("once", address="not an address")
    assert gift.reader is None
    assert len(house.paid()) == 1


def test_a_gift_for_a_reader_who_cannot_says_so(house: House) -> None:
    house.gives("once", behalf=True)
    assert "for a reader who cannot" in house.last_words()


def test_all_languages_have_the_same_words() -> None:
    folder = resources.files(mails.APP) / "words"
    read: dict[str, dict[str, Any]] = {
        code: json.loads((folder / f"{code}.json").read_text("utf-8"))
        for code in ("en", "ru", "ar")
    }

    def shape(words: dict[str, Any]) -> dict[str, Any]:
        return {
            name: sorted({f for _, f, _, _ in Formatter().parse(str(value)) if f})
            for name, value in words.items()
        }

    assert shape(read["en"]) == shape(read["ru"]) == shape(read["ar"])
    for name, value in read["en"].items():
        assert all(len(words[name]) == len(value) for words in read.values() if name != "dir"
                   and isinstance(value, list)), name  # fmt: skip


# By link


def test_the_link_in_a_receipt_leads_to_ones_own_page(house: House) -> None:
    house.gives()
    house.take("gift", {"token": house.mailed_token(), "ask": "list"})
    words = house.last_words()
    assert "No. 1: $5 a month" in words
    assert "receipt" in words


@pytest.mark.parametrize(
    ("ask", "fields", "called", "subject"),
    [
        ("amount", {"amount": "12.50"}, "change", "It is changed"),
        ("pause", {"until": "+40"}, "pause", "It is paused"),
        ("cancel", {}, "cancel", "It is ended"),
        ("card", {}, "card", "The page for your new card"),
    ],
)
def test_what_is_asked_is_done_at_the_provider_and_answered(
    house: House, bank: Bank, ask: str, fields: dict[str, str], called: str, subject: str
) -> None:
    gift = house.gives()
    if "until" in fields:
        fields = {"until": (house.today + timedelta(days=40)).isoformat()}
    house.asks(ask, **fields)
    assert bank.asked == []  # Not while the submission is being taken.
    house.works()
    assert [(what, ref) for what, ref, _ in bank.asked] == [(called, gift.ref)]
    assert house.subjects()[-1] == subject
    assert not Wish.objects.exists()


def test_a_changed_amount_is_told_and_known(house: House) -> None:
    gift = house.gives()
    house.asks("amount", amount="7,50")
    house.works()
    gift.refresh_from_db()
    assert gift.amount == 750
    assert "$7.50 a month" in house.last_words()


@pytest.mark.parametrize("amount", ["1", "501", "much", "-5", "5.555"])
def test_an_amount_that_cannot_be_given_changes_nothing_and_says_what_can(
    house: House, bank: Bank, amount: str
) -> None:
    house.gives()
    house.asks("amount", amount=amount)
    house.works()
    assert bank.asked == []
    assert "from $2 to $500" in house.last_words()


def test_to_cancel_is_one_form_and_ends_at_once(house: House) -> None:
    gift = house.gives()
    house.asks("cancel")
    house.works()
    gift.refresh_from_db()
    assert (gift.state, gift.ended) == ("ended", house.today)
    assert "nothing is taken any more" in house.last_words()


def test_to_cancel_twice_cancels_once(house: House, bank: Bank) -> None:
    house.gives()
    house.asks("cancel")
    house.asks("cancel")
    house.works()
    assert [what for what, _, _ in bank.asked] == ["cancel"]
    assert house.subjects().count("It is ended") == 1


def test_who_gives_twice_says_which_and_is_told_the_numbers(house: House, bank: Bank) -> None:
    house.gives("monthly", 500)
    second = house.gives("annual", 5000)
    house.asks("cancel")
    house.works()
    assert bank.asked == []
    assert "No. 2: $50 a year" in house.last_words()
    house.asks("cancel", gift=2)
    house.works()
    assert [(what, ref) for what, ref, _ in bank.asked] == [("cancel", second.ref)]


def test_a_number_goes_on_meaning_the_same_agreement(house: House) -> None:
    first = house.gives("monthly", 500)
    second = house.gives("annual", 5000)
    house.asks("cancel", gift=1)
    house.works()
    second.refresh_from_db()
    assert (first.number, second.number) == (1, 2)
    house.asks("list")
    assert "No. 2: $50 a year" in house.last_words()


def test_nobody_changes_what_another_gives(house: House, bank: Bank) -> None:
    house.gives("monthly", 500)
    house.gives("monthly", 700, address=BEN)
    house.asks("cancel", BEN, gift=2)
    house.works()
    assert bank.asked == []


def test_a_link_for_something_else_or_too_old_does_nothing(house: House, bank: Bank) -> None:
    house.gives()
    reader = house.reader()
    assert reader is not None
    wrong = Links(house.newsroom).make(Purpose.PREFERENCES, reader.pk, day_stamp(house.today))
    house.take("gift", {"token": wrong, "ask": "cancel"})
    house.asks("cancel", days_ago=61)
    house.works()
    assert bank.asked == []
    assert len(house.mails()) == 1


def test_a_provider_that_does_not_answer_is_asked_again_under_the_same_key(
    house: House, bank: Bank
) -> None:
    house.gives()
    house.asks("cancel")
    bank.trouble = UnreachableError("no answer")
    house.works()
    assert Wish.objects.get().attempts == 1
    assert house.subjects() == ["Thank you"]
    bank.trouble = None
    house.later(minutes=6)
    house.works()
    assert house.subjects()[-1] == "It is ended"


def test_who_dies_after_the_provider_did_it_does_it_once(
    house: House, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tamizdat.desk.contributions.givers import wishes

    house.gives()
    house.asks("cancel")

    def dies(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(wishes, "_keep", dies)
        with pytest.raises(KeyboardInterrupt):
            wishes.carry_out(house.now + timedelta(minutes=1))
    house.later(minutes=10)
    house.works()
    assert len({key for _, _, key in bank.asked}) == 1
    assert len([one for one in bank.happened if one.type == "cancel"]) == 1
    assert house.subjects().count("It is ended") == 1


def test_who_cancels_waits_for_no_clock_that_was_ahead(house: House, bank: Bank) -> None:
    gift = house.gives()
    house.later(days=300)
    bank.trouble = UnreachableError("no answer")
    house.asks("cancel")
    house.works()
    bank.trouble = None
    house.later(days=-299)
    house.works()
    gift.refresh_from_db()
    assert gift.state == "ended"


def test_what_the_provider_refuses_is_told_to_both(house: House, bank: Bank) -> None:
    from tamizdat.desk.contributions import alarm

    house.gives()
    house.asks("amount", amount="9")
    bank.trouble = RefusedError("this plan cannot be changed")
    house.works()
    assert house.subjects()[-1] == "It could not be done"
    assert any("refused" in said for said in alarm.alarms(house.now))


def test_to_cancel_what_the_provider_does_not_know_is_done(house: House, bank: Bank) -> None:
    gift = house.gives()
    house.asks("cancel")
    bank.trouble = NotFoundError("no such subscription")
    house.works()
    gift.refresh_from_db()
    assert gift.state == "ended"
    assert house.subjects()[-1] == "It is ended"


def test_a_statement_names_all_that_was_paid_in_a_year(house: House) -> None:
    house.gives("once", 500)
    house.gives("once", 1234)
    house.asks("statement", year=house.today.year)
    [file] = house.mails()[-1].files
    text = file.data.decode()
    assert "$5" in text
    assert "In all: $17.34" in text
    house.asks("statement", year=2001)
    assert "There is nothing" in house.mails()[-1].files[0].data.decode()


# Renewals that fail


def test_three_friendly_mails_at_most_and_then_it_lapses(house: House, bank: Bank) -> None:
    gift = house.gives()
    for _ in range(30):
        house.fails(gift)
        house.works()
        house.later(days=1)
    subjects = house.subjects()
    assert subjects == ["Thank you"] + ["A payment did not go through"] * 3
    gift.refresh_from_db()
    assert gift.state == "ended" or bank.asked[-1][0] == "cancel"
    assert [what for what, _, _ in bank.asked] == ["cancel"]


def test_a_payment_that_comes_after_all_begins_anew(house: House, bank: Bank) -> None:
    gift = house.gives()
    house.fails(gift)
    house.works()
    house.later(days=1)
    fact = msgspec.structs.replace(bank.there["GiftFact", gift.ref], state="active", at=bank.clock)
    house.hears(bank.tell("paid", house.payment(fact), fact))  # type: ignore[arg-type] # it is one
    house.later(days=20)
    house.works()
    gift.refresh_from_db()
    assert (gift.state, gift.failed, gift.warned) == ("active", 0, None)
    assert house.subjects().count("A payment did not go through") == 1


# Erasing


def test_who_is_erased_is_ended_first_and_does_not_come_back(house: House, bank: Bank) -> None:
    gift = house.gives()
    house.asks("erase")
    house.works()
    assert [what for what, _, _ in bank.asked] == ["cancel"]
    gift.refresh_from_db()
    assert (gift.reader, gift.state, gift.forgotten) == (None, "ended", True)
    assert not Reader.objects.exists()
    assert house.subjects() == ["Your data is erased"]
    # The provider repeats what it told, address and all.
    fact = msgspec.structs.replace(bank.there["GiftFact", gift.ref], address=ADA, at=bank.clock)
    house.hears(bank.tell("again", fact))
    assert house.reconciles().problem == ""
    assert not Reader.objects.exists()


@pytest.mark.parametrize("language", ["en", "ru", "ar"])
def test_who_is_erased_is_told_by_which_numbers_the_provider_knows_them(
    house: House, language: str
) -> None:
    gifts = [house.gives("monthly", 500), house.gives("once", 700)]
    vault, reader = Vault(house.newsroom), Reader.objects.get()
    selfservice.erase(reader=reader, language=language, now=house.now)
    [file] = house.mails()[-1].files
    told = file.data.decode()
    assert told.count(f"({gifts[0].provider})") == 1
    for gift in gifts:
        assert gift.ref in told
        gift.refresh_from_db()
        assert gift.reader is None
    again = requests.erase(vault=vault, address=ADA, acting_user=None)
    assert gifts[0].ref not in answers.receipt_as_text(again)


def test_the_books_are_kept_and_lead_to_nobody(house: House) -> None:
    house.gives()
    receipt = requests.erase(vault=Vault(house.newsroom), address=ADA, acting_user=None)
    assert [kept.what for kept in receipt.kept] == ["Payments in the books"]
    assert len(house.paid()) == 1


def test_an_export_says_what_somebody_gave(house: House) -> None:
    house.gives("monthly", 500)
    found = requests.export(vault=Vault(house.newsroom), address=ADA, acting_user=None)
    part = next(part for part in found.parts if part.title == "What you gave")
    assert part.records[0]["amount"] == "5.00 USD"
    assert len(part.records) == 2


def test_who_gave_is_forgotten_two_years_after_the_last_payment(house: House) -> None:
    house.gives("once", 500)
    going_on = house.gives("monthly", 500, address=BEN)
    rule = retention.RULES["gifts"]
    assert rule.due(house.today + timedelta(days=729)) == 0
    assert rule.erase(house.today + timedelta(days=731)) == 1
    assert [r.pk for r in Reader.objects.all()] == [going_on.reader_id]
    assert Gift.objects.get(kind="once").forgotten
