# SPDX-License-Identifier: AGPL-3.0-or-later
"""A ``Letterbox`` in a folder: the drop runs on this machine, or its spool was carried here.

What always holds: a batch that a drop still writes is left to it (``flock``).
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from tamizdat.drop.batches import MOST_BATCH, Batch, read_name
from tamizdat.drop.errors import BatchError, LetterboxError
from tamizdat.drop.spool import (
    ASK,
    MOST_LISTED,
    close_forsaken,
    closed_names,
    open_names,
    sha256_of,
)


class FolderLetterbox:
    """``folder`` is a drop's (with ``drop.toml``) or its spool itself. ``patience`` in seconds:
    how long a running drop is given to close what it has open."""

    def __init__(
        self, folder: Path, *, patience: float = 3.0, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._folder = folder / "spool" if (folder / "drop.toml").exists() else folder
        self._patience = patience
        self._sleep = sleep

    def batches(self) -> list[Batch]:
        try:
            close_forsaken(self._folder)
            self._ask()
            found: list[Batch] = []
            for name in closed_names(self._folder)[:MOST_LISTED]:
                with contextlib.suppress(FileNotFoundError):  # Another collector took it.
                    found.append(self._listed(name))
            return found
        except OSError as error:
            raise self._unreadable(error) from error

    def _ask(self) -> None:
        """Ask the drop to close; what it does not close in time comes the next time."""
        if not open_names(self._folder):
            return
        (self._folder / ASK).touch(mode=0o600)
        for _ in range(int(self._patience / 0.1)):
            if not (self._folder / ASK).exists():
                break
            self._sleep(0.1)

    def _listed(self, name: str) -> Batch:
        path = self._folder / name
        return Batch(name, path.stat().st_size, sha256_of(path))

    def read(self, name: str) -> bytes:
        path = self._path(name)
        try:
            with path.open("rb") as file:
                return file.read(MOST_BATCH)
        except OSError as error:
            raise self._unreadable(error) from error

    def remove(self, name: str, sha256: str) -> None:
        path = self._path(name)
        try:
            if sha256_of(path) != sha256:
                raise LetterboxError(f"{path} is not what was collected: it was left there")
            path.unlink()
            self._sync()
        except FileNotFoundError:
            return
        except OSError as error:
            raise self._unreadable(error) from error

    def close(self) -> None:
        """Nothing is held open."""

    def _path(self, name: str) -> Path:
        try:
            read_name(name)
        except BatchError as error:
            raise LetterboxError(str(error), permanent=True) from error
        return self._folder / name

    def _sync(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _unreadable(self, error: OSError) -> LetterboxError:
        return LetterboxError(f"the drop's folder {self._folder} cannot be used: {error.strerror}")
