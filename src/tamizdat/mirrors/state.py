# SPDX-License-Identifier: AGPL-3.0-or-later
"""How every mirror stands: one small SQLite file in the newsroom's ``run/mirrors/``.

What always holds: each change is one transaction, so the file says what was true last, whenever
the machine dies; it can be lost without harm. Times are seconds since 1970.

Trying again: after trouble that may pass in 5 s, 10 s, 20 s … 15 minutes, each time a little
earlier or later than others; after what a person must mend once an hour, or when asked.
"""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from tamizdat.mirrors.errors import MirrorError
from tamizdat.mirrors.push import Report

FIRST_PAUSE = 5.0
LONGEST_PAUSE = 900.0
PERMANENT_PAUSE = 3600.0


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader finds at ``url``: the edition there (None where none can be proven) and what
    is wrong, in a sentence and in a ``word``. ``checked`` is when; trouble lasts ``since``; the
    edition has been older than ours since ``behind``. Seconds since 1970."""

    url: str
    checked: float
    edition: int | None = None
    word: str = ""
    error: str = ""
    since: float | None = None
    behind: float | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """One mirror. ``edition`` is live there ``since``; ``checked`` is when we last saw that.
    ``error`` (with its one ``word``) lasts since ``failed_since`` and is tried again at
    ``next_try``. ``files`` and ``length`` (bytes) travelled in the last push, in ``seconds``.
    ``look`` is what readers found at its public address."""

    name: str
    edition: int | None = None
    digest: str = ""
    since: float | None = None
    checked: float | None = None
    error: str = ""
    word: str = ""
    permanent: bool = False
    failed_since: float | None = None
    attempts: int = 0
    next_try: float | None = None
    files: int = 0
    length: int = 0
    seconds: float = 0.0
    look: Look | None = None

    def is_live(self, edition: int) -> bool:
        """Whether readers find this edition, or a later one, there."""
        return not self.trouble and self.edition is not None and self.edition >= edition

    @property
    def trouble(self) -> str:
        """One word for what is wrong, with pushing there or with reading from there."""
        return self.word if self.error else (self.look.word if self.look else "")

    @property
    def troubled_since(self) -> float | None:
        return self.failed_since if self.error else (self.look.since if self.look else None)


_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS mirror (name TEXT PRIMARY KEY, standing BLOB) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS look (name TEXT PRIMARY KEY, look BLOB) WITHOUT ROWID",
)


class State:
    """Opens the file for each call: any thread and process may."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / "state.sqlite3"

    def all(self, names: Iterable[str]) -> list[Standing]:
        """Mirrors in this order; one that was never pushed to has no edition. Raises
        ``sqlite3.Error`` where the file is damaged."""
        known: dict[str, Standing] = {}
        if self._path.exists():
            with self._open() as db:
                rows = db.execute("SELECT standing FROM mirror")
                found = (msgspec.json.decode(row[0], type=Standing) for row in rows)
                known = {standing.name: standing for standing in found}
        looks = self.looks()
        stands = [known.get(name, Standing(name=name)) for name in names]
        return [msgspec.structs.replace(one, look=looks.get(one.name)) for one in stands]

    def looks(self) -> dict[str, Look]:
        """What readers found, by the mirror's name, or by its address where it has none."""
        if not self._path.exists():
            return {}
        with self._open() as db:
            rows = db.execute("SELECT name, look FROM look")
            return {name: msgspec.json.decode(look, type=Look) for name, look in rows}

    def looked(self, looks: Mapping[str, Look]) -> None:
        """Note what readers found now, and forget mirrors that are not announced any more."""
        with self._open() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DELETE FROM look")
            rows = [(name, msgspec.json.encode(look)) for name, look in looks.items()]
            db.executemany("INSERT INTO look VALUES (?, ?)", rows)
            db.execute("COMMIT")

    def of(self, name: str) -> Standing:
        return self.all([name])[0]

    def went_well(self, name: str, report: Report, now: float) -> Standing:
        """Note that an edition is live there."""
        before = self.of(name)
        same = before.edition == report.edition and before.since is not None
        moved = bool(report.files or report.removed)
        standing = Standing(
            name=name,
            edition=report.edition,
            digest=report.digest,
            since=before.since if same else now,
            checked=now,
            files=report.files if moved else before.files,
            length=report.length if moved else before.length,
            seconds=report.seconds if moved else before.seconds,
        )
        self._keep(standing)
        return standing

    def went_wrong(
        self, name: str, error: MirrorError, now: float, draw: random.Random
    ) -> Standing:
        """Note a failure and when to try again."""
        before = self.of(name)
        attempts = before.attempts + 1
        pause = min(FIRST_PAUSE * 2.0 ** min(attempts - 1, 20), LONGEST_PAUSE)
        if error.permanent:
            pause = PERMANENT_PAUSE
        standing = msgspec.structs.replace(
            before,
            error=str(error),
            word=error.word,
            permanent=error.permanent,
            failed_since=before.failed_since or now,
            attempts=attempts,
            next_try=now + pause * draw.uniform(0.75, 1.25),
        )
        self._keep(standing)
        return standing

    def forget(self, name: str) -> None:
        if self._path.exists():
            with self._open() as db:
                db.execute("DELETE FROM mirror WHERE name = ?", [name])

    def _keep(self, standing: Standing) -> None:
        with self._open() as db:
            alone = msgspec.structs.replace(standing, look=None)
            row = [standing.name, msgspec.json.encode(alone)]
            db.execute("INSERT OR REPLACE INTO mirror VALUES (?, ?)", row)

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        db = sqlite3.connect(self._path, isolation_level=None, timeout=30)
        try:
            for table in _SCHEMA:
                db.execute(table)
            yield db
        finally:
            db.close()
