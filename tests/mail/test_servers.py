# SPDX-License-Identifier: AGPL-3.0-or-later
"""Batches to servers that others wrote: Postfix's smtp-sink, and aiosmtpd."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tamizdat.mail.content import UNSUBSCRIBE
from tamizdat.mail.errors import RelayError
from tamizdat.mail.smtp import Connection, Outgoing, Server, State
from tests.mail.made import NOW, TOKENS, read, template
from tests.mail.relays import QUICK
from tests.ports import free_port

SINK = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin:/usr/lib/postfix")
needs_sink = pytest.mark.skipif(not SINK, reason="Postfix's smtp-sink is not installed")


def batch(count: int) -> list[Outgoing]:
    made = template(
        "Неделя",
        plain=f".\nЛампа горит.\n{UNSUBSCRIBE}",
        list_unsubscribe=f"https://d.example/{UNSUBSCRIBE}",
    )
    return [
        Outgoing(
            key=n,
            sender="b@news.example",
            recipient=f"r{n}@there.example",
            data=made.personal(
                to=f"r{n}@there.example", message_id=f"1-{n}", date=NOW, tokens=TOKENS
            ),
        )
        for n in range(count)
    ]


def opened(port: int) -> Connection:
    server = Server(host="127.0.0.1", port=port, security="none", helo="news.example")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(RelayError):
            return Connection.open(server, timeouts=QUICK)
        time.sleep(0.05)
    raise AssertionError("the server did not start")


@contextlib.contextmanager
def sink(folder: Path, *options: str) -> Iterator[int]:
    port = free_port()
    assert SINK
    account = ["-u", "nobody"] if Path("/root").owner() == Path("/proc/self").owner() else []
    command = [SINK, *account, *options, f"127.0.0.1:{port}", "100"]
    process = subprocess.Popen(command, cwd=folder)
    try:
        yield port
    finally:
        process.terminate()
        process.wait(10)


@needs_sink
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ((), {"sent"}),
        (("-p",), {"sent"}),  # No PIPELINING.
        (("-e",), {"sent"}),  # No ESMTP at all.
        (("-f", "RCPT"), {"refused"}),
        (("-r", "RCPT"), {"deferred"}),
        (("-f", "MAIL"), {"refused"}),
        (("-f", "DATA"), {"refused"}),
        (("-Q", "."), {"deferred", "unknown"}),
        (("-q", "RCPT"), {"deferred"}),
        (("-q", "."), {"deferred", "unknown"}),
    ],
)
def test_the_sink_of_postfix(
    tmp_path: Path, options: tuple[str, ...], expected: set[State]
) -> None:
    with sink(tmp_path, *options) as port, opened(port) as connection:
        outcomes = list(connection.send(batch(20)))
    assert [outcome.key for outcome in outcomes] == list(range(20))
    assert {outcome.state for outcome in outcomes} <= expected
    assert sum(outcome.state == "unknown" for outcome in outcomes) <= 1


@needs_sink
def test_the_sink_keeps_what_was_sent(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    tmp_path.parent.chmod(0o755)
    mails = batch(30)
    with sink(tmp_path, "-d", "kept.") as port, opened(port) as connection:
        assert {outcome.state for outcome in connection.send(mails)} == {"sent"}
    kept = [path.read_bytes() for path in tmp_path.glob("kept.*")]
    assert len(kept) == 30
    told = {re.findall(rb"Message-ID: <1-(\d+)@", data)[0] for data in kept}
    assert len(told) == 30


class _Keeps:
    def __init__(self) -> None:
        self.kept = list[bytes]()

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name.
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address == "r3@there.example":
            return "550 5.1.1 nobody here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  # aiosmtpd's name.
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        self.kept.append(envelope.original_content)
        return "250 OK"


def test_a_server_in_python_gets_each_mail_as_it_was() -> None:
    controller = pytest.importorskip("aiosmtpd.controller")
    handler, mails = _Keeps(), batch(10)
    server = controller.Controller(
        handler,
        hostname="127.0.0.1",
        port=free_port(),
        enable_SMTPUTF8=True,
        ready_timeout=30,
    )
    server.start()
    try:
        with opened(server.port) as connection:
            assert connection.features.utf8
            outcomes = list(connection.send(mails))
    finally:
        server.stop()
    assert "".join(outcome.state[0] for outcome in outcomes) == "sssrssssss"
    assert handler.kept == [mail.data for mail in mails if mail.key != 3]
    assert read(handler.kept[0])["Subject"] == "Неделя"
