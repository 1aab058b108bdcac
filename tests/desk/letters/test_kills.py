# SPDX-License-Identifier: AGPL-3.0-or-later
"""Collectors that are killed at any step or moment neither lose a submission nor act twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tamizdat.config import Newsroom
from tests import prepared
from tests.desk.publishing.test_processes import SERVER, database

SCENE = Path(__file__).with_name("kill_scene.py")
DATABASES = ["sqlite", *([SERVER] if SERVER != "sqlite" else [])]


def run(folder: Path, *arguments: str) -> str:
    environment = {
        **{k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
        "TAMIZDAT_DIR": str(folder),
    }
    command = [sys.executable, str(SCENE), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def killed(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """What became of it all, after so many kills."""

    def kill(server: str, number: int, seed: int, together: int) -> dict[str, Any]:
        folder, drop = tmp_path / "newsroom", tmp_path / "drop"
        if server == "sqlite":
            prepared.put_database(folder)
        folder.mkdir(exist_ok=True)
        drop.mkdir()
        with database(f"letters{seed}") as own:
            url = "sqlite" if server == "sqlite" else own
            (folder / "tamizdat.toml").write_text(
                'name = "The Meridian"\naddress = "https://meridian.example"\n'
                f'database = "{url}"\n[[drops]]\nname = "pier"\nfolder = "{drop}"\n'
            )
            Newsroom(folder).secret("desk-key", create=True)
            run(folder, "make")
            found: dict[str, Any] = json.loads(
                run(folder, "kill", str(number), str(seed), str(together))
            )
            return found

    return kill


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("server", DATABASES, ids=lambda server: server.partition(":")[0])
@pytest.mark.parametrize(("number", "together"), [(200, 1), (60, 2)], ids=["alone", "two at once"])
def test_killed_collectors_lose_nothing_and_repeat_nothing(
    killed: Callable[..., dict[str, Any]], server: str, number: int, together: int
) -> None:
    found = killed(server, number, 20261122 + together, together)
    numbers, died = found.pop("numbers"), found.pop("died")
    assert found == {
        "left": 0,
        "messages": True,
        "reminders": True,
        "webhooks": True,
        "unreadable": 0,
        "failed": 0,
        "handled": 0,
    }, (numbers, died)
    assert sum(numbers) == 5 * (number + 1)
    assert died > number // 2
