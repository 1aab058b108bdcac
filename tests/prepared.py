# SPDX-License-Identifier: AGPL-3.0-or-later
"""An empty desk's database, made once and copied: 190 migrations take ten seconds, each time.

What always holds: it is what the migrations of this very code make (its name is a hash of the
desk's code and of the locked packages); a newsroom started on a copy runs its migrations all the
same and finds nothing to do.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
KEPT = ROOT / "build" / "tests"
DAY = 24 * 3600
MIGRATE = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", interactive=False, verbosity=0)
from django.db import connection
connection.cursor().execute("VACUUM INTO %s", [{target!r}])
"""


def put_database(folder: Path) -> None:
    """Lay an empty database in English into a newsroom's folder that is not started yet."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(database(), folder / "desk.sqlite3")
    (folder / "desk.sqlite3").chmod(0o600)


@functools.cache
def database() -> Path:
    """Where it lies; made by the first who asks. All the others wait."""
    KEPT.mkdir(parents=True, exist_ok=True)
    path = KEPT / f"desk-{_stamp()}.sqlite3"
    with (KEPT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            for old in KEPT.glob("desk-*"):
                if time.time() - old.stat().st_mtime > DAY:  # Else another run may use it.
                    old.unlink()
            _make(path)
    return path


def _stamp() -> str:
    found = hashlib.sha256()
    desk = ROOT / "src" / "tamizdat" / "desk"
    for file in [*sorted(desk.rglob("*.py")), ROOT / "requirements" / "dev.txt"]:
        found.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return found.hexdigest()[:32]


def _make(path: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tamizdat.toml").write_text(
            'name = "The Meridian"\naddress = "https://meridian.example"\nlanguages = ["en"]\n'
        )
        (folder / "secrets").mkdir()
        (folder / "secrets" / "desk-key").write_text("x" * 64)
        made = folder / "made.sqlite3"
        subprocess.run(
            [sys.executable, "-c", MIGRATE.format(target=str(made))],
            env={
                **os.environ,
                "TAMIZDAT_DIR": name,
                "DJANGO_SETTINGS_MODULE": "tamizdat.desk.settings.newsroom",
            },
            check=True,
        )
        partial = path.with_suffix(".partial")
        shutil.copyfile(made, partial)
        partial.rename(path)


def migrate_from_it() -> None:
    """Make Django's test databases start from the copy (on SQLite; elsewhere nothing changes)."""
    from django.db.backends.sqlite3.creation import DatabaseCreation

    original = DatabaseCreation._create_test_db

    def create(self: Any, *arguments: Any, **options: Any) -> str:
        name: str = original(self, *arguments, **options)
        # It lives in memory and as long as somebody holds a connection: this one, to the end.
        held.append(sqlite3.connect(name, uri=True, check_same_thread=False))
        with contextlib.closing(sqlite3.connect(database())) as source:
            source.backup(held[-1])
        return name

    held: list[sqlite3.Connection] = []
    DatabaseCreation._create_test_db = create
