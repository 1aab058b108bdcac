# SPDX-License-Identifier: AGPL-3.0-or-later
"""Workers of single mails that are killed lose none, and none goes twice that is not shown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tamizdat.config import Newsroom
from tests import prepared
from tests.desk.newsletter.engine import house
from tests.desk.newsletter.engine.server import Server
from tests.desk.outgoing.post_scene import EACH

SCENE = Path(__file__).with_name("post_scene.py")
ROOT = Path(__file__).parents[3]


class Lane:
    """A newsroom whose single mails go to a relay that remembers."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder, self.database = folder / "newsroom", database
        self.names = folder / "names.txt"
        if database == "sqlite":
            prepared.put_database(self.folder)
        self.folder.mkdir(exist_ok=True)
        self.sink = house.Sink(folder)
        self.settle("hold")
        Newsroom(self.folder).secret("desk-key", create=True)
        self.run("make")

    def settle(self, unknown: str) -> None:
        mail = f"unknown = '{unknown}'"
        text = house.settings_of(self.database, house.relay(self.sink.port), mail)
        (self.folder / "tamizdat.toml").write_text(text)

    def run(self, *arguments: str) -> str:
        environment = {
            **{k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
            "TAMIZDAT_DIR": str(self.folder),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, str(SCENE), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stdout

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.run("report", str(self.names), str(self.sink.file)).splitlines()[-1]
        )
        return found


@pytest.fixture
def lane(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Lane]:
    with ExitStack() as stack:
        database = request.param
        if database == "postgresql":
            database = stack.enter_context(Server(tmp_path / "server")).url
        made = Lane(tmp_path, database)
        stack.callback(made.sink.kill)
        yield made


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("lane", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.parametrize(("number", "together"), [(200, 1), (60, 3)], ids=["alone", "three"])
def test_killed_workers_lose_no_single_mail_and_what_may_go_twice_is_shown(
    lane: Lane, number: int, together: int
) -> None:
    said = lane.run("kill", str(number), str(20261123 + together), str(together), str(lane.names))
    died = json.loads(said.splitlines()[-1])["died"]
    assert died > number // 2
    found = lane.report()
    doubtful = found.pop("unknown", 0)
    assert found == {
        "mails": EACH * (number + 1),
        "sent": EACH * (number + 1) - doubtful,
        **dict.fromkeys(
            ("lost", "twice", "thrice", "strangers", "words left", "relay in trouble"), 0
        ),
    }
    assert 0 < doubtful <= died, "each leaves at most the one that was leaving"
    lane.settle("resend")
    lane.run("finish")
    found = lane.report()
    assert (found["sent"], found["lost"], found["thrice"]) == (found["mails"], 0, 0)
    assert found["twice"] <= doubtful
