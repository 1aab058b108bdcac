# SPDX-License-Identifier: AGPL-3.0-or-later
"""The comparison on a real Postfix runs, at a tiny size."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.postfix import missing
from tests.bench.test_bench import measured


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that Postfix's own user can reach."""
    made = Path(tempfile.mkdtemp(prefix="bench-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.mark.slow
@pytest.mark.timeout(290)
@pytest.mark.skipif(bool(missing()), reason=missing() or "all is there")
def test_an_issue_over_postfix_is_measured_beside_smtp_source(folder: Path) -> None:
    found = measured("newsletter_postfix", folder, "--size", "60")
    assert found["ratio"] > 0
    [ours], [peer] = found["rows"]["ours"], found["rows"]["smtp-source"]
    assert ours["sent"] == peer["sent"] == 60
    assert ours["length"] == peer["length"] > 60_000
    assert list(folder.glob("tamizdat-bench-*")) == [], "nothing is left behind"
