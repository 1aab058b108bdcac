# SPDX-License-Identifier: AGPL-3.0-or-later
"""An ASGI app that serves an edition from its index.

What always holds: a reader gets one whole edition's bytes with the right status (301 at former
addresses, 410 for withdrawn stories, 404 with the paper's own page), nothing is logged, no
cookie is set, and the page may load nothing from anywhere else. Only a page with a form for
letters may send anything to anybody: to the letterboxes that its own policy names.

What is not done here: TLS, limits on readers. Put a web server or a CDN in front for many.
"""

from __future__ import annotations

import os
import re
from collections.abc import Awaitable, Callable, MutableMapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from tamizdat.edition import paths, serve_signed
from tamizdat.edition.index import Entry
from tamizdat.edition.reader import Reader
from tamizdat.edition.signed.cohorts import Cohort
from tamizdat.edition.store import compressible, pack

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

CHUNK = 1 << 18
_POLICY = (
    b"default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    b"media-src 'self'; font-src 'self'; script-src 'self'; connect-src 'self'%b; "
    b"manifest-src 'self'; worker-src 'self'; form-action 'self'%b; base-uri 'none'; "
    b"frame-ancestors 'none'"
)
# As ``render.furniture.policy`` writes it, near the top of a page.
_LETTERBOXES = re.compile(rb"form-action 'self'((?: https?://[^\s\"';,]+)*)\"")
_HEAD = 2_048
SECURITY: Headers = [
    (b"content-security-policy", _POLICY % (b"", b"")),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), interest-cohort=(), microphone=()"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_FOR_EVER = b"public, max-age=31536000, immutable"
_BRIEFLY = b"public, max-age=60"
# A volume of a list is named by the month of its first story, which may be withdrawn.
_VOLUME = re.compile(r"(/.+/)[0-9]{4}-[0-9]{2}(?:-[0-9]+)?/")


class Request(NamedTuple):
    """What of a request the answer depends on."""

    method: str
    path: str
    brotli: bool
    etag: str
    range: str


class Answer(NamedTuple):
    """Status, headers, and the body: bytes, or a part (start and end) of a file."""

    status: int
    headers: Headers
    body: bytes = b""
    file: str = ""
    start: int = 0
    end: int = 0


def make_app(folder: str | Path, cohort: Cohort | None = None) -> App:
    """The app for the edition in a folder; what is published later is served at once. ``cohort``
    is that of its readers."""
    server = Server(Path(folder), cohort)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await _respond(server, scope, send)
        elif scope["type"] == "lifespan":
            await _live(receive, send)

    return app


class Server:
    """Answers requests; knows nothing of sockets."""

    def __init__(self, folder: Path, cohort: Cohort | None = None) -> None:
        self._reader = Reader(folder)
        self._folder = folder.absolute()
        self._scripts = serve_signed.Scripts(self._folder, cohort)
        self._compressed = lru_cache(maxsize=512)(self._compress)
        self._security = lru_cache(maxsize=4096)(self._find_security)

    def answer(self, request: Request) -> Answer:
        if request.method not in ("GET", "HEAD"):
            headers: Headers = [(b"allow", b"GET, HEAD"), *SECURITY]
            return Answer(405, headers, b"Only reading is possible here.\n")
        if request.path.startswith(serve_signed.FOLDERS):
            return self._signed(request)
        script = self._scripts.get(request.path)
        if script is not None:
            return self._script(script, request)
        entry = self._reader.entry(request.path)
        if entry is None:
            return self._missing(request)
        if entry.status == 301:
            location = paths.url(entry.location).encode("ascii")
            return self._whole(entry, request, [(b"location", location)])
        return self._found(entry, request)

    def _signed(self, request: Request) -> Answer:
        """A file of the signed folder, for readers on any origin."""
        found = serve_signed.find(self._folder, request.path)
        try:
            if found is not None and found.packed:  # The builder need not have compressed it.
                return Answer(200, found.headers, self._compressed(found.packed))
            if found is not None:
                length = os.stat(found.path).st_size
                return _ranged(found.headers, found.path, length, request)
        except FileNotFoundError:
            pass
        return Answer(404, serve_signed.absent(), b"There is no such file here.\n")

    def _script(self, script: bytes, request: Request) -> Answer:
        headers = self._scripts.headers()
        if not request.brotli:
            return Answer(200, headers, script)
        return Answer(200, [*headers, (b"content-encoding", b"br")], serve_signed.packed(script))

    def _missing(self, request: Request) -> Answer:
        """The list that had a volume of this month, else the paper's own page, in the language of
        the address where it has one."""
        volume = _VOLUME.fullmatch(request.path)
        if volume is not None and self._reader.entry(volume[1]) is not None:
            location = (b"location", paths.url(volume[1]).encode("ascii"))
            return Answer(302, [location, (b"cache-control", _BRIEFLY), *SECURITY])
        language = request.path.split("/")[1]
        for path in (f"/{language}/404.html", "/404.html"):
            entry = self._reader.entry(path)
            if entry is not None:
                plain = request._replace(etag="", range="")
                return self._whole(entry, plain, [])._replace(status=404)
        text = [(b"content-type", b"text/plain; charset=utf-8"), *SECURITY]
        return Answer(404, text, b"Nothing has been published here yet.\n")

    def _found(self, entry: Entry, request: Request) -> Answer:
        tag = _tag(entry, request)
        if entry.status == 200 and tag in (
            t.strip().removeprefix("W/") for t in request.etag.split(",")
        ):
            return Answer(304, [*_caching(entry, tag), *self._headers(entry)])
        if entry.status == 200 and not compressible(entry.media_type):
            return self._file(entry, request)
        return self._whole(entry, request, [])

    def _whole(self, entry: Entry, request: Request, extra: Headers) -> Answer:
        packed = request.brotli and compressible(entry.media_type) and entry.length > 0
        store = self._reader.store
        body = self._compressed(entry.sha256) if packed else store.get(entry.sha256)
        headers = [(b"content-type", entry.media_type.encode()), *extra]
        headers += _caching(entry, _tag(entry, request)) + self._headers(entry)
        if packed:
            headers.append((b"content-encoding", b"br"))
        return Answer(entry.status, headers, body)

    def _file(self, entry: Entry, request: Request) -> Answer:
        """A picture, recording or document: sent in chunks, or the part that a player asks for."""
        headers = [(b"content-type", entry.media_type.encode()), (b"accept-ranges", b"bytes")]
        headers += _caching(entry, _tag(entry, request)) + SECURITY
        return _ranged(headers, self._reader.store.name(entry.sha256), entry.length, request)

    def _headers(self, entry: Entry) -> Headers:
        """What protects the reader of an answer."""
        is_page = entry.media_type.startswith("text/html") and entry.length > 0
        return self._security(entry.sha256) if is_page else SECURITY

    def _find_security(self, sha256: str) -> Headers:
        found = _LETTERBOXES.search(self._reader.store.get(sha256)[:_HEAD])
        if found is None or not found[1]:
            return SECURITY
        return [(SECURITY[0][0], _POLICY % (found[1], found[1])), *SECURITY[1:]]

    def _compress(self, sha256: str) -> bytes:
        try:
            with open(f"{self._reader.store.name(sha256)}.br", "rb") as file:
                return file.read()
        except FileNotFoundError:
            data = self._reader.store.get(sha256)
            return pack(data)


def _ranged(headers: Headers, name: str, length: int, request: Request) -> Answer:
    """A file, or the part of it that is asked for."""
    if not request.range.startswith("bytes=") or "," in request.range:
        return Answer(200, headers, file=name, end=length)
    part = _part(request.range.removeprefix("bytes="), length)
    if part is None:
        unit = f"bytes */{length}".encode()
        return Answer(416, [*SECURITY, (b"content-range", unit)])
    start, end = part
    shown = f"bytes {start}-{end - 1}/{length}".encode()
    return Answer(206, [*headers, (b"content-range", shown)], file=name, start=start, end=end)


def _tag(entry: Entry, request: Request) -> str:
    packed = request.brotli and compressible(entry.media_type)
    return f'"{entry.sha256[:32]}{"-br" if packed else ""}"'


def _caching(entry: Entry, tag: str) -> Headers:
    lasting = _FOR_EVER if entry.path.startswith("/media/") else _BRIEFLY
    headers = [(b"etag", tag.encode()), (b"cache-control", lasting)]
    return [*headers, (b"vary", b"accept-encoding")] if compressible(entry.media_type) else headers


def _part(asked: str, length: int) -> tuple[int, int] | None:
    """Start and end of one range of bytes (RFC 9110, section 14.1.2), or None where it is none."""
    first, dash, last = asked.strip().partition("-")
    if not dash or not (first + last).isdecimal():
        return None
    if not first:
        return (max(0, length - int(last)), length) if int(last) and length else None
    end = min(int(last) + 1, length) if last else length
    return (int(first), end) if int(first) < end else None


async def _respond(server: Server, scope: Scope, send: Send) -> None:
    given = {name: value.decode("latin-1") for name, value in scope["headers"]}
    request = Request(
        method=scope["method"],
        path=scope["path"],
        brotli=_takes_brotli(given.get(b"accept-encoding", "")),
        etag=given.get(b"if-none-match", ""),
        range=given.get(b"range", ""),
    )
    answer = server.answer(request)
    length = answer.end - answer.start if answer.file else len(answer.body)
    headers = list(answer.headers)
    if answer.status != 304:
        headers.append((b"content-length", str(length).encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.file and request.method == "GET":
        await _send_file(answer, send)
    else:
        body = b"" if request.method == "HEAD" else answer.body
        await send({"type": "http.response.body", "body": body})


async def _send_file(answer: Answer, send: Send) -> None:
    with open(answer.file, "rb", buffering=0) as file:
        left = answer.end - answer.start
        os.lseek(file.fileno(), answer.start, os.SEEK_SET)
        while left > 0 and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            await send({"type": "http.response.body", "body": chunk, "more_body": left > 0})
        if left or answer.end == answer.start:
            await send({"type": "http.response.body", "body": b""})


def _takes_brotli(accepted: str) -> bool:
    for one in accepted.lower().split(","):
        name, _, quality = one.strip().partition(";")
        if name.strip() == "br":
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
