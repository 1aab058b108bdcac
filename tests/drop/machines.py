# SPDX-License-Identifier: AGPL-3.0-or-later
"""A drop to be tried: in this process without sockets, or as its operator runs it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec
import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tamizdat.cli.drop_folder import toml
from tamizdat.drop.app import make_app
from tamizdat.drop.batches import sealed_in, slots
from tamizdat.drop.client_folder import FolderLetterbox
from tamizdat.drop.envelope import Submission, open_sealed, seal, submission
from tamizdat.drop.settings import DropFolder, Settings
from tamizdat.drop.spool import closed_names, open_names
from tests.ports import free_port

IDENTITY = pyrage.x25519.Identity.generate()
COLLECTOR = Ed25519PrivateKey.generate()
SETTINGS: dict[str, Any] = {
    "name": "The Lamplighter",
    "paper": "https://lamp.example",
    "recipients": [str(IDENTITY.to_public())],
    "collector": COLLECTOR.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex(),
    "hosts": ["drop.example", "127.0.0.1"],
    "languages": ["en", "ru", "ar"],
    "newsletters": [{"slug": "weekly", "titles": {"en": "Weekly"}}, {"slug": "daily"}],
    "webhooks": [{"name": "piggybank", "headers": ["piggy-signature"]}],
}
READER = "203.0.113.77"


def make_folder(folder: Path, **changes: Any) -> DropFolder:
    folder.mkdir(parents=True, exist_ok=True)
    settings = msgspec.convert({**SETTINGS, **changes}, Settings)
    (folder / "drop.toml").write_text(toml(settings))
    return DropFolder(folder)


def letter(text: str = "Good morning", kind: str = "message") -> bytes:
    """A sealed message, as a reader's browser sends it."""
    return seal(submission(kind, "en", {"text": text}), [IDENTITY.to_public()])


def opened(folder: Path) -> list[Submission]:
    """All that lies in a drop's folder, also in batches that a running drop writes."""
    spool = folder / "spool"
    while (batches := _batches(spool)) is None:
        time.sleep(0.05)
    return [
        open_sealed(sealed_in(slot), [IDENTITY])
        for name, data in batches.items()
        for slot in slots(name.removesuffix(".open"), data)
    ]


def _batches(spool: Path) -> dict[str, bytes] | None:
    """What every batch holds; None where one was closed meanwhile, as at each full hour."""
    names = [*closed_names(spool), *open_names(spool)]
    try:
        found = {name: (spool / name).read_bytes() for name in names}
    except FileNotFoundError:
        return None
    return found if names == [*closed_names(spool), *open_names(spool)] else None


def collected(folder: Path) -> list[Submission]:
    """What a collector takes out of a folder (a drop's, or a spool) whose drop is not running."""
    box = FolderLetterbox(folder, patience=0)
    found = []
    while batches := box.batches():
        for batch in batches:
            for slot in slots(batch.name, box.read(batch.name)):
                found.append(open_sealed(sealed_in(slot), [IDENTITY]))
            box.remove(batch.name, batch.sha256)
    return found


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class InProcess:
    """A drop's app, asked without a socket."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = make_folder(folder, **changes).folder
        self.loop = asyncio.new_event_loop()
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.app = make_app(self.folder)
        self._life = self.loop.create_task(
            self.app({"type": "lifespan"}, self._to_app.get, self._from_app.put)  # type: ignore[arg-type]
        )
        self._tell("lifespan.startup")

    def _tell(self, what: str) -> None:
        async def tell() -> None:
            await self._to_app.put({"type": what})
            await self._from_app.get()

        self.loop.run_until_complete(tell())

    def close(self) -> None:
        self._tell("lifespan.shutdown")
        self.loop.run_until_complete(self._life)
        self.loop.close()

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        peer: str = READER,
        chunks: list[bytes] | None = None,
    ) -> Reply:
        return self.loop.run_until_complete(
            self.asking(method, path, body, headers=headers, peer=peer, chunks=chunks)
        )

    async def asking(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        headers: Mapping[str, str] | None = None,
        peer: str = READER,
        chunks: list[bytes] | None = None,
    ) -> Reply:
        parts = chunks if chunks is not None else [body]
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            part = parts.pop(0) if parts else b""
            return {"type": "http.request", "body": part, "more_body": bool(parts)}

        async def send(message: Any) -> None:
            sent.append(message)

        where, _, query = path.partition("?")
        length = {} if chunks is not None else {"content-length": str(len(body))}
        given = {**length, **(headers or {})}
        scope = {
            "type": "http",
            "method": method,
            "path": where,
            "raw_path": quote(where).encode(),
            "query_string": query.encode(),
            "headers": [(k.lower().encode(), v.encode("latin-1")) for k, v in given.items()],
            "client": (peer, 40000),
        }
        await self.app(scope, receive, send)
        start, *rest = sent
        found = {k.decode(): v.decode() for k, v in start["headers"]}
        return Reply(start["status"], found, b"".join(part["body"] for part in rest))

    def fill_in(self, path: str, *, peer: str = READER, **fields: str | list[str]) -> Reply:
        """Send a form as a browser without script does."""
        body = urlencode(fields, doseq=True).encode()
        kind = {"content-type": "application/x-www-form-urlencoded"}
        return self.ask("POST", path, body, headers=kind, peer=peer)


@contextlib.contextmanager
def in_process(folder: Path, **changes: Any) -> Iterator[InProcess]:
    drop = InProcess(folder, **changes)
    try:
        yield drop
    finally:
        drop.close()


class Server:
    """A drop as its operator runs it: ``tamizdat drop serve``."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = make_folder(folder, **changes).folder
        self.port = free_port()
        self.log = folder / "log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, before: list[str] | None = None) -> Server:
        program = [*(before or []), sys.executable, "-m", "tamizdat", "drop", "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*program, str(self.folder), "--port", str(self.port)],
                stdout=log,
                stderr=log,
                process_group=0,
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), self.connection() as one:
                one.sendall(b"GET /v1/health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
                if one.recv(64).startswith(b"HTTP/1.1 200"):
                    return self
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        raise AssertionError(f"the drop does not answer: {self.log.read_text()}")

    @property
    def workers(self) -> list[int]:
        """The processes that serve."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [
            pid
            for pid in map(int, children.read_text().split())
            if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

    def kill(self) -> None:
        """As a power cut does: everything at once."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        self.process = None

    def connection(self, timeout: float = 20.0) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=timeout)

    def ask(self, raw: bytes, *, timeout: float = 20.0) -> bytes:
        """One request as it stands, on a connection of its own; all that comes back."""
        with self.connection(timeout) as one:
            one.sendall(raw)
            return read_all(one)


def read_all(one: socket.socket) -> bytes:
    found = bytearray()
    with contextlib.suppress(ConnectionResetError):
        while part := one.recv(65536):
            found += part
    return bytes(found)


def post(path: str, body: bytes, *headers: str) -> bytes:
    """A request's bytes; the connection is closed after it."""
    lines = [f"POST {path} HTTP/1.1", "host: drop.example", "connection: close", *headers]
    return "\r\n".join([*lines, f"content-length: {len(body)}", "", ""]).encode() + body


@contextlib.contextmanager
def running(folder: Path, **changes: Any) -> Iterator[Server]:
    server = Server(folder, **changes)
    try:
        yield server.start()
    finally:
        server.stop()


def memory_of(pid: int) -> Iterator[bytes]:
    """All that a process has written into memory, as a core dump would hold it."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            found = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if found is None or "[vvar" in line or "[vsyscall]" in line:
                continue
            start, end = int(found[1], 16), int(found[2], 16)
            with contextlib.suppress(OSError, OverflowError):
                memory.seek(start)
                yield memory.read(end - start)


def canary() -> str:
    return f"canary-{secrets.token_hex(8)}"
