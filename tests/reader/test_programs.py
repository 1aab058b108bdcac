# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reader's own tests, in Node; long fuzzing among the slow ones."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest


def _run(programs: Path, **environment: str) -> None:
    tests = sorted(str(path) for path in (programs / "test").glob("*.test.mjs"))
    assert tests
    done = subprocess.run(
        ["node", "--test", *tests],
        cwd=programs.parent,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    failures = re.findall(r"^not ok .*\n(?:(?:[ #].*)?\n)*", done.stdout, re.MULTILINE)
    assert done.returncode == 0, "\n".join(failures)[:8_000] + done.stderr[-2_000:]


@pytest.mark.timeout(400)
@pytest.mark.allow_hosts(["127.0.0.1"])
def test_the_readers_own_tests_pass(programs: Path) -> None:
    _run(programs)


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_nothing_false_is_read_in_long_fuzzing(programs: Path) -> None:
    _run(programs, FUZZ_RUNS="3000")
