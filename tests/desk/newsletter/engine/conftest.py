# SPDX-License-Identifier: AGPL-3.0-or-later
"""Newsrooms whose workers are processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tamizdat.config import Newsroom
from tests import prepared
from tests.desk.newsletter.engine import house
from tests.desk.newsletter.engine.server import Server

SCENE = Path(__file__).with_name("scene.py")
ROOT = Path(__file__).parents[4]


class Scene:
    """A newsroom in a folder, sinks beside it; what is done in it, other processes do."""

    def __init__(self, folder: Path, database: str, stack: ExitStack) -> None:
        self.folder, self.database, self._stack = folder / "newsroom", database, stack
        self._outside = folder
        self.sinks: list[house.Sink] = []
        if database == "sqlite":
            prepared.put_database(self.folder)
        self.folder.mkdir(exist_ok=True)
        self.environment = {
            **{k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
            "TAMIZDAT_DIR": str(self.folder),
            "PYTHONPATH": str(ROOT),
        }

    def sink(self, *behaviour: str) -> house.Sink:
        made = house.Sink(self._outside, *behaviour, name=f"sink{len(self.sinks)}")
        self._stack.callback(made.kill)
        self.sinks.append(made)
        return made

    def settle(self, *relays: str, mail: str = "") -> None:
        """Write the settings: these relays, else one for each sink."""
        tables = relays or [
            house.relay(sink.port, f"relay{number}") for number, sink in enumerate(self.sinks)
        ]
        text = house.settings_of(self.database, "\n".join(tables), mail)
        (self.folder / "tamizdat.toml").write_text(text)
        Newsroom(self.folder).secret("desk-key", create=True)

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(SCENE), *arguments]
        process = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._stack.callback(_end, process)
        return process

    def run(self, *arguments: str, timeout: float = 600) -> str:
        process = self.popen(*arguments)
        out, said = process.communicate(timeout=timeout)
        assert process.returncode == 0, said[-4000:]
        return out

    def report(self) -> dict[str, Any]:
        files = [str(sink.file) for sink in self.sinks if sink.file.exists()]
        found: dict[str, Any] = json.loads(self.run("report", *files))
        return found


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
        process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Callable[..., Scene]]:
    """Makes one: ``scene()`` on SQLite, ``scene("postgresql")`` on a server of its own."""
    with ExitStack() as stack:

        def make(database: str = "sqlite") -> Scene:
            url = database
            if database == "postgresql":
                server = stack.enter_context(Server(tmp_path / "server"))
                url = server.url
                made = Scene(tmp_path, url, stack)
                made.server = server  # type: ignore[attr-defined] # for those who stop it
                return made
            return Scene(tmp_path, url, stack)

        yield make
