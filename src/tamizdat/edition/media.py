# SPDX-License-Identifier: AGPL-3.0-or-later
"""Files that stories show: where they come from, and how they get into the edition."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from tamizdat.edition.store import Store


class MediaSource(Protocol):
    """Finds files by their sha-256 in hexadecimal; None where it has no such file."""

    def file(self, sha256: str) -> Path | None: ...


def adopt(store: Store, media: MediaSource, sha256: str) -> int | None:
    """Copy a file into the edition; returns its length, or None where it is nowhere. What is
    already there stays, even where the source lost it. Raises ``StoreError``."""
    source = media.file(sha256)
    if source is not None:
        try:
            return store.adopt(source, sha256)
        except FileNotFoundError:
            return store.has(sha256)
    return store.has(sha256)
