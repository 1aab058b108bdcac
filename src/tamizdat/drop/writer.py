# SPDX-License-Identifier: AGPL-3.0-or-later
"""Many requests, one writer: what arrives while the disk is busy goes with the next group.

What always holds: ``keep`` returns when the submission lies on the disk; the spool never grows
past its cap, and the last part of it is kept for links from mails and, of that, a half for
providers, so that no flood closes it to them. All that touches the spool runs in one thread.

What is not done here: the files (``spool``), HTTP (``app``).
"""

from __future__ import annotations

import asyncio
import enum
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from tamizdat.drop.envelope import SLOT, size_of
from tamizdat.drop.errors import FullError
from tamizdat.drop.spool import Spool

MOST_WAITING = 32 * 1024 * 1024
MOST_GROUP = 8 * 1024 * 1024
TICK = 1.0
_MEASURE_EVERY = 60

_Result = TypeVar("_Result")


class Share(enum.Enum):
    """Who may use how much of the reserve: none of it, a half, all of it. A sealed body cannot be
    told, so it has no part in the reserve."""

    COMMON = 2
    TOKENS = 1
    PROVIDERS = 0


class _Waiting(NamedTuple):
    sealed: bytes
    length: int
    done: asyncio.Future[None]


class Writer:
    """Appends to a spool. ``cap`` and ``reserve`` in bytes; ``complain`` tells the operator."""

    def __init__(
        self, spool: Spool, *, cap: int, reserve: int, complain: Callable[[str], None]
    ) -> None:
        self._spool = spool
        self._cap = cap
        self._reserve = reserve
        self._complain = complain
        self._waiting: list[_Waiting] = []
        self._length = 0  # Of what waits and of what is being written.
        self._thread = ThreadPoolExecutor(1, "spool")
        self._tasks: set[asyncio.Task[None]] = set()
        self._writing = False
        self._full = False

    def start(self) -> None:
        """Tend the spool from now on: close what is old or asked for. Needs a running loop."""
        self._spawn(self._tend())

    async def stop(self) -> None:
        """Finish what waits and close the spool."""
        while self._writing:
            await asyncio.sleep(0.01)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.run(self._spool.close)
        self._thread.shutdown()

    async def run(self, work: Callable[[], _Result]) -> _Result:
        """Something else to be done with the spool, in its thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def keep(self, sealed: bytes, share: Share) -> None:
        """Returns when it lies on the disk. Raises ``FullError`` and ``TooLargeError``."""
        length = size_of(len(sealed)) + SLOT
        limit = self._cap - self._reserve * share.value // 2
        if self._spool.length + self._length + length > limit:
            self._full = True
            raise FullError("the letterbox holds all that it may")
        if self._length + length > MOST_WAITING:
            raise FullError("more arrives than the disk can take")
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(sealed, length, done))
        self._length += length
        if not self._writing:
            self._writing = True
            self._spawn(self._write())
        await done

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._write_group(self._next_group())
        finally:
            self._writing = False

    def _next_group(self) -> list[_Waiting]:
        taken, length = 0, 0
        for item in self._waiting:
            if taken and length + item.length > MOST_GROUP:
                break
            taken, length = taken + 1, length + item.length
        group, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return group

    async def _write_group(self, group: list[_Waiting]) -> None:
        error: Exception | None = None
        try:
            await self.run(lambda: self._spool.append([item.sealed for item in group]))
        except FullError as full:
            self._complain("the disk is full: nothing more is taken until there is room")
            error = full
        except OSError as failed:
            self._complain(f"cannot write to the spool: {failed.strerror}")
            error = FullError("it could not be kept")
        except Exception as mistake:  # Whoever waits must be told, whatever it was.
            self._complain(f"cannot write to the spool: {type(mistake).__name__}")
            error = FullError("it could not be kept")
        self._length -= sum(item.length for item in group)
        for item in group:
            if item.done.done():  # Whoever waited is gone; it is kept all the same.
                continue
            if error is None:
                item.done.set_result(None)
            else:
                item.done.set_exception(error)

    async def _tend(self) -> None:
        beat = 0
        while True:
            await asyncio.sleep(TICK)
            beat += 1
            try:
                await self.run(self._spool.tend)
                if self._full or beat % _MEASURE_EVERY == 0:
                    self._full = False
                    await self.run(self._spool.measure)
            except OSError as error:
                self._complain(f"cannot look after the spool: {error.strerror}")
