# SPDX-License-Identifier: AGPL-3.0-or-later
"""The story log: the stories of the present edition as they came, one JSON item a line.

What always holds: a log is only appended to; where a story lies in it (start and length in
bytes) is in the catalogue, and what the catalogue does not name is not read. A full build starts
a new log, named by its edition.

What is not done here: deciding when it is durable (``Store.sync`` before the switch).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path


def log_name(edition: int) -> str:
    return f"stories-{edition}.jsonl"


class StoryLog:
    """Appends to and reads from one log."""

    def __init__(self, path: Path, *, write: bool = False) -> None:
        flags = os.O_RDWR | os.O_CREAT if write else os.O_RDONLY
        self._descriptor = os.open(path, flags, 0o600)
        self._end = os.lseek(self._descriptor, 0, os.SEEK_END) if write else 0

    def append(self, items: Sequence[bytes]) -> list[tuple[int, int]]:
        """Add items; returns start and length of each. JSON has line breaks only between its
        tokens, so they are replaced by spaces."""
        lines = [item.replace(b"\n", b" ") for item in items]
        places = []
        start = self._end
        for line in lines:
            places.append((start, len(line)))
            start += len(line) + 1
        data = b"\n".join(lines) + b"\n"
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], self._end + written)
        self._end = start
        return places

    def read(self, start: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, start)

    def close(self) -> None:
        os.close(self._descriptor)
