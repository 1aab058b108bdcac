# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat import`` and ``tamizdat export`` as an operator types them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.importers.samples import PAGES, ghost, item, wxr

Tamizdat = Callable[..., "subprocess.CompletedProcess[str]"]


def test_stories_come_in_once_go_out_and_come_in_elsewhere(
    tamizdat: Tamizdat, folder: Path, tmp_path: Path
) -> None:
    source = tmp_path / "old.xml"
    source.write_text(wxr(item(1), item(2, wp__post_password="x")))
    done = tamizdat("import", source, "--dir", folder, "--publish", "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert (report["ok"], report["format"], report["taken"], report["published"]) == (
        True,
        "wxr",
        1,
        1,
    )
    assert report["taken"] + report["parts"] + report["left_items"] == report["items"] == 2
    assert "password" in report["left"][0]["why"]
    assert any((folder / "edition").rglob("story-1/index.html"))

    out = tmp_path / "out"
    written = json.loads(tamizdat("export", out, "--dir", folder, "--json").stdout)
    assert (written["stories"], written["versions"]) == (1, 1)
    again = json.loads(tamizdat("import", out, "--dir", folder, "--json").stdout)
    assert (again["new"], again["unchanged"]) == (0, 1)


def test_a_dry_run_prints_a_report_for_people(tamizdat: Tamizdat, folder: Path) -> None:
    done = tamizdat("import", PAGES / "harbour.txt", "--dir", folder, "--dry-run")
    assert done.returncode == 0
    assert "1 would be taken" in done.stdout
    assert "dropped" in done.stdout


def test_items_that_cannot_be_read_give_their_own_exit_code(
    tamizdat: Tamizdat, folder: Path, tmp_path: Path
) -> None:
    source = tmp_path / "old.json"
    source.write_text(ghost([{"id": [1]}, {}]))
    done = tamizdat("import", source, "--dir", folder, code=3)
    assert done.returncode == 3
    assert "post 1" in done.stdout


def test_what_nobody_can_read_is_one_sentence(
    tamizdat: Tamizdat, folder: Path, tmp_path: Path
) -> None:
    source = tmp_path / "thing.bin"
    source.write_bytes(b"PK\x03\x04 nothing")
    done = tamizdat("import", source, "--dir", folder, "--json", code=1)
    assert done.returncode == 1
    assert json.loads(done.stdout)["ok"] is False
    assert "--format" in done.stderr
    assert "Traceback" not in done.stderr
