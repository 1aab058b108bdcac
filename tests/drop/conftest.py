# SPDX-License-Identifier: AGPL-3.0-or-later
"""Drops for the tests, each in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.drop.machines import InProcess, Server, in_process, running


@pytest.fixture
def drop(tmp_path: Path) -> Iterator[InProcess]:
    with in_process(tmp_path / "drop") as found:
        yield found


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running(tmp_path / "drop") as found:
        yield found
