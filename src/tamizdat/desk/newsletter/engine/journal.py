# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a worker did since the database last knew: a small file for each of its threads.

::

    run/newsletter/WORKER.0.journal      WORKER.1.journal …

Before a mail's first byte leaves, its row's number is written; after the relay's answer, what it
was. When a worker is killed, the kernel still has the file: of the rows that the database shows as
``sending`` only those are in doubt that were begun and not answered. All others are known.

What always holds:

- A journal says on which machine, since which start of it, and in which process it was written
  (``place``). It is believed only there and only when that process is gone: after a power cut its
  end may be missing.
- A journal is emptied after the database has what stood in it.
- It names no reader: numbers of rows and states.

What is not done here: the database (``senders``).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import NamedTuple

_BEGUN = struct.Struct(">cQ")
_ENDED = struct.Struct(">cQB20s")
STATES = ("sent", "refused", "deferred", "unknown", "queued")
SUFFIX = ".journal"


class Place(NamedTuple):
    """A process: the machine's start, the space of process numbers, its number, its beginning."""

    boot: str
    space: str
    pid: int
    since: str

    @classmethod
    def here(cls) -> Place:
        return cls(_boot(), _space(), os.getpid(), _since(os.getpid()))

    @classmethod
    def read(cls, text: str) -> Place:
        boot, space, pid, since = text.split(" ")
        return cls(boot, space, int(pid), since)

    def __str__(self) -> str:
        return f"{self.boot} {self.space} {self.pid} {self.since}"

    @property
    def ours(self) -> bool:
        """Whether we could know of that process: same machine, same start, same numbers."""
        return (self.boot, self.space) == (_boot(), _space())

    @property
    def gone(self) -> bool:
        """Whether that process is certainly no more."""
        return self.ours and _since(self.pid) != self.since


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


def _space() -> str:
    try:
        return str(Path("/proc/self/ns/pid").stat().st_ino)
    except OSError:
        return "0"


def _since(pid: int) -> str:
    """When a process began, in ticks since the machine did; empty where there is none, or where it
    has ended and nobody has asked after it."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in "ZX" else fields[19]


class Found(NamedTuple):
    """What a worker's journals say: rows that were begun (None: it may yet begin others), and the
    answers (state, code)."""

    begun: set[int] | None
    ended: dict[int, tuple[str, str]]


class Journal:
    """One thread's. ``begin``, ``end``, and ``empty`` once the database knows."""

    def __init__(self, folder: Path, worker: str, thread: int, place: Place) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = folder / f"{worker}.{thread}{SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND
        self._file = os.open(self.path, flags, 0o600)
        head = f"{place}\n".encode()
        os.write(self._file, head)
        self._start = len(head)

    def begin(self, row: int) -> None:
        """The mail of this row leaves now. Raises ``OSError`` where that cannot be noted."""
        data = _BEGUN.pack(b"B", row)
        if os.write(self._file, data) != len(data):
            raise OSError("the journal takes nothing more")

    def end(self, row: int, state: str, code: str) -> None:
        """What the relay answered; where it cannot be noted, a crash leaves the row in doubt."""
        data = _ENDED.pack(b"E", row, STATES.index(state), code.encode()[:20])
        try:
            os.write(self._file, data)
        except OSError:
            return

    def empty(self) -> None:
        os.ftruncate(self._file, self._start)

    def close(self) -> None:
        os.close(self._file)

    def remove(self) -> None:
        """At the end, when the database knows everything."""
        self.close()
        self.path.unlink(missing_ok=True)


def folder_of(run: Path) -> Path:
    return run / "newsletter"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Nobody else on this machine settles what journals say meanwhile."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        flock(lock, LOCK_EX)
        yield


def left_behind(folder: Path) -> dict[str, Place]:
    """The workers that left journals on this machine, and where they ran."""
    found: dict[str, Place] = {}
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with path.open("rb") as file:
                head = file.readline(300)
            found[path.name.partition(".")[0]] = Place.read(head.decode().rstrip("\n"))
        except (OSError, ValueError):
            continue  # It was removed at this moment, or is being made.
    return found


def read(folder: Path, worker: str) -> Found:
    """Everything that a worker's journals say."""
    begun, ended = set[int](), dict[int, tuple[str, str]]()
    for path in _of(folder, worker):
        _read(path.read_bytes().partition(b"\n")[2], begun, ended)
    return Found(begun, ended)


def _read(data: bytes, begun: set[int], ended: dict[int, tuple[str, str]]) -> None:
    at = 0
    while at < len(data):
        kind = _BEGUN if data[at : at + 1] == b"B" else _ENDED
        if at + kind.size > len(data):
            return  # Its writer was killed here.
        values = kind.unpack_from(data, at)
        if kind is _BEGUN:
            begun.add(values[1])
            ended.pop(values[1], None)
        else:
            ended[values[1]] = STATES[values[2]], values[3].rstrip(b"\0").decode()
        at += kind.size


def remove(folder: Path, worker: str) -> None:
    for path in _of(folder, worker):
        path.unlink(missing_ok=True)


def _of(folder: Path, worker: str) -> list[Path]:
    return sorted(folder.glob(f"{worker}.*{SUFFIX}"))
