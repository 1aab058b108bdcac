# SPDX-License-Identifier: AGPL-3.0-or-later
"""Removing what no paper leads to any more.

What always holds: a file is removed only when neither the present edition nor the one before it
leads to it, so readers in flight finish; a publication removes a bounded number of files.
"""

from __future__ import annotations

from tamizdat.edition.catalogue import Catalogue
from tamizdat.edition.index import Index
from tamizdat.edition.store import Kind, Store

AT_ONCE = 500


def collect(catalogue: Catalogue, store: Store, present: int, limit: int = AT_ONCE) -> None:
    """Remove files that nothing has led to since before edition ``present``."""
    query = "SELECT kind, sha256 FROM garbage WHERE edition < ? LIMIT ?"
    rows = catalogue.db.execute(query, [present, limit]).fetchall()
    for kind, sha256 in rows:
        store.discard(sha256.hex(), kind)
    catalogue.db.executemany("DELETE FROM garbage WHERE kind = ? AND sha256 = ?", rows)


def sweep(catalogue: Catalogue, store: Store, index: Index, root: str, edition: int) -> None:
    """Find every file that ``edition`` does not lead to and note it for ``collect``: what former
    editions and killed builders left behind."""
    needed = set(index.files(root))
    for prefix in range(256):
        _note(catalogue, store, "index", prefix, needed, edition)
        low, high = bytes([prefix]), bytes([prefix + 1]) if prefix < 255 else b"\xff" * 33
        query = "SELECT sha256 FROM objects WHERE sha256 >= ? AND sha256 < ?"
        kept = {row[0].hex() for row in catalogue.db.execute(query, [low, high])}
        _note(catalogue, store, "objects", prefix, kept, edition)


def _note(
    catalogue: Catalogue, store: Store, kind: Kind, prefix: int, needed: set[str], edition: int
) -> None:
    found = set()
    for name in store.names(kind, prefix):
        if name.endswith(".tmp"):
            store.discard(name, kind)
        elif (sha256 := name.removesuffix(".br")) not in needed:
            found.add(sha256)
    catalogue.db.executemany(
        "INSERT OR IGNORE INTO garbage VALUES (?, ?, ?)",
        [(kind, bytes.fromhex(sha256), edition) for sha256 in sorted(found)],
    )
