# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the desk is told of its providers: on the home page, and by the doctor."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.test import Client
from django.urls import reverse

from tamizdat.cli.checkup_giving import giving
from tamizdat.desk.contributions import actions, alarm
from tamizdat.desk.contributions.models import Standing, Wish
from tamizdat.desk.staff.models import User
from tamizdat.giving.errors import AccountError, RefusedError, UnreachableError
from tests.desk.contributions.events.conftest import House
from tests.fakes.payments import Bank

SignIn = Callable[[User], Client]


def home(client: Client) -> str:
    return client.get(reverse("wagtailadmin_home")).content.decode()


def lost_for_days(house: House, bank: Bank) -> None:
    """A webhook that brings nothing any more, while people give."""
    house.gives()
    bank.tell("completed", house.gift())
    house.reconciles()
    Standing.objects.update(last_event=house.now - timedelta(days=5))


def test_a_silent_webhook_is_told_to_who_can_see_to_it(
    house: House, bank: Bank, signed_in: SignIn, publisher: User, operator: User, reporter: User
) -> None:
    lost_for_days(house, bank)
    assert [box.word for box in alarm.standing(house.now)] == ["silent"]
    for person in (publisher, operator):
        assert "No call of its webhook" in home(signed_in(person))
    assert "No call of its webhook" not in home(signed_in(reporter))


def test_nothing_is_told_where_all_is_well(
    house: House, signed_in: SignIn, publisher: User
) -> None:
    house.gives()
    house.reconciles()
    assert 'id="h-giving"' not in home(signed_in(publisher))


def test_the_doctor_says_what_is_wrong_and_where_to_read_on(house: House, bank: Bank) -> None:
    house.gives()
    house.reconciles()
    assert [finding.level for finding in giving(house.newsroom)] == ["fine"]
    bank.trouble = UnreachableError("no answer")
    house.reconciles()
    [finding] = giving(house.newsroom)
    assert (finding.level, "no answer" in finding.what) == ("problem", True)
    assert "giving.md" in finding.advice


def test_a_wish_that_was_refused_is_seen_to_by_hand(
    house: House, bank: Bank, publisher: User
) -> None:
    house.gives()
    house.asks("amount", amount="9")
    bank.trouble = RefusedError("no")
    house.works()
    assert len(alarm.alarms(house.now)) == 1
    actions.see_to_wish(wish=Wish.objects.get(), acting_user=publisher)
    assert alarm.alarms(house.now) == []


def test_a_key_that_has_no_right_costs_no_wish(house: House, bank: Bank) -> None:
    house.gives()
    house.asks("cancel")
    bank.trouble = AccountError("this key may not do that")
    house.works()
    bank.trouble = None
    house.later(hours=2)
    house.works()
    assert house.subjects()[-1] == "It is ended"
