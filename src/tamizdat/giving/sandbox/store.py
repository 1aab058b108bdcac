# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the sandbox keeps: one SQLite file, and a clock that can be moved forward.

What always holds: whatever happens is one transaction, which keeps the latest fact of each object
and the event that tells of it; ``at`` of one object grows with each fact. Its clock never goes
back.

What is not done here: what happens (``bank``, ``schedule``), sending events (``delivery``).
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from tamizdat.giving.port import Fact, GiftFact
from tamizdat.giving.sandbox.provider import Told

PAGE: Final = 500
_PUBLIC: Final = "checkout.completed"  # The one event that bears the address for the receipt.
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), ahead INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS things (kind TEXT, ref TEXT, data BLOB NOT NULL,
    PRIMARY KEY (kind, ref));
CREATE TABLE IF NOT EXISTS facts (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL,
    ref TEXT NOT NULL, at INTEGER NOT NULL, data BLOB NOT NULL, UNIQUE (kind, ref));
CREATE TABLE IF NOT EXISTS events (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT UNIQUE,
    at INTEGER NOT NULL, body BLOB NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0, taken INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS events_waiting ON events (due) WHERE taken = 0;
CREATE TABLE IF NOT EXISTS jobs (number INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL,
    what TEXT NOT NULL, ref TEXT NOT NULL);
INSERT OR IGNORE INTO clock VALUES (1, 0);
"""
_Thing = TypeVar("_Thing", bound=msgspec.Struct)
_Fact = TypeVar("_Fact", bound=Fact)


class Sending(NamedTuple):
    """An event that nobody took yet; ``tries`` were made."""

    number: int
    body: bytes
    tries: int


class Job(NamedTuple):
    """What is due at a time: ``what`` of ``schedule`` with the object ``ref``."""

    number: int
    at: int
    what: str
    ref: str


def new_ref(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(10)}"


class Store:
    """``file`` may be ``:memory:``; ``account`` is what events name; ``clock`` unix seconds."""

    def __init__(
        self, file: Path | str, *, account: str, clock: Callable[[], float] = time.time
    ) -> None:
        self.account = account
        self.clock = clock
        self._at: int | None = None
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(file, check_same_thread=False, isolation_level=None)
        self._db.executescript(f"PRAGMA journal_mode=WAL;{_TABLES}")

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def change(self) -> Iterator[None]:
        """All that is done within it happens, or nothing; one at a time. May be nested."""
        with self._lock:
            if self._depth == 0:
                self._db.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._db.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._db.execute("COMMIT")
            finally:
                self._depth -= 1

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    # The clock.

    @property
    def now(self) -> int:
        """By the sandbox's clock; within ``as_of`` the time of the job."""
        if self._at is not None:
            return self._at
        return int(self.clock()) + int(self._rows("SELECT ahead FROM clock")[0][0])

    def move(self, seconds: int) -> None:
        """Put the clock forward."""
        self._rows("UPDATE clock SET ahead = ahead + ?", max(0, seconds))

    @contextlib.contextmanager
    def as_of(self, at: int) -> Iterator[None]:
        self._at = at
        try:
            yield
        finally:
            self._at = None

    # Things of its own: checkouts, plans, answers that were given.

    def put(self, kind: str, ref: str, thing: msgspec.Struct) -> None:
        self._rows(
            "INSERT INTO things VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET data = excluded.data",
            kind, ref, msgspec.json.encode(thing),
        )  # fmt: skip

    def get(self, kind: str, ref: str, of: type[_Thing]) -> _Thing | None:
        rows = self._rows("SELECT data FROM things WHERE kind = ? AND ref = ?", kind, ref)
        return msgspec.json.decode(rows[0][0], type=of) if rows else None

    # Facts and the events that tell of them.

    def tell(self, type_: str, *facts: Fact) -> tuple[Fact, ...]:
        """Keep these as the latest of their objects and put an event in the queue. The address
        stands in the event of a completed checkout alone."""
        told = tuple(self._keep(fact) for fact in facts)
        shown = tuple(
            msgspec.structs.replace(fact, address="")
            if isinstance(fact, GiftFact) and type_ != _PUBLIC
            else fact
            for fact in told
        )
        event = Told(id=new_ref("evt"), type=type_, at=self.now, account=self.account, facts=shown)
        self._rows(
            "INSERT INTO events (id, at, body) VALUES (?, ?, ?)",
            event.id, event.at, msgspec.json.encode(event),
        )  # fmt: skip
        return shown

    def _keep(self, fact: _Fact) -> _Fact:
        kind = type(fact).__name__
        before = self._rows("SELECT at FROM facts WHERE kind = ? AND ref = ?", kind, fact.ref)
        at = max(self.now, before[0][0] + 1) if before else self.now
        kept = msgspec.structs.replace(fact, at=at)
        self._rows(
            "INSERT OR REPLACE INTO facts (kind, ref, at, data) VALUES (?, ?, ?, ?)",
            kind, kept.ref, at, msgspec.json.encode(kept),
        )  # fmt: skip
        return kept

    def fact(self, of: type[_Fact], ref: str) -> _Fact | None:
        """The latest of an object."""
        rows = self._rows("SELECT data FROM facts WHERE kind = ? AND ref = ?", of.__name__, ref)
        return msgspec.json.decode(rows[0][0], type=of) if rows else None

    def facts(self, of: type[_Fact]) -> list[_Fact]:
        """The latest of all objects of a kind, in the order in which they last changed."""
        rows = self._rows("SELECT data FROM facts WHERE kind = ? ORDER BY number", of.__name__)
        return [msgspec.json.decode(row[0], type=of) for row in rows]

    def page(self, table: str, since: int, after: int) -> list[tuple[int, bytes]]:
        """Rows of ``facts`` or ``events`` behind ``after``, with their numbers."""
        column = {"facts": "data", "events": "body"}[table]
        rows = self._rows(
            f"SELECT number, {column} FROM {table} "  # noqa: S608 - names of ours
            "WHERE at >= ? AND number > ? ORDER BY number LIMIT ?",
            since, after, PAGE,
        )  # fmt: skip
        return [(int(number), bytes(data)) for number, data in rows]

    # Sending.

    def waiting(self, most: int = 100) -> list[Sending]:
        """Events that may be sent now, oldest first."""
        rows = self._rows(
            "SELECT number, body, tries FROM events WHERE taken = 0 AND due <= ? "
            "ORDER BY number LIMIT ?",
            self.clock(), most,
        )  # fmt: skip
        return [Sending(*row) for row in rows]

    def taken(self, number: int) -> None:
        self._rows("UPDATE events SET taken = 1 WHERE number = ?", number)

    def failed(self, number: int, *, again_in: float) -> None:
        self._rows(
            "UPDATE events SET tries = tries + 1, due = ? WHERE number = ?",
            self.clock() + again_in, number,
        )  # fmt: skip

    def failing(self) -> int:
        """Events that were tried and not taken."""
        return int(self._rows("SELECT count(*) FROM events WHERE taken = 0 AND tries > 0")[0][0])

    # What is due later.

    def plan(self, what: str, ref: str, at: int) -> None:
        self._rows("INSERT INTO jobs (at, what, ref) VALUES (?, ?, ?)", at, what, ref)

    def unplan(self, ref: str) -> None:
        self._rows("DELETE FROM jobs WHERE ref = ?", ref)

    def planned(self, what: str) -> bool:
        return bool(self._rows("SELECT 1 FROM jobs WHERE what = ? LIMIT 1", what))

    def due(self, until: int) -> Job | None:
        """Take out the first job of those that are due."""
        rows = self._rows("SELECT * FROM jobs WHERE at <= ? ORDER BY at, number LIMIT 1", until)
        if not rows:
            return None
        job = Job(*rows[0])
        self._rows("DELETE FROM jobs WHERE number = ?", job.number)
        return job
