# SPDX-License-Identifier: AGPL-3.0-or-later
"""A first visit stays within its bytes and requests, whatever the size of the paper."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_proving_an_article_stays_within_its_limits(tmp_path: Path) -> None:
    figures = tmp_path / "figures.json"
    command = [sys.executable, "-m", "bench.verify_bytes", "--paths", "12", "--json", figures]
    done = subprocess.run(
        [*command, "--size", "300", "--size", "20000"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(figures.read_text())
    assert found["ok"]
    # Three; where the machine is busy, two that are asked at once can seem to follow each other.
    asked = [state["requests"] for states in found["sizes"].values() for state in states]
    assert len(asked) == 6
    assert min(asked) == 3
    assert max(asked) <= 4
