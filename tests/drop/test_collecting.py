# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk empties a drop: over HTTP and from a folder, the same port, the same promises."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tamizdat.drop import client_https
from tamizdat.drop.batches import Batch, new_name, sealed_in, slots
from tamizdat.drop.client import Letterbox, letterbox, login_message
from tamizdat.drop.envelope import open_sealed
from tamizdat.drop.errors import LetterboxError
from tamizdat.drop.sessions import Sessions
from tamizdat.drop.spool import utc_now
from tests.drop.machines import COLLECTOR, IDENTITY, SETTINGS, InProcess, Server, letter, post


@contextlib.contextmanager
def over_http(server: Server) -> Iterator[Letterbox]:
    box = letterbox(url=f"http://127.0.0.1:{server.port}", key=COLLECTOR)
    yield box
    box.close()


@contextlib.contextmanager
def from_folder(server: Server) -> Iterator[Letterbox]:
    box = letterbox(folder=str(server.folder), key=COLLECTOR)
    yield box
    box.close()


def texts(box: Letterbox, batches: list[Batch]) -> list[str]:
    return [
        str(open_sealed(sealed_in(slot), [IDENTITY]).fields["text"])
        for batch in batches
        for slot in slots(batch.name, box.read(batch.name))
    ]


Way = Callable[[Server], contextlib.AbstractContextManager[Letterbox]]


@pytest.mark.parametrize("way", [over_http, from_folder])
def test_what_was_sent_is_listed_read_and_removed(server: Server, way: Way) -> None:
    with way(server) as box:
        assert box.batches() == []
        for text in ("one", "two", "three" * 1_000):
            assert server.ask(post("/v1/sealed", letter(text))).startswith(b"HTTP/1.1 200")
        batches = box.batches()
        assert sorted(texts(box, batches)) == ["one", "three" * 1_000, "two"]
        for batch in batches:
            data = box.read(batch.name)
            assert (len(data), hashlib.sha256(data).hexdigest()) == (batch.length, batch.sha256)
        with pytest.raises(LetterboxError):
            box.remove(batches[0].name, "0" * 64)
        assert sorted(box.batches()) == sorted(batches)
        for batch in batches:
            box.remove(batch.name, batch.sha256)
            box.remove(batch.name, batch.sha256)  # Once more is no error.
        assert box.batches() == []
        with pytest.raises(LetterboxError) as gone:
            box.read(batches[0].name)
        assert not gone.value.permanent
        with pytest.raises(LetterboxError):
            box.read("../drop.toml")
        # What comes afterwards goes into another batch.
        assert server.ask(post("/v1/sealed", letter("four"))).startswith(b"HTTP/1.1 200")
        later = box.batches()
        assert texts(box, later) == ["four"]
        assert not {batch.name for batch in later} & {batch.name for batch in batches}


def test_a_drop_that_was_started_again_is_logged_in_to_again(server: Server) -> None:
    with over_http(server) as box:
        assert box.batches() == []
        server.stop()
        server.start()
        server.ask(post("/v1/sealed", letter("after")))
        assert texts(box, box.batches()) == ["after"]


def test_another_key_gets_nothing(server: Server) -> None:
    box = letterbox(url=f"http://127.0.0.1:{server.port}", key=Ed25519PrivateKey.generate())
    with pytest.raises(LetterboxError, match="does not know this desk's key") as refused:
        box.batches()
    assert refused.value.permanent


def test_nobody_is_told_anything_without_a_token(drop: InProcess) -> None:
    drop.ask("POST", "/v1/sealed", letter())
    name = new_name(utc_now(), 2_048)
    for headers in ({}, {"authorization": "Bearer " + "0" * 64}, {"authorization": "Basic x"}):
        for method, path in (("GET", "batches"), ("GET", f"batches/{name}"),
                             ("DELETE", f"batches/{name}")):  # fmt: skip
            assert drop.ask(method, f"/v1/collect/{path}", headers=headers).status == 401


def logged_in(drop: InProcess) -> dict[str, str]:
    key = SETTINGS["collector"]
    said = f'{{"key": "{key}"}}'.encode()
    nonce = drop.ask("POST", "/v1/collect/session", said).json["nonce"]
    signature = COLLECTOR.sign(login_message("drop.example", nonce)).hex()
    answer = f'{{"signature": "{signature}"}}'.encode()
    token = drop.ask("POST", f"/v1/collect/session/{nonce}", answer).json["token"]
    again = drop.ask("POST", f"/v1/collect/session/{nonce}", answer)
    assert again.status == 403, "a nonce is good once"
    return {"authorization": f"Bearer {token}"}


def test_a_part_of_a_batch_can_be_asked_for(drop: InProcess) -> None:
    bearer = logged_in(drop)
    drop.ask("POST", "/v1/sealed", letter())
    (batch,) = drop.ask("GET", "/v1/collect/batches", headers=bearer).json
    where = f"/v1/collect/batches/{batch['name']}"
    whole = drop.ask("GET", where, headers=bearer).body
    part = drop.ask("GET", where, headers={**bearer, "range": "bytes=100-199"})
    assert (part.status, part.body) == (206, whole[100:200])
    rest = drop.ask("GET", where, headers={**bearer, "range": "bytes=3000-"})
    assert rest.body == whole[3000:]
    assert rest.headers["content-range"] == f"bytes 3000-3583/{batch['length']}"
    for asked in ("bytes=4000-", "bytes=5-1", "lines=1-2", "bytes=-5"):
        assert drop.ask("GET", where, headers={**bearer, "range": asked}).status == 416
    other = drop.ask("DELETE", where, headers={**bearer, "if-match": '"00"'})
    assert other.status == 412
    gone = drop.ask("DELETE", where, headers={**bearer, "if-match": f'"{batch["sha256"]}"'})
    assert gone.status == 204


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"key": 1}', b'{"key": "zz"}', b"[" * 4_000, b'{"other": "00"}']
)
def test_a_log_in_that_is_not_one_is_refused(drop: InProcess, body: bytes) -> None:
    assert drop.ask("POST", "/v1/collect/session", body).status == 400


class Moment:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def sessions(moment: Moment) -> Sessions:
    return Sessions(SETTINGS["collector"], ["drop.example"], clock=moment)


@pytest.mark.parametrize(
    ("host", "good"),
    [("drop.example", True), ("127.0.0.1", False), ("other.example", False), ("", False)],
)
def test_a_nonce_that_another_drop_passed_on_is_of_no_use(
    sessions: Sessions, host: str, good: bool
) -> None:
    nonce = sessions.nonce(SETTINGS["collector"])
    token = sessions.token(nonce, COLLECTOR.sign(login_message(host, nonce)))
    assert (token is not None) == good


def test_a_drop_that_names_no_host_is_one_of_this_machine(moment: Moment) -> None:
    at_home = Sessions(SETTINGS["collector"], [], clock=moment)
    nonce = at_home.nonce(SETTINGS["collector"])
    assert at_home.token(nonce, COLLECTOR.sign(login_message("127.0.0.1", nonce)))


def test_nonces_and_tokens_end(sessions: Sessions, moment: Moment) -> None:
    def sign(nonce: str) -> bytes:
        return COLLECTOR.sign(login_message("drop.example", nonce))

    late = sessions.nonce(SETTINGS["collector"])
    moment.now += 61
    assert sessions.token(late, sign(late)) is None
    nonce = sessions.nonce(SETTINGS["collector"])
    token = sessions.token(nonce, sign(nonce))
    assert token is not None
    assert sessions.allows(f"Bearer {token}")
    assert not sessions.allows(token)
    moment.now += 601
    assert not sessions.allows(f"Bearer {token}")


def test_floods_of_log_ins_by_others_do_not_shut_the_desk_out(sessions: Sessions) -> None:
    nonce = sessions.nonce(SETTINGS["collector"])
    for _ in range(20_000):
        sessions.nonce("00" * 32)
    assert sessions.token(nonce, COLLECTOR.sign(login_message("drop.example", nonce)))


@pytest.mark.parametrize("url", ["http://drop.example", "ftp://drop.example"])
def test_nothing_is_collected_in_clear(url: str) -> None:
    with pytest.raises(LetterboxError, match="https://"):
        letterbox(url=url, key=COLLECTOR)


LIES: list[tuple[bytes, str]] = [
    (b"not json", "in no way that is known"),
    (b'[{"name": "../../etc/passwd", "length": 1, "sha256": ""}]', "make no sense"),
    (b'[{"name": 1, "length": 1, "sha256": ""}]', "make no sense"),
    (b'[{"length": 1}]', "in no way that is known"),
    (b"[" + b" " * 2_000_000 + b"]", "sends more than"),
]


@pytest.mark.parametrize(("listed", "said"), LIES)
def test_a_hostile_drop_is_not_believed(listed: bytes, said: str) -> None:
    class Hostile(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._say(b'{"nonce": "00", "token": "00"}')

        def do_GET(self) -> None:
            self._say(listed)

        def _say(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Hostile) as hostile:
        thread = threading.Thread(target=hostile.serve_forever)
        thread.start()
        try:
            box = letterbox(url=f"http://127.0.0.1:{hostile.server_port}", key=COLLECTOR)
            with pytest.raises(LetterboxError, match=said):
                box.batches()
            box.close()
        finally:
            hostile.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "first", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", b"HTTP/1.1 200 OK\r\nx-a: "]
)
def test_a_drop_that_sends_a_byte_now_and_then_is_given_up(
    first: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_https, "LONGEST", 0.3)
    done = threading.Event()

    def drip(listening: socket.socket) -> None:
        with listening.accept()[0] as line, contextlib.suppress(OSError):
            line.sendall(first)
            while not done.wait(0.02):
                line.sendall(b"7")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip, args=[listening])
        thread.start()
        box = letterbox(url=f"http://127.0.0.1:{listening.getsockname()[1]}", key=COLLECTOR)
        try:
            with pytest.raises(LetterboxError, match=r"cannot be reached|in no way"):
                box.batches()
        finally:
            done.set()
            box.close()
            thread.join(5)


@pytest.mark.timeout(20)
def test_links_and_pipes_in_a_spool_of_strangers_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "letters.txt").write_text("of somebody else")
    name = "2026112214-" + "5f" * 16
    (tmp_path / f"{name}-2048.batch").symlink_to(tmp_path / "letters.txt")
    os.mkfifo(tmp_path / f"{name}-16384.batch")
    os.mkfifo(tmp_path / f"{name}-65536.batch.open")
    assert letterbox(folder=str(tmp_path), key=COLLECTOR).batches() == []
    assert (tmp_path / "letters.txt").read_text() == "of somebody else"


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LetterboxError, match="cannot be used"):
        letterbox(folder=str(tmp_path / "none"), key=COLLECTOR).batches()
