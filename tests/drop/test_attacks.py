# SPDX-License-Identifier: AGPL-3.0-or-later
"""A drop as its operator runs it, under attack: it answers the next reader."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.drop.machines import Server, letter, opened, post, read_all, running

FORM = "content-type: application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    many = {"free": 10**6, "most": 10**6, "all_free": 10**6, "all_most": 10**6}
    with running(tmp_path_factory.mktemp("attacked") / "drop", limits=many) as found:
        yield found
        assert found.process is not None
        assert found.process.poll() is None
        assert found.log.read_text() == "", "nothing is said of who attacks, or how"


@pytest.fixture
def answers(server: Server) -> Iterator[None]:
    """Before and after, a reader is served, and only that reader's letter is kept."""
    before = len(opened(server.folder))
    yield
    assert server.ask(post("/v1/sealed", letter())).startswith(b"HTTP/1.1 200")
    assert len(opened(server.folder)) == before + 1


def status(answer: bytes) -> int:
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0


@pytest.mark.usefixtures("answers")
@pytest.mark.parametrize(
    "raw",
    [
        b"\x00" * 1_000,
        b"GET\r\n\r\n",
        b"POST /v1/sealed HTTP/9.9\r\n\r\n",
        b"POST /v1/sealed HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
        b"POST /v1/sealed HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
        b"POST /v1/sealed HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n"
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/health HTTP/1.1\r\n\r\n",
        b"POST /v1/sealed HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"POST /v1/sealed HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
        b"FFFFFFFFFFFFFFFFF\r\nx",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
        b"GET /v1/health HTTP/1.1\r\nhost: x\r\n" + b"a: b\r\n" * 5_000 + b"\r\n",
        b"GET /v1/health HTTP/1.1\r\nhost: x\r\na: " + b"b" * 200_000 + b"\r\n\r\n",
        b"GET /v1/message?"
        + b"a=b&" * 5_000
        + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET /v1/confirm/%00%ff%fe HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET /v1/../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ],
    ids=range(16),
)
def test_requests_that_are_none(server: Server, raw: bytes) -> None:
    with server.connection() as one:
        with contextlib.suppress(OSError):  # It may be cut off amid its sending.
            one.sendall(raw)
            one.shutdown(socket.SHUT_WR)
        assert b"root:x:" not in read_all(one)


@pytest.mark.usefixtures("answers")
def test_bodies_that_are_cut_off_are_not_kept(server: Server) -> None:
    whole = post("/v1/sealed", letter())
    head = b"POST /v1/sealed HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    for raw in (
        whole[:-1],
        whole[:300],
        head + b"1000\r\n" + letter()[:500],
        head + b"5\r\nage-e\r\n",
    ):
        with server.connection() as one:
            one.sendall(raw)
            one.shutdown(socket.SHUT_WR)
            assert status(read_all(one)) in (0, 400, 408)


@pytest.mark.usefixtures("answers")
def test_a_chunked_body_without_end_is_ended(server: Server) -> None:
    chunk = b"10000\r\n" + b"x" * 65_536 + b"\r\n"
    with server.connection() as one:
        one.sendall(b"POST /v1/sealed HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        sent = 0
        try:
            while sent < 400:
                one.sendall(chunk)
                sent += 1
        except OSError:
            pass
    assert sent < 400, "25 MB were taken in for a body of at most 264 kB"


@pytest.mark.usefixtures("answers")
def test_something_huge_is_refused_before_it_is_sent(server: Server) -> None:
    with server.connection() as one:
        one.sendall(b"POST /v1/message HTTP/1.1\r\nhost: x\r\ncontent-length: 9999999999\r\n\r\n")
        one.sendall(b"x" * 1_000_000)
        one.settimeout(15)
        assert status(one.recv(100)) == 413


def test_slow_senders_do_not_keep_others_waiting(server: Server) -> None:
    slow = [server.connection(60) for _ in range(100)]
    try:
        for n, one in enumerate(slow):
            head = b"POST /v1/sealed HTTP/1.1\r\nhost: x\r\ncontent-length: 2500\r\n\r\nage"
            one.sendall(head if n % 2 else b"GET /v1/health HTTP/1.1\r\nhost: ")
        began = time.monotonic()
        assert status(server.ask(post("/v1/sealed", letter()))) == 200
        assert time.monotonic() - began < 10
    finally:
        for one in slow:
            one.close()


def test_a_second_one_on_the_same_folder_says_so_and_ends(server: Server) -> None:
    command = [sys.executable, "-m", "tamizdat", "drop", "serve", str(server.folder)]
    second = subprocess.run([*command, "--port", "1"], capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert second.stderr.startswith("tamizdat: another drop works in ")
    assert "Traceback" not in second.stderr


@pytest.mark.slow
def test_slow_senders_are_given_up(server: Server) -> None:
    with server.connection(90) as head, server.connection(90) as body:
        head.sendall(b"GET /v1/health HTTP/1.1\r\nhost: ")
        body.sendall(b"POST /v1/sealed HTTP/1.1\r\nhost: x\r\ncontent-length: 2500\r\n\r\nage")
        began = time.monotonic()
        read_all(head)
        assert time.monotonic() - began < 40
        assert status(read_all(body)) == 408
        assert time.monotonic() - began < 85


def test_two_hundred_at_once_are_all_kept_once(server: Server) -> None:
    before = len(opened(server.folder))
    texts = [f"at once {n}" for n in range(200)]
    barrier = threading.Barrier(200)

    def send(text: str) -> int:
        raw = post("/v1/sealed", letter(text))
        barrier.wait(30)
        return status(server.ask(raw, timeout=60))

    with ThreadPoolExecutor(200) as crowd:
        assert set(crowd.map(send, texts)) == {200}
    found = [one.fields.get("text") for one in opened(server.folder)][before:]
    assert len(found) == 200
    assert {one.fields.get("text") for one in opened(server.folder)} >= set(texts)


def test_a_replayed_letter_is_one_with_one_id(server: Server) -> None:
    sealed = letter("again")
    for _ in range(3):
        assert status(server.ask(post("/v1/sealed", sealed))) == 200
    found = [one for one in opened(server.folder) if one.fields.get("text") == "again"]
    assert len({one.id for one in found}) == 1, "the desk acts once on each id"


def test_many_requests_on_one_connection(server: Server) -> None:
    sealed = letter("kept alive")
    raw = post("/v1/sealed", sealed).replace(b"connection: close\r\n", b"")
    with server.connection() as one:
        for _ in range(50):
            one.sendall(raw)
            answer = one.recv(4_096)
            assert status(answer) == 200
        one.sendall(raw * 5)  # Pipelined.
        answers = b""
        while answers.count(b'{"ok":true}') < 5:
            part = one.recv(65_536)
            assert part
            answers += part


@pytest.mark.slow
def test_a_hundred_thousand_cost_disk_up_to_the_cap_and_never_shut_out_a_provider(
    tmp_path: Path,
) -> None:
    many = {"free": 10**6, "most": 10**6, "all_free": 10**6, "all_most": 10**6}
    mebibyte = 1024 * 1024
    with running(tmp_path / "drop", limits=many, cap=16 * mebibyte, reserve=4 * mebibyte) as drop:
        raw = post("/v1/sealed", letter()).replace(b"connection: close\r\n", b"")
        said: dict[int, int] = {}

        def flood(_: int) -> None:
            with drop.connection(60) as one:
                for _ in range(5_000):
                    one.sendall(raw)
                    found = status(one.recv(4_096))
                    said[found] = said.get(found, 0) + 1

        with ThreadPoolExecutor(20) as crowd:
            list(crowd.map(flood, range(20)))
        assert sum(said.values()) > 99_000  # Threads of this test count without a lock.
        assert set(said) == {200, 503}
        assert status(drop.ask(post("/v1/webhook/piggybank", b"{}"))) == 200
        assert status(drop.ask(post("/v1/unsubscribe/tok", b"", FORM))) == 303
        lies = sum(path.stat().st_size for path in (drop.folder / "spool").iterdir())
        assert lies <= 16 * mebibyte
