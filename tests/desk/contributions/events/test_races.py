# SPDX-License-Identifier: AGPL-3.0-or-later
"""Two tabs, two people, two clicks and three workers at once: one refund, one yes, given back once.

On PostgreSQL the same: ``contributions/test_postgresql.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import prepared
from tests.desk.contributions.events.racing import race


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_whoever_is_at_it_together_a_refund_is_asked_decided_and_given_once(tmp_path: Path) -> None:
    folder = tmp_path / "newsroom"
    prepared.put_database(folder)
    race(folder, 12)
