# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whoever takes the machine learns nothing of who wrote what, and nobody's address."""

from __future__ import annotations

import base64
import re
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest

from tests.drop.machines import Server, canary, letter, memory_of, opened, post, running
from tests.fakes.btcpay import server as btcpay
from tests.fakes.btcpay.world import STORE
from tests.fakes.btcpay.world import World as BtcpayWorld
from tests.fakes.stripe import server as stripe
from tests.fakes.stripe.basics import RefusalError
from tests.fakes.stripe.world import World as StripeWorld

FORM = "content-type: application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def marks() -> dict[str, str]:
    """One to be looked for in each place where a reader leaves something."""
    names = ("text", "name", "address", "token", "agent", "cookie", "referer", "peer", "body",
             "query", "wrong", "header", "part", "message", "variant", "own", "back",
             "repeated")  # fmt: skip
    # One's own amount, and the names of two wishes, which are as long as they must be.
    amount = f"{secrets.randbelow(90_000) + 10_000}.{secrets.randbelow(90) + 10}"
    wishes = {name: canary()[1:] for name in ("intent", "coins")}
    return {**{name: canary() for name in names}, **wishes, "amount": amount}


class Visited(NamedTuple):
    """A drop, the moment when readers began, and the other sides of its tills."""

    server: Server
    began: float
    stripe: stripe.Server
    btcpay: btcpay.Server


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory, marks: dict[str, str]) -> Iterator[Visited]:
    """A drop right after readers sent all that they can send."""
    folder = tmp_path_factory.mktemp("visited") / "drop"
    now = int(time.time())
    with (
        stripe.serving(StripeWorld(now=now)) as cards,
        btcpay.serving(BtcpayWorld(now=now)) as coins,
        running(
            folder, trusted_proxies=["127.0.0.0/8"], giving=giving(folder, cards, coins)
        ) as server,
    ):
        began = time.time()
        told = [
            f"user-agent: {marks['agent']}",
            f"cookie: session={marks['cookie']}",
            f"referer: https://lamp.example/{marks['referer']}",
            f"x-forwarded-for: {marks['peer']}, 198.51.100.123",
        ]
        for times in (1, 20, 150):
            for raw in requests(marks, times, told):
                assert server.ask(raw).startswith((b"HTTP/1.1 2", b"HTTP/1.1 3", b"HTTP/1.1 4"))
            for raw in gifts(marks, told):
                assert server.ask(raw).startswith((b"HTTP/1.1 2", b"HTTP/1.1 303", b"HTTP/1.1 400"))

        def refuse(method: str, path: str) -> None:
            raise RefusalError(400, "invalid_request_error", "", f"not {marks['repeated']}")

        cards.before = refuse
        assert server.ask(gift(marks, told, variant="b")).startswith(b"HTTP/1.1 503")
        time.sleep(0.5)
        yield Visited(server, began, cards, coins)


def giving(folder: Path, cards: stripe.Server, coins: btcpay.Server) -> dict[str, Any]:
    """Two tills, with their keys in the drop's folder."""
    folder.mkdir()
    for name, key in (("till-stripe", stripe.TILL), ("till-btcpay", "till")):
        (folder / name).write_text(key)
    return {
        "tills": [
            {"kind": "stripe", "key": "till-stripe", "url": cards.url},
            {"kind": "btcpay", "key": "till-btcpay", "url": coins.url, "account": STORE},
        ],
        "offers": [
            {"kind": kind, "currency": "USD", "amounts": [500], "least": 200, "most": 10_000_000}
            for kind in ("once", "monthly")
        ],
    }


def gift(marks: dict[str, str], told: list[str], **changes: str) -> bytes:
    """A form as the support page sends it, with one's own amount."""
    fields = {
        "kind": "monthly", "amount-monthly": "5.00 USD", "own": marks["amount"], "currency": "USD",
        "language": "en", "message": marks["message"], "variant": marks["variant"],
        "behalf": "on", "back": f"https://lamp.example/{marks['back']}", "intent": marks["intent"],
    }  # fmt: skip
    return post("/v1/give", urlencode(fields | changes).encode(), FORM, *told)


def gifts(marks: dict[str, str], told: list[str]) -> Iterator[bytes]:
    yield gift(marks, told)
    yield gift(marks, told)  # Pressed twice: the provider says again what it said.
    yield gift(marks, told, kind="once", via="btcpay", intent=marks["coins"])
    yield gift(marks, told, intent="")
    yield gift(marks, told, own=marks["own"])
    yield gift(marks, told, kind=marks["wrong"], via=marks["wrong"])
    kept = {"kind": "monthly", "own": marks["own"], "message": marks["message"],
            "amount": marks["amount"], "intent": marks["intent"], "cause": marks["wrong"],
            "left": "1"}  # fmt: skip
    head = f"GET /v1/give?{urlencode(kept)} HTTP/1.1"
    yield "\r\n".join([head, "host: x", "connection: close", *told, "", ""]).encode()
    yield gift(marks, told, website="https://robots.example/")


def requests(marks: dict[str, str], times: int, told: list[str]) -> Iterator[bytes]:
    def form(path: str, **fields: str) -> bytes:
        return post(path, urlencode(fields).encode(), FORM, *told)

    yield form("/v1/message", text=marks["text"] * times, name=marks["name"])
    yield form("/v1/message", text=marks["wrong"] * times, name=marks["name"] * 20)
    yield form(
        "/v1/subscribe",
        address=f"{marks['address']}@example.org",
        newsletters="weekly",
        privacy="1",
        form="drop",
    )
    yield form(f"/v1/unsubscribe/{marks['token']}?q={marks['query']}")
    yield form(f"/v1/confirm/{quote('?')}{marks['token']}")
    part = f'--x\r\nContent-Disposition: form-data; name="text"\r\n\r\n{marks["part"]}\r\n--x--\r\n'
    yield post("/v1/message", part.encode(), "content-type: multipart/form-data; boundary=x", *told)
    yield post("/v1/message", b"\xff" + marks["wrong"].encode(), FORM, *told)
    yield post("/v1/message", b"a" * 270_000 + marks["wrong"].encode(), FORM, *told)
    signature = f"piggy-signature: {marks['header']}"
    yield post("/v1/webhook/piggybank", marks["body"].encode() * times, signature, *told)
    yield post(f"/v1/sealed?q={marks['query']}", letter(), *told)
    yield post("/v1/sealed", marks["wrong"].encode() * times, *told)
    head = f"GET /v1/preferences/{marks['token']}?q={marks['query']} HTTP/1.1"
    yield "\r\n".join([head, "host: x", "connection: close", *told, "", ""]).encode()


def shapes(mark: str) -> list[bytes]:
    """How a word may hide: in clear, base64 at each offset, hex, quoted, in wide characters."""
    plain = mark.encode()
    found = [plain, plain.hex().encode(), mark.encode("utf-16-le"), mark.encode("utf-32-le")]
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + plain)
        found.append(coded[4 if shift else 0 : -4])
    return found


def test_it_was_all_taken(visited: Visited, marks: dict[str, str]) -> None:
    found = opened(visited.server.folder)
    assert any(marks["text"] in str(one.fields) for one in found)
    assert any(marks["token"] in str(one.fields) for one in found)
    [session] = visited.stripe.world.all("session")
    assert session["metadata"]["intent"] == marks["intent"]
    assert session["metadata"]["message"] == marks["message"]
    [invoice] = visited.btcpay.world.invoices.values()
    assert invoice["amount"] == marks["amount"]


def test_files_and_logs_hold_nothing_of_a_reader(visited: Visited, marks: dict[str, str]) -> None:
    server, began = visited.server, visited.began
    settings = server.folder / "drop.toml"  # Names the tills' addresses.
    files = [p for p in server.folder.rglob("*") if p.is_file() and p != settings]
    everything = b"".join(p.read_bytes() for p in files)
    names = " ".join(str(p) for p in server.folder.rglob("*"))
    for mark in marks.values():
        assert not [shape for shape in shapes(mark) if shape in everything]
        assert mark not in names
    for address in (b"127.0.0.1:", b"198.51.100"):
        assert address not in everything
    # What is said must not say when, finer than an hour.
    assert server.log.read_text() == ""
    assert not re.search(r"\d\d:\d\d", names)
    for path in (server.folder / "spool").glob("*-*"):
        assert path.stat().st_mtime % 3_600 == 0
    assert (server.folder / "spool").stat().st_mtime % 3_600 == 0
    assert began % 3_600 != 0


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read through /proc")
def test_memory_holds_nothing_of_a_reader_right_after(
    visited: Visited, marks: dict[str, str]
) -> None:
    try:
        parts = [part for pid in visited.server.workers for part in memory_of(pid)]
    except PermissionError:
        pytest.skip("this machine lets nobody read another process's memory")
    assert sum(map(len, parts)) > 10_000_000
    found = {
        name: shape
        for name, mark in marks.items()
        for shape in shapes(mark)
        if any(shape in part for part in parts)
    }
    assert found == {}


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read through /proc")
def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """That the one above can fail: a process that keeps a word is found out."""
    mark = canary()
    code = f"import time; kept = {mark!r}; print(1, flush=True); time.sleep(30)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            assert any(mark.encode() in part for part in memory_of(process.pid))
        except PermissionError:
            pytest.skip("this machine lets nobody read another process's memory")
        finally:
            process.kill()


def test_a_mistake_of_ours_is_told_without_what_it_was_about(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tamizdat.drop import letters
    from tests.drop.machines import in_process

    def broken(*_: object) -> None:
        raise RuntimeError("of reader@example.org")

    with in_process(tmp_path / "drop") as drop:
        monkeypatch.setattr(letters, "seal", broken)
        reply = drop.fill_in("/v1/message", text="secret words")
        assert reply.status == 500
    said = capfd.readouterr().err
    assert "RuntimeError in test_traces.py:" in said
    assert "reader@example.org" not in said
    assert "secret" not in said
