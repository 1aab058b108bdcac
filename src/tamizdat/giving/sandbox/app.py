# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sandbox as an ASGI app: its pages, its API, its webhooks.

What always holds: it serves a demo alone (``make_app`` refuses anything else); nothing is logged.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec

from tamizdat.giving.errors import AccountError, NotFoundError, RefusedError
from tamizdat.giving.sandbox import pages
from tamizdat.giving.sandbox.api import Api, Keys
from tamizdat.giving.sandbox.bank import Bank
from tamizdat.giving.sandbox.client import LOCAL
from tamizdat.giving.sandbox.delivery import Delivery
from tamizdat.giving.sandbox.store import Store

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST: Final = 100_000
DAYS: Final = ("1", "7", "31")  # What the clock may be put forward by, on its page.
_HEADERS: Final = [
    (b"cache-control", b"no-store"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"x-robots-tag", b"noindex"),
]


class Sandbox(NamedTuple):
    """What it needs. ``url`` is its own address, ``webhook`` where events go (empty: nowhere);
    ``demo`` must be true; ``settles`` is the currency of its balance, where it has one."""

    file: Path
    url: str
    webhook: str
    till: str
    desk: str
    secret: str
    demo: bool
    account: str = "demo"
    settles: str = ""


class Answer(NamedTuple):
    status: int
    body: bytes
    kind: bytes = b"text/html; charset=utf-8"
    location: str = ""


def make_app(sandbox: Sandbox) -> App:
    """Raises ``AccountError`` outside a demo, and off this machine."""
    if not sandbox.demo:
        raise AccountError("the sandbox moves no money: it is for a demo alone")
    for url in filter(None, (sandbox.url, sandbox.webhook)):
        if urlsplit(url).hostname not in LOCAL:
            raise AccountError("the sandbox is for this machine alone")
    store = Store(sandbox.file, account=sandbox.account)
    bank = Bank(store, settles=sandbox.settles)
    api = Api(bank, Keys(sandbox.till, sandbox.desk), sandbox.url.rstrip("/"))
    sender = Delivery(store, bank.balance, url=sandbox.webhook, secret=sandbox.secret)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(store, sender, receive, send)
        elif scope["type"] == "http":
            body = await _body(receive)
            answer = await asyncio.to_thread(_answer, api, scope, body)
            await _send(answer, scope["method"], send)

    return app


async def _live(store: Store, sender: Delivery, receive: Receive, send: Send) -> None:
    await receive()
    sending = asyncio.get_running_loop().create_task(sender.run())
    await send({"type": "lifespan.startup.complete"})
    await receive()
    sending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await sending
    store.close()
    await send({"type": "lifespan.shutdown.complete"})


async def _body(receive: Receive) -> bytes:
    found, more = bytearray(), True
    while more:
        message = await receive()
        found += message.get("body", b"")
        more = message.get("more_body", False) and len(found) <= MOST
    return bytes(found[:MOST])


async def _send(answer: Answer, method: str, send: Send) -> None:
    headers = [*_HEADERS, (b"content-type", answer.kind)]
    if answer.location:
        headers.append((b"location", answer.location.encode()))
    headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if method == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body})


def _answer(api: Api, scope: Scope, body: bytes) -> Answer:
    method, path = scope["method"], tuple(scope["path"].strip("/").split("/"))
    if path[:1] == ("api",):
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        status, said = api.answer(method, path[1:], query, body, _key(scope))
        return Answer(status, msgspec.json.encode(said), b"application/json")
    form = parse_qs(body.decode("utf-8", "replace")) if method == "POST" else {}
    try:
        match path:
            case ("checkout", ref):
                return _checkout(api.bank, ref, method, form)
            case ("card", token):
                return _card(api.bank, token, method, form)
            case ("",) | ("clock",):
                return _clock(api, method, form, _header(scope, b"sec-fetch-site"))
    except (NotFoundError, RefusedError):
        return Answer(404, pages.told_page("unknown"))
    return Answer(404, pages.told_page("unknown"))


def _checkout(bank: Bank, ref: str, method: str, form: dict[str, list[str]]) -> Answer:
    checkout = bank.checkout(ref)
    if checkout.state == "complete":  # A reload, the back button: it is done, and nothing is taken.
        return Answer(303, b"", location=checkout.done)
    if checkout.state == "expired":
        return Answer(200, pages.told_page("expired", checkout.choice.language))
    if method != "POST":
        return Answer(200, pages.checkout_page(checkout))
    address = form.get("address", [""])[0].strip()[:254]
    if checkout.choice.kind != "once" and "@" not in address:
        return Answer(400, pages.checkout_page(checkout, cause="address", address=address))
    outcome = bank.pay(ref, form.get("card", ["declined"])[0], address)
    if outcome.cause:
        body = pages.checkout_page(checkout, cause=outcome.cause, address=address)
        return Answer(402, body)
    return Answer(303, b"", location=checkout.done)


def _card(bank: Bank, token: str, method: str, form: dict[str, list[str]]) -> Answer:
    door = bank.behind(token)
    if method != "POST":
        return Answer(200, pages.card_page(token, door))
    outcome = bank.take_card(token, form.get("card", ["declined"])[0])
    if outcome.cause:
        return Answer(402, pages.card_page(token, door, cause=outcome.cause))
    if door.back:
        return Answer(303, b"", location=door.back)
    return Answer(200, pages.told_page("changed", door.language))


def _clock(api: Api, method: str, form: dict[str, list[str]], site: str) -> Answer:
    """Where a person of the demo puts the clock forward; no other page may."""
    days = form.get("days", [""])[0]
    if method == "POST" and days in DAYS and site in ("", "none", "same-origin"):
        api.move(int(days) * 86_400)
        return Answer(303, b"", location="/")
    return Answer(200, pages.clock_page(api.bank.store.now, form.get("language", ["en"])[0]))


def _key(scope: Scope) -> str:
    return _header(scope, b"authorization").removeprefix("Bearer ")


def _header(scope: Scope, name: bytes) -> str:
    found: bytes = dict(scope["headers"]).get(name, b"")
    return found.decode("latin-1")
