# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading the paper as it is published now, through the pointer and the index.

What always holds: a reader sees one whole edition, never a part of the next; it needs neither
the catalogue nor the plain tree, and takes no lock.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from tamizdat.edition import paths
from tamizdat.edition.index import Entry, Index
from tamizdat.edition.store import Pointer, Store


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What lies at a path: its bytes, media type, HTTP status (200, 301 to the path ``location``,
    410 for a withdrawn story) and the edition in which it last changed."""

    path: str
    status: int
    data: bytes
    media_type: str
    sha256: str
    edition: int
    location: str = ""


class Reader:
    """Looks paths up in an edition's folder; follows the pointer when it is switched."""

    def __init__(self, folder: Path) -> None:
        self.store = Store(folder)
        self._index = Index(self.store)
        self._seen: tuple[int, int, int] | None = None
        self._pointer: Pointer | None = None

    def pointer(self) -> Pointer | None:
        """The present pointer, or None where nothing was built. Raises ``StoreError``."""
        try:
            found = os.stat(self.store.folder / "edition.json")
        except FileNotFoundError:
            return None
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen != self._seen:
            self._pointer = self.store.pointer()
            self._seen = seen
        return self._pointer

    def entry(self, path: str) -> Entry | None:
        """The index's entry for a path; a page is found without its final slash too, as a
        redirect to it."""
        for attempt in (1, 2):
            pointer = self.pointer()
            if pointer is None:
                return None
            try:
                return self._lookup(pointer.root, path)
            except FileNotFoundError:  # The edition was replaced twice while we read it.
                self._seen = None
                if attempt == 2:
                    raise
        return None

    def _lookup(self, root: str, path: str) -> Entry | None:
        entry = self._index.lookup(root, path)
        if entry is None and not path.endswith("/"):
            page = self._index.lookup(root, f"{path}/")
            if page is not None:
                to = page.location if page.status == 301 else page.path
                return Entry(path, page.sha256, page.length, page.edition, paths.HTML, 301, to)
        return entry

    def read(self, path: str) -> Found | None:
        """Bytes and status of a path, or None where nothing lies there."""
        entry = self.entry(path)
        if entry is None:
            return None
        return Found(
            path=path,
            status=entry.status,
            data=self.store.get(entry.sha256),
            media_type=entry.media_type,
            sha256=entry.sha256,
            edition=entry.edition,
            location=entry.location,
        )
