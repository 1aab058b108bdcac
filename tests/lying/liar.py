# SPDX-License-Identifier: AGPL-3.0-or-later
"""A mirror that lies: a web server that may answer anything, in any way."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

After = Literal["", "hang", "endless", "drip"]
PAUSE = 0.15  # seconds between two bytes of a drip
MOST = 40_000_000  # bytes after which also an endless answer ends, so that a test cannot


@dataclass(frozen=True)
class Reply:
    """``headers`` come after, and instead of, those of an honest mirror; None takes one away.
    ``length`` is what is said of the length, None: nothing. ``after`` is what follows the body;
    ``raw`` is sent instead of all that."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str | None] = field(default_factory=dict)
    length: int | Literal["true"] | None = "true"
    after: After = ""
    raw: bytes | None = None


Answer = Callable[[str], Reply | None]


class Mirror(ThreadingHTTPServer):
    """Answers names in the folder as ``answer`` says, which a test may change; None is 404."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # Whom the kernel turns away comes again a second later.

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: list[str] = []
        self.headers_seen: list[dict[str, str]] = []
        self.ending = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_address[1]}/"

    def __enter__(self) -> Mirror:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self.shutdown()
        self._thread.join()
        self.server_close()


def honest(files: Mapping[str, bytes]) -> Answer:
    """What a mirror of these files answers."""
    return lambda name: Reply(files[name]) if name in files else None


class _Handler(BaseHTTPRequestHandler):
    server: Mirror
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        name = self.path[1:]
        self.server.asked.append(name)
        self.server.headers_seen.append({k.lower(): v for k, v in self.headers.items()})
        reply = self.server.answer(name) or Reply(b"not here", 404)
        with contextlib.suppress(OSError):
            self._send(name, reply)

    def _send(self, name: str, reply: Reply) -> None:
        if reply.raw is not None:
            self.wfile.write(reply.raw)
            self.close_connection = True
        else:
            self._head(name, reply)
            if reply.after == "drip":
                self._drip(reply.body)
            else:
                self.wfile.write(reply.body)
        if reply.after == "endless":
            self._go_on()
        elif reply.after == "hang":
            self.server.ending.wait(30)
        if reply.after or reply.length != "true":
            self.close_connection = True

    def _head(self, name: str, reply: Reply) -> None:
        said: dict[str, str | None] = {
            "Access-Control-Allow-Origin": "*",
            "Content-Type": "application/octet-stream",
            "Cache-Control": "public, max-age=31536000, immutable",
            "Content-Encoding": "br" if name.endswith(".br") and reply.status == 200 else None,
        }
        if reply.length is not None:
            length = len(reply.body) if reply.length == "true" else reply.length
            said["Content-Length"] = str(length)
        self.send_response(reply.status)
        for header, value in {**said, **reply.headers}.items():
            if value is not None:
                self.send_header(header, value)
        self.end_headers()

    def _drip(self, body: bytes) -> None:
        for at in range(len(body)):
            if self.server.ending.wait(PAUSE):
                return
            self.wfile.write(body[at : at + 1])
            self.wfile.flush()

    def _go_on(self) -> None:
        for _ in range(MOST // 65_536):
            if self.server.ending.is_set():
                return
            self.wfile.write(b"x" * 65_536)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody's requests are written down."""
