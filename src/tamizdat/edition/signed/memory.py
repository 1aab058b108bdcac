# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reader remembers of a newsroom between updates: one file, replaced by one rename.

What always holds: the file is what one whole, verified update left, whenever the machine dies.

What is not done here: verifying. What is remembered was verified, and is verified again as TUF
asks when it is used.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

import msgspec

from tamizdat.edition.signed.errors import BadFormatError
from tamizdat.edition.signed.workflow import Verified

TRUSTED: Final = "trusted.json"


class Memory(msgspec.Struct, frozen=True):
    """Files of root by version and of the other roles; ``editions`` are those of the records seen
    under root's version ``root``."""

    roots: dict[int, bytes]
    files: dict[str, bytes]
    editions: dict[str, int]
    root: int
    format: int = 1

    def verified(self) -> Verified:
        return Verified(self.roots, self.files, {})


def load(folder: Path) -> Memory | None:
    """None where nothing is remembered. Raises ``BadFormatError`` where it cannot be read."""
    path = folder / TRUSTED
    try:
        memory = msgspec.json.decode(path.read_bytes(), type=Memory)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadFormatError(
            f"{path} is damaged: remove it, and what was seen is learned anew from the root"
        ) from error
    if memory.format != 1:
        raise BadFormatError(f"{path} is of a newer program's format, {memory.format}")
    return memory


def save(folder: Path, memory: Memory) -> None:
    """Remember; returns when it is on the disk. Raises ``OSError``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / TRUSTED
    data = msgspec.json.encode(memory)
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == data:
            return
    temporary = folder / f"trusted.{os.getpid()}.new"
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
