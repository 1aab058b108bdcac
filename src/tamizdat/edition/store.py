# SPDX-License-Identifier: AGPL-3.0-or-later
"""The edition's folder: bytes by their sha-256, and the pointer that makes a paper of them.

What always holds:

- What lies at an object's name either has that sha-256 or is not reachable from the pointer: an
  existing file is believed only when its bytes are equal, and replaced by one rename otherwise.
- ``edition.json`` is replaced by one rename, after everything it leads to is on the disk.
- One builder at a time: ``exclusive`` holds a lock that the system frees when its holder dies.

What is not done here: what the bytes mean (``index``), deciding what may be removed (``cleanup``).
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import hashlib
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import brotli as _brotli
import msgspec

from tamizdat.edition.errors import BusyError, StoreError

FORMAT = 1
QUALITY = 5
_WINDOW = 22  # two to the power of it, in bytes
_SMALL_WINDOW = 16
Kind = Literal["objects", "index"]
_COMPRESSIBLE = (
    "text/",
    "application/xml",
    "application/json",
    "application/manifest+json",
    "application/rss+xml",
    "application/feed+json",
    "image/svg+xml",
)
_PAUSE = 1.0  # seconds between two times of flushing
_PATIENCE = 1.0  # seconds: the workers of a killed builder hold its lock for a moment


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """``edition.json``: the number of the edition, the sha-256 of its index's root, how many
    files it has, when it was built (RFC 3339)."""

    format: int = FORMAT
    edition: int
    root: str
    files: int
    built: str


def compressible(media_type: str) -> bool:
    return media_type.startswith(_COMPRESSIBLE)


def pack(data: bytes, quality: int = QUALITY) -> bytes:
    """The bytes compressed with brotli. What fits in a small window is quicker to pack in one."""
    window = _SMALL_WINDOW if len(data) <= 1 << _SMALL_WINDOW else _WINDOW
    packed: bytes = _brotli.compress(data, quality=quality, lgwin=window)
    return packed


@contextlib.contextmanager
def storage_errors(folder: Path) -> Iterator[None]:
    """Turn what the system says about the disk into a ``StoreError`` that says what to do."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"cannot write the edition in {folder}: {error.strerror or error}. Free or mend the "
            "disk and run it again; the last paper is whole."
        ) from error
    except sqlite3.Error as error:
        raise StoreError(
            f"the catalogue of {folder} cannot be used: {error}. Free or mend the disk and run "
            "it again, or build the whole paper; the last paper is whole."
        ) from error


class Store:
    """Objects, index files and the pointer of one edition folder."""

    def __init__(self, folder: Path, *, brotli: bool = False) -> None:
        self.folder = folder
        self.brotli = brotli
        self._base: dict[Kind, str] = {k: str(folder / k) for k in ("objects", "index")}

    def name(self, sha256: str, kind: Kind = "objects") -> str:
        return f"{self._base[kind]}/{sha256[:2]}/{sha256}"

    def put(self, data: bytes, kind: Kind = "objects", *, compress: int = 0) -> str:
        """Keep bytes; returns their sha-256 in hexadecimal. ``compress`` is the quality with which
        brotli packs them, 1 to 11; 0 where it should not."""
        sha256 = hashlib.sha256(data).hexdigest()
        name = self.name(sha256, kind)
        _keep(name, data)
        if compress and self.brotli and data:
            _keep(f"{name}.br", pack(data, compress))
        return sha256

    @staticmethod
    def digest(data: bytes) -> str:
        return hashlib.sha256(data).hexdigest()

    def adopt(self, source: Path, sha256: str) -> int:
        """Copy a file of known sha-256 in; returns its length. Raises ``StoreError`` where its
        bytes are others."""
        name = self.name(sha256)
        length = source.stat().st_size
        with contextlib.suppress(FileNotFoundError):
            if os.stat(name).st_size == length:
                return length
        temporary = _temporary(name)
        digest = hashlib.sha256()
        try:
            os.makedirs(os.path.dirname(name), exist_ok=True)
            with source.open("rb") as reading, open(temporary, "xb") as writing:
                while chunk := reading.read(1 << 20):
                    digest.update(chunk)
                    writing.write(chunk)
            if digest.hexdigest() != sha256:
                raise StoreError(
                    f"{source} is not the file its name says: it is damaged. Restore it from a "
                    "backup or upload it again."
                )
            os.replace(temporary, name)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        return length

    def has(self, sha256: str) -> int | None:
        """The length of an object, or None where it is not here."""
        try:
            return os.stat(self.name(sha256)).st_size
        except FileNotFoundError:
            return None

    def get(self, sha256: str, kind: Kind = "objects") -> bytes:
        """The bytes with this sha-256. Raises ``FileNotFoundError``."""
        with open(self.name(sha256, kind), "rb", buffering=0) as file:
            return file.read()

    def find(self, sha256: str) -> bytes | None:
        """An object's bytes, or None where it is not here or damaged."""
        with contextlib.suppress(FileNotFoundError):
            data = self.get(sha256)
            return data if self.digest(data) == sha256 else None
        return None

    def discard(self, sha256: str, kind: Kind = "objects") -> None:
        name = self.name(sha256, kind)
        # The index is never packed.
        for one in (name, f"{name}.br") if kind == "objects" else (name,):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(one)

    def names(self, kind: Kind, prefix: int) -> Iterator[str]:
        """The sha-256 of everything kept whose first byte is ``prefix``."""
        with (
            contextlib.suppress(FileNotFoundError),
            os.scandir(f"{self._base[kind]}/{prefix:02x}") as found,
        ):
            yield from (f.name for f in found)

    def sync(self) -> None:
        """Return when everything written is on the disk: one call instead of one a file."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            _syncfs(descriptor)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def syncing(self) -> Iterator[None]:
        """Let what is written meanwhile go to the disk all the time, so that it is not idle while
        a paper is made, and little is left for the ``sync`` at the end. Promises nothing."""
        over = threading.Event()
        beside = threading.Thread(target=self._keep_syncing, args=[over], daemon=True)
        beside.start()
        try:
            yield
        finally:
            over.set()
            beside.join()

    def _keep_syncing(self, over: threading.Event) -> None:
        while not over.wait(_PAUSE):
            with contextlib.suppress(OSError):  # The last ``sync`` will say it.
                self.sync()

    def pointer_bytes(self) -> bytes:
        """``edition.json`` as it is; empty where nothing was built."""
        try:
            return (self.folder / "edition.json").read_bytes()
        except FileNotFoundError:
            return b""

    def pointer(self) -> Pointer | None:
        return read_pointer(self.pointer_bytes(), self.folder)

    def switch(self, pointer: bytes) -> None:
        """Make ``pointer`` the paper: the one atomic step."""
        temporary = self.folder / "edition.json.new"
        with temporary.open("wb") as file:
            file.write(pointer)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self.folder / "edition.json")
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[int]:
        """Hold the builder's lock; yields its descriptor, for workers to hold too. Raises
        ``BusyError`` where another builder has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor, self.folder)
            yield descriptor
        finally:
            os.close(descriptor)


def read_pointer(raw: bytes, folder: Path) -> Pointer | None:
    """Raises ``StoreError`` where the pointer is damaged or of a format not known here."""
    if not raw:
        return None
    try:
        pointer = msgspec.json.decode(raw, type=Pointer)
    except msgspec.DecodeError as error:
        raise StoreError(f"{folder}/edition.json is damaged: restore it or build anew") from error
    if pointer.format != FORMAT:
        raise StoreError(f"{folder} has format {pointer.format}; this program reads {FORMAT}")
    return pointer


def _lock(descriptor: int, folder: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise BusyError(f"another builder works in {folder}: try again later") from None
            time.sleep(0.05)


def _keep(name: str, data: bytes) -> None:
    try:
        _write(name, data)
    except FileExistsError:
        with open(name, "rb", buffering=0) as file:
            if file.read() == data:
                return
        temporary = _temporary(name)
        _write(temporary, data)
        os.replace(temporary, name)


def _write(name: str, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        descriptor = os.open(name, flags, 0o644)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(name), exist_ok=True)
        descriptor = os.open(name, flags, 0o644)
    try:
        written = os.write(descriptor, data)
        while written < len(data):
            written += os.write(descriptor, data[written:])
    finally:
        os.close(descriptor)


def _temporary(name: str) -> str:
    return f"{name}.{os.getpid()}-{time.monotonic_ns()}.tmp"


_libc = ctypes.CDLL(None, use_errno=True)


def _syncfs(descriptor: int) -> None:
    if not hasattr(_libc, "syncfs"):  # Not Linux.
        os.sync()
    elif _libc.syncfs(descriptor) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
