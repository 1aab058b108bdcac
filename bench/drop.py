# SPDX-License-Identifier: AGPL-3.0-or-later
"""Submissions a second that lie on the disk when they are acknowledged, on one core.

What always holds: the server has one core to itself, who sends has another one; sealed bodies come
over connections that are kept, plain forms too where the server keeps them (ours gives them up,
so that nothing stays in memory); afterwards as many submissions lie there as were acknowledged.
``--size`` is how many are sent in a run.

The peer, in the same run, does what one would write first: an ASGI app that appends each sealed
body by itself and flushes it (``fdatasync``) before it answers. It seals no forms.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pyrage

from bench import measure
from bench.measure import Scratch
from tamizdat.drop.envelope import seal, submission
from tamizdat.drop.spool import measured

KINDS = ("sealed", "form", "peer")
SLOT = 3_584
SETTINGS = """\
name = "The Lamplighter"
paper = "https://lamp.example"
recipients = ["{recipient}"]
collector = "{collector}"
[limits]
free = 1000000000
most = 1000000000
all_free = 1000000000
all_most = 1000000000
"""


def request(kind: str) -> bytes:
    """One whole request: a short message, as a script or as a browser without one sends it."""
    text = "The lamp in Harbour Street is out again, and nobody comes. " * 4
    if kind == "form":
        path, body = "/v1/message", urlencode({"text": text, "language": "en"}).encode()
        content = "application/x-www-form-urlencoded"
    else:
        key = pyrage.x25519.Identity.generate().to_public()
        path, body = "/v1/sealed", seal(submission("message", "en", {"text": text}), [key])
        content = "text/plain"
    head = f"POST {path} HTTP/1.1\r\nhost: drop.example\r\ncontent-type: {content}\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


async def sender(port: int, raw: bytes, left: list[int], waits: list[float]) -> int:
    """One reader after another, until none are left; how many were acknowledged."""
    kept, writer = 0, None
    while left[0] > 0:
        left[0] -= 1
        if writer is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = time.perf_counter()
        writer.write(raw)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        waits.append(time.perf_counter() - began)
        kept += head.split()[1] in (b"200", b"303")
        if b"connection: close" in head.lower():
            writer.close()
            writer = None
    return kept


async def load(port: int, kind: str, size: int, connections: int) -> dict[str, float]:
    """Send ``size`` requests over so many connections."""
    raw, waits, left = request(kind), list[float](), [size]
    began = time.perf_counter()
    kept = await asyncio.gather(*(sender(port, raw, left, waits) for _ in range(connections)))
    wall = time.perf_counter() - began
    waits.sort()
    return {
        "kept": sum(kept),
        "wall": wall,
        "p50": waits[size // 2],
        "p99": waits[size * 99 // 100],
    }


def peer(port: int, file: Path) -> None:
    """The minimal app, until it is ended."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    def made() -> Any:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                return
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
            os.write(descriptor, body.ljust(SLOT, b"\0"))
            os.fdatasync(descriptor)
            headers = [(b"content-length", b"2")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": b"ok"})

        return app

    Granian(
        "peer", address="127.0.0.1", port=port, interface=Interfaces.ASGI, websockets=False,
        log_access=False, log_level=LogLevels.warning,
    ).serve(target_loader=made, wrap_loader=False)  # fmt: skip


def once(kind: str, scratch: Scratch, options: Namespace) -> dict[str, float]:
    """One server, one load; its figures."""
    folder, port = scratch.fresh(kind), _free_port()
    if kind == "peer":
        command = [sys.executable, "-m", "bench.drop", "--peer", str(port), str(folder / "file")]
    else:
        key = pyrage.x25519.Identity.generate().to_public()
        (folder / "drop.toml").write_text(SETTINGS.format(recipient=key, collector="ab" * 32))
        program = [sys.executable, "-m", "tamizdat", "drop", "serve", str(folder)]
        command = [*program, "--port", str(port)]
    cores = sorted(os.sched_getaffinity(0))
    server = subprocess.Popen(
        command, cwd=measure.ROOT, preexec_fn=lambda: os.sched_setaffinity(0, {cores[0]})
    )
    try:
        _wait(port)
        before = measure.tree_cpu(server.pid)
        log = folder / "load.json"
        arguments = ["--load", kind, "--at", str(port), "--size", str(options.size)]
        with log.open("wb") as output:
            subprocess.run(
                [sys.executable, "-m", "bench.drop", *arguments,
                 "--connections", str(options.connections)],
                cwd=measure.ROOT, check=True, stdout=output,
                preexec_fn=lambda: os.sched_setaffinity(0, {cores[-1]}),
            )  # fmt: skip
        found: dict[str, float] = json.loads(log.read_text())
        found["cpu"] = measure.tree_cpu(server.pid) - before
    finally:
        server.terminate()
        server.wait(30)
    found["lies"] = _lies(kind, folder) / SLOT
    assert found["lies"] == found["kept"] == options.size, found
    return found


def _lies(kind: str, folder: Path) -> int:
    return (folder / "file").stat().st_size if kind == "peer" else measured(folder / "spool").length


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise measure.CommandError("the server does not answer")


def show(figures: dict[str, list[dict[str, float]]], size: int) -> str:
    """The table: medians over the runs."""
    rows = []
    for kind, runs in figures.items():
        found = {key: measure.median([run[key] for run in runs]) for key in runs[0]}
        rows.append(
            [
                {"sealed": "sealed", "form": "plain forms", "peer": "peer, each by itself"}[kind],
                f"{size / found['wall']:,.0f}",
                f"{size / found['cpu']:,.0f}",
                f"{found['cpu'] / size * 1000:.2f}",
                f"{found['p50'] * 1000:.1f}",
                f"{found['p99'] * 1000:.1f}",
            ]
        )
    head = ["what", "a second", "a second of CPU", "CPU ms each", "median wait ms", "p99 ms"]
    return measure.table(head, rows)


def main() -> int:
    parser = measure.arguments(__doc__ or "", size=20_000, runs=3)
    parser.add_argument("--connections", type=int, default=64, help="at once (default 64)")
    parser.add_argument("--load", choices=KINDS, help="only send, and say what came of it")
    parser.add_argument("--at", type=int, metavar="PORT", help="where to send it")
    parser.add_argument("--peer", nargs=2, metavar=("PORT", "FILE"), help="only serve the peer")
    options = parser.parse_args()
    if options.peer:
        peer(int(options.peer[0]), Path(options.peer[1]))
        return 0
    if options.load:
        made = load(options.at, options.load, options.size, options.connections)
        print(json.dumps(asyncio.run(made)))
        return 0
    figures: dict[str, list[dict[str, float]]] = {kind: [] for kind in KINDS}
    with Scratch(options.work, keep=options.keep) as scratch:
        for number in range(options.runs):
            for kind in (*KINDS[number % 3 :], *KINDS[: number % 3]):
                figures[kind].append(once(kind, scratch, options))
            measure.say(f"round {number + 1} of {options.runs}")
    print(show(figures, options.size))
    measure.report({"bench": "drop", "runs": options.runs, "figures": figures}, options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
