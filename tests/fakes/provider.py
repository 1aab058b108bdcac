# SPDX-License-Identifier: AGPL-3.0-or-later
"""A provider of mail with an API as Postmark's, on this machine.

It takes one mail a call (``POST /email``, JSON), keeps it, and answers as that provider documents
it: 200 with ``ErrorCode`` 0; 422 with 406 for a recipient to whom it does not send; 429 where it
is asked too much. ``rules`` says by recipient what it does otherwise.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Rule = Literal["take", "refuse", "put off", "hang up"]


class Provider(ThreadingHTTPServer):
    """``with`` it. ``kept`` are the mails that it took, as they were sent."""

    daemon_threads = True

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}
        self.kept: list[dict[str, Any]] = []
        super().__init__(("127.0.0.1", 0), _Call)
        self.url = f"http://127.0.0.1:{self.server_port}/"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    def __enter__(self) -> Provider:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class _Call(BaseHTTPRequestHandler):
    server: Provider

    def do_POST(self) -> None:
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rule = self.server.rules.get(said["To"], "take")
        if rule == "hang up":
            self.close_connection = True
        elif self.path != "/email" or not self.headers["X-Postmark-Server-Token"]:
            self._answer(401, 10, "No Account or Server API tokens were supplied.")
        elif rule == "refuse":
            words = f"Found inactive addresses: {said['To']}.\nInactive recipients get nothing."
            self._answer(422, 406, words)
        elif rule == "put off":
            self._answer(429, 429, "Too many requests")
        else:
            self.server.kept.append(said)
            number = str(len(self.server.kept))
            self._answer(200, 0, "OK", To=said["To"], MessageID=number)

    def _answer(self, status: int, code: int, message: str, **more: str) -> None:
        body = json.dumps({"ErrorCode": code, "Message": message, **more}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""
