# SPDX-License-Identifier: AGPL-3.0-or-later
"""PostgreSQL takes in what providers tell, and reminds, as SQLite does (the books: ``books``)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.desk.contributions.events.racing import race
from tests.desk.newsletter.engine.server import Server, run_on, tables_of

HERE = Path(__file__).parent
PARTS = ("events", "reminding", "pages")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_gifts_and_reminders_are_as_on_sqlite(tmp_path: Path) -> None:
    """All quick tests of both: facts in any order, refunds with four eyes, wishes, receipts,
    reminders' states, the messages' sums; the pages. Then those who are at one refund at
    once, in the database that is left."""
    with Server(tmp_path) as server:
        done = run_on(server, HERE.parents[2], *(HERE / part for part in PARTS))
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
        assert tables_of(server) > 100
        left = server.url.rpartition("/")[0] + "/test_tests"
        race(tmp_path / "newsroom", 12, database=left)
