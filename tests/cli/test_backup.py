# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom that burnt down is set up from its backup, row by row and page by page."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.one_process import commands
from tests.importers.samples import item, wxr

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


def same_rows(back: Path, folder: Path) -> None:
    there, here = rows(back / "desk.sqlite3"), rows(folder / "desk.sqlite3")
    # That a backup was made, and one restored, is written down after its moment.
    assert not [row for row in there.pop("audit_record") if row not in here["audit_record"]]
    for moved_on in ("audit_record", "sqlite_sequence"):
        here.pop(moved_on), there.pop(moved_on, None)
    assert there == here


def same_secrets(back: Path, folder: Path) -> None:
    for path in (folder / "secrets").iterdir():
        if not path.name.startswith("."):
            assert (back / "secrets" / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.slow
def test_a_newsroom_comes_back_whole_and_builds_the_same_paper(
    started: tuple[Path, dict[str, Any]],
    folder: Path,
    tmp_path: Path,
    environment: dict[str, str],
) -> None:
    source, identity = tmp_path / "old.xml", tmp_path / "operator.txt"
    source.write_text(wxr(item(1), item(2)))
    identity.write_text(started[1]["operator_identity"])
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse battery staple")
    # With its signed state a paper goes on counting its editions.
    keys: list[str | Path] = ["keys", "init", "--out", tmp_path / "keys"]
    keys += ["--passphrase-file", passphrase] * 3
    back, bare = tmp_path / "back", tmp_path / "bare"
    backup, key = tmp_path / "b", tmp_path / "b.vault-key"
    own = ("--identity", identity)
    _, _, _, made, seen, *restored, again = commands(
        folder,
        environment,
        keys,
        ["import", source, "--publish"],
        ADD,
        ["backup", backup, "--json"],
        ["backup", "verify", backup, *own, "--json"],
        ["restore", backup, back, *own, "--vault-key", key],
        ["restore", backup, bare, *own],
        ["restore", backup, back, *own],
    )
    assert made.json["key"] == str(key)
    assert seen.json["files"] == made.json["files"]
    assert [one.code for one in restored] == [0, 0]
    assert (again.code, "not empty" in again.err) == (1, True)

    same_rows(back, folder)
    same_secrets(back, folder)

    status: list[str | Path] = ["vault", "status", "--json"]
    everything: list[str | Path] = ["publish", "--all"]
    shred: list[str | Path] = [
        *("vault", "shred", "--json", "--yes-shred", "The Observer Of Orlenz")
    ]
    _, shredded = commands(folder, environment, everything, shred)
    _, whole = commands(back, environment, everything, status)
    assert len(tree(back)) > 10
    assert tree(back) == tree(folder)
    assert (whole.json["vault"], whole.json["addresses"], whole.json["lost"]) == ("open", 9, 0)
    assert shredded.json["copies"] == [str(key)]
    (shut,) = commands(bare, environment, status)
    assert (shut.json["vault"], shut.json["addresses"], shut.code) == ("shut", 9, 1)
