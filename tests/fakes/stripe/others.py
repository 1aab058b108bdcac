# SPDX-License-Identifier: AGPL-3.0-or-later
"""localstripe, a Stripe that somebody else wrote, on a free port of this machine.

It charges, declines, pays back, pays out, and signs webhooks; it has no Checkout and ignores
idempotency keys. It is a program of its own (GPL-3.0-or-later) and is only spoken to by HTTP.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from queue import Queue
from typing import Any

from tests.ports import free_port

# As it is meant to be started it listens to everybody and writes to one file in /tmp.
_START = """
import sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
web.run_app(server.app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""


@contextmanager
def localstripe() -> Iterator[str]:
    """Its address until the block ends."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", _START, str(port)], stderr=subprocess.DEVNULL
    ) as process:
        try:
            _await(port, process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("localstripe did not start")


@contextmanager
def webhook() -> Iterator[tuple[str, Queue[tuple[bytes, dict[str, str]]]]]:
    """An address that takes webhooks, and what was sent to it: body and header fields."""
    taken: Queue[tuple[bytes, dict[str, str]]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            taken.put((body, {name.lower(): value for name, value in self.headers.items()}))

        def log_message(self, *said: Any) -> None:
            """Nothing."""

    http = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{http.server_port}/v1/webhook/stripe", taken
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
