# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newsroom's database copied and filled: SQLite by its own backup, PostgreSQL by ``pg_dump``.

What always holds: the copy is of one moment, and those who write meanwhile are not stopped; a
database that holds anything is never filled.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tamizdat.config import Newsroom
from tamizdat.desk.safekeeping.errors import DumpError

DUMP = "database.dump"
_TABLES = (
    "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
)


def kind(newsroom: Newsroom) -> str:
    return "sqlite" if newsroom.settings.database == "sqlite" else "postgresql"


def copy(newsroom: Newsroom, folder: Path) -> Path:
    """A copy of the database in a folder; its path. Raises ``DumpError``."""
    if kind(newsroom) == "postgresql":
        return _dump(newsroom, folder / DUMP)
    target = folder / newsroom.database.name
    target.touch(mode=0o600)
    try:
        with (
            contextlib.closing(_readonly(newsroom.database)) as source,
            contextlib.closing(sqlite3.connect(target)) as copied,
        ):
            source.backup(copied)
            copied.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        raise DumpError(f"the database could not be copied: {error}") from error
    return target


def _readonly(path: Path) -> sqlite3.Connection:
    if not path.exists():
        raise DumpError(f"{path} is not there: is this newsroom's database elsewhere?")
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=60)


def check(path: Path) -> None:
    """Raises ``DumpError`` where a SQLite file is not whole."""
    try:
        with contextlib.closing(_readonly(path)) as database:
            found = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise DumpError(f"the database in the backup is damaged: {error}") from error
    if found != "ok":
        raise DumpError(f"the database in the backup is damaged: {found}")


def _dump(newsroom: Newsroom, target: Path) -> Path:
    _postgres(newsroom, "pg_dump", "--format=custom", "--no-owner", "--no-acl", f"--file={target}")
    return target


def fill(newsroom: Newsroom, dump: Path) -> None:
    """Fill the empty PostgreSQL database that the settings name. Raises ``DumpError``."""
    tables = _postgres(newsroom, "psql", "-tAXq", "-c", _TABLES).strip()
    if tables != "0":
        raise DumpError(
            f"the database {_shown(newsroom)} is not empty ({tables} tables): move it away, or "
            "give --skip-database and fill one yourself with pg_restore"
        )
    _postgres(
        newsroom,
        *("pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", "--no-acl"),
        *("--dbname", newsroom.settings.database, str(dump)),
        url=False,
    )


def _postgres(newsroom: Newsroom, program: str, *arguments: str, url: bool = True) -> str:
    environment = dict(os.environ)
    password = newsroom.secrets / "database-password"
    if password.exists():
        environment["PGPASSWORD"] = password.read_text().strip()
    database = ["--dbname", newsroom.settings.database] if url else []
    try:
        done = subprocess.run(
            [program, *database, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        raise DumpError(f"{program} is not there: install PostgreSQL's client programs") from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise DumpError(f"{program}: {said[-1] if said else 'it failed'}")
    return done.stdout


def _shown(newsroom: Newsroom) -> str:
    return urlsplit(newsroom.settings.database).path.lstrip("/")
