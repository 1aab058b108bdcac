# SPDX-License-Identifier: AGPL-3.0-or-later
"""A PostgreSQL server of the test's own, which can be stopped at once and started again."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests.ports import free_port


def programs() -> Path | None:
    """Where ``initdb`` and ``pg_ctl`` lie; None where there is no PostgreSQL."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if found:
        return found[-1].parent
    path = shutil.which("initdb")
    return Path(path).parent if path else None


class Server:
    """``with Server(folder) as server``: ``server.url``. It refuses to run as root: then it runs as
    nobody in particular."""

    def __init__(self, _folder: Path) -> None:
        found = programs()
        if found is None:
            pytest.skip("there is no PostgreSQL here")
        self._bin = found
        self._folder = Path(tempfile.mkdtemp(prefix="pg-"))
        self._user = _somebody()
        self.port = free_port()
        self.url = f"postgresql://tests@127.0.0.1:{self.port}/tests"

    def __enter__(self) -> Server:
        if self._user:
            os.chown(self._folder, self._user.pw_uid, self._user.pw_gid)
        data = str(self._folder / "data")
        self._run("initdb", "-D", data, "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale", "C")
        try:
            self.start()
            where = self.url[: -len("tests")] + "postgres"
            with psycopg.connect(where, autocommit=True) as link:
                link.execute("CREATE DATABASE tests")
        except Exception:
            self.__exit__()
            raise
        return self

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self._folder} -c max_connections=50"
        self._run(
            "pg_ctl", "-D", str(self._folder / "data"), "-w", "-l", str(self._folder / "log"),
            "-o", options, "start",
        )  # fmt: skip

    def stop(self, how: str = "immediate") -> None:
        self._run("pg_ctl", "-D", str(self._folder / "data"), "-w", "-m", how, "stop")

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(subprocess.CalledProcessError):
            self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [str(self._bin / program), *arguments],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_become(self._user),
            cwd="/",
        )


def run_on(server: Server, root: Path, *what: object) -> subprocess.CompletedProcess[str]:
    """Other tests, run on this server; their database ``test_tests`` stays."""
    # What tests before set in this process is not meant for those: they would go to SQLite, or call
    # the database after the process that this test runs in.
    mine = ("TAMIZDAT_", "DJANGO_", "PYTEST_")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "not slow", "--reuse-db",
         "-p", "no:cacheprovider", *map(str, what)],
        cwd=root,
        env={**plain, "TAMIZDAT_TEST_DATABASE": server.url},
        capture_output=True,
        text=True,
        check=False,
    )  # fmt: skip


def tables_of(server: Server) -> int:
    """How many tables those tests made."""
    with psycopg.connect(server.url.rpartition("/")[0] + "/test_tests") as link:
        found = link.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        row = found.fetchone()
    return int(row[0]) if row else 0


def _somebody() -> pwd.struct_passwd | None:
    if os.geteuid():
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def _become(user: pwd.struct_passwd | None) -> Callable[[], None]:
    def become() -> None:
        if user:
            os.setgroups([])
            os.setgid(user.pw_gid)
            os.setuid(user.pw_uid)

    return become
