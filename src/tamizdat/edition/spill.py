# SPDX-License-Identifier: AGPL-3.0-or-later
"""The files of a paper that is being built, put aside on the disk until they can be indexed.

What always holds: entries come in any order and leave in the order of their keys, one a path: a
page before a redirect, and of several redirects that of the story published last.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import groupby
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


def settled(
    path: Path, edition: int, digits: str, left_out: list[bytes]
) -> Iterator[tuple[str, Iterator[Entry]]]:
    """Of a spill that was settled the entries whose keys begin with each of these digits, in their
    order, one a path; ``left_out`` gets the sha-256 of the others at its path. Take a digit's
    before asking for the next."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
        database.execute("PRAGMA cache_size = -32768")  # What is sorted has as much.
        database.execute("PRAGMA temp_store = MEMORY")
        marks = ",".join("?" * len(digits))
        found = _entries(database, edition, f"WHERE substr(key, 1, 1) IN ({marks})", digits)
        groups = groupby(_once(found, left_out), lambda pair: pair[0][0])
        group = next(groups, None)
        for digit in digits:
            if group is None or group[0] != digit:
                yield digit, iter(())
                continue
            yield digit, (entry for _, entry in group[1])
            group = next(groups, None)


def _once(
    entries: Iterable[tuple[str, Entry]], left_out: list[bytes]
) -> Iterator[tuple[str, Entry]]:
    last = ""
    for place, entry in entries:
        if place == last:
            left_out.append(bytes.fromhex(entry.sha256))
        else:
            last = place
            yield place, entry


def _entries(
    database: sqlite3.Connection, edition: int, which: str = "", digits: str = ""
) -> Iterator[tuple[str, Entry]]:
    """Entries with their keys; of several at one path the one that is meant first."""
    query = (
        "SELECT key, path, sha256, length, media_type, status, location "  # noqa: S608 (constants)
        f"FROM built {which} ORDER BY key, redirect, rank DESC"
    )
    for place, path, sha256, length, kind, status, location in database.execute(query, digits):
        yield place, Entry(path, sha256.hex(), length, edition, kind, status, location)


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
        """Let others read; returns how many entries there are, about: a path may have several.
        Call it once, after the last one."""
        self._db.execute("COMMIT")
        return self._db.execute("SELECT coalesce(max(rowid), 0) FROM built").fetchone()[0]  # type: ignore[no-any-return]  # sqlite3 returns Any

    def entries(self, edition: int, left_out: list[bytes]) -> list[Entry]:
        """All of them, as ``settled``: for a small paper."""
        return [entry for _, entry in _once(_entries(self._db, edition), left_out)]

    def count_objects(self, catalogue: Catalogue) -> None:
        """Fill ``objects`` of a new catalogue; ``leave_out`` what was left out then."""
        query = "SELECT sha256, count(*) FROM built GROUP BY sha256"
        catalogue.db.executemany("INSERT INTO objects VALUES (?, ?)", self._db.execute(query))

    @staticmethod
    def leave_out(catalogue: Catalogue, left_out: Iterable[bytes]) -> None:
        for sha256 in left_out:
            catalogue.db.execute("UPDATE objects SET refs = refs - 1 WHERE sha256 = ?", [sha256])
            catalogue.db.execute("DELETE FROM objects WHERE sha256 = ? AND refs = 0", [sha256])

    def close(self) -> None:
        self._db.close()
