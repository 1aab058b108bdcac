# SPDX-License-Identifier: AGPL-3.0-or-later
"""A mirror of the test vectors, as a static server with two rules serves one."""

from __future__ import annotations

import base64
import json
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[2]
BUILT = TOP / "src" / "tamizdat" / "theme" / "reader"
# The paper's own: what may run on its pages, and from where.
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"


@cache
def vectors() -> dict[str, Any]:
    text = (TOP / "tests" / "vectors" / "vectors.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def blob(name: str) -> bytes:
    return base64.b64decode(vectors()["blobs"][name])


def files(folder: str) -> dict[str, bytes]:
    """A folder of the vectors: name to bytes."""
    return {name: blob(key) for name, key in vectors()["folders"][folder].items()}


class Mirror(ThreadingHTTPServer):
    """``files`` may be changed by a test; ``asked`` is what was asked for; ``down``: no answers."""

    daemon_threads = True
    request_queue_size = 128  # Whom the kernel turns away comes again a second later.

    def __init__(self, folder: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files(folder)
        self.asked: list[str] = []
        self.down = False

    @property
    def address(self) -> str:
        return f"http://localhost:{self.server_address[1]}/"


class _Handler(BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        name = self.path[1:]
        if name == "":
            self._answer(b"<!doctype html><title>Paper</title>", "text/html; charset=utf-8")
        elif (BUILT / name).is_file() and "/" not in name:
            self._answer((BUILT / name).read_bytes(), "text/javascript")
        elif name == "root.json":
            self._answer(blob(vectors()["root"]), "application/json")
        else:
            self._mirrored(name)

    def _mirrored(self, name: str) -> None:
        self.server.asked.append(name)
        if self.server.down or name not in self.server.files:
            self.send_error(503 if self.server.down else 404)
        else:
            self._answer(self.server.files[name], "application/octet-stream")

    def _answer(self, data: bytes, media_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("Access-Control-Allow-Origin", "*")
        self.send_header("Cache-Control", "public, max-age=31536000, immutable")
        if self.path.endswith(".br"):
            self.send_header("Content-Encoding", "br")
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody's requests are written down."""
