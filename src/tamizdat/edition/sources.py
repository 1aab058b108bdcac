# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where a full build takes its stories from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from tamizdat.edition.errors import StoreError


class StorySource(Protocol):
    """The newest version of each story, withdrawn ones included, in any order, as ninjs JSON.
    Where a story comes more than once, the highest version counts."""

    def count(self) -> int: ...
    def raw_stories(self) -> Iterator[bytes]: ...


class FolderSource:
    """Stories in a folder and the folders in it: one ninjs item a ``.json`` file, or one a line
    of a ``.jsonl`` file. Raises ``StoreError`` where the folder is none."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise StoreError(f"{folder} is not a folder of stories")
        self._folder = folder

    def count(self) -> int:
        return sum(1 if f.suffix == ".json" else sum(1 for _ in _lines(f)) for f in self._files())

    def raw_stories(self) -> Iterator[bytes]:
        for file in self._files():
            if file.suffix == ".json":
                yield file.read_bytes()
            else:
                yield from _lines(file)

    def _files(self) -> Iterator[Path]:
        found = (f for f in self._folder.rglob("*.json*") if f.suffix in (".json", ".jsonl"))
        return iter(sorted(f for f in found if f.is_file()))


def _lines(file: Path) -> Iterator[bytes]:
    with file.open("rb") as lines:
        yield from (line for line in map(bytes.strip, lines) if line)
