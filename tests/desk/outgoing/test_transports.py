# SPDX-License-Identifier: AGPL-3.0-or-later
"""What holds for every way out (``relays.Transport``), tried on each against its other end."""

from __future__ import annotations

import email
import email.policy
import itertools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from tamizdat.config import Newsroom
from tamizdat.desk.outgoing import relays
from tamizdat.desk.outgoing.relay_outbox import folder_of
from tamizdat.desk.outgoing.relays import Transport
from tamizdat.mail.errors import MessageError, RelayError
from tamizdat.mail.smtp import Outcome, Outgoing
from tests.fakes.provider import Provider, Rule
from tests.mail.relays import HangUp, Relay

NEVER_MADE = "never made"
LEAVE = "<https://drop.meridian.example/v1/unsubscribe/TOKEN>"


class Kept(NamedTuple):
    """A mail as the other end has it."""

    recipient: str
    subject: str
    message_id: str
    leave: str
    plain: str
    html: str
    files: int


class End(NamedTuple):
    """A newsroom with one relay, and the other end of it. ``rules`` by recipient; ``answers``
    where it can say something else than yes."""

    newsroom: Newsroom
    kept: Callable[[], list[Kept]]
    rules: dict[str, Any]
    answers: bool

    def open(self) -> Transport:
        return relays.open_transport(self.newsroom, "one")

    def send(self, *rules: str) -> list[Outcome]:
        """One mail for each rule, over one session, in their order."""
        self.rules.update({address(n): rule for n, rule in enumerate(rules)})
        transport = self.open()
        try:
            found = list(transport.send(mail(n, rule) for n, rule in enumerate(rules)))
        finally:
            transport.close()
        return sorted(found, key=lambda outcome: int(outcome.key))  # type: ignore[call-overload] # ours


def address(number: int) -> str:
    return f"reader-{number}@post.example"


def mail(number: int, rule: str = "take") -> Outgoing:
    return Outgoing(
        key=number,
        sender="back@returns.meridian.example",
        recipient=address(number),
        data=_cannot_be_made if rule == NEVER_MADE else _written(number),
    )


def _cannot_be_made() -> bytes:
    raise MessageError("No mail can go there.")


def _written(number: int) -> bytes:
    message = EmailMessage(policy=email.policy.SMTP)
    message["From"], message["To"] = "The Meridian <weekly@meridian.example>", address(number)
    message["Subject"], message["Message-ID"] = "Паромы снова ходят", f"<{number}@meridian.example>"
    message["List-Unsubscribe"] = LEAVE
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content("Good evening.\n.\nThe crews went back.\n")
    message.add_alternative("<p>Good evening <img src='cid:quay'></p>", subtype="html")
    html = message.get_body(("html",))
    assert html is not None
    html.add_related(b"\x89PNG", "image", "png", cid="<quay>", filename="quay.png")
    return message.as_bytes()


# The other ends


def _newsroom(folder: Path, relay: str, more: str = "") -> Newsroom:
    (folder / "secrets").mkdir(parents=True)
    (folder / "tamizdat.toml").write_text(
        f'name = "The Meridian"\naddress = "https://meridian.example"\n{more}\n'
        f'[[relays]]\nname = "one"\n{relay}\n'
    )
    return Newsroom(folder)


def _parsed(data: bytes, recipient: str) -> Kept:
    found = email.message_from_bytes(data, EmailMessage, policy=email.policy.default)
    plain, html = found.get_body(("plain",)), found.get_body(("html",))
    assert plain is not None
    assert html is not None
    return Kept(
        recipient,
        str(found["Subject"]),
        str(found["Message-ID"]),
        str(found["List-Unsubscribe"]),
        plain.get_content(),
        html.get_content(),
        sum(part.get_content_maintype() == "image" for part in found.walk()),
    )


@contextmanager
def smtp(folder: Path) -> Iterator[End]:
    with Relay() as server:
        rules: dict[str, Any] = {}
        on_the_line = [""]

        def on_rcpt(_: int) -> str:
            found = re.search("<(.*)>", server.log[-1])
            on_the_line[0] = rules.get(found[1] if found else "", "take")
            answers = {"refuse": "550 5.1.1 no such user", "put off": "450 4.2.0 later"}
            return answers.get(on_the_line[0], "250 2.1.5 ok")

        def on_dot(_: int) -> str:
            if on_the_line[0] == "hang up":
                raise HangUp
            return "250 2.0.0 ok"

        server.on_rcpt, server.on_dot = on_rcpt, on_dot
        relay = f'host = "127.0.0.1"\nport = {server.port}\nsecurity = "none"'
        yield End(
            _newsroom(folder, relay),
            lambda: [_parsed(data, to) for _, to, data in server.kept],
            rules,
            True,
        )


@contextmanager
def anymail(folder: Path) -> Iterator[End]:
    with Provider() as provider:
        backend = "anymail.backends.postmark.EmailBackend"
        made = _newsroom(
            folder, f'kind = "anymail"\nbackend = "{backend}"\ncredentials = "options"'
        )
        options = {"server_token": "invented", "api_url": provider.url}
        (made.secrets / "options").write_text(json.dumps(options))
        yield End(made, lambda: [_told(one) for one in provider.kept], provider.rules, True)  # type: ignore[arg-type] # the same words


def _told(said: dict[str, Any]) -> Kept:
    fields = {one["Name"]: one["Value"] for one in said["Headers"]}
    return Kept(
        said["To"],
        said["Subject"],
        fields["Message-ID"],
        fields["List-Unsubscribe"],
        said["TextBody"],
        said["HtmlBody"],
        len(said["Attachments"]),
    )


@contextmanager
def outbox(folder: Path) -> Iterator[End]:
    made = _newsroom(folder, 'kind = "outbox"', "demo = true")

    def kept() -> list[Kept]:
        found = [file.read_bytes() for file in sorted(folder_of(made).glob("*.eml"))]
        return [_parsed(data, _to(data)) for data in found]

    yield End(made, kept, {}, False)


def _to(data: bytes) -> str:
    return str(email.message_from_bytes(data)["To"])


Maker = Callable[[Path], AbstractContextManager[End]]
WAYS: list[Maker] = [smtp, anymail, outbox]
ANSWERING: list[Maker] = [smtp, anymail]


def test_each_kind_of_the_settings_is_tried_here() -> None:
    assert {way.__name__ for way in WAYS} == set(relays.KINDS)


@pytest.fixture
def end(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[End]:
    with request.param(tmp_path / "newsroom") as made:
        yield made


each_way = pytest.mark.parametrize("end", WAYS, indirect=True)
each_that_answers = pytest.mark.parametrize("end", ANSWERING, indirect=True)


# What holds


@each_way
def test_what_is_sent_arrives_whole(end: End) -> None:
    [outcome] = end.send("take")
    assert (outcome.key, outcome.state) == (0, "sent")
    [kept] = end.kept()
    assert kept._replace(html="", plain="") == Kept(
        address(0), "Паромы снова ходят", "<0@meridian.example>", LEAVE, "", "", 1
    )
    assert kept.plain.splitlines() == ["Good evening.", ".", "The crews went back."]
    assert "cid:quay" in kept.html


@each_way
def test_one_that_cannot_be_made_is_refused_and_stands_in_nobodys_way(end: End) -> None:
    states = [outcome.state for outcome in end.send("take", NEVER_MADE, "take")]
    assert states == ["sent", "refused", "sent"]
    assert [kept.recipient for kept in end.kept()] == [address(0), address(2)]


@each_way
def test_of_nothing_comes_nothing_and_leave_is_taken_twice(end: End) -> None:
    transport = end.open()
    assert list(transport.send([])) == []
    assert transport.usable
    transport.close()
    transport.close()
    assert end.kept() == []


@each_that_answers
def test_a_recipient_who_is_refused_is_named_by_nobody(end: End) -> None:
    outcomes = end.send("take", "refuse", "take")
    assert [outcome.state for outcome in outcomes] == ["sent", "refused", "sent"]
    assert outcomes[1].at == "recipient"
    assert outcomes[1].code == 550
    assert "reader-1" not in outcomes[1].said


@each_that_answers
def test_what_is_put_off_did_not_go(end: End) -> None:
    assert [outcome.state for outcome in end.send("put off")] == ["deferred"]
    assert end.kept() == []


@each_that_answers
def test_an_end_that_hangs_up_leaves_one_mail_in_doubt_and_the_rest_here(end: End) -> None:
    outcomes = end.send("take", "hang up", "take", "take")
    assert [outcome.state for outcome in outcomes] == ["sent", "unknown", "deferred", "deferred"]
    assert [kept.recipient for kept in end.kept()] == [address(0)]
    end.rules.clear()
    assert [outcome.state for outcome in end.send("take")] == ["sent"], "another session goes"


@each_that_answers
def test_after_trouble_it_says_that_it_is_of_no_use(end: End) -> None:
    end.rules[address(0)] = "hang up"
    transport = end.open()
    list(transport.send([mail(0)]))
    assert not transport.usable
    assert [outcome.state for outcome in transport.send([mail(1)])] == ["deferred"]
    transport.close()


@pytest.mark.parametrize("way", ANSWERING)
def test_where_nobody_answers_nothing_went(way: Maker, tmp_path: Path) -> None:
    with way(tmp_path / "newsroom") as gone:
        pass
    states = ["deferred", "deferred"]
    with suppress(RelayError):  # Said when it is opened, or of each mail.
        states = [outcome.state for outcome in gone.send("take", "take")]
    assert states == ["deferred", "deferred"]


_number = itertools.count()


@pytest.mark.parametrize("way", WAYS)
@given(st.lists(st.sampled_from(("take", "refuse", "put off", "hang up", NEVER_MADE)), max_size=7))
@examples(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_happens_each_mail_has_one_outcome_and_it_is_true(
    way: Maker, tmp_path: Path, rules: Sequence[str]
) -> None:
    with ExitStack() as stack:
        end = stack.enter_context(way(tmp_path / str(next(_number))))
        outcomes = end.send(*rules)
        kept = Counter(one.recipient for one in end.kept())
    assert [outcome.key for outcome in outcomes] == list(range(len(rules)))
    for number, outcome in enumerate(outcomes):
        times, allowed = kept[address(number)], {"sent": {1}, "unknown": {0, 1}}
        assert times in allowed.get(outcome.state, {0}), (rules, outcomes)
        assert "@" not in outcome.said
    if not end.answers:
        assert {outcome.state for outcome in outcomes} <= {"sent", "refused"}


def test_a_relay_that_the_settings_do_not_name_is_said(tmp_path: Path) -> None:
    with outbox(tmp_path / "newsroom") as end, pytest.raises(RelayError, match="no relay") as said:
        relays.open_transport(end.newsroom, "other")
    assert said.value.permanent


def test_the_rules_are_words_that_both_ends_know() -> None:
    assert set(Rule.__args__) == {"take", "refuse", "put off", "hang up"}  # type: ignore[attr-defined] # of a Literal
