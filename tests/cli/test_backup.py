# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom that burnt down is set up from its backup, row by row and page by page."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.importers.samples import item, wxr

Tamizdat = Callable[..., "subprocess.CompletedProcess[str]"]

ADD = (
    "from django.conf import settings; from tamizdat.desk.readers.vault import Vault; "
    "v = Vault.open(settings.NEWSROOM); [v.add(f'r{n}@post.example', 'en') for n in range(9)]"
)


def rows(database: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(database)) as open_:
        names = [n for (n,) in open_.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: sorted(open_.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr)  # noqa: S608 - its own
            for name in names
        }


def tree(folder: Path) -> dict[str, bytes]:
    paper = folder / "edition" / "tree"
    return {str(p.relative_to(paper)): p.read_bytes() for p in paper.rglob("*") if p.is_file()}


def test_a_newsroom_comes_back_whole_and_builds_the_same_paper(
    started: tuple[Path, dict[str, Any]],
    folder: Path,
    tamizdat: Tamizdat,
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    source = tmp_path / "old.xml"
    source.write_text(wxr(item(1), item(2)))
    tamizdat("import", source, "--dir", folder, "--publish")
    tamizdat("desk", "--dir", folder, "shell", "-v0", "-c", ADD)
    done = json.loads(tamizdat("backup", tmp_path, "--dir", folder, "--json").stdout)
    identity = tmp_path / "operator.txt"
    identity.write_text(started[1]["operator_identity"])
    own = ("--identity", identity)
    seen = json.loads(tamizdat("backup", "verify", done["backup"], *own, "--json").stdout)
    assert seen["files"] == done["files"]

    back = tmp_path / "back"
    tamizdat("restore", done["backup"], back, *own, "--vault-key", done["key"])
    assert rows(back / "desk.sqlite3") == rows(folder / "desk.sqlite3")
    for name in ("tamizdat.toml", *(f"secrets/{p.name}" for p in (folder / "secrets").iterdir())):
        if not name.startswith("secrets/."):
            assert (back / name).read_bytes() == (folder / name).read_bytes(), name
    for there in (folder, back):
        tamizdat("publish", "--all", "--dir", there)
    assert tree(back)
    assert tree(back) == tree(folder)
    found = json.loads(tamizdat("vault", "status", "--dir", back, "--json").stdout)
    assert (found["vault"], found["addresses"], found["lost"]) == ("open", 9, 0)


def test_a_backup_without_the_key_apart_tells_nobodys_address(
    started: tuple[Path, dict[str, Any]], folder: Path, tamizdat: Tamizdat, tmp_path: Path
) -> None:
    tamizdat("desk", "--dir", folder, "shell", "-v0", "-c", ADD)
    tamizdat("backup", tmp_path / "b", "--dir", folder)
    (tmp_path / "id").write_text(started[1]["operator_identity"])
    back = tmp_path / "back"
    tamizdat("restore", tmp_path / "b", back, "--identity", tmp_path / "id")
    found = json.loads(tamizdat("vault", "status", "--dir", back, "--json", code=1).stdout)
    assert (found["vault"], found["addresses"]) == ("shut", 9)
    again = tamizdat("restore", tmp_path / "b", back, "--identity", tmp_path / "id", code=1)
    assert "not empty" in again.stderr


def test_shredding_names_the_copies_that_backups_made(
    folder: Path, tamizdat: Tamizdat, tmp_path: Path
) -> None:
    tamizdat("backup", tmp_path / "b", "--dir", folder)
    name = "The Observer Of Orlenz"
    told = json.loads(
        tamizdat("vault", "shred", "--dir", folder, "--yes-shred", name, "--json").stdout
    )
    assert told["copies"] == [str(tmp_path / "b.vault-key")]
    after = json.loads(tamizdat("backup", tmp_path / "c", "--dir", folder, "--json").stdout)
    assert after["key"] is None
