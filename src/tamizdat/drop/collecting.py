# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the desk's collector asks of a drop (docs/format/submission-v1.md, section 5).

What always holds: nothing is told without a token; a batch goes only by its SHA-256.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import msgspec

from tamizdat.drop.answers import Answer, Headers, Request, told
from tamizdat.drop.errors import BatchError
from tamizdat.drop.letters import Route
from tamizdat.drop.sessions import Sessions
from tamizdat.drop.spool import Spool
from tamizdat.drop.writer import Writer

_MOST = 4_096
_RANGE = re.compile(r"bytes=([0-9]{1,9})-([0-9]{0,9})", re.ASCII)
_OCTETS: Headers = [(b"content-type", b"application/octet-stream"), (b"accept-ranges", b"bytes")]


class Collecting:
    """Answers the collector. What changes the spool runs in the writer's thread."""

    def __init__(self, sessions: Sessions, spool: Spool, writer: Writer) -> None:
        self._sessions = sessions
        self._spool = spool
        self._writer = writer

    def route(self, path: tuple[str, ...]) -> Route | None:
        """``path`` after ``collect``; None where there is nothing."""
        if path == ("session",) or (len(path) == 2 and path[0] == "session"):
            return Route(("POST",), _MOST, program=True)
        if path == ("batches",):
            return Route(("GET",), program=True)
        if len(path) == 2 and path[0] == "batches":
            return Route(("GET", "DELETE"), program=True)
        return None

    async def answer(self, request: Request) -> Answer:
        path = request.path[1:]
        if path[0] == "session":
            return self._session(path, request)
        if not self._sessions.allows(request.headers.get("authorization", "")):
            return _refused(401, "log in first", [(b"www-authenticate", b"Bearer")])
        if len(path) == 1:
            await self._writer.run(self._spool.close_open)
            found = await asyncio.to_thread(self._spool.listed)
            return told(200, [batch._asdict() for batch in found])
        try:
            if request.method == "DELETE":
                return await self._removed(path[1], request)
            return await self._read(self._spool.path(path[1]), request)
        except (BatchError, FileNotFoundError):
            return _refused(404, "there is no such batch")

    def _session(self, path: tuple[str, ...], request: Request) -> Answer:
        member = "key" if len(path) == 1 else "signature"
        try:
            said = msgspec.json.decode(bytes(request.body), type=dict[str, str])[member]
            signature = bytes.fromhex(said)
        except (msgspec.DecodeError, KeyError, ValueError, RecursionError):
            return _refused(400, f"say your {member}, hex")
        if len(path) == 1:
            return told(200, {"nonce": self._sessions.nonce(said)})
        token = self._sessions.token(path[1], signature)
        if token is None:
            return _refused(403, "this is not the key that may collect here")
        return told(200, {"token": token})

    async def _removed(self, name: str, request: Request) -> Answer:
        wanted = request.headers.get("if-match", "").strip('"')
        if await self._writer.run(lambda: self._spool.remove(name, wanted)):
            return Answer(204)
        return _refused(412, "the batch is another one: it was left there")

    async def _read(self, path: Path, request: Request) -> Answer:
        data = await asyncio.to_thread(path.read_bytes)
        asked = request.headers.get("range", "")
        if not asked:
            return Answer(200, data, _OCTETS)
        found = _RANGE.fullmatch(asked)
        start = int(found[1]) if found else len(data)
        end = min(int(found[2]), len(data) - 1) if found and found[2] else len(data) - 1
        if start > end:
            return Answer(416, b"", [(b"content-range", b"bytes */%d" % len(data))])
        part = (b"content-range", b"bytes %d-%d/%d" % (start, end, len(data)))
        return Answer(206, data[start : end + 1], [*_OCTETS, part])


def _refused(status: int, say: str, more: Headers | None = None) -> Answer:
    return told(status, {"ok": False, "error": "collect", "say": say}, more)
