# SPDX-License-Identifier: AGPL-3.0-or-later
"""Workers as real processes: stopped, killed at any moment, two at once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tamizdat.config import Newsroom
from tests import prepared

SCENE = Path(__file__).with_name("scene.py")
SERVER = os.environ.get("TAMIZDAT_TEST_DATABASE", "sqlite")


class Scene:
    """A newsroom in a folder; what is done in it is done by other processes."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        prepared.put_database(folder)
        (folder / "tamizdat.toml").write_text(
            'name = "The Meridian"\naddress = "https://meridian.example"\n'
            f'languages = ["en"]\ndatabase = "{database}"\n[paper]\nworkers = 1\n'
        )
        Newsroom(folder).secret("desk-key", create=True)
        self.environment = {
            **{k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
            "TAMIZDAT_DIR": str(folder),
        }
        self.run("make")

    def run(self, *arguments: str) -> str:
        command = [sys.executable, str(SCENE), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("report"))
        return found

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "tamizdat", "worker", "--dir", str(self.folder)]
        process = subprocess.Popen(
            command,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert "is ready" in line, line + process.stdout.read()
            yield process
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def wait_until_live(self, seconds: float = 60.0) -> dict[str, Any]:
        end = time.monotonic() + seconds
        while True:
            found = self.report()
            if found["waiting"] == 0 and set(found["states"]) <= {"live"}:
                return found
            assert time.monotonic() < end, found


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One newsroom for all tests here, which only add to it."""
    folder = tmp_path_factory.mktemp("scene")
    with database(folder.name) as url:
        yield Scene(folder / "newsroom", url)


@contextmanager
def database(name: str) -> Iterator[str]:
    """SQLite in the folder, or a database of its own on the server of the tests."""
    if SERVER == "sqlite":
        yield "sqlite"
        return
    import psycopg

    url = urlsplit(SERVER)
    own = f"scene_{os.getpid()}_{''.join(c for c in name if c.isalnum()).lower()}"[:60]
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{own}"')
        try:
            yield url._replace(path=f"/{own}").geturl()
        finally:
            server.execute(f'DROP DATABASE "{own}" WITH (FORCE)')


@pytest.mark.timeout(600)
def test_a_worker_builds_what_is_published_and_stops_cleanly(scene: Scene) -> None:
    before = scene.report()["stories"]
    with scene.worker() as worker:
        scene.run("publish", "3")
        found = scene.wait_until_live()
        assert found["stories"] == before + 3
        assert found["unread"] == []
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_workers_at_once_build_everything_once_and_nothing_fails(scene: Scene) -> None:
    before = scene.report()["stories"]
    with scene.worker(), scene.worker():
        for _ in range(3):
            scene.run("publish", "6")
        found = scene.wait_until_live()
    assert found["stories"] == before + 18
    assert found["unread"] == []


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_a_worker_that_is_killed_at_any_moment_loses_nothing(scene: Scene) -> None:
    chance = random.Random(12)
    published = scene.report()["stories"]
    for _ in range(15):
        with scene.worker() as worker:
            writing = subprocess.Popen(
                [sys.executable, str(SCENE), "publish", "4"], env=scene.environment
            )
            time.sleep(chance.uniform(0.5, 4.0))
            worker.kill()
            worker.wait()
            assert writing.wait(60) == 0
            published += 4
    with scene.worker():
        found = scene.wait_until_live()
    assert found["stories"] == published
    assert found["unread"] == []
