# SPDX-License-Identifier: AGPL-3.0-or-later
"""Runs ``race_scene`` on a database, and says what must have come of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tamizdat.config import Newsroom
from tests.desk.contributions.events.conftest import TOML

SCENE = Path(__file__).with_name("race_scene.py")
ROOT = SCENE.parents[4]
ASK, APPROVE, DECLINE = (f"tamizdat.refund_{step}" for step in ("ask", "approve", "decline"))


def race(folder: Path, rounds: int, *, database: str = "sqlite") -> None:
    """Of all who ask, and of all who decide, one does; and the provider gives back once."""
    drop = folder / "drop"
    drop.mkdir(parents=True)
    settings = f'database = "{database}"\n{TOML.format(drop=drop)}'
    (folder / "tamizdat.toml").write_text(settings)
    Newsroom(folder).secret("desk-key", create=True)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tamizdat.desk.settings.newsroom",
        "TAMIZDAT_DIR": str(folder),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, str(SCENE), str(rounds)],
        env=environment, cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-4000:]
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == rounds
    for one in found:
        assert one["asked"] == ["RefundError", "RefundError", "done"], one
        *approved, asker, declined = one["decided"]
        assert asker != "done", one
        assert [*approved, declined].count("done") == 1, one
        if declined == "done":
            expected = ("declined", "", "declined", sorted([ASK, DECLINE]), 0)
        else:
            who = "nora" if approved[2] == "done" else "paul"
            expected = ("approved", who, "done", sorted([ASK, APPROVE]), 1)
        told = (one["state"], one["by"], one["became"], one["steps"], one["at_the_bank"])
        assert told == expected, one
