# SPDX-License-Identifier: AGPL-3.0-or-later
"""Batches over a relay that answers: each mail gets its own outcome, and goes once or not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tamizdat.mail.errors import MessageError
from tamizdat.mail.smtp import Outcome, Outgoing
from tamizdat.mail.transfer import Clean
from tests.mail.relays import ALL, Relay, connect, mails, send, states

STEPS = {"pipelined": ALL, "in steps": ALL[1:], "knows nothing": ()}


@pytest.fixture(params=STEPS.values(), ids=STEPS.keys())
def relay(request: pytest.FixtureRequest) -> Iterator[Relay]:
    with Relay() as made:
        made.extensions = request.param
        made.helo_only = not request.param
        yield made


def took(relay: Relay) -> list[str]:
    return [data.decode().split("mail ")[1].strip() for _, _, data in relay.kept]


def test_every_mail_arrives_once_and_as_it_was(relay: Relay) -> None:
    outcomes = send(relay, mails(7))
    assert states(outcomes) == "sssssss"
    assert [outcome.key for outcome in outcomes] == list(range(7))
    assert took(relay) == [str(n) for n in range(7)]
    assert [to for _, to, _ in relay.kept] == [f"reader-{n}@there.example" for n in range(7)]
    assert outcomes[3] == Outcome(3, "sent", 250, "2.0.0", "queued as 0003", "content")
    assert outcomes[3].codes == "250 2.0.0"
    assert relay.log[-1] == "QUIT"


def test_an_empty_batch_says_nothing(relay: Relay) -> None:
    with connect(relay) as connection:
        assert list(connection.send([])) == []
        assert states(connection.send(mails(1))) == "s"


def test_several_batches_go_over_one_connection(relay: Relay) -> None:
    with connect(relay) as connection:
        for _ in range(3):
            assert states(connection.send(mails(2))) == "ss"
    assert len(relay.kept) == 6
    assert sum("LO" in line[:4] for line in relay.log) <= 2


def test_a_relay_without_pipelining_is_never_hurried() -> None:
    with Relay() as relay:
        relay.extensions = ALL[1:]
        relay.on_rcpt = lambda n: "550 5.1.1 no" if n == 1 else "250 ok"
        assert states(send(relay, mails(4))) == "srss"
        assert relay.early == []


def test_a_relay_with_pipelining_gets_the_next_envelope_behind_the_final_dot() -> None:
    with Relay() as relay:
        assert states(send(relay, mails(4))) == "ssss"
        assert sum(line.startswith("MAIL") for line in relay.early) == 4
        assert sum(line.startswith("RCPT") for line in relay.early) == 4
        assert "DATA" not in relay.early


@pytest.mark.parametrize("refuses", ["503 5.5.1 no recipient", "554 no valid recipients"])
def test_a_refused_recipient_refuses_no_other(relay: Relay, refuses: str) -> None:
    relay.on_rcpt = lambda n: "550 5.1.1 nobody here" if n in (0, 2, 3) else "250 ok"
    relay.on_data = lambda n: refuses if n in (0, 2, 3) else "354 go on"
    outcomes = send(relay, mails(6))
    assert states(outcomes) == "rsrrss"
    assert took(relay) == ["1", "4", "5"]
    assert (outcomes[2].codes, outcomes[2].at) == ("550 5.1.1", "recipient")


def test_a_relay_that_awaits_the_content_of_a_refused_mail_gets_none(relay: Relay) -> None:
    relay.on_rcpt = lambda n: "550 5.1.1 nobody here" if n in (1, 4) else "250 ok"
    relay.on_data = lambda n: "354 all the same"
    assert states(send(relay, mails(5))) == "srssr"
    assert took(relay) == ["0", "2", "3"]


@pytest.mark.parametrize("answer", ["450 4.2.1 later", "452 4.3.1 full", "451 greylisted"])
def test_a_recipient_put_off_is_put_off(relay: Relay, answer: str) -> None:
    relay.on_rcpt = lambda n: answer if n == 1 else "250 ok"
    assert states(send(relay, mails(3))) == "sds"
    assert took(relay) == ["0", "2"]


def test_a_refused_sender_is_told_apart(relay: Relay) -> None:
    relay.on_mail = lambda n: "550 5.7.1 not you" if n == 1 else "250 ok"
    outcomes = send(relay, mails(3))
    assert states(outcomes) == "srs"
    assert (outcomes[1].at, outcomes[1].said) == ("sender", "not you")
    assert took(relay) == ["0", "2"]


def test_a_mail_refused_at_data_leaves_nothing_behind(relay: Relay) -> None:
    relay.on_data = lambda n: "451 4.3.0 not now" if n == 1 else "354 go on"
    outcomes = send(relay, mails(3))
    assert states(outcomes) == "sds"
    assert outcomes[1].at == "content"
    assert took(relay) == ["0", "2"]


def test_a_content_refused_at_the_dot_is_not_sent(relay: Relay) -> None:
    relay.on_dot = lambda n: ["250 ok", "554 5.7.1 spam", "452 4.2.2 full", "250 ok"][n]
    assert states(send(relay, mails(4))) == "srds"
    assert took(relay) == ["0", "3"]


def test_a_refusal_at_the_end_of_a_batch_does_not_spoil_the_next(relay: Relay) -> None:
    relay.on_rcpt = lambda n: "550 5.1.1 no" if n == 1 else "250 ok"
    with connect(relay) as connection:
        assert states(connection.send(mails(2))) == "sr"
        assert states(connection.send(mails(2))) == "ss"


def test_answers_of_several_lines_are_one(relay: Relay) -> None:
    relay.on_rcpt = lambda n: "550-5.1.1 Nobody\n550-5.1.1 of that name\n550 5.1.1 lives here"
    (outcome,) = send(relay, mails(1))
    assert (outcome.codes, outcome.said) == ("550 5.1.1", "Nobody of that name lives here")


def test_no_outcome_names_a_reader(relay: Relay) -> None:
    relay.on_rcpt = lambda n: (
        f"550 5.1.1 <reader-{n}@there.example>: READER-{n} unknown at mx.there.example, "
        f"see https://there.example/?a=reader-{n}%40there.example"
    )
    for outcome in send(relay, mails(2)):
        assert "reader" not in outcome.said.lower()
        assert "there" not in outcome.said.lower()
        assert "unknown at" in outcome.said


@pytest.mark.parametrize(
    "body",
    [b".", b"..", b".\r\n", b"a\r\n.\r\nQUIT", b"\r\n.\r\n.\r\n..\r\n", b".a\r\n..b\r\n...c"],
)
def test_dots_are_content(relay: Relay, body: bytes) -> None:
    data = b"Subject: x\r\n\r\n" + body
    assert states(send(relay, mails(2, data))) == "ss"
    end = b"" if body.endswith(b"\r\n") else b"\r\n"
    assert [kept for _, _, kept in relay.kept] == [data + end] * 2


def test_what_needs_no_dots_goes_as_it_is(relay: Relay) -> None:
    data = Clean(b"Subject: x\r\n\r\nmail 0\r\n")
    assert states(send(relay, mails(1, data))) == "s"
    assert relay.kept[0][2] == data


@pytest.mark.parametrize("data", [b"a: b\r\n\r\nx\n.\r\ny\r\n", b"a: b\r\n\r\nx\r.\r", b"a\n\nb\n"])
def test_ends_of_lines_that_two_relays_read_differently_go_to_none(
    relay: Relay, data: bytes
) -> None:
    first, last = mails(2)
    wrong = Outgoing(key=9, sender="", recipient="a@b.example", data=data)
    outcomes = send(relay, [first, wrong, last])
    assert states(outcomes) == "ssr"
    assert len(relay.kept) == 2


def test_a_mail_without_a_sender_has_an_empty_one(relay: Relay) -> None:
    one = Outgoing(key=1, sender="", recipient="a@b.example", data=b"a: b\r\n\r\nmail 1\r\n")
    assert states(send(relay, [one])) == "s"
    assert relay.kept[0][0].startswith("MAIL FROM:<>")


def test_mails_are_made_when_their_turn_comes(relay: Relay) -> None:
    made = list[int]()

    def one(n: int) -> bytes:
        made.append(n)
        return b"a: b\r\n\r\nmail %d\r\n" % n

    batch = [
        Outgoing(key=n, sender="", recipient="a@b.example", data=lambda n=n: one(n))  # type: ignore[misc]  # The number is the lambda's own.
        for n in range(9)
    ]
    with connect(relay) as connection:
        for outcome in connection.send(batch):
            assert len(made) <= int(str(outcome.key)) + 3
    assert took(relay) == [str(n) for n in range(9)]


def test_a_mail_that_cannot_be_made_is_refused_and_no_other(relay: Relay) -> None:
    def broken() -> bytes:
        raise MessageError("A token is missing.")

    bad = Outgoing(key=5, sender="", recipient="a@b.example", data=broken)
    outcomes = {outcome.key: outcome for outcome in send(relay, [*mails(2), bad])}
    assert [outcomes[key].state for key in (0, 1, 5)] == ["sent", "sent", "refused"]
    assert outcomes[5].said == "A token is missing."


@pytest.mark.parametrize("address", ["a b@c.example", "a@b.example>\r\nDATA", "", "a", "a@-b.c"])
def test_an_address_that_ends_a_command_never_reaches_the_relay(relay: Relay, address: str) -> None:
    bad = Outgoing(key=5, sender="", recipient=address, data=b"a: b\r\n\r\nx\r\n")
    outcomes = {outcome.key: outcome for outcome in send(relay, [bad, *mails(1)])}
    assert (outcomes[5].state, outcomes[5].at) == ("refused", "recipient")
    assert outcomes[0].state == "sent"
    assert len(relay.kept) == 1


def test_a_sender_that_cannot_be_is_not_the_readers_fault(relay: Relay) -> None:
    bad = Outgoing(key=5, sender="not an address", recipient="a@b.example", data=b"a: b\r\n\r\n")
    (outcome,) = send(relay, [bad])
    assert (outcome.state, outcome.at) == ("refused", "sender")


def test_what_goes_wrong_while_mails_are_made_loses_none_of_those_before(relay: Relay) -> None:
    def batch() -> Iterator[Outgoing]:
        yield from mails(3)
        raise ValueError("the ledger is gone")

    outcomes = list[Outcome]()
    with connect(relay) as connection:
        with pytest.raises(ValueError, match="the ledger is gone"):
            outcomes.extend(connection.send(batch()))
        assert connection.usable
    assert states(outcomes) in ("", "sss")
    assert took(relay) == ["0", "1", "2"]


def test_who_leaves_early_has_handed_over_what_was_told_and_nothing_else(relay: Relay) -> None:
    with connect(relay) as connection:
        sending = connection.send(mails(9))
        told = [next(sending), next(sending)]
        sending.close()  # type: ignore[attr-defined]  # It is a generator.
        assert not connection.usable
        assert states(connection.send(mails(2))) == "dd"
    assert took(relay) == [str(outcome.key) for outcome in told] == ["0", "1"]


def test_a_large_mail_goes_in_blocks(relay: Relay) -> None:
    data = b"a: b\r\n\r\n" + b"mail " + b"x" * 3_000_000 + b"\r\n"
    assert states(send(relay, mails(2, data))) == "ss"
    assert relay.kept[1][2] == data


def test_a_mail_larger_than_the_relay_takes_is_not_offered() -> None:
    with Relay() as relay:
        relay.extensions = ("PIPELINING", "SIZE 1000")
        big = Outgoing(key=7, sender="", recipient="a@b.example", data=b"a: b\r\n" * 500)
        outcomes = {o.key: o for o in send(relay, [*mails(1), big])}
        assert (outcomes[7].state, outcomes[7].codes) == ("refused", "5.3.4")
        assert outcomes[0].state == "sent"
        assert "SIZE=" in relay.kept[0][0]


@pytest.mark.parametrize(
    ("extensions", "recipient", "data", "asked"),
    [
        (ALL, "a@b.example", "a: b\r\n\r\nж\r\n", "BODY=8BITMIME"),
        (ALL, "жук@b.example", "To: жук\r\n\r\nx\r\n", "BODY=8BITMIME SMTPUTF8"),
        (ALL, "a@пример.example", "a: b\r\n\r\nx\r\n", ""),
        (ALL[:1], "a@b.example", "a: b\r\n\r\nж\r\n", None),
        (ALL[:2], "жук@b.example", "a: b\r\n\r\nx\r\n", None),
    ],
)
def test_what_goes_beyond_ascii_is_announced_or_not_sent(
    extensions: tuple[str, ...], recipient: str, data: str, asked: str | None
) -> None:
    with Relay() as relay:
        relay.extensions = extensions
        one = Outgoing(key=1, sender="s@n.example", recipient=recipient, data=data.encode())
        (outcome,) = send(relay, [one])
        if asked is None:
            assert (outcome.state, relay.kept) == ("refused", [])
            return
        assert outcome.state == "sent"
        assert relay.kept[0][0].partition("> ")[2].partition("SIZE=")[2].endswith(asked)
        assert relay.kept[0][1].endswith(".example")
        assert relay.kept[0][1].rpartition("@")[2].isascii()
