# SPDX-License-Identifier: AGPL-3.0-or-later
"""A backup as a file: a tar archive inside an age file, written and read as a stream.

Its first member, ``tamizdat-backup.json``, says what it is; its last, ``manifest.json``, names
every other with length and SHA-256. ``age -d -i IDENTITY FILE | tar x`` takes it apart where this
program is not at hand.

What always holds: memory does not grow with the newsroom; a file stands at its name whole or not
at all; what is read has been compared with the manifest, member by member, when ``read`` ends.
Nothing but plain files with plain relative names is taken out of an archive.

What is not done here: which files belong into it (``contents``).
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import threading
from collections.abc import Callable, Container, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec
import pyrage

from tamizdat.desk.safekeeping.errors import BrokenError, IdentityError, TargetError

HEADER, MANIFEST = "tamizdat-backup.json", "manifest.json"
FORMAT = 1
CHUNK = 1 << 16
Progress = Callable[[int, int], None]


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """``made`` is RFC 3339, ``database`` is ``sqlite`` or ``postgresql``."""

    tamizdat: str = "backup"
    format: int = FORMAT
    newsroom: str
    made: str
    database: str


class Member(msgspec.Struct, frozen=True, array_like=True):
    """One file: its name in the newsroom's folder, length in bytes, SHA-256 in hexadecimal."""

    name: str
    length: int
    sha256: str


class Entry(msgspec.Struct, frozen=True):
    """A file to be put in, and the name that it gets."""

    name: str
    path: Path


# Writing


def write(
    target: Path,
    header: Header,
    entries: Iterable[Entry],
    recipients: list[pyrage.x25519.Recipient],
    progress: Progress = lambda done, of: None,
) -> list[Member]:
    """Write a backup to ``target``; what is in it. Raises ``TargetError`` and ``OSError``."""
    if target.exists():
        raise TargetError(f"{target} exists: name another file")
    aside = target.with_name(f".{target.name}.{os.getpid()}")
    members: list[Member] = []
    try:
        with _private(aside) as out:
            pyrage.encrypt_io(_Source(_tar(header, entries, members, progress)), out, recipients)
            out.flush()
            os.fsync(out.fileno())
        aside.rename(target)
    except pyrage.EncryptError as error:
        raise TargetError(f"the backup was not written: {error}") from error
    finally:
        aside.unlink(missing_ok=True)
    _sync(target.parent)
    return members


def _private(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Source:
    """What age reads from: the bytes of an iterator."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._left = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        while not self._left:
            found = next(self._chunks, None)
            if found is None:
                return b""
            self._left = memoryview(found)
        size = len(self._left) if size < 0 else size
        part, self._left = self._left[:size], self._left[size:]
        return bytes(part)


def _tar(
    header: Header, entries: Iterable[Entry], members: list[Member], progress: Progress
) -> Iterator[bytes]:
    yield from _small(HEADER, msgspec.json.encode(header))
    for number, entry in enumerate(entries, 1):
        try:
            file = entry.path.open("rb")
        except FileNotFoundError:  # Deleted at the desk since it was listed.
            continue
        with file:
            yield from _file(entry.name, file, members)
        progress(number, 0)
    yield from _small(MANIFEST, msgspec.json.encode(members))
    yield b"\0" * tarfile.BLOCKSIZE * 2


def _small(name: str, data: bytes) -> Iterator[bytes]:
    yield _head(name, len(data), 0o600, 0)
    yield data + b"\0" * (-len(data) % tarfile.BLOCKSIZE)


def _file(name: str, file: IO[bytes], members: list[Member]) -> Iterator[bytes]:
    """The file as long as it was when it was opened; what is appended meanwhile is left out."""
    found = os.fstat(file.fileno())
    yield _head(name, found.st_size, found.st_mode & 0o777, int(found.st_mtime))
    digest, left = hashlib.sha256(), found.st_size
    while left:
        chunk = file.read(min(CHUNK, left))
        if not chunk:
            raise TargetError(f"{name} became shorter while it was read: run the backup again")
        digest.update(chunk)
        left -= len(chunk)
        yield chunk
    yield b"\0" * (-found.st_size % tarfile.BLOCKSIZE)
    members.append(Member(name, found.st_size, digest.hexdigest()))


def _head(name: str, length: int, mode: int, mtime: int) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mode, info.mtime = length, mode, mtime
    return info.tobuf(tarfile.PAX_FORMAT)


# Reading


def read(
    source: Path,
    identities: list[pyrage.x25519.Identity],
    into: Path | None,
    progress: Progress = lambda done, of: None,
    *,
    only: Container[str] | None = None,
) -> tuple[Header, list[Member]]:
    """Read a whole backup and compare it with its manifest; with ``into`` write its files there,
    with ``only`` no others than these.

    Raises ``BrokenError`` and ``IdentityError``; what was written till then is to be thrown away.
    """
    with _Opened(source, identities) as plain:
        header, members = _read_members(plain, into, progress, only)
        plain.rest()
    return header, members


class _Opened:
    """The plain archive in an age file, opened by a thread as it is read."""

    def __init__(self, source: Path, identities: list[pyrage.x25519.Identity]) -> None:
        self._source, self._identities = source, identities
        self._error: BaseException | None = None

    def __enter__(self) -> _Opened:
        read_end, write_end = os.pipe()
        self._file = os.fdopen(read_end, "rb", buffering=CHUNK)
        self._thread = threading.Thread(target=self._open, args=[write_end], daemon=True)
        self._thread.start()
        return self

    def _open(self, write_end: int) -> None:
        try:
            with os.fdopen(write_end, "wb") as out, self._source.open("rb") as sealed:
                pyrage.decrypt_io(sealed, out, self._identities)
        except Exception as error:  # Kept for the thread that reads, which raises it.
            self._error = error

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def rest(self) -> None:
        """Read to the end: only there does age say that nothing was cut off."""
        while self._file.read(CHUNK):
            pass

    def __exit__(self, kind: type[BaseException] | None, error: Any, trace: Any) -> None:
        self._file.close()
        self._thread.join()
        if isinstance(self._error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise self._error
        if isinstance(self._error, pyrage.DecryptError):
            raise self._not_ours() from None
        # A reader that gave up closes the pipe: then its own error is the one to be told.
        broken = self._error is not None and not isinstance(self._error, BrokenPipeError)
        if broken and (kind is None or kind is BrokenError):
            raise BrokenError(f"{self._source} is damaged or cut off") from None

    def _not_ours(self) -> BrokenError | IdentityError:
        with self._source.open("rb") as file:
            if not file.read(32).startswith(b"age-encryption.org/v1\n"):
                return BrokenError(f"{self._source} is not a backup: it is no age file")
        if "match" in str(self._error).lower():
            return IdentityError(f"{self._source} was sealed to another operator's key")
        return BrokenError(f"{self._source} is damaged or cut off")


def _read_members(
    plain: _Opened, into: Path | None, progress: Progress, only: Container[str] | None
) -> tuple[Header, list[Member]]:
    found: dict[str, Member] = {}
    header: Header | None = None
    listed: list[Member] | None = None
    try:
        with tarfile.open(fileobj=plain, mode="r|") as tar:  # type: ignore[call-overload] # It reads
            for info in tar:
                file = tar.extractfile(info) if info.isreg() else None
                if file is None or listed is not None:
                    raise BrokenError(f"“{info.name}” does not belong into a backup")
                if header is None:
                    header = _header(info.name, file)
                elif info.name == MANIFEST:
                    listed = msgspec.json.decode(file.read(), type=list[Member])
                else:
                    wanted = only is None or info.name in only
                    found[info.name] = _take(info, file, into if wanted else None)
                    progress(len(found), 0)
    except (tarfile.TarError, msgspec.DecodeError, UnicodeDecodeError, EOFError) as error:
        raise BrokenError(f"the backup is damaged or cut off: {error}") from error
    if header is None or listed is None:
        raise BrokenError("the backup is cut off: its manifest is missing")
    if {member.name: member for member in listed} != found:
        raise BrokenError("the backup does not hold what its manifest names")
    return header, listed


def _header(name: str, file: IO[bytes]) -> Header:
    if name != HEADER:
        raise BrokenError("this is not a backup of a newsroom")
    header = msgspec.json.decode(file.read(CHUNK), type=Header)
    if header.tamizdat != "backup" or header.format != FORMAT:
        raise BrokenError(f"the backup is of format {header.format}, and {FORMAT} is known here")
    return header


def _take(info: tarfile.TarInfo, file: IO[bytes], into: Path | None) -> Member:
    name = PurePosixPath(info.name)
    if name.is_absolute() or ".." in name.parts or str(name) != info.name or "\0" in info.name:
        raise BrokenError(f"“{info.name}” does not belong into a backup")
    digest, length = hashlib.sha256(), 0
    with _target(into, info) as out:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
            length += len(chunk)
            out.write(chunk)
    if into is not None:
        os.utime(into / info.name, (info.mtime, info.mtime))
    return Member(info.name, length, digest.hexdigest())


def _target(into: Path | None, info: tarfile.TarInfo) -> IO[bytes]:
    if into is None:
        return _Nowhere()
    path = into / info.name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = (info.mode & 0o755) | 0o600
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")


class _Nowhere(io.BytesIO):
    """Takes what is only to be looked at."""

    def write(self, data: Any) -> int:
        return len(data)
