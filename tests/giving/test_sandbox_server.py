# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sandbox as the demo runs it: asked by its adapters over HTTP, calling a letterbox."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple

import pytest
import urllib3

from tamizdat.cli.demo_sandbox import HOST, child_of, provider_of, with_sandbox
from tamizdat.config import Newsroom
from tamizdat.giving.errors import AccountError, NotFoundError, UnreachableError
from tamizdat.giving.port import PaymentFact, Provider
from tamizdat.giving.registry import DeskSettings, TillSettings, make_provider, make_till
from tests.fakes.sandbox import DONE, GAVE_UP, choice
from tests.ports import free_port

pytestmark = pytest.mark.slow
_TOML = """\
name = "The Lamp"
address = "http://127.0.0.1:9"
demo = true

[[drops]]
name = "pier"
url = "http://127.0.0.1:{port}"
"""


class Letterbox(NamedTuple):
    """What was called, and how often it says no before it takes anything."""

    port: int
    calls: list[tuple[str, bytes, dict[str, str]]]
    refusals: list[int]


@pytest.fixture
def letterbox() -> Iterator[Letterbox]:
    calls: list[tuple[str, bytes, dict[str, str]]] = []
    refusals = [2]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            refusals[0] -= 1
            status = 503 if refusals[0] >= 0 else 200
            if status == 200:
                calls.append((self.path, body, {k.lower(): v for k, v in self.headers.items()}))
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield Letterbox(server.server_address[1], calls, refusals)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def newsroom(tmp_path: Path, letterbox: Letterbox) -> Iterator[Newsroom]:
    folder = tmp_path / "paper"
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(_TOML.format(port=letterbox.port))
    made = with_sandbox(Newsroom(folder), free_port())
    child = child_of(made)
    process = subprocess.Popen(child.arguments)
    try:
        _until(child.answers)
        yield made
    finally:
        process.terminate()
        process.wait(20)


def _until(happened: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _payments(provider: Provider) -> int:
    listed = provider.listing(datetime(2020, 1, 1, tzinfo=UTC))
    return len([one for one in listed if isinstance(one, PaymentFact)])


def _till(newsroom: Newsroom, key: str = "sandbox-till") -> Any:
    known = provider_of(newsroom)
    assert known is not None
    secret = newsroom.secret(key)
    return make_till(TillSettings(kind="sandbox", key=secret, url=known.url))


def test_fifty_at_once_are_one_session_and_one_charge_and_the_letterbox_hears_of_it(
    newsroom: Newsroom, letterbox: Letterbox
) -> None:
    till, wanted = _till(newsroom), choice("monthly")

    async def press() -> list[Any]:
        async def once() -> Any:
            return await till.open(wanted, done=DONE, gave_up=GAVE_UP, paper="The Lamp")

        return await asyncio.gather(*(once() for _ in range(50)))

    (opened,) = set(asyncio.run(press()))
    pool = urllib3.PoolManager(maxsize=20, retries=False)
    sent = {"card": "good", "address": "ada@mail.example"}

    def pay(_: int) -> tuple[int, str | None]:
        answer = pool.request("POST", opened.url, fields=sent, encode_multipart=False)
        return answer.status, answer.headers.get("location")

    with ThreadPoolExecutor(20) as threads:
        assert set(threads.map(pay, range(50))) == {(303, DONE)}
    known = provider_of(newsroom)
    assert known is not None
    provider = make_provider(
        DeskSettings(
            kind="sandbox", key=newsroom.secret("sandbox-desk"), url=known.url, account="demo",
            webhook=(newsroom.secret("sandbox-webhook"),),
        )
    )  # fmt: skip
    assert _payments(provider) == 1
    _until(lambda: len(letterbox.calls) >= 3)
    now = datetime.now(UTC)
    events = [provider.read(body, headers, received=now) for _, body, headers in letterbox.calls]
    assert {event.type for event in events} >= {"checkout.completed", "payment.paid"}
    assert {path for path, _, _ in letterbox.calls} == {"/v1/webhook/sandbox"}
    _until(lambda: not provider.check())
    clock = f"{known.url}/clock"
    for site, days in (("cross-site", 0), ("same-origin", 31)):
        headers = {"sec-fetch-site": site}
        pool.request("POST", clock, fields={"days": "31"}, headers=headers, encode_multipart=False)
        assert _payments(provider) == 1 + days // 31, "only its own page moves the clock"
    assert letterbox.refusals[0] < 0, "it was asked again until it took them"
    with pytest.raises(NotFoundError):
        provider.cancel("gift_none", key="k")
    pool.clear()
    asyncio.run(till.close())


def test_a_false_key_and_no_sandbox_are_told_apart(newsroom: Newsroom) -> None:
    async def fails(till: Any) -> None:
        await till.open(choice(), done=DONE, gave_up=GAVE_UP, paper="The Lamp")

    with pytest.raises(AccountError):
        asyncio.run(fails(_till(newsroom, "sandbox-webhook")))
    gone = make_till(TillSettings(kind="sandbox", key="k" * 40, url="http://127.0.0.1:9"))
    with pytest.raises(UnreachableError):
        asyncio.run(fails(gone))
    assert sys.executable in child_of(newsroom).arguments
