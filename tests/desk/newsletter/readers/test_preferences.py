# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reader changes by the link in a mail, without an account: leave, pause, move, be gone."""

from __future__ import annotations

import datetime
import json
from datetime import timedelta
from typing import Any

import pytest

from tamizdat.desk.newsletter.models import Newsletter, Subscription
from tamizdat.desk.outgoing import suppression
from tamizdat.desk.outgoing.models import Mail, Suppression
from tamizdat.desk.readers import requests
from tamizdat.desk.readers.models import Consent, Reader
from tests.desk.newsletter.readers.conftest import ADA, Desk

NEW = "ada@new.example"


# Leaving


@pytest.mark.parametrize("one_click", [True, None])
def test_one_press_and_no_more_comes(desk: Desk, one_click: bool | None) -> None:
    desk.join()
    more: dict[str, Any] = {"one_click": True} if one_click else {}
    desk.take("unsubscribe", token=desk.leaving(), **more)
    subscription = desk.subscription()
    assert subscription is not None
    assert (subscription.state, subscription.left) == ("left", datetime.date.today())
    assert Consent.objects.last().form == ("one-click" if one_click else "unsubscribe")  # type: ignore[union-attr] # there is one
    assert desk.purposes() == ["confirm"]  # Who left is not written to about it.


def test_leaving_twice_is_leaving_once(desk: Desk) -> None:
    desk.join()
    token = desk.leaving()
    for _ in range(3):
        desk.take("unsubscribe", token=token)
    assert desk.said() == ["asked", "confirmed", "withdrawn"]


def test_an_old_link_does_not_end_what_was_begun_anew_by_accident(desk: Desk) -> None:
    """It ends it on purpose: whoever presses it wants no more, whatever the mail's age."""
    desk.join()
    token = desk.leaving()
    desk.take("unsubscribe", token=token)
    desk.join()
    desk.take("unsubscribe", token=token)
    assert desk.state() == "left"


def test_leaving_one_newsletter_leaves_the_other(desk: Desk) -> None:
    desk.join(ADA, "weekly", "harbour")
    desk.take("unsubscribe", token=desk.leaving())
    assert (desk.state(), desk.state(slug="harbour")) == ("left", "active")


# Which ones, and how


def test_those_that_are_ticked_come_and_the_others_do_not(desk: Desk) -> None:
    desk.join()
    token = desk.preferences()
    desk.take("preferences", token=token, newsletters=["harbour", "nowhere"])
    assert (desk.state(), desk.state(slug="harbour")) == ("left", "active")
    assert desk.said(slug="harbour") == ["asked", "confirmed"]
    confirmed = Consent.objects.get(subject="harbour", event="confirmed")
    assert (confirmed.form, confirmed.privacy, len(confirmed.proof)) == ("preferences", 1, 64)
    desk.take("preferences", token=token, newsletters=["harbour"])
    assert desk.said(slug="harbour") == ["asked", "confirmed"]


def test_none_ticked_is_leaving_them_all(desk: Desk) -> None:
    desk.join(ADA, "weekly", "harbour")
    desk.take("preferences", token=desk.preferences(), newsletters=[])
    assert (desk.state(), desk.state(slug="harbour")) == ("left", "left")


def test_one_that_is_no_longer_made_does_not_begin(desk: Desk) -> None:
    desk.join()
    Newsletter.objects.filter(slug="harbour").update(active=False)
    desk.take("preferences", token=desk.preferences(), newsletters=["weekly", "harbour"])
    assert (desk.state(), desk.state(slug="harbour")) == ("active", "")


def test_ticking_one_lifts_what_kept_us_from_writing(desk: Desk) -> None:
    reader = desk.join().reader
    suppression.suppress(reader=reader, reason=Suppression.Reason.SOFT)
    desk.take("preferences", token=desk.preferences(), newsletters=["weekly"])
    assert suppression.in_force(reader) is None


def test_language_and_length_hold_for_all_newsletters(desk: Desk) -> None:
    desk.join(ADA, "weekly", "harbour")
    desk.take("preferences", token=desk.preferences(), mail_language="ru", text="full")
    assert Reader.objects.get().language == "ru"
    assert set(Subscription.objects.values_list("text", flat=True)) == {"full"}
    assert desk.state() == "active"


@pytest.mark.parametrize(
    ("days", "kept"), [(30, 30), (10_000, 366), (0, None), (-5, None)], ids=str
)
def test_a_pause_lasts_until_its_day_and_a_year_at_most(
    desk: Desk, days: int, kept: int | None
) -> None:
    desk.join()
    Subscription.objects.update(paused_until=datetime.date.today() + timedelta(days=3))
    until = (datetime.date.today() + timedelta(days=days)).isoformat()
    desk.take("preferences", token=desk.preferences(), pause_until=until)
    expected = datetime.date.today() + timedelta(days=kept) if kept else None
    assert Subscription.objects.get().paused_until == expected


def test_a_link_to_preferences_ages(desk: Desk) -> None:
    desk.join()
    desk.take("preferences", token=desk.preferences(days_ago=61), newsletters=[])
    assert desk.state() == "active"
    desk.take("preferences", token=desk.preferences(days_ago=60), newsletters=[])
    assert desk.state() == "left"


# Another address


def test_an_address_moves_when_the_new_mailbox_says_so(desk: Desk) -> None:
    desk.join(ADA, "weekly", "harbour")
    Subscription.objects.update(text="full")
    Reader.objects.update(cohort="north")
    leaving = desk.leaving()
    desk.take("preferences", token=desk.preferences(), address=NEW)
    assert desk.purposes(NEW) == ["confirm"]
    assert desk.state(NEW) == ""
    assert desk.state() == "active"
    token = desk.token(NEW)
    desk.take("confirm", token=token)
    assert (desk.state(NEW), desk.state(NEW, "harbour"), desk.state()) == ("active", "active", "")
    assert desk.said(NEW) == ["asked", "confirmed"]
    assert desk.said() == ["asked", "confirmed", "withdrawn"]
    assert set(Subscription.objects.values_list("text", flat=True)) == {"full"}
    new = desk.reader(NEW)
    assert new
    assert new.cohort == "north"
    desk.take("confirm", token=token)
    assert desk.said(NEW) == ["asked", "confirmed"]
    desk.take("unsubscribe", token=leaving)  # A mail that lies in the old mailbox.
    assert desk.state(NEW) == "left"


def test_the_old_mailbox_is_told_without_the_new_address(desk: Desk) -> None:
    desk.join()
    desk.take("preferences", token=desk.preferences(), address=NEW)
    desk.take("confirm", token=desk.token(NEW))
    assert desk.purposes() == ["confirm", "moved"]
    notice = desk.mails()[-1][1].notice
    assert notice is not None
    assert "new.example" not in str(notice)
    assert "post.example" not in str(desk.mails(NEW)[-1][1].notice)


def test_a_second_thought_ends_the_first(desk: Desk) -> None:
    desk.join()
    desk.take("preferences", token=desk.preferences(), address="ada@typo.example")
    mistyped = desk.token("ada@typo.example")
    desk.take("preferences", token=desk.preferences(), address=NEW)
    desk.take("confirm", token=mistyped)
    assert desk.state() == "active"
    desk.take("confirm", token=desk.token(NEW))
    assert desk.state(NEW) == "active"


def test_moving_to_an_address_that_is_subscribed_leaves_one_subscription(desk: Desk) -> None:
    desk.join(ADA, "weekly", "harbour")
    desk.join(NEW)
    desk.take("unsubscribe", token=desk.leaving(NEW))
    desk.take("preferences", token=desk.preferences(), address=NEW)
    desk.take("confirm", token=desk.token(NEW))
    assert (desk.state(NEW), desk.state(NEW, "harbour"), desk.state()) == (
        "active",
        "active",
        "left",
    )


@pytest.mark.parametrize("address", ["ADA@POST.example", "ada@", "ada@.."])
def test_the_same_address_or_none_changes_nothing(desk: Desk, address: str) -> None:
    from tamizdat.desk.newsletter import moving

    reader = desk.join().reader
    from django.utils import timezone

    assert not moving.ask_to_move(reader=reader, address=address, now=timezone.now())
    assert desk.purposes() == ["confirm"]


def test_who_left_meanwhile_does_not_move(desk: Desk) -> None:
    desk.join()
    desk.take("preferences", token=desk.preferences(), address=NEW)
    token = desk.token(NEW)
    desk.take("unsubscribe", token=desk.leaving())
    desk.take("confirm", token=token)
    assert (desk.state(NEW), desk.state()) == ("", "left")


def test_a_mailbox_cannot_be_flooded_by_moving_to_it(desk: Desk) -> None:
    desk.join()
    for _ in range(9):
        desk.take("preferences", token=desk.preferences(), address=NEW)
    assert len(desk.mails(NEW)) == 3


# One's data


def test_all_that_is_held_comes_by_mail_to_be_read_by_people_and_programs(desk: Desk) -> None:
    desk.join()
    desk.take("preferences", token=desk.preferences(), ask="export")
    purpose, letter = desk.mails()[-1]
    assert purpose == "export"
    text, data = letter.files
    assert ADA in text.data.decode()
    found = json.loads(data.data)
    titles = {part["title"] for part in found["parts"]}
    assert {"Your address", "Newsletters", "What you agreed to"} <= titles
    [newsletter] = [p["records"] for p in found["parts"] if p["title"] == "Newsletters"]
    assert newsletter[0]["newsletter"] == "The Weekly"
    desk.take("preferences", token=desk.preferences(), ask="export")
    assert desk.purposes() == ["confirm", "export"]  # Once a day.


def test_who_asks_to_be_erased_is_and_is_told_by_a_last_mail(desk: Desk) -> None:
    desk.join()
    token = desk.preferences()
    desk.take("preferences", token=token, ask="erase")
    assert not Subscription.objects.exists()
    reader = Reader.objects.get()
    assert (reader.erased, bytes(reader.sealed)) == (datetime.date.today(), b"")
    [(purpose, letter)] = desk.mails()
    assert (purpose, letter.to) == ("erased", ADA)
    assert "Erased" in letter.files[0].data.decode()
    for kind in ("preferences", "unsubscribe", "confirm"):
        desk.take(kind, token=token)
    desk.take("preferences", token=token, ask="erase")
    desk.take("preferences", token=token, newsletters=["weekly"], address=NEW, text="full")
    assert Mail.objects.count() == 1


def test_a_complaint_is_remembered_without_the_address(desk: Desk) -> None:
    reader = desk.join().reader
    suppression.suppress(reader=reader, reason=Suppression.Reason.COMPLAINT)
    receipt = requests.erase(vault=desk.vault, address=ADA, acting_user=None)
    assert "Not to be written to" in {kept.what for kept in receipt.kept}
    again = desk.vault.add(ADA, "en")
    assert suppression.in_force(again) is not None
    other = desk.join("bela@post.example").reader
    suppression.suppress(reader=other, reason=Suppression.Reason.HARD)
    requests.erase(vault=desk.vault, address="bela@post.example", acting_user=None)
    assert suppression.in_force(other) is None
