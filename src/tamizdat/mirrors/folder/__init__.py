# SPDX-License-Identifier: AGPL-3.0-or-later
"""A folder as a mirror: a disk, a stick, what a web server on this machine shows.

What always holds: each file appears by one rename, and what a head file (``metadata/timestamp
.json``, ``metadata/current``) leads to is on the disk before it. A marker in the folder tells it
from the empty mount point of a disk that is not there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from tamizdat.config import MirrorSettings
from tamizdat.edition.store import Store
from tamizdat.mirrors.errors import (
    FullError,
    GoneError,
    MirrorError,
    MisconfiguredError,
    RefusedError,
    UnreachableError,
)
from tamizdat.mirrors.ports import Held, Outgoing

MARKER = ".tamizdat-mirror"
_HEADS = ("metadata/timestamp.json", "metadata/current")


def open_target(mirror: MirrorSettings, secrets: Path, work: Path) -> FolderTarget:
    """The target of a mirror of this kind. ``secrets`` and ``work`` are not used."""
    folder = Path(mirror.target).expanduser()
    if not folder.is_absolute():
        raise MisconfiguredError(
            f"the mirror “{mirror.name}” names the folder {mirror.target}: write its whole path, "
            "beginning with /"
        )
    return FolderTarget(folder)


class FolderTarget:
    """Files below ``folder``, which is made by ``prepare`` alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def prepare(self) -> None:
        with self._mapped():
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / MARKER).touch()

    def put(self, files: Sequence[Outgoing]) -> None:
        with self._mapped():
            self._present()
            if any(file.name in _HEADS for file in files):
                Store(self.folder).sync()
            for file in files:
                self._put(file)

    def remove(self, names: Sequence[str]) -> None:
        with self._mapped():
            self._present()
            for name in names:
                file = self._file(name)
                file.unlink(missing_ok=True)
                _aside(file).unlink(missing_ok=True)  # Left by a push that was killed.
                self._prune(file.parent)

    def read(self, name: str, limit: int) -> bytes | None:
        with self._mapped():
            self._present()
            try:
                with self._file(name).open("rb") as file:
                    return file.read(limit)
            except FileNotFoundError:
                return None

    def names(self, folders: Iterable[str]) -> Iterator[Held]:
        with self._mapped():
            self._present()
            for folder in folders:
                yield from self._walk(folder)

    def close(self) -> None:
        """Nothing is kept open."""

    def _walk(self, folder: str) -> Iterator[Held]:
        for path, _, files in os.walk(self.folder / folder):
            for name in files:
                file = Path(path, name)
                yield Held(str(file.relative_to(self.folder)), file.stat().st_size)

    def _put(self, file: Outgoing) -> None:
        place = self._file(file.name)
        place.parent.mkdir(parents=True, exist_ok=True)
        aside = _aside(place)
        try:
            self._write(file, aside)
            aside.replace(place)
        except BaseException:
            with contextlib.suppress(OSError):
                aside.unlink(missing_ok=True)
            raise

    @staticmethod
    def _write(file: Outgoing, aside: Path) -> None:
        if isinstance(file.source, Path):
            with _opened(file.source) as reading, aside.open("wb") as writing:
                shutil.copyfileobj(reading, writing, 1 << 20)
            return
        with aside.open("wb") as writing:
            writing.write(file.source)
            writing.flush()
            os.fsync(writing.fileno())

    def _file(self, name: str) -> Path:
        if name.startswith("/") or ".." in name.split("/"):
            raise MirrorError(f"“{name}” is no name of a file in a mirror")
        return self.folder / name

    def _prune(self, folder: Path) -> None:
        while folder != self.folder:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _present(self) -> None:
        if not (self.folder / MARKER).exists():
            raise GoneError(
                f"{self.folder} is not there, or is not this mirror: it has no {MARKER}. Is its "
                "disk mounted? If it was emptied on purpose: tamizdat mirror push --anew"
            )

    @contextlib.contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except _SourceGoneError as error:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(error)) from error
        except OSError as error:
            raise self._error(error) from error

    def _error(self, error: OSError) -> MirrorError:
        said = error.strerror or str(error)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return FullError(f"{self.folder} is full ({said}): free some of its disk")
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return RefusedError(
                f"{error.filename or self.folder} cannot be written ({said}): let the newsroom's "
                "user write there"
            )
        if error.errno in (errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG):
            return GoneError(f"{self.folder} cannot be a mirror ({said}): name another folder")
        return UnreachableError(f"{self.folder} cannot be used ({said})")


def _aside(place: Path) -> Path:
    return place.with_name(f".{place.name}.new")


class _SourceGoneError(Exception):
    """What was to be copied is not there any more: no trouble of the mirror's."""


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise _SourceGoneError(str(path)) from error
