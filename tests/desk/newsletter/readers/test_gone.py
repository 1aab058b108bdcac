# SPDX-License-Identifier: AGPL-3.0-or-later
"""What goes by itself: sign-ups that nobody confirmed, what ended long ago."""

from __future__ import annotations

import datetime
from datetime import timedelta

import pytest
from django.db import connection

from tamizdat.desk.newsletter.models import Subscription
from tamizdat.desk.newsletter.notices import words
from tamizdat.desk.outgoing import suppression
from tamizdat.desk.outgoing.models import Mail, Suppression
from tamizdat.desk.readers import requests, retention
from tamizdat.desk.readers.models import Consent, Reader
from tests.desk.newsletter.readers.conftest import ADA, Desk


def run(days: int) -> None:
    retention.run(datetime.date.today() + timedelta(days=days))


def test_a_sign_up_that_nobody_confirmed_is_gone_after_a_week(desk: Desk) -> None:
    desk.sign_up()
    run(6)
    assert desk.state() == "pending"
    run(7)
    assert not Subscription.objects.exists()
    assert not Consent.objects.exists()
    assert not Reader.objects.exists()
    assert not Mail.objects.exists()


def test_an_address_that_never_said_yes_to_a_move_is_gone_too(desk: Desk) -> None:
    desk.join()
    desk.take("preferences", token=desk.preferences(), address="ada@new.example")
    run(7)
    assert Reader.objects.count() == 1
    assert Subscription.objects.get().moves_to is None
    assert desk.state() == "active"


def test_who_is_subscribed_stays_whatever_the_clock_says(desk: Desk) -> None:
    desk.join()
    run(50)
    assert desk.state() == "active"


def age(days: int) -> None:
    """Let everything that was said be older: what the database itself would refuse."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER IF EXISTS readers_consent_frozen")
    for consent in Consent.objects.all():
        Consent.objects.filter(pk=consent.pk).update(day=consent.day - timedelta(days=days))


def test_who_left_is_forgotten_with_the_proof(desk: Desk) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the trigger is taken away in SQLite's words")
    desk.join()
    desk.take("unsubscribe", token=desk.leaving())
    run(0)
    assert desk.state() == "left"
    age(1200)
    run(0)
    assert not Subscription.objects.exists()
    assert not Reader.objects.exists()


def test_who_was_erased_and_signed_up_by_somebody_is_as_gone_as_before(desk: Desk) -> None:
    desk.join()
    requests.erase(vault=desk.vault, address=ADA, acting_user=None)
    desk.sign_up()
    assert Reader.objects.get().erased is None
    run(8)
    reader = Reader.objects.get()
    assert (reader.erased is not None, bytes(reader.sealed)) == (True, b"")
    assert not Subscription.objects.exists()
    assert desk.said()[-1] == "withdrawn"


def test_an_address_that_does_not_exist_is_not_kept_for_ever(desk: Desk) -> None:
    desk.sign_up()
    reader = Reader.objects.get()
    suppression.suppress(reader=reader, reason=Suppression.Reason.HARD)
    run(8)
    assert Reader.objects.count() == 1
    run(31)
    assert not Reader.objects.exists()


def test_who_complained_is_remembered(desk: Desk) -> None:
    reader = desk.vault.add(ADA, "en")
    suppression.suppress(reader=reader, reason=Suppression.Reason.IMPORTED)
    run(40)
    assert suppression.in_force(reader) is not None


@pytest.mark.parametrize("language", ["ru", "ar"])
def test_every_language_has_every_word(language: str) -> None:
    english, other = words("en"), words(language)
    assert set(english) == set(other)
    for name, said in english.items():
        assert isinstance(other[name], type(said)), name
        lines = said if isinstance(said, list) else [said]
        theirs = other[name] if isinstance(said, list) else [other[name]]
        assert len(lines) == len(theirs), name
        for line, their in zip(lines, theirs, strict=True):
            for place in ("{titles}", "{days}", "{privacy}", "{policy}", "{contact}"):
                assert (place in line) == (place in their), (name, place)
