# SPDX-License-Identifier: AGPL-3.0-or-later
"""The measurement of raw sending runs, at a tiny size."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.bench.test_bench import measured


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("smtp-sink", path="/usr/sbin:/usr/bin:/usr/local/sbin"),
    reason="Postfix's smtp-sink is not installed",
)
def test_raw_sending_is_measured_beside_smtplib(tmp_path: Path) -> None:
    found = measured("newsletter_raw", tmp_path, "--size", "200")
    assert set(found["wall"]) == set(found["cpu"])
    assert found["ratio"] > 0
