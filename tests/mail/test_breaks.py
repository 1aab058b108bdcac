# SPDX-License-Identifier: AGPL-3.0-or-later
"""A connection that breaks: what is certainly not sent, what nobody knows, and no third thing."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamizdat.mail.smtp import Outcome
from tests.mail.relays import ALL, QUICK, HangUp, Relay, connect, mails, send, states

SOON = msgspec.structs.replace(QUICK, mail=0.1, rcpt=0.1, data=0.1, block=0.2, final=0.1)


def hang_up(number: int) -> str:
    raise HangUp


def reset(number: int) -> str:
    raise HangUp(rudely=True)


def closing(number: int) -> str:
    return "421 4.3.2 going down"


def garbage(number: int) -> str:
    return "what is a mail"


def silence(number: int) -> str:
    time.sleep(0.4)
    raise HangUp


def wrong(number: int) -> str:
    return "334 user?"


def at(turn: int, rule: Callable[[int], str], usual: Callable[[int], str]) -> Callable[[int], str]:
    return lambda n: rule(n) if n == turn else usual(n)


def check(relay: Relay, outcomes: list[Outcome], count: int) -> None:
    """What must hold of a batch, whatever happened."""
    assert sorted(outcome.key for outcome in outcomes) == list(range(count))  # type: ignore[type-var]
    kept = [int(to.split("-")[1].split("@")[0]) for _, to, _ in relay.kept]
    assert len(kept) == len(set(kept))
    unknown = [outcome.key for outcome in outcomes if outcome.state == "unknown"]
    sent = {outcome.key for outcome in outcomes if outcome.state == "sent"}
    assert len(unknown) <= 1
    assert sent <= set(kept) <= sent | set(unknown)


@pytest.mark.parametrize("extensions", [ALL, ALL[1:]], ids=["pipelined", "in steps"])
@pytest.mark.parametrize("rule", [hang_up, reset, closing, garbage, wrong])
@pytest.mark.parametrize("phase", ["on_mail", "on_rcpt", "on_data", "on_dot"])
def test_a_break_leaves_at_most_one_mail_in_doubt(
    phase: str, rule: Callable[[int], str], extensions: tuple[str, ...]
) -> None:
    with Relay() as relay:
        relay.extensions = extensions
        setattr(relay, phase, at(2, rule, getattr(relay, phase)))
        with connect(relay) as connection:
            outcomes = list(connection.send(mails(6)))
            assert not connection.usable
            assert states(connection.send(mails(2))) == "dd"
        check(relay, outcomes, 6)
        doubt = "u" if phase == "on_dot" and rule is not closing else "d"
        assert states(outcomes) == f"ss{doubt}ddd"
        assert all(outcome.said for outcome in outcomes[2:])


@pytest.mark.parametrize("phase", ["on_mail", "on_rcpt", "on_data", "on_dot"])
def test_a_relay_that_falls_silent_is_left(phase: str) -> None:
    with Relay() as relay:
        setattr(relay, phase, at(1, silence, getattr(relay, phase)))
        began = time.monotonic()
        outcomes = send(relay, mails(4), SOON)
        assert time.monotonic() - began < 15, "not as long as a relay may take"
        check(relay, outcomes, 4)
        assert states(outcomes) == ("sudd" if phase == "on_dot" else "sddd")


def test_a_relay_that_took_the_mail_and_died_leaves_it_unknown() -> None:
    with Relay() as relay:
        relay.on_dot = lambda n: hang_up(n) if n == 3 else "250 ok"
        outcomes = send(relay, mails(5))
        assert states(outcomes) == "sssud"
        assert outcomes[3] == Outcome(
            3, "unknown", 0, "", "The relay closed the connection.", "content"
        )
        assert (outcomes[4].at, outcomes[4].code) == ("relay", 0)


def test_an_answer_that_came_before_the_end_counts() -> None:
    with Relay() as relay:
        relay.on_dot = lambda n: "250 ok" if n < 2 else "250 2.0.0 ok\n421 4.3.2 going down"
        outcomes = send(relay, mails(4))
        assert states(outcomes) == "sssd"


@pytest.mark.parametrize("rudely", [False, True])
def test_a_break_within_the_content_is_certainly_not_sent(rudely: bool) -> None:
    def stop(number: int) -> None:
        if number == 1:
            raise HangUp(rudely=rudely)

    with Relay() as relay:
        relay.on_content = stop
        data = b"a: b\r\n\r\n" + b"x" * 9_000_000 + b"\r\n"
        relay.extensions = ("PIPELINING",)
        batch = mails(3)
        batch[1] = msgspec.structs.replace(batch[1], data=data)
        outcomes = send(relay, batch)
        check(relay, outcomes, 3)
        assert states(outcomes) == "sdd"


def test_a_relay_that_reads_no_content_is_left_and_nothing_is_in_doubt() -> None:
    with Relay() as relay:
        relay.on_content = lambda n: time.sleep(0.5)
        relay.extensions = ("PIPELINING",)
        batch = mails(2, b"a: b\r\n\r\n" + b"x" * 9_000_000 + b"\r\n")
        outcomes = send(relay, batch, SOON)
        assert states(outcomes) == "dd"
        assert outcomes[0].said == "The relay did not answer in time."


def test_a_relay_that_takes_its_time_is_waited_for() -> None:
    def slowly(number: int) -> str:
        time.sleep(0.1)
        return "250 ok"

    with Relay() as relay:
        relay.on_dot = slowly
        relay.on_content = lambda n: time.sleep(0.05)
        assert states(send(relay, mails(3))) == "sss"


def test_a_reason_given_within_the_content_is_heard() -> None:
    class Stops(Relay):
        pass

    with Stops() as relay:
        relay.extensions = ("PIPELINING",)
        relay.on_data = lambda n: "354 go on\n421 4.3.2 no room" if n else "354 go on"
        relay.on_content = lambda n: hang_up(n) if n else None  # type: ignore[func-returns-value]
        batch = mails(3)
        data = b"a: b\r\n\r\n" + b"x" * 3_000_000 + b"\r\n"
        batch[1] = msgspec.structs.replace(batch[1], data=data)
        outcomes = send(relay, batch)
        assert states(outcomes) == "sdd"
        check(relay, outcomes, 3)


@pytest.mark.parametrize(
    "flood",
    [
        "250-" + "x" * 9_000,
        "\n".join(["250-more"] * 1_000),
        "250 " + "y" * 200_000,
        "25",
        "250ok",
        "2500 ok",
        "150 hm",
        "250-one\n251 two",
        "\0\0\0\0",
        "250 ok\n250 ok",
    ],
    ids=range(10),
)
def test_an_answer_that_is_none_ends_the_session(flood: str) -> None:
    with Relay() as relay:
        relay.on_rcpt = lambda n: flood if n == 1 else "250 ok"
        outcomes = send(relay, mails(4))
        check(relay, outcomes, 4)
        assert states(outcomes) == "sddd"


def test_words_before_their_time_are_not_taken_for_an_answer_to_the_content() -> None:
    """An answer too many would be read as the one to the final dot, and a mail be taken for sent
    that is not."""
    with Relay() as relay:
        relay.on_data = lambda n: "354 go on\n250 2.0.0 sent, believe me" if n == 1 else "354 go on"
        relay.on_dot = lambda n: "554 5.7.1 no"
        outcomes = send(relay, mails(3))
        assert states(outcomes) == "rdd"
        assert relay.kept == []


def test_a_session_that_ended_while_nobody_wrote_is_noticed() -> None:
    with Relay() as relay:
        relay.on_dot = lambda n: "250 ok"
        with connect(relay) as connection:
            assert states(connection.send(mails(1))) == "s"
            assert connection.alive()
            relay.on_mail = hang_up
            assert states(connection.send(mails(3))) == "ddd"
            assert not connection.alive()
        assert len(relay.kept) == 1


def test_the_last_words_name_no_reader_in_any_outcome() -> None:
    with Relay() as relay:
        relay.on_rcpt = lambda n: "421 4.7.0 READER-1 of there.example gets too much"
        for outcome in send(relay, [*mails(5)][1:]):
            assert outcome.state == "deferred"
            assert "reader" not in outcome.said.lower()
            assert "there" not in outcome.said.lower()
            assert "gets too much" in outcome.said


PHASES = ("on_mail", "on_rcpt", "on_data", "on_dot")
RULES: tuple[Callable[[int], str], ...] = (hang_up, reset, closing, garbage, wrong)
ANSWERS: tuple[str, ...] = ("450 4.2.1 later", "550 5.1.1 no", "250 ok", "354 all the same")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), pipelined=st.booleans())
def test_whatever_a_relay_does_the_ledger_is_right(seed: int, pipelined: bool) -> None:
    """Refusals at random, and a break at random: no mail is told sent that was not kept, none told
    not sent that was, and at most one in doubt."""
    luck = random.Random(seed)
    with Relay() as relay:
        relay.extensions = ALL if pipelined else ALL[1:]
        for phase in PHASES:
            usual = getattr(relay, phase)
            odd = {n: luck.choice(ANSWERS) for n in range(8) if luck.random() < 0.15}
            if phase != "on_data":  # Where content is not asked for, nobody may say so.
                odd = {n: answer for n, answer in odd.items() if answer[0] != "3"}
            else:
                odd = {n: answer for n, answer in odd.items() if answer[0] != "2"}
            setattr(relay, phase, lambda n, odd=odd, usual=usual: odd.get(n) or usual(n))
        phase = luck.choice(PHASES)
        setattr(relay, phase, at(luck.randrange(12), luck.choice(RULES), getattr(relay, phase)))
        check(relay, send(relay, mails(8)), 8)
