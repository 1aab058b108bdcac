# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's three mirrors: an honest one, one that lies and one that is slow.

For trying out only: ``tamizdat demo`` runs them in its own process, on this machine. The folders
that they serve are honest copies, pushed as to any mirror; what comes over the wire is not.

What always holds: the forged pages are as long as the true ones, so that a hash alone tells them
apart; the mirrors answer under the addresses that stand in the demo's settings.
"""

from __future__ import annotations

import re
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import brotli

from tamizdat.cli.mirror_tables import add_table, remove_table
from tamizdat.cli.processes import ProcessError
from tamizdat.config import MirrorSettings, Newsroom
from tamizdat.edition import serve_signed

HOST: Final = "127.0.0.1"
KINDS: Final = {"harbour": "honest", "parrot": "lying", "snail": "slow"}
FORGED: Final = b"Forged by the demo's lying mirror. "
DRIP: Final = 50  # bytes that the slow one sends at a time
PAUSE: Final = 0.25  # seconds between them
_HEADLINES = (
    re.compile(rb"(<h1[^>]*>)(.*?)(</h1>)", re.DOTALL),
    re.compile(rb"(<title>)(.*?)(</title>)", re.DOTALL),
)
_PORTS = 100  # tried for each


class DemoMirror(NamedTuple):
    """A mirror of the demo; ``kind`` is ``honest``, ``lying`` or ``slow``."""

    name: str
    kind: str
    settings: MirrorSettings


class DemoMirrors:
    """Servers for the three. They hold their ports from the beginning, so that nobody else takes
    them while the paper is made, and answer from ``start`` on."""

    def __init__(self, newsroom: Newsroom, first_port: int) -> None:
        self._servers = {}
        known = {mirror.name: mirror for mirror in newsroom.settings.mirrors}
        for name, kind in KINDS.items():
            folder = newsroom.folder / "mirrors" / name
            wanted = urlsplit(known[name].url).port if name in known else None
            server = _listen(folder, kind, wanted or first_port)
            self._servers[name] = server
            newsroom = _tell(newsroom, name, folder, server.server_port)
        self.newsroom = newsroom

    @property
    def all(self) -> list[DemoMirror]:
        known = {mirror.name: mirror for mirror in self.newsroom.settings.mirrors}
        return [DemoMirror(name, kind, known[name]) for name, kind in KINDS.items()]

    def start(self) -> None:
        """Answer, each in a thread that ends with this process."""
        for server in self._servers.values():
            threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()
            server.serving = True

    def stop(self) -> None:
        for server in self._servers.values():
            if server.serving:
                server.shutdown()
            server.server_close()


@contextmanager
def demo_mirrors(newsroom: Newsroom, first_port: int) -> Iterator[DemoMirrors]:
    """The mirrors, told to the newsroom's settings; they stop at the end."""
    mirrors = DemoMirrors(newsroom, first_port)
    try:
        yield mirrors
    finally:
        mirrors.stop()


class _Server(ThreadingHTTPServer):
    """Serves the signed files of one folder. ``kind`` says how."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, port: int, folder: Path, kind: str) -> None:
        self.folder, self.kind, self.serving = folder, kind, False
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader who hangs up is no news: that is how it leaves a slow mirror."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        found = serve_signed.find(self.server.folder, urlsplit(self.path).path)
        try:
            data = Path(found.path).read_bytes() if found else None
        except FileNotFoundError:
            data = None
        if found is None or data is None:
            self._send(404, serve_signed.absent(), b"There is no such file here.\n")
        else:
            lies = self.server.kind == "lying" and self.path.startswith("/objects/")
            self._send(200, found.headers, forge(data, bool(found.packed)) if lies else data)

    def log_message(self, *_: object) -> None:
        """Nobody's address is noted."""

    def _send(self, status: int, headers: list[tuple[bytes, bytes]], data: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name.decode(), value.decode())
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        slow = self.server.kind == "slow"
        try:
            for at in range(0, len(data), DRIP if slow else max(len(data), 1)):
                self.wfile.write(data[at : at + DRIP] if slow else data)
                time.sleep(PAUSE if slow else 0)
        except ConnectionError:
            self.close_connection = True  # The reader gave up: that is what it is for.


def forge(data: bytes, packed: bool) -> bytes:
    """A page with another headline and the same length; anything else as it is. ``packed`` bytes
    are compressed with brotli."""
    page = brotli.decompress(data) if packed else data
    found = next((match for line in _HEADLINES if (match := line.search(page))), None)
    if found is None:
        return data
    length = len(found[2])
    lie = (FORGED * (length // len(FORGED) + 1))[:length]
    forged = page[: found.start(2)] + lie + page[found.end(2) :]
    return brotli.compress(forged) if packed else forged


def _listen(folder: Path, kind: str, port: int) -> _Server:
    """A server on the first port from ``port`` on that is free. Raises ``ProcessError``."""
    for one in range(port, min(port + _PORTS, 65536)):
        try:
            return _Server(one, folder, kind)
        except OSError:
            continue  # Somebody else's.
    raise ProcessError(f"no free port from {port} on: name another one with --port")


def _tell(newsroom: Newsroom, name: str, folder: Path, port: int) -> Newsroom:
    """Write the mirror into the settings where it does not stand there so; the newsroom with it."""
    wanted = MirrorSettings(
        name=name, kind="folder", target=str(folder), url=f"http://{HOST}:{port}/"
    )
    known = {mirror.name: mirror for mirror in newsroom.settings.mirrors}
    if known.get(name) == wanted:
        return newsroom
    if name in known:
        remove_table(newsroom, name)
    add_table(Newsroom(newsroom.folder), wanted)
    return Newsroom(newsroom.folder)
