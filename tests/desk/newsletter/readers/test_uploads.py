# SPDX-License-Identifier: AGPL-3.0-or-later
"""Subscribers from a file at the desk: handed in, looked at, taken in after a yes, once."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tamizdat.config import Newsroom
from tamizdat.desk.audit.models import Record
from tamizdat.desk.newsletter.models import Newsletter, Subscription, Upload, UploadPart
from tamizdat.desk.newsletter.transfer import carrying, importing, sealed_file, uploads
from tamizdat.desk.newsletter.transfer.carrying import Carrier
from tamizdat.desk.outgoing import suppression
from tamizdat.desk.outgoing.models import Suppression
from tamizdat.desk.readers import keyring
from tamizdat.desk.readers.errors import VaultShutError
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import READERS_DESK
from tests.desk.newsletter.readers.conftest import ADA, Desk

PROOF = "Sign-up sheets of the reading in Velm, 12 May 2026"
LIST = (
    "email,status,name\n"
    "ada@post.example,,Ada Canary\n"
    "bela@post.example,subscribed,Bela\n"
    "bela@post.example,subscribed,Bela\n"
    "no address at all,,Cyril\n"
    "dora@post.example,unsubscribed,Dora\n"
    "emil@post.example,bounced,Emil\n"
    "fritz@post.example,,Fritz\n"
)


@pytest.fixture
def rosa(db: None) -> User:
    user: User = User.objects.create_user("rosa", password="correct horse battery")
    user.groups.add(Group.objects.get(name=READERS_DESK))
    return user


@pytest.fixture
def client(desk: Desk, rosa: User, signed_in: Callable[[User], Client]) -> Client:
    return signed_in(rosa)


def hand_in(client: Client, content: str | bytes, *, name: str = "list.csv", **form: Any) -> str:
    """Send the form; the page that follows."""
    data = content if isinstance(content, bytes) else content.encode()
    fields = {
        "token": uuid.uuid4(), "newsletter": Newsletter.objects.get(slug="weekly").pk,
        "format": "auto", "evidence": PROOF, "file": SimpleUploadedFile(name, data), **form,
    }  # fmt: skip
    answer = client.post(reverse("newsletter:uploads"), fields, follow=True)
    assert answer.status_code == 200
    return str(answer.content.decode())


def state(client: Client) -> tuple[str, str]:
    answer = client.get(reverse("newsletter:upload_state", args=[Upload.objects.get().pk]))
    assert "no-store" in answer["Cache-Control"]
    return answer["X-Waiting"], answer.content.decode()


def press(client: Client, what: str, **form: Any) -> str:
    where = reverse(f"newsletter:upload_{what}", args=[Upload.objects.get().pk])
    answer = client.post(where, {"token": uuid.uuid4(), **form}, follow=True)
    return str(answer.content.decode())


def test_a_file_is_looked_at_shown_in_numbers_and_taken_in_after_a_yes(
    client: Client, desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    desk.join()  # Ada is here already.
    desk.join("fritz@post.example")
    suppressed = desk.reader("fritz@post.example")
    assert suppressed
    suppression.suppress(reader=suppressed, reason=Suppression.Reason.HARD)
    assert "It is looked at" in hand_in(client, LIST)
    assert state(client)[0] == "yes"
    assert Carrier().carry()
    waiting, page = state(client)
    assert waiting == "no"
    for words in (
        *("What would happen", "7 rows", "a plain table", "Take them in", "Columns left out"),
        *("not a mail address", "row 5", "twice in the file", "row 4"),
    ):
        assert words in page, words
    report = Upload.objects.get().report
    assert (report["subscribed"], report["here_before"], report["left"], report["suppressed"]) == (
        *(1, 1, 1, 1),
    )
    assert desk.state("bela@post.example") == ""  # Nothing happened yet.
    assert not Carrier().carry()
    assert "They are taken in now" in press(client, "take_in")
    assert Carrier().carry()
    assert "What was done" in state(client)[1]
    assert Upload.objects.get().report["subscribed"] == 1
    assert [desk.state(f"{name}@post.example") for name in ("ada", "bela", "dora")] == [
        *("active", "active", "left")
    ]
    assert not UploadPart.objects.exists()
    assert "post.example" not in page + caplog.text
    assert "post.example" not in "".join(Record.objects.values_list("entry", flat=True))
    done = Record.objects.get(action="tamizdat.newsletter_import")
    assert "rosa" in done.entry


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty"),
        (b"\n\n\n", "The file is empty"),
        (b"PK\x03\x04\x00\x00 a spreadsheet", "The file is no text: export it as CSV"),
        (b"name,city\nAda,Velm\n", "No column is called email"),
        ("email\nада@post.example\n".encode("koi8-r") + b"\x98", "save it as UTF-8"),
        (b"email\n" + b"x" * 200, ""),
    ],
)
def test_a_file_that_is_no_list_is_told_at_once_and_not_kept(
    client: Client, content: bytes, words: str
) -> None:
    page = hand_in(client, content)
    assert words in page
    assert Upload.objects.exists() is (not words)
    if words:
        assert PROOF in page  # What was typed is still there.


def test_a_file_that_is_too_long_is_told_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST", 100_000)
    page = hand_in(client, b"email\n" + b"a@post.example\n" * 10_000)
    assert "longer than" in page
    assert not Upload.objects.exists()


def test_a_plain_table_needs_to_say_how_its_readers_agreed(client: Client) -> None:
    assert "write how and when they did" in hand_in(client, LIST, evidence="")
    assert "Leave addresses out of it" in hand_in(client, LIST, evidence=f"ask {ADA}")
    assert "Choose a newsletter" in hand_in(client, LIST, newsletter="")
    assert not Upload.objects.exists()


def test_a_file_that_breaks_off_says_at_which_row(client: Client) -> None:
    broken = LIST + 'gina@post.example,"no end\n'
    hand_in(client, broken + "x" * 200_000)
    Carrier().carry()
    page = state(client)[1]
    assert "The rest is not read: after row 8" in page
    assert "gina" not in page


def test_rows_are_numbered_as_a_spreadsheet_numbers_them(client: Client) -> None:
    hand_in(client, 'email,name\n\nada@post.example,"Ada\nCanary"\n\nnobody,\n')
    Carrier().carry()
    assert "row 5<" in state(client)[1]


def test_it_is_thrown_away_by_hand_and_by_itself_after_a_day(client: Client) -> None:
    hand_in(client, LIST)
    assert "nobody was taken in" in press(client, "throw_away")
    assert not Upload.objects.exists()
    hand_in(client, LIST)
    today = timezone.localdate()
    assert carrying._forget(today + timedelta(days=1)) == 0
    assert carrying._forget(today + timedelta(days=2)) == 1
    assert not UploadPart.objects.exists()


def test_what_was_taken_in_is_not_thrown_away_and_not_taken_in_twice(
    client: Client, desk: Desk
) -> None:
    hand_in(client, LIST)
    Carrier().carry()
    press(client, "take_in")
    assert "does not wait for a yes" in press(client, "take_in")
    assert "cannot be undone here" in press(client, "throw_away")
    Carrier().carry()
    assert not Carrier().carry()
    assert Subscription.objects.filter(state="active").count() == 3


def many(number: int) -> str:
    return "email\n" + "".join(f"reader{n}@post.example\n" for n in range(number))


def test_a_worker_that_ends_in_the_middle_is_followed_by_one_that_goes_on(
    client: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 10)
    hand_in(client, many(35))
    Carrier().carry()
    press(client, "take_in")
    stops = iter([False, True])
    Carrier(stopped=lambda: next(stops)).carry()
    assert (Upload.objects.get().state, Subscription.objects.count()) == ("taking", 20)
    assert "20 rows" in state(client)[1]
    Carrier().carry()
    upload = Upload.objects.get()
    assert (upload.state, upload.report["subscribed"]) == ("done", 35)
    assert upload.report["here_before"] == 0
    assert Subscription.objects.count() == 35
    assert Record.objects.filter(action="tamizdat.newsletter_import").count() == 1


def test_a_worker_that_was_given_up_writes_no_row_more(
    client: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 10)
    hand_in(client, many(30))
    Carrier().carry()
    press(client, "take_in")

    def taken_over() -> bool:
        Upload.objects.update(worker="", beat=timezone.now() - timedelta(hours=1))
        return False

    Carrier(stopped=taken_over).carry()
    assert Subscription.objects.count() == 10
    Carrier().carry()
    assert Upload.objects.get().report["subscribed"] == 30


def test_while_the_vault_is_shut_it_waits_and_says_so(client: Client, desk: Desk) -> None:
    hand_in(client, LIST)
    kept = desk.vault.file.path.read_bytes()
    keyring.destroy(desk.vault.file.path)
    with pytest.raises(VaultShutError):
        Carrier().carry()
    assert "It waits: " in state(client)[1]
    desk.vault.file.path.write_bytes(kept)
    desk.vault.file.path.chmod(0o600)
    Carrier().carry()
    assert "It waits: " not in state(client)[1]


def test_the_sealed_file_reads_as_the_one_that_was_handed_in(
    client: Client, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_file, "PART", 64)
    data = ("email\n" + "ы@post.example\n" * 40).encode()
    hand_in(client, data)
    upload = Upload.objects.get()
    assert UploadPart.objects.count() == -(-len(data) // 64)
    sealed = b"".join(bytes(part.sealed) for part in UploadPart.objects.all())
    assert b"post.example" not in sealed
    file = sealed_file.opened(upload, desk.vault)
    assert file.read() == data
    file.seek(60)
    assert file.read(10) == data[60:70]
    assert file.tell() == 70


def test_the_form_is_refused_without_its_token_and_to_everybody_else(
    client: Client, rosa: User, editor: User, publisher: User, operator: User,
    signed_in: Callable[[User], Client],
) -> None:  # fmt: skip
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(rosa)
    where = reverse("newsletter:uploads")
    assert strict.post(where, {"file": SimpleUploadedFile("a.csv", b"email\n")}).status_code == 403
    chief = User.objects.create_superuser("chief", password="correct horse battery")
    for user in (editor, publisher, operator, chief):
        answer = signed_in(user).post(where, {"file": SimpleUploadedFile("a.csv", LIST.encode())})
        assert answer.status_code in (302, 403)
    assert not Upload.objects.exists()


COHORTS = """
[[cohorts]]
name = "north"
entries = ["https://oslo.example/"]
[[cohorts]]
name = "friends"
entries = ["https://quiet.example/"]
drawn = false
"""


def test_who_is_in_a_list_is_put_into_the_cohort_that_was_chosen(
    client: Client, desk: Desk, settings: Any
) -> None:
    form = client.get(reverse("newsletter:uploads")).content.decode()
    assert "Cohort" not in form  # The newsroom has none.
    bare = settings.NEWSROOM.settings_file.read_text()
    settings.NEWSROOM.settings_file.write_text(bare + COHORTS)
    settings.NEWSROOM = Newsroom(desk.newsroom.folder)
    desk.join()
    form = client.get(reverse("newsletter:uploads")).content.decode()
    assert form.count("addresses that nobody else is told") == 1
    assert "Select a valid choice" in hand_in(client, LIST, cohort="elsewhere")
    assert "will be in the cohort “friends”" in hand_in(client, LIST, cohort="friends")
    Carrier().carry()
    assert not Reader.objects.exclude(cohort="").exists()  # Nothing happened yet.
    press(client, "take_in")
    Carrier().carry()
    where = {name: desk.reader(f"{name}@post.example") for name in ("ada", "bela", "dora", "emil")}
    assert {name: reader and reader.cohort for name, reader in where.items()} == {
        "ada": "friends", "bela": "friends", "dora": "", "emil": ""
    }  # fmt: skip
    page = client.get(reverse("newsletter:upload", args=[Upload.objects.get().pk]))
    assert "is now in the cohort “friends”" in page.content.decode()
    done = json.loads(Record.objects.get(action="tamizdat.newsletter_import").entry)
    assert done["data"]["cohort"] == "friends"


def test_a_cohort_that_is_no_more_in_the_settings_is_told_and_nobody_is_taken_in(
    client: Client, desk: Desk, settings: Any
) -> None:
    bare = settings.NEWSROOM.settings_file.read_text()
    settings.NEWSROOM.settings_file.write_text(bare + COHORTS)
    settings.NEWSROOM = Newsroom(desk.newsroom.folder)
    hand_in(client, LIST, cohort="friends")
    settings.NEWSROOM.settings_file.write_text(bare)
    settings.NEWSROOM = Newsroom(desk.newsroom.folder)
    Carrier().carry()
    assert "no table [[cohorts]] named “friends”" in state(client)[1]
    assert not Subscription.objects.exists()


def test_a_form_that_is_sent_twice_hands_in_once(client: Client) -> None:
    token = uuid.uuid4()
    hand_in(client, LIST, token=token)
    hand_in(client, LIST, token=token)
    assert Upload.objects.count() == 1
