# SPDX-License-Identifier: AGPL-3.0-or-later
"""Processes that do parts of a full build.

What always holds: a worker is given the place of its work, never the work's bytes, and answers
with compact rows; at most two tasks a worker are under way, so memory does not grow with the
archive. Workers hold the builder's lock with it and end when it does, however it ends.

What is not done here: what a task does (``workshop``).
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from itertools import chain
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import DupFd
from typing import Any, NamedTuple, Protocol

from tamizdat.edition.errors import StoreError

_UNDER_WAY = 2
_CALM = 200_000  # objects
_MALLOPT = {"M_TRIM_THRESHOLD": -1, "M_MMAP_THRESHOLD": -3}  # malloc.h of the GNU C library
_KEPT_MEMORY = 32 << 20  # bytes; the most that it takes


class Task(NamedTuple):
    """A method of the workshop and its arguments, all of them small and plain."""

    method: str
    arguments: tuple[Any, ...]


class Plan(Protocol):
    """Makes the workshop in the process that uses it; can be sent to another process."""

    def open(self) -> Any: ...


class Pool:
    """Runs tasks in ``workers`` processes, or in this one where that is less than two."""

    def __init__(self, plan: Plan, workers: int, lock: int) -> None:
        self.size = max(1, workers)
        self._here: Any = plan.open() if workers < 2 else None
        self._processes: list[BaseProcess] = []
        self._pipes: list[Connection] = []
        for _ in range(workers if workers >= 2 else 0):
            ours, theirs = multiprocessing.Pipe()
            process = self._process(plan, lock, ours, theirs)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._pipes.append(ours)

    def _process(self, plan: Plan, lock: int, ours: Connection, theirs: Connection) -> BaseProcess:
        if can_fork():
            arguments = (theirs, plan, lock, (*self._pipes, ours))
            return multiprocessing.get_context("fork").Process(
                target=_work, args=arguments, daemon=True
            )
        return multiprocessing.get_context("spawn").Process(
            target=_work, args=(theirs, plan, _Inherited(lock), ()), daemon=True
        )

    def run(self, *shares: Iterable[Task]) -> Iterator[Any]:
        """Results in any order. Of several shares each worker does its own first, what is alike
        then being at hand, and after that what is left of the others'. Raises what a task raised;
        ``StoreError`` where a worker died."""
        if self._here is not None:
            for task in chain(*shares):
                yield getattr(self._here, task.method)(*task.arguments)
            return
        queues = [iter(share) for share in shares]
        busy = dict.fromkeys(self._pipes, 0)
        for pipe in self._pipes * _UNDER_WAY:
            self._give(pipe, queues, busy)
        while any(busy.values()):
            ready = wait([p for p, count in busy.items() if count])
            for pipe in [p for p in self._pipes if p in ready]:
                result = self._take(pipe)
                busy[pipe] -= 1
                self._give(pipe, queues, busy)
                yield result

    def _give(
        self, pipe: Connection, queues: list[Iterator[Task]], busy: dict[Connection, int]
    ) -> None:
        own = self._pipes.index(pipe) % len(queues)
        task = next(chain(*queues[own:], *queues[:own]), None)
        if task is None:
            return
        try:
            pipe.send(task)
        except OSError as error:
            raise _died() from error
        busy[pipe] += 1

    @staticmethod
    def _take(pipe: Connection) -> Any:
        try:
            result = pipe.recv()
        except (EOFError, OSError) as error:
            raise _died() from error
        if isinstance(result, Exception):
            raise result
        return result

    def close(self) -> None:
        """End the workers, at once where they still work."""
        if self._here is not None:
            self._here.close()
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join(0.2)
            if process.is_alive():
                process.terminate()
                process.join()
            process.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def can_fork() -> bool:
    """Whether workers may begin as copies of this process, which costs a hundredth of starting
    them anew. Not where it has threads: a copy has none of them, and whatever lock one of them
    held is held for ever."""
    return sys.platform == "linux" and threading.active_count() == 1


@contextlib.contextmanager
def calm_collector() -> Iterator[None]:
    """Collect cycles rarely: a build makes millions of small objects and hardly a cycle, and
    looking for them costs more than decoding stories."""
    before = gc.get_threshold()
    gc.set_threshold(_CALM, 20, 50)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class _Inherited:
    """A descriptor that a process started by ``spawn`` gets a copy of."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __reduce__(self) -> tuple[Any, ...]:
        return _detach, (DupFd(self._descriptor),)


def _detach(copy: Any) -> int:
    return int(copy.detach())


def _died() -> StoreError:
    return StoreError(
        "a process that was building the paper died (was the machine out of memory?). The last "
        "paper is whole: build it again, with fewer workers if that happens again."
    )


def _keep_memory() -> None:
    """Let what is freed stay with the process: packing a page asks for a megabyte and gives it
    back, and the system takes as long to clear it each time as brotli to fill it."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        for number in _MALLOPT.values():
            mallopt(number, _KEPT_MEMORY)


def _work(pipe: Connection, plan: Plan, lock: int, others: Iterable[Connection]) -> None:
    """All that a worker does. It ends at once: what it holds needs no putting away. ``others`` are
    the builder's ends of pipes, of which a copy of it has copies: as long as one is open, nobody
    would learn of the builder's end."""
    for other in others:
        other.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # The builder decides; its end is our end.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # A copy of the builder would do as it does.
    _keep_memory()
    shop = plan.open()
    gc.freeze()
    gc.set_threshold(_CALM, 20, 50)
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionResetError):
        while True:
            task = pipe.recv()
            try:
                result = getattr(shop, task.method)(*task.arguments)
            except Exception as error:
                result = _portable(error)
            pipe.send(result)
    shop.close()
    os.close(lock)
    os._exit(0)


def _portable(error: Exception) -> Exception:
    """The error as it can be sent: some of the system's cannot be made again from their parts."""
    if isinstance(error, OSError):
        return OSError(error.errno, f"{error.strerror} ({error.filename})")
    try:
        made = type(error)(*error.args)
    except TypeError:
        return StoreError(f"{type(error).__name__}: {error}")
    return made
