# SPDX-License-Identifier: AGPL-3.0-or-later
"""From no keys to a sealed archive on the command line, as docs/operating/keys.md tells it."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.fetch import FolderFetcher
from tests.cli.conftest import Tamizdat
from tests.edition.papers import SITE, Stories, edition, make_story

NAMES = ("anna", "ben", "cleo")


def passphrases(folder: Path) -> list[str]:
    """``--passphrase-file`` for each holder."""
    options = []
    for name in (*NAMES, "dora"):
        (folder / f"{name}.txt").write_text(f"six random words of {name}\n")
    for name in NAMES:
        options += ["--passphrase-file", str(folder / f"{name}.txt")]
    return options


def ceremony(tamizdat: Tamizdat, folder: Path, request: str, *names: str) -> str:
    """Two holders sign a request, and it is finished."""
    signed = []
    for name in names:
        said = tamizdat(
            "keys", "sign", request, "--key", f"sticks/{name}.key",
            "--passphrase-file", f"{name}.txt", "--json",
        )  # fmt: skip
        signed.append(json.loads(said.stdout)["signed"])
    return tamizdat("keys", "finish", *signed, "--dir", folder).stdout


@pytest.mark.slow
@pytest.mark.timeout(400)  # Each passphrase costs a second by design, more where others work.
def test_keys_are_made_replaced_and_the_archive_sealed(
    tamizdat: Tamizdat, folder: Path, tmp_path: Path
) -> None:
    said = tamizdat("keys", "status", "--dir", folder, code=1)
    assert "tamizdat keys init" in said.stdout
    paper = edition(folder / "edition")
    paper.build(Stories([make_story(n) for n in range(5)]), SITE)
    options = passphrases(tmp_path)
    made = tamizdat("keys", "init", "--dir", folder, "--out", "sticks", *options).stdout
    assert "carried away by anna" in made
    fingerprint = made.strip().splitlines()[-1].strip()
    for private in ("sticks/anna.key", folder / "secrets" / "online-key"):
        assert stat.S_IMODE((tmp_path / private).stat().st_mode) == 0o600
    assert "already" in tamizdat("keys", "init", "--dir", folder, *options, code=1).stderr

    status = json.loads(tamizdat("keys", "status", "--dir", folder, "--json").stdout)
    assert status["fingerprint"] == fingerprint
    assert status["signed"] == status["edition"] == 1
    assert status["todo"] == []
    assert {role["name"]: role["threshold"] for role in status["roles"]} == {
        "root": 2, "targets": 2, "archive": 2, "live": 1, "snapshot": 1, "timestamp": 1,
    }  # fmt: skip

    tamizdat("keys", "new", "dora", "--out", "sticks/dora.key", "--passphrase-file", "dora.txt")
    tamizdat("keys", "revoke", "anna", "--new-key", "sticks/dora.key", "--dir", folder)
    assert "of anna counts no more" in ceremony(tamizdat, folder, "revoke-anna.json", "ben", "cleo")

    tamizdat("archive", "seal", "prepare", "--dir", folder)
    signed = []
    for name in ("dora", "ben"):
        tamizdat(
            "archive", "seal", "sign", "seal.json", "--key", f"sticks/{name}.key",
            "--passphrase-file", f"{name}.txt", "--copy", folder / "edition",
        )  # fmt: skip
        signed.append(f"seal.{name}.json")
    done = tamizdat("archive", "seal", "finish", *signed, "--dir", folder).stdout
    assert "The archive is sealed" in done
    assert "Nothing to be done" in tamizdat("keys", "status", "--dir", folder).stdout

    exported = json.loads(tamizdat("keys", "export", "--dir", folder).stdout)
    first = (folder / "edition" / "metadata" / "1.root.json").read_bytes()
    for number, root in enumerate((first, json.dumps(exported["root"]).encode())):
        reader = SignedReader(FolderFetcher(folder / "edition"), tmp_path / f"r{number}", root)
        assert reader.find("/en/").index == "archive"
        found = paper.read("/en/")
        assert found is not None
        assert reader.read("/en/") == found.data


def test_what_is_asked_wrongly_is_said_and_nothing_changes(
    tamizdat: Tamizdat, folder: Path, tmp_path: Path
) -> None:
    assert "no keys yet" in tamizdat("keys", "renew", "--dir", folder, code=1).stderr
    short = tmp_path / "short.txt"
    short.write_text("secret\n")
    files = ["--passphrase-file", str(short)] * 3
    said = tamizdat("keys", "init", "--dir", folder, *files, code=1)
    assert "12 characters" in said.stderr
    said = tamizdat("keys", "init", "--dir", folder, "--holders", "anna,ben", code=1)
    assert "name 3 holders" in said.stderr
    assert not (folder / "edition" / "metadata").exists()
    assert not (folder / "secrets" / "online-key").exists()
    other = tmp_path / "letter.json"
    other.write_text("{}")
    said = tamizdat("keys", "sign", other, "--key", short, code=1)
    assert "not a request" in said.stderr
