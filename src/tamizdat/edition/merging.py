# SPDX-License-Identifier: AGPL-3.0-or-later
"""New entries of the index beside those of the last edition.

What always holds: what readers see no difference in keeps the edition in which it last changed;
what changed, came or went is counted.

What is not done here: writing the index (``index``), sharing out its parts (``builder``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from tamizdat.edition import paths
from tamizdat.edition.errors import StoreError
from tamizdat.edition.index import Entry, Index, key


class Merge:
    """Lays new entries beside the last ones, both in the order of their keys. ``pages`` are the
    HTML pages and ``files`` all files that differ, ``removed`` those that are gone."""

    def __init__(self, last: Iterator[Entry]) -> None:
        self._last = ((key(entry.path), entry) for entry in last)
        self.pages = self.files = self.removed = 0

    def run(self, entries: Iterable[Entry]) -> Iterator[Entry]:
        old = next(self._last, None)
        for entry in entries:
            place = key(entry.path)
            while old is not None and old[0] < place:
                self.removed += 1
                old = next(self._last, None)
            present = old[1] if old is not None and old[0] == place else None
            if present is not None:
                old = next(self._last, None)
            yield present if present is not None and entry.same(present) else self._changed(entry)
        while old is not None:
            self.removed += 1
            old = next(self._last, None)

    def _changed(self, entry: Entry) -> Entry:
        self.files += 1
        self.pages += entry.media_type == paths.HTML
        return entry


def last_entries(index: Index, root: str, digit: str = "") -> Iterator[Entry]:
    """The last index, or those of its entries whose keys begin with a digit, as far as it is not
    damaged: what is missing counts as changed."""
    with contextlib.suppress(FileNotFoundError, StoreError):
        yield from index.walk(root) if not digit else index.walk_part(root, digit)
