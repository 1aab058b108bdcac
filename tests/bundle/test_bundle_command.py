# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat edition bundle`` and ``edition verify``, as an operator and as a reader use them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tamizdat.cli import cli
from tests.reader.copies import Room

SETTINGS = """\
name = "The Lantern"
address = "https://lantern.example"
languages = ["en", "ru", "ar"]
"""


def run(*arguments: str | Path, code: int = 0) -> Result:
    done = CliRunner().invoke(cli, [str(argument) for argument in arguments])
    assert done.exit_code == code, done.output
    return done


@pytest.fixture
def newsroom(tmp_path: Path, room: Room, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "newsroom"
    shutil.copytree(room.desk.folder.path, folder / "edition")
    (folder / "tamizdat.toml").write_text(SETTINGS)
    monkeypatch.setenv("TAMIZDAT_DIR", str(folder))
    return folder


def test_three_files_are_written_and_each_is_verified(newsroom: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    report = json.loads(run("edition", "bundle", "--out", out, "--json").stdout)
    assert report["ok"] is True
    files = {one["form"]: Path(one["file"]) for one in report["bundles"]}
    assert set(files) == {"zip", "epub", "html"}
    assert {file.stem for file in files.values()} == {files["zip"].stem}
    assert files["zip"].name.startswith("the-lantern-20")
    root = newsroom / "edition" / "metadata" / "1.root.json"
    for file in files.values():
        found = json.loads(run("edition", "verify", file, "--root", root, "--json").stdout)
        assert found["ok"] is True
        assert found["trusted"] is True
        assert len(found["stories"]) == 4
        assert "as it was" not in run("edition", "verify", file).stdout
        assert "not whose it is" in run("edition", "verify", file).stdout


def test_a_changed_file_is_named(newsroom: Path, tmp_path: Path) -> None:
    run("edition", "bundle", "--form", "html", "--out", tmp_path)
    file = next(tmp_path.glob("*.html"))
    data = file.read_bytes()
    file.write_bytes(data.replace(b"The bridge is closed", b"The bridge is opened"))
    done = run("edition", "verify", file, code=1)
    assert "ALTERED: index.html" in done.output


def test_sizes_and_what_is_left_out_are_said(newsroom: Path, tmp_path: Path) -> None:
    done = run("edition", "bundle", "--form", "zip", "--max", "200kB", "--out", tmp_path)
    assert "kB, 4 stories" in done.output
    assert "pictures are left out" in done.output
    run("edition", "bundle", "--max", "much", code=2)


def test_a_file_that_is_no_bundle_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("Dear all")
    done = CliRunner().invoke(cli, ["edition", "verify", str(file)])
    assert "no bundle" in str(done.exception)
