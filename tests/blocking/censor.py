# SPDX-License-Identifier: AGPL-3.0-or-later
"""A network that blocks: what every connection of a reader goes through.

What always holds: what is not blocked is passed on byte by byte, so that TLS is between the reader
and the host; a censor sees names and lengths, as in life. Only those behaviours that need a
certificate which the reader trusts (a block page in the place of a page) end TLS themselves.

What is not done here: names. A browser is told by ``rules`` where they lead.
"""

from __future__ import annotations

import asyncio
import contextlib
import enum
import socket
import struct
import threading
from collections.abc import Coroutine, Iterable, Mapping
from typing import Any

from tests.blocking import hello
from tests.blocking.certificates import Certificate

FREEZE_AT = 16_384  # bytes from the server, TLS and all, on one connection
LINE = 128_000 / 8  # bytes a second of a slow line
BLOCK_PAGE = (
    "<!doctype html><title>Access is restricted</title>"
    "<h1>Access to this page is restricted</h1><p>By decision 27-31 of the Office for Order.</p>"
)
SIGN_OF_A_BLOCK = "Office for Order"
NOTICE = "notice.test"  # where a 302 leads


class Block(enum.Enum):
    """What happens to the connections to a host."""

    NXDOMAIN = "the name does not exist"
    FALSE_ADDRESS = "the name leads to another server"
    PAGE_200 = "a block page as 200"
    PAGE_302 = "a block page by 302"
    PAGE_451 = "a block page as 451"
    FALSE_CERTIFICATE = "a wrong certificate"
    RESET = "RST when the name is seen"
    SILENCE = "silence after ClientHello"
    FREEZE = "freeze after 16 kB"
    SLOW = "128 kbit/s"

    @property
    def in_names(self) -> bool:
        """Whether it is the name that is false, not the connection."""
        return self in (Block.NXDOMAIN, Block.FALSE_ADDRESS)


_PAGES = {
    Block.PAGE_200: "200 OK",
    Block.PAGE_302: f"302 Found\r\nLocation: https://{NOTICE}/",
    Block.PAGE_451: "451 Unavailable For Legal Reasons",
}


class Censor:
    """Stands before ``upstream``, the port of the honest hosts. ``trusted`` is what the reader's
    browser believes of any of these names, ``false`` what it must not believe.

    ``blocks`` says what happens to which host; ``otherwise`` what to all others, where it is not
    None. ``seen`` are the names that were asked for, with what happened to them.
    """

    def __init__(self, upstream: int, trusted: Certificate, false: Certificate) -> None:
        self._upstream = upstream
        self._trusted = trusted
        self._false = false
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._open: set[asyncio.Task[None]] = set()
        self._servers: list[asyncio.Server] = []
        self._line = _Line()
        self._pages: dict[Block, int] = {}
        self.blocks: dict[str, Block] = {}
        self.otherwise: Block | None = None
        self.allowed: frozenset[str] = frozenset()
        self.seen: list[tuple[str, Block | None]] = []
        self.port = self.elsewhere = 0

    def __enter__(self) -> Censor:
        self._thread.start()
        self._do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def block(
        self,
        blocks: Mapping[str, Block],
        otherwise: Block | None = None,
        allowed: Iterable[str] = (),
    ) -> None:
        """From now on, also for connections that are open. ``otherwise`` happens to every host
        but those that are blocked otherwise or ``allowed``."""
        self.blocks = dict(blocks)
        self.otherwise = otherwise
        self.allowed = frozenset(allowed)
        self.seen.clear()
        self.cut()

    def cut(self) -> None:
        """End all open connections."""
        self._do(self._end_all())

    def fate(self, host: str) -> Block | None:
        """What happens to connections to a host."""
        if host in self.blocks or host in self.allowed:
            return self.blocks.get(host)
        return self.otherwise

    def rules(self) -> str:
        """Where names lead, in the words of Chromium's ``--host-resolver-rules``."""
        made = []
        for host, block in self.blocks.items():
            if block is Block.NXDOMAIN:
                made.append(f"MAP {host} ~NOTFOUND")
            elif block is Block.FALSE_ADDRESS:
                made.append(f"MAP {host} 127.0.0.1:{self.elsewhere}")
        return ", ".join([*made, f"MAP *.test 127.0.0.1:{self.port}"])

    # In the thread of its own

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    async def _start(self) -> None:
        self.port = await self._listen(self._connection)
        self.elsewhere = await self._listen(_answers("200 OK"), self._false)
        for block, status in _PAGES.items():
            self._pages[block] = await self._listen(_answers(status), self._trusted)
        self._pages[Block.FALSE_CERTIFICATE] = self.elsewhere

    async def _listen(self, handle: Any, certificate: Certificate | None = None) -> int:
        context = certificate.server_context() if certificate else None
        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
        self._servers.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        await self._end_all()
        await asyncio.sleep(0.05)  # Until TLS has taken leave.
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _end_all(self) -> None:
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        ended_by_server = False
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                first, host = await hello.read(reader)
                ended_by_server = await self._fated(host, first, reader, writer)
        finally:
            self._open.discard(task)
            writer.close() if ended_by_server else _reset(writer)

    async def _fated(
        self, host: str, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """True where it was the server that ended it; all other connections are reset."""
        block = self.fate(host)
        self.seen.append((host, block))
        if block is Block.SILENCE:
            await _ignore(reader)
        if block in (Block.RESET, Block.SILENCE):
            return False
        port = self._pages.get(Block.PAGE_200 if host == NOTICE else block or Block.RESET)
        return await self._pass(port or self._upstream, block, first, reader, writer)

    async def _pass(
        self,
        port: int,
        block: Block | None,
        first: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> bool:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        back.write(first)
        up = asyncio.create_task(_pump(reader, back))
        down = asyncio.create_task(self._down(there, writer, block))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            return down.done()
        finally:
            for task in (up, down):
                task.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            back.transport.abort()

    async def _down(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, block: Block | None
    ) -> None:
        """From the server to the reader: all of it, up to the freeze, or slowly."""
        left = FREEZE_AT if block is Block.FREEZE else None
        while data := await reader.read(1_400 if block is Block.SLOW else 16_384):
            if block is Block.SLOW:
                await self._line.carry(len(data))
            if left is not None:
                data, left = data[:left], left - len(data[:left])
            writer.write(data)
            await writer.drain()
            if left == 0:
                await asyncio.Event().wait()  # Nothing more comes, and nobody says so.


class _Line:
    """All slow connections of a reader are on one line."""

    def __init__(self) -> None:
        self._free_at = 0.0

    async def carry(self, length: int) -> None:
        now = asyncio.get_running_loop().time()
        self._free_at = max(now, self._free_at) + length / LINE
        await asyncio.sleep(self._free_at - now)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(16_384):
        writer.write(data)
        await writer.drain()


async def _ignore(reader: asyncio.StreamReader) -> None:
    while await reader.read(16_384):
        pass


def _reset(writer: asyncio.StreamWriter) -> None:
    """End a connection by RST."""
    sock = writer.get_extra_info("socket")
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def _answers(status: str) -> Any:
    """A server that answers everything with the block page, which any script may read."""
    body = BLOCK_PAGE.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n"
        f"Access-Control-Allow-Origin: *\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(head.encode() + body)
            await writer.drain()
            writer.close()
            await writer.wait_closed()

    return handle
