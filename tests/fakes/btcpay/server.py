# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our BTCPay's API over HTTP, on a free port of this machine."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.btcpay.world import STORE, World

RIGHTS = {"till": "btcpay.store.cancreateinvoice", "desk": "btcpay.store.canviewinvoices"}


class Server:
    """``status``: answer everything with it, while it is not 0."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.status = 0
        self.url = ""

    def answer(self, method: str, target: str, body: bytes, key: str) -> tuple[int, Any]:
        parts = urlsplit(target)
        if self.status:
            return self.status, {"message": "Wilhelmina Quist may not"}
        if key not in RIGHTS:
            return 401, {"code": "unauthenticated"}
        if parts.path == "/api/v1/api-keys/current":
            return 200, {"permissions": [f"{RIGHTS[key]}:{STORE}"], "label": key}
        path = parts.path.removeprefix(f"/api/v1/stores/{STORE}/")
        with self.world.lock:
            if (method, path) == ("POST", "invoices") and key == "till":
                return 200, self.world.open(json.loads(body), self.url)
            if method == "GET" and key == "desk":
                return self._found(path, parse_qs(parts.query))
        return 403, {"code": "missing-permission"}

    def _found(self, path: str, query: dict[str, list[str]]) -> tuple[int, Any]:
        if path == "invoices":
            since, skip, take = (
                int(query.get(name, ["0"])[0]) for name in ("startDate", "skip", "take")
            )
            found = [one for one in self.world.invoices.values() if one["createdTime"] >= since]
            return 200, found[::-1][skip : skip + (take or 50)]
        _, name, *_ = path.split("/")
        if name not in self.world.invoices:
            return 404, {"code": "invoice-not-found"}
        payments = self.world.paid.get(name, [])
        return 200, [{"paymentMethodId": "BTC-CHAIN", "payments": payments}]


@contextmanager
def serving(world: World) -> Iterator[Server]:
    """Our BTCPay, answering under ``url`` until the block ends."""
    btcpay = Server(world)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            key = (self.headers.get("Authorization") or "").removeprefix("token ")
            status, said = btcpay.answer(self.command, self.path, body, key)
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = _answer  # noqa: N815 - as the library calls them

        def log_message(self, *said: Any) -> None:
            """Nothing."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    btcpay.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield btcpay
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
