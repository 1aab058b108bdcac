# SPDX-License-Identifier: AGPL-3.0-or-later
"""Folders for papers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def quick() -> Iterator[Path]:
    """A folder in memory where the system has one: for tests that build many papers, which would
    otherwise wait for the disk each time."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)
