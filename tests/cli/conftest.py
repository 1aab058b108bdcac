# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands run as people run them: in a process of their own, outside the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests import prepared

Tamizdat = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Nothing of the checkout or of Django's settings leaks into a command."""
    dropped = ("DJANGO_SETTINGS_MODULE", "TAMIZDAT_DIR", "PYTHONPATH")
    return {k: v for k, v in os.environ.items() if k not in dropped}


@pytest.fixture(scope="session")
def started(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> tuple[Path, dict[str, Any]]:
    """A newsroom as ``tamizdat init`` leaves it, and what init reported. Copy it to change it."""
    folder = tmp_path_factory.mktemp("started") / "the-observer-of-orlenz"
    prepared.put_database(folder)
    done = subprocess.run(
        [sys.executable, "-m", "tamizdat", "init", folder, "--user", "anna", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return folder, json.loads(done.stdout)


@pytest.fixture
def folder(started: tuple[Path, dict[str, Any]], tmp_path: Path) -> Path:
    """A newsroom of the test's own, just started."""
    return Path(shutil.copytree(started[0], tmp_path / "paper"))


@pytest.fixture
def tamizdat(tmp_path: Path, environment: dict[str, str]) -> Tamizdat:
    """``tamizdat("doctor", "--json")``: the finished process with its output as text."""

    def run(
        *arguments: str | Path, code: int | None = 0, timeout: float = 100
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "tamizdat", *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        assert code is None or done.returncode == code, done.stderr + done.stdout
        return done

    return run
