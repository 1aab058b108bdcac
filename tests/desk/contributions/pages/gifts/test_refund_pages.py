# SPDX-License-Identifier: AGPL-3.0-or-later
"""Refunds in the desk: asked for by one, approved or declined by another, once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.test import Client

from tamizdat.config import Newsroom
from tamizdat.desk.contributions import actions
from tamizdat.desk.contributions.models import Payment, Refund
from tamizdat.desk.staff.models import User
from tamizdat.giving.errors import RefusedError, UnreachableError
from tamizdat.giving.port import DisputeFact
from tests.desk.contributions.events.conftest import TOML, House
from tests.desk.contributions.pages.gifts.conftest import asks, path, plain, press, words
from tests.fakes.payments import Bank


@pytest.fixture
def payment(house: House) -> Payment:
    house.gives("once", 1000)
    return house.paid()[0]


def test_one_asks_another_approves_and_the_page_says_what_the_provider_said(
    house: House, bank: Bank, payment: Payment, petra: Client, paul: Client
) -> None:
    said = asks(petra, payment, "10", "They gave twice")
    assert "Asked for 10.00 USD to be given back. Another person has to approve it" in said
    assert "You asked for it, so another person has to approve it" in said
    refund = Refund.objects.get()
    home = words(paul, "/desk/")
    assert "Approve a refund: 10.00 USD asked for by Petra" in home
    page = words(paul, path("refund", refund.pk))
    assert "They gave twice" in page
    assert "Approve: give 10.00 USD back" in page
    said = press(paul, path("refund_approve", refund.pk))
    assert "the provider is asked within a minute" in said
    actions.carry_out_refunds(now=house.now)
    page = words(petra, path("refund", refund.pk))
    assert "Given back on" in page
    assert "Asked for a payment to be given back: 10.00 USD Petra" in page
    assert "Approved a refund: 10.00 USD Paul" in page
    assert "Given back" in words(petra, path("gifts"))
    assert "Approve a refund" not in words(paul, "/desk/")


def test_who_asked_is_not_offered_to_approve_and_cannot(payment: Payment, petra: Client) -> None:
    asks(petra, payment, "10")
    refund = Refund.objects.get()
    page = words(petra, path("refund", refund.pk))
    assert "Approve: give" not in page
    assert "Nobody else here may approve it" in page
    assert "another person has to approve it" in press(petra, path("refund_approve", refund.pk))
    assert Refund.objects.get().state == "asked"


def test_who_asked_takes_it_back_without_a_reason(payment: Payment, petra: Client) -> None:
    asks(petra, payment, "10")
    said = press(petra, path("refund_decline", Refund.objects.get().pk))
    assert "Taken back" in said
    assert Refund.objects.get().state == "declined"
    assert "Give back…" in words(petra, path("gift", payment.gift_id))


def test_a_decline_needs_a_reason_which_who_asked_reads(
    payment: Payment, petra: Client, paul: Client
) -> None:
    asks(petra, payment, "10")
    refund = Refund.objects.get()
    assert "Say why not" in press(paul, path("refund_decline", refund.pk), why="  ")
    assert Refund.objects.get().state == "asked"
    press(paul, path("refund_decline", refund.pk), why="They gave again since")
    assert "Not given back: They gave again since" in words(petra, path("refunds"))


def test_pressing_twice_does_it_once(payment: Payment, petra: Client, paul: Client) -> None:
    token = str(uuid.uuid4())
    for _ in range(2):
        press(petra, path("refund_ask", payment.pk), amount="4", why="A mistake", token=token)
    assert Refund.objects.count() == 1
    refund, token = Refund.objects.get(), str(uuid.uuid4())
    for _ in range(2):
        said = press(paul, path("refund_approve", refund.pk), token=token)
        assert "meanwhile" not in said
    assert Refund.objects.get().state == "approved"


def test_of_two_who_decide_the_second_is_told(
    payment: Payment, petra: Client, paul: Client, admin_client: Client
) -> None:
    asks(petra, payment, "10")
    refund = Refund.objects.get()
    press(paul, path("refund_approve", refund.pk))
    assert "Somebody has decided on this refund meanwhile" in press(
        admin_client, path("refund_approve", refund.pk)
    )
    assert "meanwhile" in press(admin_client, path("refund_decline", refund.pk), why="No")
    assert "meanwhile" in press(petra, path("refund_decline", refund.pk))
    assert Refund.objects.get().state == "approved"
    assert Refund.objects.get().approved_by == User.objects.get(username="paul")


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("", "This field is required"),
        ("all", "Write the amount in digits"),
        ("-5", "Write the amount in digits"),
        ("1e2", "Write the amount in digits"),
        ("٥", "Write the amount in digits"),
        ("5.001", "no more than 2 digits"),
        ("0", "nothing"),
        ("10.01", "At most 10.00 USD of it are left"),
        ("9" * 19, "Write the amount in digits"),
        ("9" * 21, "at most 20 characters"),
        ("1,000.00", "Write the amount in digits"),
    ],
)
def test_an_amount_that_cannot_be_is_told_and_what_was_typed_stays(
    payment: Payment, petra: Client, amount: str, said: str
) -> None:
    fields = {"amount": amount, "why": "They <b>asked</b>", "token": str(uuid.uuid4())}
    answer = petra.post(path("refund_ask", payment.pk), fields)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert said in plain(page)
    assert "They &lt;b&gt;asked&lt;/b&gt;" in page
    assert not Refund.objects.exists()


def test_it_needs_a_reason_and_a_whole_form(payment: Payment, petra: Client) -> None:
    for fields in ({"amount": "5", "why": " "}, {"amount": "5", "why": "x" * 301}):
        answer = petra.post(path("refund_ask", payment.pk), {**fields, "token": uuid.uuid4()})
        assert answer.status_code == 422
    for token in ("", "x"):
        sent = {"amount": "5", "why": "A mistake", "token": token}
        assert petra.post(path("refund_ask", payment.pk), sent).status_code == 422
    assert not Refund.objects.exists()


@pytest.mark.parametrize(
    ("given", "currency", "typed", "back", "wrong"),
    [(500, "JPY", "120", 120, "1.5"), (1500, "KWD", "0,125", 125, "0.1255")],
)
def test_a_part_is_exact_in_every_currency(
    house: House,
    bank: Bank,
    petra: Client,
    paul: Client,
    given: int,
    currency: str,
    typed: str,
    back: int,
    wrong: str,
) -> None:
    house.gives("once", given, currency=currency)
    payment = house.paid()[0]
    answer = petra.post(
        path("refund_ask", payment.pk), {"amount": wrong, "why": "x", "token": uuid.uuid4()}
    )
    assert answer.status_code == 422
    asks(petra, payment, typed)
    refund = Refund.objects.get()
    assert (refund.amount, refund.currency) == (back, currency)
    press(paul, path("refund_approve", refund.pk))
    actions.carry_out_refunds(now=house.now)
    assert "of it given back" in words(petra, path("gifts"))
    left = words(petra, path("refund_ask", payment.pk))
    assert f"{currency} of it are left" in left


def test_what_cannot_be_given_back_says_why_before_anybody_types(
    house: House, bank: Bank, payment: Payment, petra: Client
) -> None:
    asks(petra, payment, "10")
    assert "All of it was given back, or is on its way" in words(
        petra, path("refund_ask", payment.pk)
    )
    gift = house.gift()
    house.hears(bank.tell("slow", house.payment(gift, "pending")))
    pending = Payment.objects.get(state="pending")
    assert "Only what was paid" in words(petra, path("refund_ask", pending.pk))
    house.gives("once", 800)
    other = Payment.objects.get(amount=800)
    dispute = DisputeFact(
        ref="dp", at=bank.clock, payment=other.ref, state="open", amount=800, currency="USD"
    )
    house.hears(bank.tell("dispute", dispute))
    assert "answer the dispute instead" in words(petra, path("refund_ask", other.pk))


def test_what_waits_stands_first_the_oldest_on_top(
    house: House, payment: Payment, petra: Client, paul: Client
) -> None:
    asks(petra, payment, "1", "First")
    asks(petra, payment, "2", "Second")
    asks(petra, payment, "3", "Third")
    second = Refund.objects.get(why="Second")
    press(paul, path("refund_decline", second.pk), why="Not this one")
    page = words(paul, path("refunds"))
    assert page.index("First") < page.index("Third") < page.index("Second")
    assert "Refunds 2 waiting" in page


def test_trouble_at_the_provider_is_told_on_the_page(
    house: House, bank: Bank, payment: Payment, petra: Client, paul: Client
) -> None:
    asks(petra, payment, "10")
    refund = Refund.objects.get()
    press(paul, path("refund_approve", refund.pk))
    bank.trouble = UnreachableError("no answer")
    actions.carry_out_refunds(now=house.now)
    assert "is asked again: no answer" in words(petra, path("refund", refund.pk))
    bank.trouble = RefusedError("it is older than a year")
    house.later(minutes=2)
    actions.carry_out_refunds(now=house.now)
    page = words(petra, path("refund", refund.pk))
    assert "the provider says “it is older than a year”" in page
    assert "Ask again" in page
    assert "1 refund failed lately" in words(petra, "/desk/")
    asks(petra, payment, "10")
    assert "failed lately" not in words(petra, "/desk/")


def test_with_four_eyes_off_who_asked_approves(
    house: House, payment: Payment, petra: Client, settings: Any
) -> None:
    file = house.newsroom.settings_file
    file.write_text(TOML.format(drop=house.newsroom.folder.parent / "drop")
                    + "\n[desk]\nfour_eyes = false\n")  # fmt: skip
    settings.NEWSROOM = Newsroom(house.newsroom.folder)
    said = asks(petra, payment, "10")
    assert "It is given back once it is approved" in said
    page = words(petra, path("refund", Refund.objects.get().pk))
    assert "Approve: give 10.00 USD back" in page
    assert "Take it back" in page
    press(petra, path("refund_approve", Refund.objects.get().pk))
    assert Refund.objects.get().state == "approved"


def test_who_may_look_but_not_ask_is_offered_nothing(
    house: House, payment: Payment, petra: Client, editor: User, signed_in: Any
) -> None:
    from django.contrib.auth.models import Permission

    editor.user_permissions.add(Permission.objects.get(codename="view_gift"))
    looks = signed_in(User.objects.get(pk=editor.pk))
    assert "Give back…" not in words(looks, path("gift", payment.gift_id))
    assert looks.get(path("refund_ask", payment.pk)).status_code == 302
    asks(petra, payment, "10")
    refund = Refund.objects.get()
    page = words(looks, path("refund", refund.pk))
    assert "Approve: give" not in page
    assert "Take it back" not in page
    for name in ("refund_approve", "refund_decline"):
        looks.post(path(name, refund.pk), {"token": uuid.uuid4(), "why": "x"})
    assert Refund.objects.get().state == "asked"


def test_of_a_currency_that_nobody_here_knows_nothing_is_offered_or_taken(
    payment: Payment, petra: Client
) -> None:
    Payment.objects.filter(pk=payment.pk).update(currency="XXX")
    where = path("refund_ask", payment.pk)
    assert "1000 of the smallest unit of XXX" in words(petra, where)
    answer = petra.post(where, {"amount": "1", "why": "x", "token": uuid.uuid4()})
    assert answer.status_code == 422
    assert not Refund.objects.exists()


def test_nothing_is_done_for_a_form_of_another_site(
    payment: Payment, petra: Client, paul: Client
) -> None:
    """Whose browser sends the newsroom's session, but not the form's own token."""
    asks(petra, payment, "10")
    refund = Refund.objects.get()
    sent = {"token": uuid.uuid4(), "why": "x", "amount": "1", "address": "ada@post.example"}
    paul.handler.enforce_csrf_checks = True
    for name, pk in (
        ("refund_ask", payment.pk), ("refund_approve", refund.pk), ("refund_decline", refund.pk),
        ("wish_seen", 1), ("reconcile", "sandbox"), ("gift_giver", payment.gift_id),
    ):  # fmt: skip
        assert paul.post(path(name, pk), sent).status_code == 403, name
    assert paul.post(path("gift_find"), sent).status_code == 403
    assert list(Refund.objects.values_list("state", flat=True)) == ["asked"]
