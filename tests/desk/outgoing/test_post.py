# SPDX-License-Identifier: AGPL-3.0-or-later
"""Single mails on their way to a real relay: each once, none lost, nothing left behind."""

from __future__ import annotations

import email
import email.policy
import logging
import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pyrage
import pytest
from django.db import transaction
from django.utils import timezone

from tamizdat.cli import checkup_mail
from tamizdat.config import Newsroom
from tamizdat.desk.outgoing import lanes, limits, links, suppression
from tamizdat.desk.outgoing.errors import LaneError
from tamizdat.desk.outgoing.lanes import Enclosed, Limit
from tamizdat.desk.outgoing.models import Mail, Relay, State
from tamizdat.desk.outgoing.post import Post
from tamizdat.desk.outgoing.rounds import Rounds
from tamizdat.desk.readers import actions, keyring, requests, retention, rotation
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.mail.content import Notice
from tamizdat.mail.verp import unverp
from tests.mail.relays import HangUp
from tests.mail.relays import Relay as Server

VERA = "vera@post.example"
TOML = """\
name = "The Meridian"
address = "https://meridian.example"

[mail]
sender = "desk@meridian.example"
bounces = "back.meridian.example"
unknown = "{unknown}"

[[relays]]
name = "near"
host = "127.0.0.1"
port = {port}
security = "none"
"""
NOTICE = Notice(
    subject="Пожалуйста, подтвердите",
    language="ru",
    paper="The Meridian",
    lines=("Нажмите кнопку.",),
    button="Да",
    url="https://drop.example/v1/confirm/TOKEN",
)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as made:
        yield made


@pytest.fixture
def newsroom(db: None, tmp_path: Path, settings: Any, server: Server) -> Newsroom:
    folder = tmp_path / "newsroom"
    folder.mkdir()
    configure(folder, server.port)
    made = settings.NEWSROOM = Newsroom(folder)
    keyring.found(made, pyrage.x25519.Identity.generate().to_public())
    actions.begin_vault(newsroom=made)
    links.ensure_key(made)
    return made


def configure(folder: Path, port: int, unknown: str = "hold") -> Newsroom:
    (folder / "tamizdat.toml").write_text(TOML.format(port=port, unknown=unknown))
    return Newsroom(folder)


@pytest.fixture
def vera(newsroom: Newsroom) -> Reader:
    return Vault(newsroom).add(VERA, "ru")


@pytest.fixture
def post(newsroom: Newsroom) -> Iterator[Post]:
    made = Post(newsroom)
    yield made
    made.close()


def send(reader: Reader | None = None, **more: Any) -> Mail:
    with transaction.atomic():
        made = lanes.send(**{"purpose": "confirm", "reader": reader, "notice": NOTICE, **more})
    assert made is not None
    return made


def now_of(mail: Mail) -> Mail:
    return Mail.objects.get(pk=mail.pk)


def due_again(mail: Mail) -> None:
    Mail.objects.filter(pk=mail.pk).update(not_before=timezone.now() - timedelta(seconds=1))


def parsed(data: bytes) -> EmailMessage:
    found = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def test_a_mail_goes_and_its_words_are_gone_from_the_desk(
    server: Server, vera: Reader, post: Post
) -> None:
    mail = send(vera)
    assert post.run() == 1
    [(sender, recipient, data)] = server.kept
    assert recipient == VERA
    message = parsed(data)
    assert message["Subject"] == NOTICE.subject
    assert message["From"] == "The Meridian <desk@meridian.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    plain = message.get_body(("plain",))
    assert plain is not None
    assert NOTICE.url in plain.get_content()
    sent = now_of(mail)
    assert (sent.state, bytes(sent.sealed), sent.relay) == (State.SENT, b"", "near")
    assert sent.finished is not None
    assert unverp(sender[len("MAIL FROM:<") :].partition(">")[0])


def test_what_waits_shows_no_address_and_no_word(newsroom: Newsroom) -> None:
    send(to="canary@post.example")
    row = Mail.objects.values().get()
    assert b"canary" not in bytes(row["sealed"])
    assert "canary" not in str({k: v for k, v in row.items() if k != "sealed"})


def test_files_travel_with_it(server: Server, vera: Reader, post: Post) -> None:
    send(vera, files=[Enclosed("your-data.json", "application/json", b'{"a": 1}')])
    post.run()
    [attached] = parsed(server.kept[0][2]).iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == ("your-data.json", b'{"a": 1}')


def test_a_mail_is_sent_once_however_many_workers_look(
    server: Server, vera: Reader, newsroom: Newsroom, post: Post
) -> None:
    send(vera)
    other = Post(newsroom)
    assert post.run() + other.run() == 1
    other.close()
    assert len(server.kept) == 1


def test_a_mail_belongs_to_what_it_tells_of(vera: Reader) -> None:
    with transaction.atomic():
        lanes.send(purpose="confirm", reader=vera, notice=NOTICE)
        transaction.set_rollback(True)
    assert not Mail.objects.exists()


@pytest.mark.parametrize(
    "given", [{}, {"to": "a@b.example", "notice": None}, {"reader": "vera", "to": "a@b.example"}]
)
def test_a_mail_goes_to_one_and_says_one_thing(vera: Reader, given: dict[str, Any]) -> None:
    given = {k: vera if v == "vera" else v for k, v in given.items()}
    with pytest.raises(LaneError), transaction.atomic():
        lanes.send(**{"purpose": "test", "notice": NOTICE, **given})


def test_there_is_a_limit_for_each_reader_and_purpose(vera: Reader, newsroom: Newsroom) -> None:
    other, limit = Vault(newsroom).add("bela@post.example", "en"), Limit(2, 3)

    def tried(reader: Reader, purpose: str = "confirm") -> bool:
        with transaction.atomic():
            made = lanes.send(purpose=purpose, reader=reader, notice=NOTICE, limit=limit)
        return made is not None

    assert [tried(vera) for _ in range(4)] == [True, True, False, False]
    assert tried(other)
    assert tried(vera, "export")


@pytest.mark.parametrize(
    ("answer", "suppressed"),
    [("550 5.1.1 no such user here", True), ("550 5.7.1 your reputation", False)],
)
def test_a_refused_mail_is_over_and_the_rules_say_what_follows(
    server: Server, vera: Reader, post: Post, answer: str, suppressed: bool
) -> None:
    server.on_rcpt = lambda n: f"{answer} <{VERA}>"
    mail = send(vera)
    post.run()
    refused = now_of(mail)
    assert (refused.state, bytes(refused.sealed)) == (State.REFUSED, b"")
    assert "vera" not in refused.said
    assert refused.code.startswith("550")
    assert (suppression.in_force(vera) is not None) == suppressed


def test_a_mail_that_is_put_off_is_tried_again_later_each_time(
    server: Server, vera: Reader, post: Post
) -> None:
    server.on_rcpt = lambda n: "450 4.2.0 come back later" if n < 2 else "250 2.1.5 ok"
    mail, waits = send(vera), []
    for _ in range(2):
        post.run()
        put_off = now_of(mail)
        assert put_off.state == State.DEFERRED
        waits.append((put_off.not_before - timezone.now()).total_seconds())
        due_again(mail)
    post.run()
    assert now_of(mail).state == State.SENT
    assert waits[0] < waits[1]


def test_what_is_put_off_for_days_is_given_up(server: Server, vera: Reader, post: Post) -> None:
    server.on_rcpt = lambda n: "450 4.2.0 come back later"
    mail = send(vera)
    Mail.objects.update(created=timezone.now() - timedelta(days=4))
    post.run()
    assert now_of(mail).state == State.REFUSED


def test_a_relay_that_is_gone_costs_the_mail_nothing(
    newsroom: Newsroom, vera: Reader, server: Server
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    post = Post(configure(newsroom.folder, port))
    mail = send(vera)
    post.run()
    assert now_of(mail).state == State.QUEUED
    resting = Relay.objects.get()
    assert resting.problem
    post.newsroom = configure(newsroom.folder, server.port)
    Relay.objects.update(next_try=timezone.now() - timedelta(seconds=1))
    post.run()
    assert now_of(mail).state == State.SENT
    assert Relay.objects.get().problem == ""
    post.close()


@pytest.mark.parametrize("unknown", ["hold", "resend"])
def test_a_relay_that_hangs_up_before_its_answer_leaves_the_mail_in_doubt(
    newsroom: Newsroom, vera: Reader, server: Server, unknown: str
) -> None:
    hung_up: list[int] = []

    def hang_up_once(number: int) -> str:
        if not hung_up:
            hung_up.append(number)
            raise HangUp
        return "250 2.0.0 ok"

    server.on_dot = hang_up_once
    post = Post(configure(newsroom.folder, server.port, unknown))
    mail = send(vera)
    post.run()
    again = unknown == "resend"
    assert now_of(mail).state == (State.QUEUED if again else State.UNKNOWN)
    due_again(mail)
    post.run()
    assert now_of(mail).state == (State.SENT if again else State.UNKNOWN)
    post.close()


def test_a_relay_that_takes_mails_and_never_says_so_does_not_flood_a_mailbox(
    newsroom: Newsroom, vera: Reader, server: Server
) -> None:
    taken: list[int] = []

    def hang_up(number: int) -> str:
        taken.append(number)
        raise HangUp

    server.on_dot = hang_up
    post = Post(configure(newsroom.folder, server.port, "resend"))
    mail = send(vera)
    for _ in range(5):
        post.run()
        post.settle_left()
        due_again(mail)
        Relay.objects.update(next_try=None)
    assert len(taken) == 2
    assert now_of(mail).state == State.UNKNOWN
    post.close()


def test_what_a_dead_worker_left_is_in_doubt_and_of_a_living_one_is_not(
    newsroom: Newsroom, vera: Reader, post: Post
) -> None:
    host, later = socket.gethostname()[:40], timezone.now() + timedelta(hours=1)
    dead, living, elsewhere, expired = (send(vera) for _ in range(4))
    for mail, worker, until in (
        (dead, f"{host}-999999999-0a0a0a0a", later),
        (living, f"{host}-{os.getpid()}-0a0a0a0a", later),
        (elsewhere, "other.example-1-0a0a0a0a", later),
        (expired, "other.example-2-0a0a0a0a", timezone.now()),
    ):
        Mail.objects.filter(pk=mail.pk).update(state=State.SENDING, worker=worker, not_before=until)
    post.settle_left()
    assert [now_of(m).state for m in (dead, living, elsewhere, expired)] == [
        State.UNKNOWN,
        State.SENDING,
        State.SENDING,
        State.UNKNOWN,
    ]
    post.newsroom = configure(newsroom.folder, 1, "resend")
    post.settle_left()
    assert now_of(dead).state == State.QUEUED


def test_a_mail_tried_again_bears_the_same_message_id(
    server: Server, vera: Reader, post: Post
) -> None:
    mail = send(vera)
    post.run()
    first = parsed(server.kept[0][2])["Message-ID"]
    assert first.endswith("@back.meridian.example>")
    other = send(vera)
    post.run()
    assert now_of(mail).state == now_of(other).state == State.SENT
    assert parsed(server.kept[1][2])["Message-ID"] != first


def test_without_a_sender_mails_wait_and_it_is_said_why(
    newsroom: Newsroom, vera: Reader, post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    toml = newsroom.settings_file
    toml.write_text(toml.read_text().replace('sender = "desk@meridian.example"', ""))
    post.newsroom = Newsroom(newsroom.folder)
    mail = send(vera)
    with caplog.at_level(logging.ERROR):
        post.run()
    assert now_of(mail).state == State.QUEUED
    assert "[mail]" in caplog.text


def test_mails_to_who_was_erased_go_nowhere(server: Server, newsroom: Newsroom, post: Post) -> None:
    reader = Vault(newsroom).add(VERA, "en")
    send(reader)
    requests.erase(vault=Vault(newsroom), address=VERA, acting_user=None)
    assert post.run() == 0
    assert server.kept == []


def test_an_address_that_no_mail_can_go_to_is_refused_here(
    server: Server, newsroom: Newsroom, post: Post
) -> None:
    mail = send(to='a"b@post.example')
    post.run()
    assert now_of(mail).state == State.REFUSED
    assert "post.example" not in now_of(mail).said
    assert server.kept == []


def test_a_new_key_of_the_vault_reaches_what_waits(
    server: Server, newsroom: Newsroom, vera: Reader, post: Post
) -> None:
    send(vera)
    rotation.run(Vault(newsroom))
    post.run()
    assert len(server.kept) == 1


def test_a_person_is_told_of_their_mails_and_may_have_them_erased(
    newsroom: Newsroom, vera: Reader
) -> None:
    send(vera)
    send(to=VERA.upper(), purpose="test")
    send(to="other@post.example")
    vault = Vault(newsroom)
    found = requests.export(vault=vault, address=VERA, acting_user=None)
    [part] = [part for part in found.parts if part.title == "Single mails to you"]
    assert [row["what for"] for row in part.records] == ["confirm", "test"]
    requests.erase(vault=vault, address=VERA, acting_user=None)
    assert Mail.objects.count() == 1


def test_after_a_week_not_even_the_row_is_left(vera: Reader, post: Post) -> None:
    send(vera)
    today = timezone.localdate()
    retention.run(today + timedelta(days=6))
    assert Mail.objects.count() == 1
    retention.run(today + timedelta(days=8))
    assert Mail.objects.count() == 0


def test_a_round_sends_all_that_is_due_and_takes_the_settings_as_they_are_now(
    server: Server, vera: Reader, newsroom: Newsroom
) -> None:
    rounds = Rounds(newsroom.folder, poll=7.0)
    assert rounds.turn() == 7.0
    mails = [send(vera) for _ in range(3)]
    assert rounds.turn() == 0.0
    assert [now_of(mail).state for mail in mails] == [State.SENT] * 3
    configure(newsroom.folder, 1)
    waits = send(vera)
    rounds.close()
    rounds.turn()
    assert now_of(waits).state == State.QUEUED
    assert Relay.objects.get().problem


def test_an_issue_that_uses_up_a_relay_leaves_room_for_single_mails(
    server: Server, vera: Reader, newsroom: Newsroom, post: Post
) -> None:
    toml = newsroom.settings_file
    toml.write_text(f"{toml.read_text()}per_hour = 40\n")
    post.newsroom = Newsroom(newsroom.folder)
    allowed = limits.of_relay(post.newsroom.settings.relays[0])
    assert limits.take(limits.for_issues(allowed), 100) == 38
    mails = [send(vera) for _ in range(3)]
    post.run()
    assert [now_of(mail).state for mail in mails] == [State.SENT, State.SENT, State.QUEUED]


def test_the_doctor_says_what_keeps_mails_from_readers(newsroom: Newsroom, vera: Reader) -> None:
    mail = send(vera)
    Mail.objects.filter(pk=mail.pk).update(state=State.UNKNOWN)
    send(vera)
    (newsroom.secrets / links.KEY).unlink()
    said = " ".join(f"{one.what} {one.advice}" for one in checkup_mail.mail(newsroom))
    assert "1 single mails are in doubt" in said
    assert "1 single mails wait" in said
    assert "link-key" in said
    assert "give a drop its url" in said


def test_settings_that_cannot_be_read_are_waited_for(
    vera: Reader, newsroom: Newsroom, caplog: pytest.LogCaptureFixture
) -> None:
    mail = send(vera)
    newsroom.settings_file.write_text("name = ")
    assert Rounds(newsroom.folder).turn() > 1
    assert now_of(mail).state == State.QUEUED
    assert "single mails wait" in caplog.text
