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

_AT_ONCE = 512  # The system takes at least 1,024 parts at a time.


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
        parts: list[bytes] = []
        places, start = [], self._end
        for item in items:
            places.append((start, len(item)))
            start += len(item) + 1
            parts += (item.replace(b"\n", b" ") if b"\n" in item else item, b"\n")
        for first in range(0, len(parts), _AT_ONCE):
            self._write(parts[first : first + _AT_ONCE])
        return places

    def _write(self, parts: list[bytes]) -> None:
        """Write as one, without putting the parts together first."""
        size = sum(map(len, parts))
        written = os.pwritev(self._descriptor, parts, self._end)
        if written < size:
            data = memoryview(b"".join(parts))
            while written < size:
                written += os.pwrite(self._descriptor, data[written:], self._end + written)
        self._end += size

    def read(self, start: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, start)

    def close(self) -> None:
        os.close(self._descriptor)
