# SPDX-License-Identifier: AGPL-3.0-or-later
"""What comes back acts once, upon whom we wrote to and nobody else, by stated rules."""

from __future__ import annotations

import datetime
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.utils import timezone

from tamizdat.config import ConfigError, Newsroom, RelaySettings
from tamizdat.desk.audit.models import Record
from tamizdat.desk.outgoing import limits, links, maildir, reports, suppression
from tamizdat.desk.outgoing.errors import SuppressionError
from tamizdat.desk.outgoing.links import Links, Purpose, day_stamp
from tamizdat.desk.outgoing.models import Return, Suppression
from tamizdat.desk.outgoing.returning import AFTER_TROUBLE, Rounds
from tamizdat.desk.readers import actions, keyring, requests, rotation
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.desk.staff.models import User
from tamizdat.mail.verdicts import Kind
from tamizdat.mail.verp import verp
from tests.mail.returned import BOX, READER, SAMPLES, TOKEN

pytestmark = pytest.mark.django_db
BY_NAME = {sample.name: sample for sample in SAMPLES}
HARD, SOFT = "Postfix: nobody of this name", "Gmail: full"
POLICY, COMPLAINT = "Outlook: domain not signed as it asks", "a loop's complaint"
TODAY = datetime.date(2026, 11, 23)


@pytest.fixture
def newsroom(db: None, tmp_path: Path, settings: Any) -> Newsroom:
    folder = tmp_path / "newsroom"
    for name in ("new", "cur", "tmp"):
        (folder / "returned" / name).mkdir(parents=True)
    (folder / "tamizdat.toml").write_text(
        'name = "The Meridian"\naddress = "https://meridian.example"\n'
        '[mail]\nbounces = "news.meridian.example"\nreports = "returned"\n'
    )
    made = settings.NEWSROOM = Newsroom(folder)
    keyring.found(made, pyrage.x25519.Identity.generate().to_public())
    actions.begin_vault(newsroom=made)
    links.ensure_key(made)
    return made


@pytest.fixture
def vera(newsroom: Newsroom) -> Reader:
    return Vault(newsroom).add(READER, "en")


def box_of(newsroom: Newsroom, reader: Reader) -> str:
    """The envelope's sender of a single mail to this reader."""
    return verp(
        Links(newsroom).make(Purpose.RETURN_MAIL, reader.pk, day_stamp(TODAY)), "news.example"
    )


def report(newsroom: Newsroom, name: str, reader: Reader) -> bytes:
    return BY_NAME[name].data.replace(BOX.encode(), box_of(newsroom, reader).encode())


def back(newsroom: Newsroom, name: str, reader: Reader, day: datetime.date = TODAY) -> Kind | None:
    data = f"Received: on {day}\r\n".encode() + report(newsroom, name, reader)
    return reports.take(newsroom, data, today=day)


def reason(reader: Reader) -> str:
    found = suppression.in_force(reader)
    return found.reason if found else ""


# Rules


def test_an_address_that_does_not_exist_is_not_written_to_again(
    newsroom: Newsroom, vera: Reader
) -> None:
    assert back(newsroom, HARD, vera) == Kind.HARD
    held = suppression.in_force(vera)
    assert held is not None
    assert (held.reason, held.code) == ("hard", "5.1.1")
    assert "@" not in held.said


def test_a_full_mailbox_is_given_three_days(newsroom: Newsroom, vera: Reader) -> None:
    for days, expected in ((0, ""), (7, ""), (14, "soft")):
        assert back(newsroom, SOFT, vera, TODAY + timedelta(days=days)) == Kind.SOFT
        assert reason(vera) == expected


def test_what_was_long_ago_does_not_count(newsroom: Newsroom, vera: Reader) -> None:
    for days in (0, 20, 40, 60, 80):
        back(newsroom, SOFT, vera, TODAY + timedelta(days=days))
    assert reason(vera) == ""


def test_a_complaint_weighs_more_than_what_was_before(newsroom: Newsroom, vera: Reader) -> None:
    back(newsroom, HARD, vera)
    back(newsroom, COMPLAINT, vera)
    back(newsroom, HARD, vera, TODAY + timedelta(days=1))
    assert reason(vera) == "complaint"
    assert Suppression.objects.count() == 1


@pytest.mark.parametrize(
    "name", ["vacation", "Postfix: still trying", "a complaint taken back", "delivered elsewhere"]
)
def test_what_is_no_failure_changes_nothing(newsroom: Newsroom, vera: Reader, name: str) -> None:
    back(newsroom, name, vera)
    assert reason(vera) == ""


def test_a_refusal_for_our_sake_is_the_desks_affair(newsroom: Newsroom, vera: Reader) -> None:
    back(newsroom, POLICY, vera)
    for _ in range(3):
        assert suppression.note_refusal(vera, "550 5.7.515", "Access denied") == Kind.POLICY
    assert reason(vera) == ""
    found = suppression.standing(TODAY).policy
    assert [(code, count) for code, _, count in found] == [("5.7.515", 4)]


def test_a_relay_that_says_so_itself_is_believed(newsroom: Newsroom, vera: Reader) -> None:
    suppression.note_refusal(vera, "550 5.1.1", f"<{READER}>: no such user")
    assert reason(vera) == "hard"
    assert Return.objects.get().said == "<…>: no such user"


# Whom it is about


@pytest.mark.parametrize("token", [TOKEN, "A" * 40, "-" * 40])
def test_a_forged_token_suppresses_nobody(newsroom: Newsroom, vera: Reader, token: str) -> None:
    forged = BY_NAME[HARD].data.replace(BOX.encode(), verp(token, "x.example").encode())
    assert reports.take(newsroom, forged) == Kind.UNKNOWN
    assert not Suppression.objects.exists()


def test_a_token_for_something_else_suppresses_nobody(newsroom: Newsroom, vera: Reader) -> None:
    other = Links(newsroom).make(Purpose.CONFIRM, vera.pk, day_stamp(TODAY))
    forged = BY_NAME[HARD].data.replace(BOX.encode(), verp(other, "x.example").encode())
    assert reports.take(newsroom, forged) == Kind.UNKNOWN
    assert not Suppression.objects.exists()


def test_a_report_acts_once(newsroom: Newsroom, vera: Reader) -> None:
    assert back(newsroom, HARD, vera) == Kind.HARD
    assert suppression.lift(reader=vera, why="signed up again")
    assert back(newsroom, HARD, vera) is None
    assert reason(vera) == ""


def test_what_nobody_understands_is_kept_sealed_for_a_month(newsroom: Newsroom) -> None:
    letter = BY_NAME["a letter to the editors"].data
    assert reports.take(newsroom, letter) == Kind.UNKNOWN
    (kept,) = reports.kept_aside()
    assert kept.why
    assert b"tide" not in bytes(kept.sealed)
    assert b"tide table" in reports.opened(newsroom, kept)
    reports.tidy(timezone.localdate() + timedelta(days=31))
    assert reports.kept_aside() == []


def test_of_a_flood_only_the_newest_are_kept(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "KEPT_AT_MOST", 3)
    for number in range(6):
        reports.take(newsroom, f"Subject: {number}\n\nBuy!".encode())
    assert len(reports.kept_aside()) == 3
    assert Return.objects.count() == 6


def test_a_new_key_of_the_vault_reaches_what_was_kept(newsroom: Newsroom) -> None:
    reports.take(newsroom, b"Subject: x\n\nWhat is this?")
    rotation.begin(Vault(newsroom))
    rotation.run(Vault(newsroom))
    (kept,) = reports.kept_aside()
    assert b"What is this" in reports.opened(newsroom, kept)


# Back again


def test_the_desk_can_write_to_somebody_again_and_says_why(
    newsroom: Newsroom, vera: Reader, operator: User
) -> None:
    back(newsroom, HARD, vera)
    with pytest.raises(SuppressionError, match="say why"):
        suppression.lift(reader=vera, why=" ", acting_user=operator)
    assert suppression.lift(reader=vera, why="a typing error of theirs", acting_user=operator)
    assert not suppression.lift(reader=vera, why="once more", acting_user=operator)
    assert reason(vera) == ""
    row = Record.objects.get(action="tamizdat.unsuppress")
    assert "a typing error of theirs" in str(row.entry)
    assert READER not in str(row.entry)


def test_only_the_reader_takes_a_complaint_back(
    newsroom: Newsroom, vera: Reader, operator: User
) -> None:
    back(newsroom, COMPLAINT, vera)
    with pytest.raises(SuppressionError, match="only they"):
        suppression.lift(reader=vera, why="we miss them", acting_user=operator)
    assert suppression.lift(reader=vera, why="confirmed")


def test_after_it_was_lifted_counting_starts_again(newsroom: Newsroom, vera: Reader) -> None:
    today = timezone.localdate()
    for days in (-3, -2, -1):
        back(newsroom, SOFT, vera, today + timedelta(days=days))
    suppression.lift(reader=vera, why="confirmed")
    back(newsroom, SOFT, vera, today + timedelta(days=1))
    assert reason(vera) == ""


def test_a_reader_is_told_of_it_and_can_have_it_erased(
    newsroom: Newsroom, vera: Reader, operator: User
) -> None:
    back(newsroom, HARD, vera)
    found = requests.look_up(vault=Vault(newsroom), address=READER, acting_user=operator)
    assert "Mail that came back" in [part.title for part in found.parts]
    requests.erase(vault=Vault(newsroom), address=READER, acting_user=operator)
    assert not Return.objects.exists()


# The ways in


def put(newsroom: Newsroom, name: str, data: bytes) -> Path:
    path = newsroom.folder / "returned" / "new" / name
    path.write_bytes(data)
    return path


def test_a_maildir_is_emptied(newsroom: Newsroom, vera: Reader) -> None:
    put(newsroom, "1.a", report(newsroom, HARD, vera))
    put(newsroom, "2.a", b"\xff\x00 nothing")
    (newsroom.folder / "returned" / "new" / "3.a").symlink_to("/etc/hostname")
    os.mkfifo(newsroom.folder / "returned" / "new" / "4.a")
    assert maildir.empty(newsroom) == 2
    assert reason(vera) == "hard"
    assert maildir.empty(newsroom) == 0


def test_a_worker_that_died_after_acting_acts_once(newsroom: Newsroom, vera: Reader) -> None:
    data = report(newsroom, HARD, vera)
    reports.take(newsroom, data)
    suppression.lift(reader=vera, why="confirmed")
    left = put(newsroom, "1.a", data)
    maildir.empty(newsroom)
    assert not left.exists()
    assert reason(vera) == ""


def test_without_the_vaults_key_mails_wait(newsroom: Newsroom) -> None:
    left = put(newsroom, "1.a", b"Subject: what\n\nis this")
    (newsroom.secrets / "vault-key.age").rename(newsroom.secrets / "away")
    with pytest.raises(Exception, match="vault"):
        maildir.empty(newsroom)
    assert left.exists()


def test_a_folder_that_is_none_is_said(newsroom: Newsroom) -> None:
    (newsroom.folder / "returned" / "new").rmdir()
    with pytest.raises(ConfigError, match="Maildir"):
        maildir.empty(newsroom)


def test_the_worker_takes_in_what_comes_back(newsroom: Newsroom, vera: Reader) -> None:
    put(newsroom, "1.a", report(newsroom, HARD, vera))
    rounds = Rounds(newsroom.folder)
    assert rounds.turn() < AFTER_TROUBLE
    assert reason(vera) == "hard"
    (newsroom.folder / "returned" / "new").rmdir()
    assert rounds.turn() == AFTER_TROUBLE


@pytest.mark.parametrize("dressed", ["{local} at {domain}", "/mail/{domain}/{local}/", "{local}"])
def test_a_servers_words_do_not_name_a_reader_in_other_dress(
    newsroom: Newsroom, vera: Reader, dressed: str
) -> None:
    local, _, domain = READER.partition("@")
    named = dressed.format(local=local, domain=domain)
    raw = f"""From: MAILER-DAEMON@mx.example
To: {box_of(newsroom, vera)}
Subject: Undelivered
Content-Type: multipart/report; report-type=delivery-status; boundary=x

--x
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; else@forwarded.example
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no mailbox {named} here

--x--
"""
    assert reports.take(newsroom, raw.encode()) == Kind.HARD
    for kept in (Return.objects.get(), Suppression.objects.get()):
        assert "5.1.1 no mailbox" in kept.said
        assert local.lower() not in kept.said.lower()
        assert domain not in kept.said


def test_a_clock_that_was_set_back_a_day_does_not_stop_a_relay(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    allowed = limits.of_relay(RelaySettings(name="one", per_hour=10))
    assert limits.take(allowed, 20) == 10
    before = timezone.now()
    monkeypatch.setattr(limits.clock, "now", lambda: before - timedelta(minutes=5))
    assert limits.take(allowed, 20) == 0
    monkeypatch.setattr(limits.clock, "now", lambda: before - timedelta(days=1))
    assert limits.take(allowed, 20) == 10
