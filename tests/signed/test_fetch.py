# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading a copy from a folder or from the web, whatever the web answers."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tamizdat.edition.signed import fetch
from tamizdat.edition.signed.errors import MissingError, TooLongError, UnreachableError, VerifyError
from tamizdat.edition.signed.fetch import FolderFetcher, HttpFetcher, open_copy, side_by_side

Answer = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(answer: Answer) -> Iterator[str]:
    """A web server on this machine that answers as it is told; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *_: object) -> None:
            pass

    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.daemon_threads = True
    thread = threading.Thread(target=serving.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{serving.server_address[1]}/paper"
    finally:
        serving.shutdown()
        thread.join()
        serving.server_close()


def send(
    to: BaseHTTPRequestHandler,
    body: bytes,
    status: int = 200,
    length: int | None = None,
    **headers: str,
) -> None:
    to.send_response(status)
    to.send_header("Content-Length", str(len(body) if length is None else length))
    for name, value in headers.items():
        to.send_header(name.replace("_", "-"), value)
    to.end_headers()
    to.wfile.write(body)


def fetched(
    answer: Answer, name: str = "metadata/current", limit: int = 1_000, timeout: float = 20.0
) -> bytes:
    """``timeout`` is long enough for a busy machine; shorter where nobody answers in time."""
    with server(answer) as url:
        copy = HttpFetcher(url, timeout=timeout)
        try:
            return copy.fetch(name, limit)
        finally:
            copy.close()


def test_a_file_is_read_by_its_name_below_the_url() -> None:
    def answer(to: BaseHTTPRequestHandler) -> None:
        send(to, to.path.encode())

    assert fetched(answer, "objects/ab/cd.br") == b"/paper/objects/ab/cd.br"


def test_compressed_files_come_as_they_lie_there() -> None:
    def answer(to: BaseHTTPRequestHandler) -> None:
        send(to, b"\x0b\x02\x80raw\x03", Content_Encoding="br")

    assert fetched(answer, "objects/ab/cd.br") == b"\x0b\x02\x80raw\x03"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_is_not_there_is_missing(status: int) -> None:
    with pytest.raises(MissingError):
        fetched(lambda to: send(to, b"no", status))


@pytest.mark.parametrize("status", [204, 206, 451, 500, 503])
def test_other_answers_are_no_answer(status: int) -> None:
    with pytest.raises(UnreachableError, match=str(status)):
        fetched(lambda to: send(to, b"", status))


def test_a_redirect_to_another_host_is_not_followed() -> None:
    def answer(to: BaseHTTPRequestHandler) -> None:
        send(to, b"", 302, Location="http://localhost:1/elsewhere")

    with pytest.raises(UnreachableError, match="another host"):
        fetched(answer)


def test_a_redirect_on_the_same_host_is_followed_but_not_for_ever() -> None:
    def once(to: BaseHTTPRequestHandler) -> None:
        if to.path == "/there":
            send(to, b"found")
        else:
            send(to, b"", 301, Location="/there")

    assert fetched(once) == b"found"
    with pytest.raises(UnreachableError, match="redirect"):
        fetched(lambda to: send(to, b"", 302, Location="/again"))


def test_answers_that_are_not_wanted_use_up_no_connections() -> None:
    """Their connections end; those that come after must not wait for them."""
    with server(lambda to: send(to, b"x" * 900, 404 if "no" in to.path else 200)) as url:
        reader = HttpFetcher(url, timeout=20, connections=2)
        for _ in range(3):
            with pytest.raises(MissingError):
                reader.fetch("no", 100)
            with pytest.raises(TooLongError):
                reader.fetch("long", 100)
        assert reader.fetch("right", 900) == b"x" * 900
        reader.close()


def test_an_endless_body_is_stopped_at_the_limit() -> None:
    sent = 0

    def answer(to: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        to.send_response(200)
        to.end_headers()
        to.close_connection = True
        try:
            for _ in range(5_000):
                to.wfile.write(bytes(65_536))
                sent += 65_536
        except OSError:
            pass

    with pytest.raises(TooLongError):
        fetched(answer)
    assert sent < 50_000_000


def test_a_body_that_is_cut_off_is_not_taken_for_a_file() -> None:
    def answer(to: BaseHTTPRequestHandler) -> None:
        send(to, b"half", length=400)
        to.close_connection = True

    with pytest.raises(UnreachableError):
        fetched(answer)


def test_silence_and_trickling_are_given_up() -> None:
    def silent(to: BaseHTTPRequestHandler) -> None:
        over.wait(60)

    def trickling(to: BaseHTTPRequestHandler) -> None:
        to.send_response(200)
        to.send_header("Content-Length", "1000")
        to.end_headers()
        with contextlib.suppress(OSError):
            for _ in range(1000):
                to.wfile.write(b"x")
                time.sleep(0.05)
        to.close_connection = True

    over = threading.Event()
    for answer in (silent, trickling):
        began = time.monotonic()
        with pytest.raises(UnreachableError):
            fetched(answer, timeout=0.5)
        assert time.monotonic() - began < 30
    over.set()


def test_a_head_that_trickles_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "_HEAD_SECONDS", 0.4)

    def answer(to: BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            for _ in range(1000):
                to.wfile.write(b"H")
                time.sleep(0.05)
        to.close_connection = True

    began = time.monotonic()
    with pytest.raises(UnreachableError):
        fetched(answer, timeout=0.5)
    assert time.monotonic() - began < 30


@pytest.mark.parametrize("status", [200, 404, 413, 429, 500, 503])
def test_an_answer_that_never_ends_is_not_waited_for(status: int) -> None:
    """Whatever its status says, and whenever it asks us to come again."""
    sent = 0

    def answer(to: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        to.send_response(status)
        to.send_header("Retry-After", "86400")
        to.end_headers()
        to.close_connection = True
        with contextlib.suppress(OSError):
            for _ in range(2_000):
                to.wfile.write(bytes(65_536))
                sent += 65_536

    with pytest.raises(VerifyError):
        fetched(answer)
    assert sent < 50_000_000


@pytest.mark.parametrize("frame", ["size", "trailer"])
def test_a_frame_that_never_ends_is_given_up(frame: str) -> None:
    """Between chunks and behind the last of them a server can go on without sending a byte."""
    given_up = threading.Event()

    def answer(to: BaseHTTPRequestHandler) -> None:
        to.send_response(200)
        to.send_header("Transfer-Encoding", "chunked")
        to.end_headers()
        to.close_connection = True
        try:
            to.wfile.write(b"1\r\nx\r\n0\r\n" if frame == "trailer" else b"1\r\nx\r\n1;")
            for _ in range(1000):
                to.wfile.write(b"A: b\r\n" if frame == "trailer" else b"e")
                time.sleep(0.05)
        except OSError:
            given_up.set()

    with contextlib.suppress(UnreachableError):  # The body itself may be there by then.
        assert fetched(answer, timeout=0.5) == b"x"
    assert given_up.wait(30)


def test_nobody_there_is_said_in_words() -> None:
    with server(lambda to: None) as url:
        pass
    with pytest.raises(UnreachableError, match="does not answer"):
        HttpFetcher(url, timeout=0.5).fetch("metadata/current", 10)


def test_a_folder_is_read_within_its_bounds(tmp_path: Path) -> None:
    (tmp_path / "copy/metadata").mkdir(parents=True)
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "copy/metadata/current").write_bytes(b"12345")
    copy = FolderFetcher(tmp_path / "copy")
    assert copy.fetch("metadata/current", 5) == b"12345"
    with pytest.raises(TooLongError):
        copy.fetch("metadata/current", 4)
    os.mkfifo(tmp_path / "copy/pipe")
    for name in ("nothing", "metadata", "../secret", "pipe"):
        with pytest.raises(MissingError):
            copy.fetch(name, 10)
    with pytest.raises(UnreachableError):
        copy.fetch(f"metadata/{'9' * 300}.live.json", 10)


def test_a_copy_is_a_url_or_a_folder(tmp_path: Path) -> None:
    assert isinstance(open_copy("https://two.example/paper"), HttpFetcher)
    assert isinstance(open_copy(str(tmp_path)), FolderFetcher)
    with pytest.raises(UnreachableError, match="neither"):
        open_copy(str(tmp_path / "nothing"))


@pytest.mark.parametrize("workers", [1, 4])
def test_work_side_by_side_keeps_its_order_and_its_first_error(workers: int) -> None:
    def work(number: int) -> int:
        time.sleep(0.001 * (number % 3))
        if number == 30:
            raise VerifyError("thirty")
        return number

    assert list(side_by_side(work, range(30), workers)) == list(range(30))
    taken: list[int] = []
    with pytest.raises(VerifyError, match="thirty"):
        taken.extend(side_by_side(work, iter(range(10_000)), workers))
    assert taken == list(range(30))
