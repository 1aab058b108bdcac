# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a mirror has, kept by us: one small SQLite file a mirror.

What always holds:

- A file is noted before it is sent and ticked off after, so nothing that we ever put on a mirror
  is forgotten: what a killed push left there is removed like everything else.
- ``generation`` counts the editions that were brought there whole. A file that no edition leads
  to since generation *g* may be removed at *g* + 2.
- The file may be lost: then the mirror is asked what it has (``rebuild``).

What is not done here: deciding what is needed (``plan``).
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tamizdat.mirrors.ports import Held, is_signed

FORMAT = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS file (
    name TEXT PRIMARY KEY,
    length INTEGER NOT NULL,
    there INTEGER NOT NULL,
    unneeded INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS file_to_send ON file (name) WHERE there = 0 AND unneeded IS NULL;
CREATE INDEX IF NOT EXISTS file_unneeded ON file (unneeded) WHERE unneeded IS NOT NULL;
CREATE TABLE IF NOT EXISTS laid (key BLOB PRIMARY KEY, sha256 TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS plain (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL) WITHOUT ROWID;
CREATE TEMP TABLE spare (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TEMP TABLE needed (name TEXT PRIMARY KEY, length INTEGER NOT NULL) WITHOUT ROWID;
"""
_LAST_BUT_ROOTS = ("metadata", 0)
_TRAVEL = (("objects", 0), ("shards", 0), ("targets", 0), _LAST_BUT_ROOTS, ("metadata", 1))


class Manifest:
    """Opens, and makes, the file. One that is damaged is begun anew, empty."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self.db = _open(path)
        except sqlite3.DatabaseError:
            forget(path)
            self.db = _open(path)

    def close(self) -> None:
        self.db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")

    def meta(self, key: str) -> str:
        row = self.db.execute("SELECT value FROM meta WHERE key = ?", [key]).fetchone()
        return row[0] if row else ""

    def set_meta(self, key: str, value: str) -> None:
        self.db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", [key, value])

    @property
    def generation(self) -> int:
        return int(self.meta("generation") or 0)

    # What an edition needs

    def need_all(self, files: Iterable[tuple[str, int]]) -> None:
        """Exactly these files are needed now: note the new ones to be sent, and all others that
        were needed as unneeded since the generation that is being made."""
        db = self.db
        db.execute("DELETE FROM needed")
        db.execute("DELETE FROM spare")
        db.executemany("INSERT OR IGNORE INTO needed VALUES (?, ?)", files)
        db.execute(
            "UPDATE file SET unneeded = ? WHERE unneeded IS NULL"
            " AND name NOT IN (SELECT name FROM needed)",
            [self.generation + 1],
        )
        db.execute(
            "INSERT INTO file SELECT name, length, 0, NULL FROM needed WHERE true"
            " ON CONFLICT (name) DO UPDATE SET unneeded = NULL,"
            " there = there AND length = excluded.length, length = excluded.length"
            " WHERE unneeded IS NOT NULL OR length <> excluded.length"
        )
        db.execute("DELETE FROM needed")

    def need(self, files: Iterable[tuple[str, int]]) -> None:
        """These files are needed too."""
        self.db.executemany(
            "INSERT INTO file VALUES (?, ?, 0, NULL) ON CONFLICT (name) DO UPDATE"
            " SET unneeded = NULL WHERE unneeded IS NOT NULL",
            files,
        )

    def unneed(self, names: Iterable[str]) -> None:
        """These files are needed no more, since the generation that is being made."""
        self.db.executemany(
            "UPDATE file SET unneeded = ? WHERE name = ? AND unneeded IS NULL",
            [(self.generation + 1, name) for name in names],
        )

    def spare(self, has: Callable[[str], bool]) -> None:
        """Send objects that are not needed for what they were, where they never arrived and we
        still have them: another path may have the same bytes."""
        query = (
            "SELECT name FROM file WHERE there = 0 AND unneeded IS NOT NULL"
            " AND name LIKE 'objects/%'"
        )
        self.db.execute("DELETE FROM spare")
        found = [row for row in self.db.execute(query).fetchall() if has(row[0])]
        self.db.executemany("INSERT OR IGNORE INTO spare VALUES (?)", found)

    def below(self, prefix: str) -> Iterator[str]:
        """Files that are needed, by the beginning of their names."""
        query = "SELECT name FROM file WHERE name >= ? AND name < ? AND unneeded IS NULL"
        yield from (row[0] for row in self.db.execute(query, [prefix, f"{prefix}\U0010ffff"]))

    def between(self, low: str, high: str) -> Iterator[str]:
        """Files that are needed, from a name on and before another."""
        query = "SELECT name FROM file WHERE name >= ? AND name < ? AND unneeded IS NULL"
        yield from (row[0] for row in self.db.execute(query, [low, high]))

    # Sending and removing

    def to_send(self, limit: int) -> list[Held]:
        """Files that are needed and not known to be there, in the order in which they travel:
        objects, shards, targets, metadata, and new versions of root after all else."""
        query = (
            "SELECT name, length FROM file WHERE there = 0 AND name IN (SELECT name FROM spare)"
            " LIMIT ?"
        )
        found = [Held(*row) for row in self.db.execute(query, [limit])]
        for folder, root in _TRAVEL:
            query = (
                "SELECT name, length FROM file WHERE there = 0 AND unneeded IS NULL"
                " AND name >= ? AND name < ? AND (name LIKE '%.root.json') = ?"
                " ORDER BY name LIMIT ?"
            )
            bounds = [f"{folder}/", f"{folder}/\U0010ffff", root, limit - len(found)]
            found += [Held(*row) for row in self.db.execute(query, bounds)]
            if len(found) >= limit or (found and (folder, root) == _LAST_BUT_ROOTS):
                break
        return found

    def count_to_send(self) -> tuple[int, int]:
        """How many files and bytes are to be sent."""
        query = (
            "SELECT count(*), coalesce(sum(length), 0) FROM file"
            " WHERE there = 0 AND unneeded IS NULL"
        )
        files, length = self.db.execute(query).fetchone()
        return files, length

    def arrived(self, names: Iterable[str]) -> None:
        with self.transaction():
            query = "UPDATE file SET there = 1 WHERE name = ?"
            self.db.executemany(query, [(name,) for name in names])

    def to_remove(self, limit: int, after: str = "") -> list[str]:
        """Files that may be removed now, in the order of their names."""
        query = "SELECT name FROM file WHERE unneeded <= ? AND name > ? ORDER BY name LIMIT ?"
        rows = self.db.execute(query, [self.generation - 2, after, limit])
        return [row[0] for row in rows]

    def removed(self, names: Iterable[str]) -> None:
        with self.transaction():
            self.db.executemany("DELETE FROM file WHERE name = ?", [(name,) for name in names])

    def rebuild(self, found: Iterable[Held]) -> None:
        """Believe the mirror's own list of what it has, but for metadata: names that are counted
        may mean other bytes there, where somebody else wrote them. The next plan starts from
        nothing."""
        with self.transaction():
            for table in ("file", "laid", "plain"):
                self.db.execute(f"DELETE FROM {table}")  # noqa: S608 - no word of anybody's
            self.db.execute("DELETE FROM meta WHERE key IN ('base', 'archive', 'plain')")
            self.db.executemany(
                "INSERT OR IGNORE INTO file VALUES (?, ?, ?, NULL)",
                (
                    (held.name, held.length, not held.name.startswith("metadata/"))
                    for held in found
                    if is_signed(held.name) and held.name not in HEADS
                ),
            )

    def total(self) -> tuple[int, int]:
        """Files and bytes that are there."""
        query = "SELECT count(*), coalesce(sum(length), 0) FROM file WHERE there = 1"
        files, length = self.db.execute(query).fetchone()
        return files, length


HEADS = ("metadata/timestamp.json", "metadata/current")


def forget(path: Path) -> None:
    """Remove a manifest."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=30)
    try:
        db.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;")
        found = db.execute("PRAGMA user_version").fetchone()[0]
        if found not in (0, FORMAT):
            raise sqlite3.DatabaseError(f"format {found}")
        db.executescript(_SCHEMA + f"PRAGMA user_version = {FORMAT};")
    except BaseException:
        db.close()
        raise
    return db
