# SPDX-License-Identifier: AGPL-3.0-or-later
"""Abuse is slowed without knowing who abuses."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.drop import settings
from tamizdat.drop.limits import MOST_NETWORKS, Counters, Purpose, network_of, networks
from tamizdat.drop.work import Work
from tests.drop.machines import InProcess, in_process, letter, opened

SMALL = {"free": 3, "most": 6, "all_free": 50, "all_most": 60, "work": 1_000}


def solve(challenge: dict[str, Any]) -> str:
    """As the reader's browser does."""
    for number in range(challenge["maxnumber"] + 1):
        tried = hashlib.sha256(f"{challenge['salt']}{number}".encode()).hexdigest()
        if tried == challenge["challenge"]:
            found = {k: challenge[k] for k in ("algorithm", "challenge", "salt", "signature")}
            return base64.b64encode(json.dumps({**found, "number": number}).encode()).decode()
    raise AssertionError("it has no solution")


def send(drop: InProcess, peer: str = "203.0.113.7", proof: str = "") -> Any:
    where = "/v1/sealed" + (f"?proof={proof}" if proof else "")
    return drop.ask("POST", where, letter(), peer=peer)


def test_who_sends_much_works_for_it_and_then_waits(tmp_path: Path) -> None:
    with in_process(tmp_path / "drop", limits=SMALL) as drop:
        assert drop.ask("GET", "/v1/challenge").json == {"challenge": None}
        assert [send(drop).status for _ in range(3)] == [200] * 3
        refused = send(drop)
        assert (refused.status, refused.json["error"]) == (429, "busy")
        assert refused.headers["access-control-allow-origin"] == "*"
        proof = solve(refused.json["challenge"])
        assert send(drop, proof="x" + proof[1:]).status == 429
        assert send(drop, proof=proof).status == 200
        assert send(drop, proof=proof).status == 429, "a proof is good once"
        for _ in range(2):
            challenge = drop.ask("GET", "/v1/challenge", peer="203.0.113.9").json["challenge"]
            assert send(drop, proof=solve(challenge)).status == 200
        last = send(drop)
        assert last.status == 429
        assert "challenge" not in last.json
        assert int(last.headers["retry-after"]) > 0
        # Another network is not concerned.
        assert send(drop, peer="203.0.114.7").status == 200
        assert len(opened(drop.folder)) == 7


def test_who_has_no_script_is_told_to_wait(tmp_path: Path) -> None:
    with in_process(tmp_path / "drop", limits={**SMALL, "free": 0, "most": 0}) as drop:
        reply = drop.fill_in("/v1/message?language=ru", text="Hello")
        assert reply.status == 429
        assert "Подождите час" in reply.text


def test_links_from_mails_are_not_concerned_by_a_flood_of_letters(tmp_path: Path) -> None:
    with in_process(tmp_path / "drop", limits={**SMALL, "all_free": 0, "all_most": 0}) as drop:
        assert send(drop).status == 429
        assert drop.fill_in("/v1/unsubscribe/tok").status == 303
        assert drop.ask("POST", "/v1/webhook/piggybank", b"{}").status == 200


def test_all_together_are_limited_too(tmp_path: Path) -> None:
    with in_process(tmp_path / "drop", limits={**SMALL, "all_free": 4, "all_most": 5}) as drop:
        replies = [send(drop, peer=f"198.51.{n}.1") for n in range(5)]
        assert [reply.status for reply in replies] == [200] * 4 + [429]
        proof = solve(replies[-1].json["challenge"])
        assert send(drop, peer="198.51.77.1", proof=proof).status == 200
        assert "challenge" not in send(drop, peer="198.51.78.1").json


def test_behind_an_onion_service_only_all_together_are_limited(tmp_path: Path) -> None:
    with in_process(tmp_path / "drop", limits=SMALL) as drop:
        statuses = [send(drop, peer="127.0.0.1").status for _ in range(51)]
        assert statuses == [200] * 50 + [429]


TRUSTED = networks(["127.0.0.0/8", "10.1.0.0/16", "::1"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "wanted"),
    [
        ("198.51.100.7", "", "198.51.100"),
        ("198.51.100.7", "203.0.113.9", "198.51.100"),
        ("127.0.0.1", "203.0.113.9", "203.0.113"),
        ("127.0.0.1", "1.2.3.4, 203.0.113.9", "203.0.113"),
        ("127.0.0.1", "1.2.3.4, 203.0.113.9, 10.1.9.9", "203.0.113"),
        ("127.0.0.1", "nonsense", ""),
        ("127.0.0.1", "", ""),
        ("127.0.0.1", "127.0.0.1", ""),
        ("", "203.0.113.9", ""),
        ("::ffff:198.51.100.7", "", "198.51.100"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1"),
        ("fe80::1%eth0", "", "fe80:0:0"),
    ],
)
def test_the_network_is_that_of_the_reader_as_far_as_trusted_proxies_say(
    peer: str, forwarded: str, wanted: str
) -> None:
    found = network_of(peer, forwarded, TRUSTED)
    if not wanted:
        assert found == b""
    elif ":" in wanted:
        assert found == b"".join(int(part, 16).to_bytes(2, "big") for part in wanted.split(":"))
    else:
        assert found == bytes(map(int, wanted.split(".")))


@given(st.text(max_size=60), st.text(max_size=200))
def test_no_header_confuses_the_count(peer: str, forwarded: str) -> None:
    assert len(network_of(peer, forwarded, TRUSTED)) in (0, 3, 6)


class Moment:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_every_hour_all_is_forgotten() -> None:
    moment = Moment()
    counters = Counters(settings.Limits(free=1, most=1), clock=moment)
    counters.count(b"\1\2\3", Purpose.SUBMIT)
    before = set(counters._counts)
    assert not counters.ask(b"\1\2\3", Purpose.SUBMIT).allowed
    moment.now = 3_601
    assert counters.ask(b"\1\2\3", Purpose.SUBMIT).allowed
    counters.count(b"\1\2\3", Purpose.SUBMIT)
    assert not before & set(counters._counts), "another salt gives other names"
    assert not any(b"\1\2\3" in key for key in counters._counts)


def test_large_ones_count_for_more(tmp_path: Path) -> None:
    limits = {"webhooks": 20, "all_free": 1_000, "all_most": 1_000}
    with in_process(tmp_path / "drop", limits=limits) as drop:
        said = [drop.ask("POST", "/v1/webhook/piggybank", b"x" * 160_000).status for _ in range(4)]
    assert said == [200, 200, 429, 429]


def test_who_announces_no_length_is_taken_at_the_longest(tmp_path: Path) -> None:
    limits = {"webhooks": 33, "all_free": 1_000, "all_most": 1_000}
    with in_process(tmp_path / "drop", limits=limits) as drop:
        said = [drop.ask("POST", "/v1/webhook/piggybank", chunks=[b"x"]).status for _ in range(4)]
    assert said == [200, 200, 200, 429]


def test_memory_for_counters_is_bounded() -> None:
    counters = Counters(settings.Limits())
    for n in itertools.islice(itertools.count(), MOST_NETWORKS + 1_000):
        counters.count(n.to_bytes(6, "big"), Purpose.SUBMIT)
    assert len(counters._counts) == MOST_NETWORKS


@given(st.text(max_size=300))
def test_no_proof_but_a_right_one_counts(proof: str) -> None:
    assert not Work().check(proof)


@pytest.mark.parametrize(
    "change",
    [{"number": -1}, {"number": 1.5}, {"number": "1"}, {"salt": ""}, {"algorithm": "SHA-1"},
     {"signature": ""}, {"challenge": "00"}, {"extra": 1, "signature": "é"}, {"salt": None}],
)  # fmt: skip
def test_a_proof_that_was_touched_is_none(change: dict[str, Any]) -> None:
    work = Work()
    solved = json.loads(base64.b64decode(solve(work.challenge(500))))
    changed = base64.b64encode(json.dumps({**solved, **change}).encode()).decode()
    assert not work.check(changed)


def test_a_proof_of_another_drop_or_of_an_expired_challenge_is_none() -> None:
    work = Work()
    assert not Work().check(solve(work.challenge(500)))
    from datetime import UTC, datetime, timedelta

    old = Work(clock=lambda: datetime.now(UTC) - timedelta(seconds=700))
    assert not old.check(solve(old.challenge(500)))


def test_who_comes_ever_more_works_ever_more() -> None:
    counters = Counters(settings.Limits(free=10, most=1_000, work=1_000))
    asked = []
    for _ in range(200):
        asked.append(counters.ask(b"\1\2\3", Purpose.SUBMIT).work)
        counters.count(b"\1\2\3", Purpose.SUBMIT)
    assert asked[5] == 0
    assert asked[10] == 2_000
    assert asked[20] == 3_000
    assert asked[199] == 10_000
