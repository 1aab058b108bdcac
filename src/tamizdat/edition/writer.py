# SPDX-License-Identifier: AGPL-3.0-or-later
"""Gathers what a new edition changes, beside the paper that readers have.

What always holds: only files whose bytes, status or target differ are written; nothing is
reachable by readers until the caller switches the pointer.

What is not done here: choosing what to make (``publishing``), switching (``paper``).
"""

from __future__ import annotations

from collections.abc import Iterable

from tamizdat.edition import paths
from tamizdat.edition.catalogue import Catalogue
from tamizdat.edition.compose import Output
from tamizdat.edition.index import Changes, Difference, Entry, Index, Subtree
from tamizdat.edition.store import QUALITY, Kind, Store, compressible

QUICK_QUALITY = 3
_OFTEN = 3  # slashes: fronts of the paper and of its sections, the newsroom's own pages


class Writer:
    """Changes against one tree of the index."""

    def __init__(self, store: Store, index: Index, tree: Subtree, edition: int) -> None:
        self.store = store
        self.index = index
        self.tree = tree
        self.edition = edition
        self.changes: Changes = {}

    def before(self, path: str) -> Entry | None:
        """What readers have at a path."""
        return self.index.lookup(self.tree.root, path)

    def now(self, path: str) -> Entry | None:
        """What the new edition has at a path, as far as it is gathered."""
        return self.changes[path] if path in self.changes else self.before(path)

    def differs(self, output: Output) -> bool:
        return not make_entry(self.store, output, self.edition, keep=False).same(
            self.before(output.path)
        )

    def put(self, outputs: Iterable[Output]) -> None:
        for output in outputs:
            self.set(make_entry(self.store, output, self.edition))

    def set(self, entry: Entry) -> None:
        if entry.same(self.before(entry.path)):
            self.changes.pop(entry.path, None)
        else:
            self.changes[entry.path] = entry

    def remove(self, path: str) -> None:
        if self.before(path) is None:
            self.changes.pop(path, None)
        else:
            self.changes[path] = None

    def finish(self, catalogue: Catalogue) -> Subtree:
        """Write the index; count what leads to which object, so that nothing needed is removed."""
        counts: dict[str, int] = {}
        found = [Difference(self.before(path), entry) for path, entry in self.changes.items()]
        for old, entry in found:
            if old is not None:
                counts[old.sha256] = counts.get(old.sha256, 0) - 1
            if entry is not None:
                counts[entry.sha256] = counts.get(entry.sha256, 0) + 1
        tree = self.index.update(self.tree, self.changes)
        self.index.known[self.tree.root, tree.root] = found
        _count_objects(catalogue, counts, self.edition)
        _set_garbage(catalogue, "index", self.index.replaced, self.index.written, self.edition)
        return tree

    def totals(self) -> tuple[int, int, int]:
        """HTML pages, files of any kind written, files removed."""
        written = [entry for entry in self.changes.values() if entry is not None]
        pages = sum(entry.media_type == paths.HTML for entry in written)
        return pages, len(written), len(self.changes) - len(written)


def make_entry(store: Store, output: Output, edition: int, *, keep: bool = True) -> Entry:
    """The index's entry for a file; its bytes go to the store where ``keep``."""
    media_type = paths.media_type(output.path) if output.status == 200 else paths.HTML
    if keep:
        quality = _quality(output.path, media_type) if store.brotli else 0
        sha256 = store.put(output.data, compress=quality)
    else:
        sha256 = store.digest(output.data)
    length = len(output.data)
    return Entry(output.path, sha256, length, edition, media_type, output.status, output.location)


def _quality(path: str, media_type: str) -> int:
    """How well to pack a file: what many read well; older lists, of which there are far more than
    readers, in half the time and an eighth larger."""
    if not compressible(media_type):
        return 0
    often = path.count("/") <= _OFTEN or paths.is_article(path)
    return QUALITY if often else QUICK_QUALITY


def _count_objects(catalogue: Catalogue, counts: dict[str, int], edition: int) -> None:
    written, replaced = set(), set()
    for sha256, change in counts.items():
        key = bytes.fromhex(sha256)
        catalogue.db.execute(
            "INSERT INTO objects VALUES (?, ?) ON CONFLICT DO UPDATE SET refs = refs + ?",
            [key, change, change],
        )
        query = "SELECT refs FROM objects WHERE sha256 = ?"
        if catalogue.db.execute(query, [key]).fetchone()[0] > 0:
            written.add(sha256)
        else:
            replaced.add(sha256)
            catalogue.db.execute("DELETE FROM objects WHERE sha256 = ?", [key])
    _set_garbage(catalogue, "objects", replaced, written, edition)


def _set_garbage(
    catalogue: Catalogue, kind: Kind, replaced: set[str], written: set[str], edition: int
) -> None:
    catalogue.db.executemany(
        "DELETE FROM garbage WHERE kind = ? AND sha256 = ?",
        [(kind, bytes.fromhex(sha256)) for sha256 in written],
    )
    catalogue.db.executemany(
        "INSERT OR REPLACE INTO garbage VALUES (?, ?, ?)",
        [(kind, bytes.fromhex(sha256), edition) for sha256 in replaced],
    )
