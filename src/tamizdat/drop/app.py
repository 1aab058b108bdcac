# SPDX-License-Identifier: AGPL-3.0-or-later
"""The drop as an ASGI app.

What always holds: nothing about a request is logged, not even where handling it fails; a body is
held in memory, cut off at its route's limit and after ``PATIENCE`` seconds, and overwritten when
it was handled.

What is not done here: TLS. What remains in memory and how it is wiped: docs/threat-model.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

from tamizdat.drop.answers import Answer, Headers, Request, common_headers
from tamizdat.drop.collecting import Collecting
from tamizdat.drop.giving import Giving, tills_of
from tamizdat.drop.letters import Letters, Route
from tamizdat.drop.limits import Counters, network_of, networks
from tamizdat.drop.pages import Pages
from tamizdat.drop.sessions import Sessions
from tamizdat.drop.settings import DropFolder
from tamizdat.drop.spool import Spool
from tamizdat.drop.work import Work
from tamizdat.drop.writer import Writer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

PATIENCE = 60.0
_SAY_AGAIN = 60.0
_CHUNK = 1 << 18
_MOST_QUERY = 8_192
_MOST_DRAINED = 1 << 20
_DRAIN_FOR = 2.0
_FORGET_AFTER = 0.1


class TooMuchError(Exception):
    """The body is longer than its route takes."""


class GoneError(Exception):
    """Whoever asked is gone, or too slow."""


class Drop:
    """One drop's parts, and how a request finds its way among them."""

    def __init__(self, folder: DropFolder) -> None:
        settings, complain = folder.settings, complaints()
        self.spool = Spool(folder.spool)
        self.writer = Writer(
            self.spool, cap=settings.cap, reserve=settings.reserve, complain=complain
        )
        self._pages = Pages(settings)
        self._letters = Letters(
            settings, self._pages, self.writer, Counters(settings.limits), Work()
        )
        sessions = Sessions(settings.collector, settings.hosts)
        self._collecting = Collecting(sessions, self.spool, self.writer)
        self._giving = Giving(settings, self._pages, tills_of(folder, complain), complain)
        self._trusted = networks(settings.trusted_proxies)
        self.headers = common_headers(self._pages.policy, https=settings.https)

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """Raises ``GoneError``."""
        request = self._request(scope)
        version, path = request.path[:1], request.path[1:]
        request = request._replace(path=path)
        collect = path[:1] == ("collect",)
        route: Route | None = None
        if version == ("v1",) and path:
            if collect:
                route = self._collecting.route(path[1:])
            else:
                route = self._letters.route(path) or self._giving.route(path)
        if route is None:
            return self._letters.refuse("unknown", request, None)
        if request.method == "OPTIONS":
            return self._letters.preflight(route)
        if request.method not in route.methods:
            allow = (b"allow", ", ".join((*route.methods, "OPTIONS")).encode())
            found = self._letters.refuse("method", request, route)
            return found._replace(headers=[*found.headers, allow])
        refusal = None if collect else self._letters.gate(request, route)
        if refusal is not None:
            await _drain(receive)
            return refusal
        try:
            await _read_body(request, receive, route.most)
            if path[0] == "give":
                return await self._giving.answer(request)
            asked = self._collecting if collect else self._letters
            return await asked.answer(request)
        except TooMuchError:
            await _drain(receive)
            return self._letters.refuse("too-large", request, route)
        finally:
            request.body[:] = bytes(len(request.body))

    async def close(self) -> None:
        """Finish what waits."""
        await self._giving.close()
        await self.writer.stop()

    def _request(self, scope: Scope) -> Request:
        headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            key = name.decode("latin-1").lower()
            said = value.decode("latin-1")
            headers[key] = f"{headers[key]}, {said}" if key in headers else said
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.split(b"?")[0].decode("latin-1")
        query = scope.get("query_string", b"").decode("latin-1")
        peer = (scope.get("client") or ("",))[0]
        return Request(
            method=scope["method"],
            path=tuple(unquote(part) for part in path.strip("/").split("/")),
            query=dict(parse_qsl(query[:_MOST_QUERY])[:20]),
            headers=headers,
            network=network_of(peer, headers.get("x-forwarded-for", ""), self._trusted),
            body=bytearray(),
        )


async def _read_body(request: Request, receive: Receive, most: int) -> None:
    """Raises ``TooMuchError`` and ``GoneError``."""
    said = request.headers.get("content-length", "0")
    if not said.isdecimal() or int(said) > most:
        raise TooMuchError
    if request.method not in ("POST", "PUT", "PATCH"):
        return
    try:
        async with asyncio.timeout(PATIENCE):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise GoneError
                request.body.extend(message.get("body", b""))
                if len(request.body) > most:
                    raise TooMuchError
                more = message.get("more_body", False)
    except TimeoutError:
        raise GoneError from None


async def _drain(receive: Receive) -> None:
    """Take in what is still coming, for a while: a browser that is answered amid its sending
    shows that the connection was lost, and not the answer."""
    left = _MOST_DRAINED
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_FOR):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return


def make_app(folder: Path) -> App:
    """The app of a drop's folder. Raises ``DropSettingsError``."""
    drop = Drop(DropFolder(folder))
    complain = complaints()
    forget = _forgetting()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(drop, receive, send)
        elif scope["type"] == "http":
            try:
                answer = await drop.answer(scope, receive)
            except GoneError:
                answer = Answer(408, private=True)
            except Exception as error:
                complain(_where(error))
                answer = Answer(500, b"Something went wrong here; nothing was kept.\n")
            await _send(drop, answer, scope["method"], send)
            if answer.private:
                forget()

    return app


def _forgetting() -> Callable[[], None]:
    """Frees what refers to itself, such as an error and the frames it came through, soon after
    each request that bore a reader's words: once for all of a tenth of a second."""
    waiting = False

    def collect() -> None:
        nonlocal waiting
        waiting = False
        gc.collect()

    def forget() -> None:
        nonlocal waiting
        if not waiting:
            waiting = True
            asyncio.get_running_loop().call_later(_FORGET_AFTER, collect)

    return forget


def _where(error: Exception) -> str:
    """What failed and where: never what it was about, which is a reader's."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {os.path.basename(last.filename)}:{last.lineno}"  # noqa: PTH119


async def _live(drop: Drop, receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            drop.writer.start()
            # What is there by now stays: collecting looks only at what requests leave.
            gc.collect()
            gc.freeze()
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            await drop.close()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def _send(drop: Drop, answer: Answer, method: str, send: Send) -> None:
    body = b"" if method == "HEAD" else answer.body
    headers: Headers = [*answer.headers, *drop.headers]
    if answer.status != 204:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    if answer.private:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    for start in range(0, len(body), _CHUNK):
        part = {"type": "http.response.body", "body": body[start : start + _CHUNK]}
        await send({**part, "more_body": start + _CHUNK < len(body)})
    if not body:
        await send({"type": "http.response.body", "body": b""})


def complaints() -> Callable[[str], None]:
    """Tells the operator on standard error; the same once a minute at most."""
    said: dict[str, float] = {}

    def complain(message: str) -> None:
        now = time.monotonic()
        if now - said.get(message, -_SAY_AGAIN) >= _SAY_AGAIN:
            said[message] = now
            sys.stderr.write(f"tamizdat drop: {message}\n")
            sys.stderr.flush()

    return complain
