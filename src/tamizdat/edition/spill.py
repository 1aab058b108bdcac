# SPDX-License-Identifier: AGPL-3.0-or-later
"""The files of a paper that is being built, put aside on the disk until they can be indexed.

What always holds: entries come in any order and leave in the order of their keys, one a path: a
page before a redirect, and of several redirects that of the story published last.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

from tamizdat.edition.catalogue import Catalogue
from tamizdat.edition.index import Entry, key

_TABLE = """
CREATE TABLE built (
    key TEXT NOT NULL, redirect INTEGER NOT NULL, rank INTEGER NOT NULL, path TEXT NOT NULL,
    sha256 BLOB NOT NULL, length INTEGER NOT NULL, media_type TEXT NOT NULL,
    status INTEGER NOT NULL, location TEXT NOT NULL
)
"""

Spilled = tuple[str, bool, int, str, bytes, int, str, int, str]
"""An entry as a row of the table. Plain, as it crosses between processes: a worker makes it."""


def spilled(entry: Entry, rank: int = 0) -> Spilled:
    """Redirects come with the rank of the story that claims the path."""
    return (
        key(entry.path), entry.status == 301, rank, entry.path, bytes.fromhex(entry.sha256),
        entry.length, entry.media_type, entry.status, entry.location,
    )  # fmt: skip


def settled(path: Path, edition: int, digit: str) -> Iterator[Entry]:
    """Of a spill that was settled the entries whose keys begin with a digit, in their order."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
        yield from _entries(database, edition, digit, f"{digit}g")


def _entries(database: sqlite3.Connection, edition: int, low: str, high: str) -> Iterator[Entry]:
    query = (
        "SELECT path, sha256, length, media_type, status, location FROM built "
        "WHERE key >= ? AND key < ? ORDER BY key"
    )
    for path, sha256, length, media_type, status, location in database.execute(query, [low, high]):
        yield Entry(path, sha256.hex(), length, edition, media_type, status, location)


class Spill:
    """A file of its own, thrown away after the build."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute("PRAGMA cache_size = -32768")
        self._db.execute(_TABLE)
        self._db.execute("BEGIN")

    def add(self, made: Iterable[Spilled]) -> None:
        """Take what was made."""
        self._db.executemany("INSERT INTO built VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", made)

    def replace(self, made: Iterable[Spilled]) -> None:
        """Take what was made in place of what is at the same paths."""
        self._db.execute("CREATE INDEX IF NOT EXISTS by_path ON built (path)")
        for one in made:
            _, redirect, _, path, *_, location = one
            self._db.execute(
                "DELETE FROM built WHERE path = ? AND redirect = ? AND location = ?",
                [path, redirect, location],
            )
            self.add([one])

    def settle(self) -> int:
        """Keep one entry a path; returns how many there are. Call it once, after the last one."""
        self._db.execute("CREATE INDEX by_key ON built (key, redirect, rank DESC)")
        self._db.execute(
            "DELETE FROM built WHERE rowid IN (SELECT rowid FROM (SELECT rowid, row_number() OVER "
            "(PARTITION BY key ORDER BY redirect, rank DESC) AS place FROM built) WHERE place > 1)"
        )
        self._db.execute("COMMIT")  # From now on others may read it.
        return self._db.execute("SELECT count(*) FROM built").fetchone()[0]  # type: ignore[no-any-return]  # sqlite3 returns Any

    def entries(self, edition: int) -> Iterator[Entry]:
        return _entries(self._db, edition, "", "g")

    def count_objects(self, catalogue: Catalogue) -> None:
        """Fill ``objects`` of a new catalogue."""
        query = "SELECT sha256, count(*) FROM built GROUP BY sha256"
        catalogue.db.executemany("INSERT INTO objects VALUES (?, ?)", self._db.execute(query))

    def close(self) -> None:
        self._db.close()
