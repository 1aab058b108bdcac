# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the desk says of its drops: on the dashboard, and in words when one fails."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import timedelta

import pytest
import urllib3
from django.test import Client
from django.utils import timezone
from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    SSLError,
)

from tamizdat.cli.checkup_letters import drops
from tamizdat.config import DropSettings
from tamizdat.desk.letters import collecting, standing, words
from tamizdat.desk.letters.models import Drop
from tamizdat.desk.staff.models import User
from tamizdat.drop.envelope import submission
from tamizdat.drop.errors import LetterboxError
from tests.desk.letters.conftest import NOW, Place, message

Enter = Callable[[User], Client]


def said(place: Place, minutes: int = 0) -> standing.Box:
    found = standing.of_drops(NOW + timedelta(minutes=minutes))
    assert found is not None
    return found.boxes[0]


def fail(place: Place, minutes: int = 0) -> None:
    nowhere = DropSettings(name="pier", folder="/there/is/none")
    collecting.collect(place.newsroom, nowhere, clock=lambda: NOW + timedelta(minutes=minutes))


def test_each_drop_is_told_in_a_word(place: Place) -> None:
    assert said(place).word == "new"
    place.collect()
    assert (said(place).word, said(place).bad) == ("well", False)
    assert said(place).words.startswith("Last collected ")
    assert (said(place, 61).word, said(place, 61).bad) == ("not asked", True)


def test_a_drop_that_is_silent_for_an_hour_is_an_alarm(place: Place) -> None:
    place.collect()
    fail(place, 30)
    assert (said(place, 31).word, said(place, 31).bad) == ("trouble", False)
    fail(place, 59)
    found = said(place, 90)
    assert (found.word, found.bad) == ("no answer", True)
    assert "/there/is/none" in found.words
    place.collect(NOW + timedelta(minutes=95))
    assert not said(place, 95).bad


def test_a_drop_that_never_answered_is_an_alarm_after_an_hour_too(place: Place) -> None:
    fail(place)
    assert not said(place, 5).bad
    fail(place, 58)
    assert said(place, 61).bad


def test_the_dashboard_says_how_drops_stand_and_what_waits(
    place: Place, unhandled: str, readers_desk: User, editor: User, signed_in: Enter
) -> None:
    fields = {"address": "ada@post.example", "newsletters": ["w"], "privacy": 1, "form": "front"}
    place.send(message("One."), submission(unhandled, "en", fields))
    place.collect()
    home = signed_in(readers_desk).get("/desk/").content.decode()
    assert "1 new message<" in home
    assert "1 waits for a handler" in home
    assert "pier" in home
    home = signed_in(editor).get("/desk/").content.decode()
    assert "new message" not in home
    assert "1 waits for a handler" in home
    Drop.objects.update(collected=NOW - timedelta(days=300))
    assert "not asked" in signed_in(editor).get("/desk/").content.decode()


def test_the_doctor_says_what_is_wrong_with_letterboxes(place: Place, readers_desk: User) -> None:
    now = timezone.now()
    place.collect(now)
    assert [finding.level for finding in drops(place.newsroom)] == ["fine"]
    place.spool.append([b"age-encryption.org/v1\n" + b"x" * 900])
    place.spool.close_open()
    place.collect(now)
    readers_desk.groups.clear()
    found = list(drops(place.newsroom))
    assert [finding.level for finding in found] == ["fine", "warning", "warning"]
    Drop.objects.update(collected=now - timedelta(hours=2))
    assert next(drops(place.newsroom)).level == "problem"
    (place.newsroom.secrets / "letterbox-key").unlink()
    assert "letterbox-key is missing" in next(drops(place.newsroom)).what


URL = "the drop https://drop.example"


def behind(cause: BaseException, between: BaseException | None = None) -> str:
    """What is said where this lies behind a failed connection."""
    error = LetterboxError(f"{URL} cannot be reached: {cause}")
    error.__cause__ = between or cause
    if between is not None:
        between.__cause__ = cause
    return words.of_trouble(error)


def test_each_trouble_has_words_of_its_own() -> None:
    connection = urllib3.connection.HTTPConnection("drop.example")
    expired = ssl.SSLCertVerificationError()
    expired.verify_message = "certificate has expired"
    found = [
        behind(expired, SSLError("x")),
        behind(NameResolutionError("drop.example", connection, OSError())),  # type: ignore[arg-type] # any reason
        behind(ConnectTimeoutError("slow")),
        behind(ConnectionRefusedError(111, "no"), NewConnectionError(connection, "no")),
        behind(SSLError("wrong version number")),
        behind(ProtocolError("cut off")),
        words.of_trouble(LetterboxError(f"{URL} answers 500 to /v1/collect")),
    ]
    for said, part in zip(
        found,
        (
            "shows a certificate that is not good (certificate has expired)",
            "is unknown: no machine has this name",
            "does not answer. Does it run",
            "does not run: its machine answers",
            "does not speak TLS",
            "broke off in the middle",
            "answers 500 to /v1/collect.",
        ),
        strict=True,
    ):
        assert said.startswith(URL)
        assert part in said
    assert len({*found}) == len(found)


@pytest.mark.enable_socket
def test_a_machine_where_no_drop_runs_is_told_so(place: Place) -> None:
    nobody = DropSettings(name="pier", url="http://127.0.0.1:9")
    report = collecting.collect(place.newsroom, nobody, clock=lambda: NOW)
    assert "the drop http://127.0.0.1:9 does not run" in report.problem
