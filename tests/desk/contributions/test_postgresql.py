# SPDX-License-Identifier: AGPL-3.0-or-later
"""PostgreSQL takes in what providers tell, and reminds, as SQLite does (the books: ``books``)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.desk.newsletter.engine.server import Server

HERE = Path(__file__).parent
PARTS = ("events", "reminding")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_gifts_and_reminders_are_as_on_sqlite(tmp_path: Path) -> None:
    """All quick tests of both: facts in any order, refunds with four eyes, wishes, receipts,
    reminders' states, the messages' sums."""
    # Else the database would be called after the process that this test runs in.
    plain = {name: value for name, value in os.environ.items() if "XDIST" not in name}
    with Server(tmp_path) as server:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", "-m", "not slow",
             "-p", "no:cacheprovider", *(HERE / part for part in PARTS)],
            cwd=HERE.parents[2],
            env={**plain, "TAMIZDAT_TEST_DATABASE": server.url},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
