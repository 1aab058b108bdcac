# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of payments and the page of a gift, as a publisher reads them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from wagtail.models import ModelLogEntry

from tamizdat.desk.contributions.models import Gift, Payment, Wish
from tamizdat.desk.staff.models import User
from tamizdat.giving.port import DisputeFact, PaymentFact
from tests.desk.contributions.events.conftest import ADA, House
from tests.desk.contributions.pages.gifts.conftest import SignIn, path, plain, words
from tests.fakes.payments import NAME, Bank


def listed(client: Client, **wanted: str) -> str:
    answer = client.get(path("gifts"), wanted)
    assert answer.status_code == 200
    return plain(answer.content.decode())


def test_nobody_gave_yet(petra: Client) -> None:
    assert "Nobody has given yet" in listed(petra)


def test_a_payment_is_told_in_plain_words_and_nobody_is_named(
    house: House, bank: Bank, petra: Client
) -> None:
    house.gives("monthly", 500, message="autumn", variant="plain", behalf=True)
    page = listed(petra)
    for said in ("5.00 USD", "Monthly", "for another reader", "Paid", "autumn", "plain", NAME):
        assert said in page
    assert f"{house.today.year}-1" in page
    assert ADA not in petra.get(path("gifts")).content.decode()


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [(500, "JPY", "500 JPY"), (500, "KWD", "0.500 KWD"), (1050, "EUR", "10.50 EUR")],
)
def test_each_currency_has_its_own_digits(
    house: House, petra: Client, amount: int, currency: str, said: str
) -> None:
    house.gives("once", amount, currency=currency)
    page = listed(petra, q=said)
    assert f"{said} " in page
    assert f"{said} " in listed(petra, q=said.split()[0])
    assert f"{said} " in words(petra, path("gift", Gift.objects.get().pk))


def test_what_is_under_way_is_never_called_failed_and_what_failed_says_why(
    house: House, bank: Bank, petra: Client
) -> None:
    gift = house.gift()
    for state, cause in (
        ("pending", ""),
        ("failed", "insufficient_funds"),
        ("failed", "a_code_of_tomorrow"),
    ):
        house.hears(bank.tell("payment", house.payment(gift, state, cause=cause)))  # type: ignore[arg-type] # one of three
    pending = listed(petra, state="pending")
    assert "the bank has not answered yet" in pending
    assert "Did not go through:" not in pending
    failed = listed(petra, state="failed")
    assert "there was not enough money on the card" in failed
    assert "the provider says “a code of tomorrow”" in failed


def test_filters_leave_what_is_like_that(house: House, petra: Client) -> None:
    house.gives("once", 1100)
    house.later(days=3)
    house.gives("annual", 2200, currency="EUR")
    today, before = house.today.isoformat(), (house.today - timedelta(days=1)).isoformat()
    for wanted, there, gone in (
        ({"kind": "annual"}, "22.00", "11.00"),
        ({"kind": "once"}, "11.00", "22.00"),
        ({"currency": "EUR"}, "22.00", "11.00"),
        ({"since": today}, "22.00", "11.00"),
        ({"until": before}, "11.00", "22.00"),
        ({"state": "paid", "provider": NAME, "kind": "once"}, "11.00", "22.00"),
    ):
        page = listed(petra, **wanted)
        assert f"{there} " in page, wanted
        assert f"{gone} " not in page, wanted
    assert "No payment is like that" in listed(petra, state="failed")


def test_a_payment_is_found_by_all_that_names_it(house: House, bank: Bank, petra: Client) -> None:
    house.gives("once", 1100)
    gift = house.gives("monthly", 500, checkout="cs_9")
    payment = Payment.objects.get(gift=gift)
    dispute = DisputeFact(
        ref="dp_7", at=bank.clock, payment=payment.ref, state="open", amount=500, currency="USD"
    )
    house.hears(bank.tell("dispute", dispute))
    year = house.today.year
    for name in (
        payment.ref, gift.ref, "cs_9", "dp_7", f"{year}-2", f" {year} - 2 ", "5", "5,00", "usd 5",
        "5.00 USD",
    ):  # fmt: skip
        page = listed(petra, q=name)
        assert "5.00 USD" in page, name
        assert "11.00 USD" not in page, name
    for name in ("pi_", "5 EUR", "5.01", f"{year}-3", f"{year}-0", "1999-2", "%", "x" * 255):
        assert "No payment is like that" in listed(petra, q=name), name


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"q": "ada@post.example"}, "An address is not searched for here"),
        ({"since": "yesterday"}, "Enter a valid date"),
        ({"since": "2026-02-02", "until": "2026-02-01"}, "before the first one"),
        ({"kind": "weekly"}, "Select a valid choice"),
        ({"currency": "' OR 1=1 --"}, "Select a valid choice"),
        ({"q": "a\x00b"}, "Null characters are not allowed"),
        ({"q": "x" * 300}, "at most 255 characters"),
    ],
)
def test_a_filter_that_cannot_be_is_told_beside_its_field(
    house: House, petra: Client, wanted: dict[str, str], said: str
) -> None:
    house.gives()
    page = listed(petra, **wanted)
    assert said in page
    assert "5.00 USD" not in page


def test_pages_of_fifty_go_back_and_forth_and_lose_nobody(
    house: House, bank: Bank, petra: Client
) -> None:
    gift = house.gives("monthly", 100)
    rows = [
        Payment(
            provider=NAME, ref=f"pi_more_{n}", gift=gift, amount=200 + n, currency="USD",
            state="paid", at=1, day=house.today - timedelta(days=n // 7),
        )
        for n in range(110)
    ]  # fmt: skip
    Payment.objects.bulk_create(rows)
    seen: list[int] = []
    where, back = path("gifts") + "?state=paid", ""
    for _ in range(3):
        context = petra.get(where).context
        seen += [line.payment.pk for line in context["lines"]]
        assert len(context["lines"]) <= 50
        back, where = context["newer"], context["older"]
        assert "state=paid" in (where or "state=paid")
    assert not where
    assert len(seen) == len(set(seen)) == 111
    context = petra.get(back).context
    assert [line.payment.pk for line in context["lines"]] == seen[50:100]
    context = petra.get(context["newer"]).context
    assert [line.payment.pk for line in context["lines"]] == seen[:50]
    assert not context["newer"]


@pytest.mark.parametrize("place", ["x", "2026-13-01.1", f"2026-01-01.{'9' * 40}", "2026-01-01.'"])
def test_a_place_that_cannot_be_read_is_the_first_page(
    house: House, petra: Client, place: str
) -> None:
    house.gives()
    assert "5.00 USD" in listed(petra, before=place)
    assert "5.00 USD" in listed(petra, after=place)


def test_a_page_asks_the_database_no_more_for_many_than_for_few(
    house: House, petra: Client
) -> None:
    house.gives()
    with CaptureQueriesContext(
        connection,
    ) as few:
        listed(petra)
    for _ in range(5):
        house.gives()
    with CaptureQueriesContext(connection) as many:
        listed(petra)
    assert len(many) <= len(few)
    assert not [one for one in many.captured_queries if "COUNT(*)" in one["sql"]
                and '"contributions_payment"' in one["sql"]]  # fmt: skip


# The page of what somebody gives


def test_a_gift_shows_all_that_became_of_it(
    house: House, bank: Bank, petra: Client, publisher: User
) -> None:
    gift = house.gives("monthly", 500, behalf=True, message="autumn", variant="a")
    house.fails(gift)
    Wish.objects.create(
        gift=gift, ask="amount", amount=700, refused=True, said="no", not_before=house.now
    )
    page = words(petra, path("gift", gift.pk))
    for said in (
        "Monthly, 5.00 USD", "A payment failed and is tried again", "Given for a reader who cannot",
        "The message autumn , variant a", gift.ref, "the bank declined the card", "Give back…",
        "Another amount: 7.00 USD instead of 5.00 USD", "The provider refused it: no",
        "Left an address. Only the role “Readers’ desk” sees it.",
    ):  # fmt: skip
        assert said in page, said
    assert ADA not in page


def test_a_payment_whose_agreement_nobody_knows_has_a_page(
    house: House, bank: Bank, petra: Client
) -> None:
    fact = PaymentFact(ref="pi_alone", at=bank.clock, state="paid", amount=900, currency="USD")
    house.hears(bank.tell("paid", fact))
    payment = Payment.objects.get()
    assert "Not told yet" in listed(petra)
    page = words(petra, path("payment", payment.pk))
    assert "Nobody knows what this payment belongs to" in page
    assert "9.00 USD" in page


def test_a_payment_leads_to_its_gift(house: House, petra: Client) -> None:
    gift = house.gives()
    payment = Payment.objects.get()
    answer = petra.get(path("payment", payment.pk))
    assert answer["Location"] == f"{path('gift', gift.pk)}#payment-{payment.pk}"


def test_what_is_not_there_is_not_found(house: House, petra: Client) -> None:
    for name in ("gift", "payment", "refund_ask", "refund"):
        assert petra.get(path(name, 10**30)).status_code == 404


def test_who_has_not_the_right_sees_nothing(
    house: House, editor: User, operator: User, signed_in: SignIn
) -> None:
    gift = house.gives()
    pages = [path("gifts"), path("gift", gift.pk), path("refunds"), path("disputes")]
    for person in (editor, operator):
        client = signed_in(person)
        for page in pages:
            assert client.get(page).status_code == 302, page
    assert signed_in(operator).get(path("standing")).status_code == 200


# Who gave


def test_the_readers_desk_finds_what_somebody_gave_by_the_whole_address(
    house: House, nora: Client
) -> None:
    house.gives("monthly", 500)
    house.gives("once", 700, address="bela@post.example")
    answer = nora.post(path("gift_find"), {"address": "ADA@post.example"})
    page = plain(answer.content.decode())
    assert "No. 1: Monthly, 5.00 USD" in page
    assert "7.00 USD" not in page
    assert "no-store" in answer["Cache-Control"]
    assert "Give back" not in page
    for part in ("ada", "post.example", "a@post.example"):
        assert "5.00 USD" not in plain(
            nora.post(path("gift_find"), {"address": part}).content.decode()
        )
    looks = ModelLogEntry.objects.filter(action="tamizdat.reader_find").order_by("pk")
    assert [one.data["found"] for one in looks] == [True, False]
    assert "post.example" not in str([(one.data, one.label) for one in looks])


def test_nobody_else_finds_a_giver(
    house: House, petra: Client, admin_client: Client, signed_in: SignIn, operator: User
) -> None:
    gift = house.gives()
    for client in (petra, admin_client, signed_in(operator)):
        for where in (path("gift_find"), path("gift_giver", gift.pk)):
            answer = client.post(where, {"address": ADA})
            assert answer.status_code in (302, 405)
            assert ADA not in answer.content.decode()
    assert not ModelLogEntry.objects.filter(action="tamizdat.reader_find").exists()


def test_an_address_stands_on_a_gifts_page_once_it_was_asked_for(
    house: House, nora: Client
) -> None:
    gift = house.gives()
    assert nora.get(path("gift", gift.pk)).status_code == 302  # no publisher
    nora_too = User.objects.get(username="nora")
    from django.contrib.auth.models import Group

    nora_too.groups.add(Group.objects.get(name="Publisher"))
    assert ADA not in words(nora, path("gift", gift.pk))
    page = plain(nora.post(path("gift_giver", gift.pk)).content.decode())
    assert ADA in page
    assert ModelLogEntry.objects.filter(action="tamizdat.reader_find").count() == 1
    gift.reader, gift.forgotten = None, True
    gift.save()
    page = plain(nora.post(path("gift_giver", gift.pk)).content.decode())
    assert "they asked to be forgotten" in page


def test_nothing_that_an_address_can_say_breaks_a_page(house: House, petra: Client) -> None:
    house.gives()
    strange = ("\x00", "\u202e5.00", "٥", "NaN", "1e99", "9" * 5000, "2026-999999999", "%27--",
               "0001-01-01", "9999-12-31", "9999-12-31.999999999999999999")  # fmt: skip
    for value in strange:
        every = ("q", "kind", "state", "provider", "currency", "since", "until")
        for names in (every, ("q",), ("before",), ("after",)):
            assert petra.get(path("gifts"), dict.fromkeys(names, value)).status_code == 200
        for name in ("refunds", "disputes"):
            assert petra.get(path(name), {"p": value}).status_code == 200
    for number in (2**31, 2**63 - 1, 2**63, 10**40):
        for name in ("gift", "payment", "refund_ask", "refund"):
            assert petra.get(path(name, number)).status_code == 404
