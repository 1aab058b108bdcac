# SPDX-License-Identifier: AGPL-3.0-or-later
"""Disputes, what givers asked for in vain, and how providers stand: what a person must see to."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from wagtail.models import ModelLogEntry

from tamizdat.desk.contributions import actions, facts, reconcile
from tamizdat.desk.contributions.errors import ContributionsError
from tamizdat.desk.contributions.models import Standing, Wish
from tamizdat.desk.staff.models import User
from tamizdat.giving.errors import RefusedError, UnreachableError
from tamizdat.giving.port import DisputeFact, DisputeState
from tests.desk.contributions.events.conftest import ADA, House
from tests.desk.contributions.pages.gifts.conftest import path, press, words
from tests.fakes.payments import NAME, Bank


@pytest.fixture
def disputed(house: House, bank: Bank) -> Callable[..., None]:
    """A payment becomes disputed, or its dispute ends."""
    house.gives("once", 1000)
    payment = house.paid()[0]

    def tell(ref: str, state: DisputeState = "open", due_days: int | None = 7) -> None:
        fact = DisputeFact(
            ref=ref,
            at=bank.clock,
            payment=payment.ref,
            state=state,
            amount=1000,
            currency="USD",
            reason="fraudulent",
            due_at=0 if due_days is None else bank.clock + due_days * 86_400,
        )
        house.hears(bank.tell("dispute", fact))

    return tell


def test_no_dispute_is_open(house: House, petra: Client) -> None:
    assert "No dispute is open" in words(petra, path("disputes"))


def test_disputes_say_by_when_and_where_they_are_answered(
    house: House, disputed: Callable[..., None], petra: Client
) -> None:
    disputed("dp_late", due_days=-1)
    disputed("dp_soon", due_days=3)
    disputed("dp_never", due_days=None)
    page = words(petra, path("disputes"))
    assert page.index("dp_late") < page.index("dp_soon") < page.index("dp_never")
    assert "The card's owner says that it was not them" in page
    assert "answer by" in page
    assert "the bank decides" in page
    assert "the provider names no day" in page
    assert "answered on the provider’s own page" in page
    assert "Answer a dispute: 10.00 USD" in words(petra, "/desk/")


def test_a_dispute_that_is_over_says_how_it_ended(
    house: House, bank: Bank, disputed: Callable[..., None], petra: Client
) -> None:
    disputed("dp_1")
    assert "Disputed: the giver's bank takes it back" in words(petra, path("gifts"))
    house.later(hours=1)
    disputed("dp_1", "won")
    page = words(petra, path("disputes"))
    assert "Won: the money came back" in page
    assert "No dispute is open" in page
    assert "Paid; a dispute was won" in words(petra, path("gifts"))
    disputed("dp_2", "lost")
    assert "Lost: the bank took it back" in words(petra, path("disputes"))
    assert "Taken back by the giver's bank" in words(petra, path("gifts"))


# What givers asked for by their link


def refused_wish(house: House, bank: Bank) -> Wish:
    house.gives()
    bank.trouble = RefusedError("the amount is too small")
    house.asks("amount", amount="7")
    house.works()
    bank.trouble = None
    return Wish.objects.get()


def test_what_a_provider_refused_is_seen_to_once(
    house: House, bank: Bank, petra: Client, paul: Client
) -> None:
    assert "Nothing was refused" in words(petra, path("wishes"))
    wish = refused_wish(house, bank)
    page = words(petra, path("wishes"))
    assert "Another amount: 7.00 USD instead of 5.00 USD" in page
    assert "The provider says: the amount is too small" in page
    assert "Asked by givers 1 waiting" in page
    assert ADA not in page
    token = str(uuid.uuid4())
    for _ in range(2):
        said = press(petra, path("wish_seen", wish.pk), token=token)
        assert "meanwhile" not in said
    assert "Nothing was refused" in said
    assert "Somebody has seen to it meanwhile" in press(paul, path("wish_seen", wish.pk))
    assert "Saw to what a giver asked for by hand" in words(petra, path("gift", wish.gift_id))


def test_of_two_who_saw_to_it_at_once_one_is_written_down(
    house: House, bank: Bank, publisher: User
) -> None:
    wish = refused_wish(house, bank)
    actions.see_to_wish(wish=wish, acting_user=publisher)
    with pytest.raises(ContributionsError, match="meanwhile"):
        actions.see_to_wish(wish=Wish(pk=wish.pk, gift=wish.gift), acting_user=publisher)
    assert ModelLogEntry.objects.filter(action="tamizdat.wish_seen_to").count() == 1


def test_what_is_tried_again_is_told_and_needs_nobody(
    house: House, bank: Bank, petra: Client
) -> None:
    house.gives()
    bank.trouble = UnreachableError("no answer")
    house.asks("cancel")
    house.works()
    page = words(petra, path("wishes"))
    assert "Tried again by itself To end it" in page
    assert "no answer Next try" in page
    wish = Wish.objects.get()
    assert "meanwhile" in press(petra, path("wish_seen", wish.pk))
    assert Wish.objects.exists()


def test_who_may_not_approve_is_offered_no_button(
    house: House, bank: Bank, petra: Client, publisher: User
) -> None:
    from django.contrib.auth.models import Group, Permission

    wish = refused_wish(house, bank)
    publisher.groups.set([Group.objects.get(name="Editor")])
    publisher.user_permissions.add(Permission.objects.get(codename="view_gift"))
    assert "Done by hand" not in words(petra, path("wishes"))
    assert petra.post(path("wish_seen", wish.pk), {"token": uuid.uuid4()}).status_code == 302
    assert Wish.objects.exists()


# How providers stand


def test_a_provider_that_told_nothing_yet(house: House, petra: Client) -> None:
    page = words(petra, path("standing"))
    assert f"{NAME}: new" in page
    assert "Nothing heard from it yet" in page


def test_standing_tells_calls_gaps_and_forgeries(
    house: House, bank: Bank, petra: Client, operator: User, signed_in: Callable[[User], Client]
) -> None:
    house.gives()
    bank.tell("completed", house.gift())
    house.later(hours=20)
    house.reconciles()
    Standing.objects.update(forged=3, forged_day=house.today)
    page = words(signed_in(operator), path("standing"))
    assert "1 found by the last reconciliation, 1 ever" in page
    assert "3 on" in page
    assert "in the hour from" in page


def test_reconcile_now_is_asked_of_the_worker_and_done_once(
    house: House, bank: Bank, petra: Client
) -> None:
    house.gives()
    [_] = reconcile.due(house.now)
    assert reconcile.due(house.now) == []
    said = press(petra, path("reconcile", NAME))
    assert "The worker looks within a minute" in said
    assert "Now: the worker looks within a minute" in said
    bank.tell("completed", house.gift())
    house.later(hours=3)
    [report] = reconcile.due(house.now)
    assert (report.gaps, report.problem) == (1, "")
    assert reconcile.due(house.now) == []
    assert ModelLogEntry.objects.filter(action="tamizdat.reconcile_ask").count() == 1


def test_a_provider_that_the_newsroom_does_not_have_is_not_asked(
    house: House, petra: Client
) -> None:
    assert "no provider “paypal”" in press(petra, path("reconcile", "paypal"))
    assert not Standing.objects.exists()


def test_trouble_is_led_to_from_the_home_page(house: House, petra: Client) -> None:
    facts.lock(NAME, house.now - timedelta(days=3))
    page = petra.get("/desk/").content.decode()
    assert f'href="{path("standing")}"' in page
    assert "silent" in words(petra, path("standing"))
