# SPDX-License-Identifier: AGPL-3.0-or-later
"""A desk that is killed anywhere in taking events in has the provider's books in the end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tamizdat.config import Newsroom
from tests import prepared
from tests.desk.contributions.events.conftest import TOML

SCENE = Path(__file__).with_name("kill_scene.py")


def run(folder: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    root = SCENE.parents[4]
    done = subprocess.run(
        [sys.executable, str(SCENE), *arguments],
        env={**environment, "TAMIZDAT_DIR": str(folder), "PYTHONPATH": str(root)},
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(("number", "events"), [(200, 5000)])
def test_killed_200_times_in_5000_events_the_books_are_the_providers(
    tmp_path: Path, number: int, events: int, record_property: Any
) -> None:
    folder, drop = tmp_path / "newsroom", tmp_path / "drop"
    prepared.put_database(folder)
    drop.mkdir()
    (folder / "tamizdat.toml").write_text(TOML.format(drop=drop))
    Newsroom(folder).secret("desk-key", create=True)
    run(folder, "make")
    found = json.loads(run(folder, "kill", str(number), "20261123", str(events)).splitlines()[-1])
    died, told = found.pop("died"), found.pop("events")
    assert (found.pop("left"), found.pop("aside")) == (0, 0)
    assert [name for name, as_listed in found.items() if not as_listed] == []
    assert told >= events
    assert died > number * 0.8
    record_property("figure", f"killed {died} times in {told:,} events: books as the provider's")
