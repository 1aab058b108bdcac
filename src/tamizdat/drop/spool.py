# SPDX-License-Identifier: AGPL-3.0-or-later
"""The letterbox on the disk: a folder of batches (docs/format/submission-v1.md, section 5).

What always holds:

- What ``append`` returned from lies on the disk (``fdatasync``, and the folder after a new name).
- A group that could not be written whole is taken back whole; nothing before it is touched.
- Slots are whole: what a power cut or ``kill -9`` left half written is cut off when it is opened.
- One drop owns a spool (``flock`` on ``.lock``); each open batch is locked too, so that a
  collector on the same machine knows what is being written.
- Times of files and of the folder are those of the hour. The kernel's own ``ctime`` cannot be set.

What is not done here: threads (``writer``: all but ``listed`` runs in one and the same), HTTP.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from tamizdat.drop.batches import (
    AGE,
    MOST_BATCH,
    Batch,
    is_name,
    new_name,
    read_name,
    slot,
)
from tamizdat.drop.envelope import SLOT, size_of
from tamizdat.drop.errors import DropSettingsError, FullError

MOST_LISTED = 1_000
OPEN = ".open"
LOCK = ".lock"
ASK = "close"  # A file of this name asks the drop to close what is open.
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Status(NamedTuple):
    """``batches`` are closed, ``open`` still written; ``length`` of all of them in bytes."""

    batches: int
    open: int
    length: int


class _Open:
    """A batch that is being written. ``length`` is what of it is durable."""

    def __init__(self, path: Path, descriptor: int, hour: datetime) -> None:
        self.path = path
        self.descriptor = descriptor
        self.hour = hour
        self.length = 0


class Spool:
    """One folder of batches. ``clock`` gives the time in UTC."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.folder = folder
        self.clock = clock
        self.length = 0
        self._open: dict[int, _Open] = {}
        self._retired: list[_Open] = []
        self._hashes: dict[str, str] = {}
        self._lock = _lock(folder)
        _remove_unborn(folder)
        self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        close_forsaken(folder)
        self.measure()

    def append(self, group: Sequence[bytes]) -> None:
        """Keep sealed submissions, all or none. Returns when they lie on the disk.

        Raises ``FullError`` where the disk is full, ``OSError`` where it fails otherwise.
        """
        done: list[tuple[_Open, int]] = []
        try:
            for size, slots in _by_size(group).items():
                for part in _parts(slots, (size + SLOT)):
                    batch = self._batch(size, len(part))
                    done.append((batch, batch.length))
                    _write(batch.descriptor, part)
                    batch.length += len(part)
            self._make_durable([batch for batch, _ in done])
        except OSError as error:
            self._take_back(done)
            if error.errno in _FULL:
                raise FullError("the disk is full") from error
            raise
        finally:
            self._retire()
        self.length += sum(batch.length - before for batch, before in done)

    def _batch(self, size: int, more: int) -> _Open:
        """The open batch of this size, a new one where the hour or its length asks for it."""
        hour = _hour(self.clock())
        found = self._open.get(size)
        if found is not None and (found.hour != hour or found.length + more > MOST_BATCH):
            # It may hold a part of this group, which may yet be taken back: closed after it.
            self._retired.append(self._open.pop(size))
            found = None
        if found is None:
            found = self._open[size] = self._start(size, hour)
        return found

    def _start(self, size: int, hour: datetime) -> _Open:
        path = self.folder / (new_name(hour, size) + OPEN)
        # Locked under a name that no collector looks at, so that none takes it for forsaken.
        aside = path.with_name(f".{path.name}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _set_hour(descriptor, hour)
            aside.rename(path)
            self._sync_folder()
        except BaseException:
            os.close(descriptor)  # ``close_forsaken`` finds what is left of it.
            raise
        return _Open(path, descriptor, hour)

    def _make_durable(self, batches: list[_Open]) -> None:
        for batch in dict.fromkeys(batches):
            _set_hour(batch.descriptor, batch.hour)
            os.fdatasync(batch.descriptor)

    def _take_back(self, done: list[tuple[_Open, int]]) -> None:
        """Cut off what a failed group wrote. A batch that fails even so is written no more."""
        for batch, before in reversed(done):
            batch.length = before
            try:
                os.ftruncate(batch.descriptor, before)
                os.fsync(batch.descriptor)
            except OSError:
                self._forget(batch)

    def _forget(self, batch: _Open) -> None:
        """Leave it to ``close_forsaken``, which cuts it."""
        self._open = {size: found for size, found in self._open.items() if found is not batch}
        self._retired = [found for found in self._retired if found is not batch]
        os.close(batch.descriptor)

    def _retire(self) -> None:
        while self._retired:
            _finish(self._retired.pop())

    def close_open(self) -> None:
        """Give every open batch its last name; those without a slot go."""
        while self._open:
            _finish(self._open.popitem()[1])
        close_forsaken(self.folder)
        with contextlib.suppress(FileNotFoundError):
            (self.folder / ASK).unlink()
        self._sync_folder()

    def tend(self) -> None:
        """To be called every second or so: closes what is of a former hour or asked for."""
        hour = _hour(self.clock())
        if any(batch.hour != hour for batch in self._open.values()) or self._asked():
            self.close_open()

    def _asked(self) -> bool:
        return (self.folder / ASK).exists()

    def batches(self) -> list[Batch]:
        """Closes the open ones; the closed ones, oldest first, ``MOST_LISTED`` at most."""
        self.close_open()
        return self.listed()

    def listed(self) -> list[Batch]:
        """The closed ones alone. May run in another thread, since closed batches do not change:
        a gigabyte takes seconds to hash the first time."""
        names = closed_names(self.folder)
        kept = set(names)
        self._hashes = {name: sha for name, sha in dict(self._hashes).items() if name in kept}
        found = []
        for name in names[:MOST_LISTED]:
            with contextlib.suppress(FileNotFoundError):  # A collector on this machine took it.
                found.append(self._listed(name))
        return found

    def _listed(self, name: str) -> Batch:
        path = self.folder / name
        sha256 = self._hashes.get(name) or sha256_of(path)
        self._hashes[name] = sha256
        return Batch(name, path.stat().st_size, sha256)

    def path(self, name: str) -> Path:
        """Where a closed batch lies. Raises ``BatchError`` where the name is none."""
        read_name(name)
        return self.folder / name

    def remove(self, name: str, sha256: str) -> bool:
        """Whether it is gone; not where its bytes are others. Raises ``BatchError``."""
        path = self.path(name)
        try:
            if sha256_of(path) != sha256:
                return False
            length = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return True
        self.length -= length
        self._hashes.pop(name, None)
        self._sync_folder()
        return True

    def measure(self) -> int:
        """Count anew how much lies there: a collector on this machine removes files by itself."""
        self.length = measured(self.folder).length
        return self.length

    def close(self) -> None:
        """Close what is open and let go of the folder."""
        self.close_open()
        os.close(self._folder)
        os.close(self._lock)

    def _sync_folder(self) -> None:
        os.utime(self._folder, (stamp := _hour(self.clock()).timestamp(), stamp))
        os.fsync(self._folder)


def require_free(folder: Path) -> None:
    """Raises ``DropSettingsError`` where another drop works in this spool."""
    os.close(_lock(folder))


def _files(folder: Path) -> list[str]:
    """What is a file itself: a spool may have been carried here by strangers, with links or pipes
    that lead to others' files or never end."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]


def closed_names(folder: Path) -> list[str]:
    """The names of the closed batches, oldest first."""
    return sorted(name for name in _files(folder) if is_name(name))


def open_names(folder: Path) -> list[str]:
    """The names of the batches that are being written, or were when their drop ended."""
    names = (name for name in _files(folder) if name.endswith(OPEN))
    return sorted(name for name in names if is_name(name.removesuffix(OPEN)))


def measured(folder: Path) -> Status:
    """How much lies in a spool, whoever owns it."""
    closed, still_open, length = 0, 0, 0
    for name in (*closed_names(folder), *open_names(folder)):
        with contextlib.suppress(FileNotFoundError):
            length += (folder / name).stat().st_size
            closed += not name.endswith(OPEN)
            still_open += name.endswith(OPEN)
    return Status(closed, still_open, length)


def sha256_of(path: Path) -> str:
    """Of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def close_forsaken(folder: Path) -> None:
    """Close the open batches whose lock can be had: whoever wrote them is gone."""
    for name in open_names(folder):
        path = folder / name
        with contextlib.suppress(FileNotFoundError, BlockingIOError):
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            batch = _Open(path, descriptor, read_name(name.removesuffix(OPEN)).hour)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise
            _mend(batch)


def _mend(batch: _Open) -> None:
    """Cut a torn tail off a batch that is ours now, and close it."""
    try:
        if batch.path.exists():  # Else its drop closed it while we came.
            batch.length = _cut(batch)
    except BaseException:
        os.close(batch.descriptor)
        raise
    _finish(batch)


def _cut(batch: _Open) -> int:
    """The length that is left. Slots at the end that hold nothing are torn too."""
    step = read_name(batch.path.name.removesuffix(OPEN)).slot
    found = os.fstat(batch.descriptor).st_size
    length = found - found % step
    while length and not _whole(os.pread(batch.descriptor, 4 + len(AGE), length - step), step):
        length -= step
    if length != found:
        os.ftruncate(batch.descriptor, length)
    _set_hour(batch.descriptor, batch.hour)
    os.fsync(batch.descriptor)
    return length


def _whole(head: bytes, step: int) -> bool:
    return head[4:] == AGE and int.from_bytes(head[:4], "big") <= step - 4


def _finish(batch: _Open) -> None:
    """Give it its last name, or take it away where nothing is in it; let go of it."""
    try:
        with contextlib.suppress(FileNotFoundError):
            if batch.length:
                batch.path.rename(batch.path.with_name(batch.path.name.removesuffix(OPEN)))
            else:
                batch.path.unlink()
    finally:
        os.close(batch.descriptor)


def _by_size(group: Sequence[bytes]) -> dict[int, list[bytes]]:
    found: dict[int, list[bytes]] = {}
    for sealed in group:
        found.setdefault(size_of(len(sealed)), []).append(slot(sealed))
    return found


def _parts(slots: list[bytes], step: int) -> Iterator[bytes]:
    """Their bytes, in parts that a batch can hold."""
    many = MOST_BATCH // step
    for start in range(0, len(slots), many):
        yield b"".join(slots[start : start + many])


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _hour(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _set_hour(descriptor: int, hour: datetime) -> None:
    stamp = hour.timestamp()
    os.utime(descriptor, (stamp, stamp))


def _remove_unborn(folder: Path) -> None:
    """Batches of a drop that ended before they had their name; a running one may be making some."""
    for left in folder.glob(f".*{OPEN}"):
        left.unlink(missing_ok=True)


def _lock(folder: Path) -> int:
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise DropSettingsError(
            f"another drop works in {folder}: stop it first, or give each a folder of its own"
        ) from None
    return descriptor
