# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat vault``: a person's rights, and the worst day, at the command line."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Tamizdat = Callable[..., subprocess.CompletedProcess[str]]
Python = Callable[[str], str]

FILL = """
from tamizdat.desk.readers import consents
from tamizdat.desk.readers.vault import Vault
from django.conf import settings
vault = Vault.open(settings.NEWSROOM)
ada = vault.add("Ada@post.example", "en")
asked = consents.ask(reader=ada, purpose="newsletter", subject="weekly", form="article",
                     privacy=1, language="en")
consents.confirm(asked=asked, token="t", form="mail", language="en")
for number in range(20):
    vault.add(f"reader{number}@post.example", "en")
"""


@pytest.fixture
def readers(folder: Path, environment: dict[str, str]) -> Python:
    """Runs Python inside the newsroom; it begins with 21 readers."""

    def run(code: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "tamizdat", "desk", "--dir", folder, "shell", "-v0", "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(FILL)
    return run


def test_a_new_newsroom_has_a_vault_and_the_operators_key_is_shown_once(
    started: tuple[Path, dict[str, Any]], tamizdat: Tamizdat
) -> None:
    folder, report = started
    identity = report["operator_identity"]
    assert identity.startswith("AGE-SECRET-KEY-1")
    assert not [p for p in folder.rglob("*") if p.is_file() and identity.encode() in p.read_bytes()]
    again = tamizdat("init", folder, "--user", "anna", "--json")
    assert json.loads(again.stdout)["operator_identity"] is None
    found = json.loads(tamizdat("vault", "status", "--dir", folder, "--json").stdout)
    assert (found["ok"], found["vault"], found["key_version"]) == (True, "open", 1)


def test_an_operator_who_has_a_key_gives_its_public_half(
    folder: Path, tamizdat: Tamizdat, tmp_path: Path
) -> None:
    import pyrage

    from tamizdat.desk.readers.keyring import open_keyring

    operator = pyrage.x25519.Identity.generate()
    given = ("--operator-recipient", str(operator.to_public()))
    told = json.loads(tamizdat("init", folder, *given, "--json").stdout)
    assert told["operator_identity"] is None
    sealed = (folder / "secrets" / "vault-key.age").read_bytes()
    assert open_keyring(sealed, operator).current == 1
    refused = tamizdat("init", folder, "--operator-recipient", "age1nonsense", code=1)
    assert "is not an age recipient" in refused.stderr


def test_a_person_gets_everything_and_is_forgotten(
    folder: Path, tamizdat: Tamizdat, readers: Python, tmp_path: Path
) -> None:
    in_it = ("--dir", folder)
    told = json.loads(tamizdat("vault", "export", "ada@POST.example", *in_it, "--json").stdout)
    assert told["parts"][0]["records"][0]["address"] == "Ada@post.example"
    page = tmp_path / "ada.html"
    tamizdat("vault", "export", "ada@post.example", *in_it, "--format", "html", "--out", page)
    assert "<h1>What The Observer Of Orlenz holds about ada@post.example" in page.read_text()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    receipt = json.loads(tamizdat("vault", "erase", "ada@post.example", *in_it, "--json").stdout)
    assert [part["title"] for part in receipt["erased"]] == ["Your address"]
    assert {kept["what"] for kept in receipt["kept"]} == {
        "Proof of consent",
        "Fingerprint of the address",
    }
    after = tamizdat("vault", "export", "ada@post.example", *in_it).stdout
    assert "Ada@" not in after
    nobody = tamizdat("vault", "erase", "nobody@post.example", *in_it).stdout
    assert "We hold nothing about this address." in nobody
    wrong = tamizdat("vault", "erase", "nobody", *in_it, code=1)
    assert "no mail address" in wrong.stderr


def test_the_key_is_changed_and_everybody_is_still_found(
    folder: Path, tamizdat: Tamizdat, readers: Python
) -> None:
    done = json.loads(tamizdat("vault", "rotate", "--dir", folder, "--json").stdout)
    assert (done["version"], done["sealed"], done["done"]) == (2, 21, True)
    begun = json.loads(
        tamizdat("vault", "rotate", "--dir", folder, "--background", "--json").stdout
    )
    assert (begun["version"], begun["done"]) == (3, False)
    found = json.loads(tamizdat("vault", "status", "--dir", folder, "--json").stdout)
    assert (found["rotating"], found["remaining"]) == (True, 21)
    tamizdat("vault", "rotate", "--dir", folder)
    found = json.loads(tamizdat("vault", "status", "--dir", folder, "--json").stdout)
    assert (found["rotating"], found["key_version"], found["lost"]) == (False, 3, 0)


def test_shredding_needs_the_papers_name_and_then_takes_an_instant(
    folder: Path, tamizdat: Tamizdat, readers: Python
) -> None:
    refused = tamizdat("vault", "shred", "--dir", folder, "--yes-shred", "yes", code=1)
    assert "nothing was destroyed" in refused.stderr
    assert (folder / "secrets" / "vault-key.age").exists()
    name = "The Observer Of Orlenz"
    done = json.loads(
        tamizdat("vault", "shred", "--dir", folder, "--yes-shred", name, "--json").stdout
    )
    assert done["seconds"] < 1.0
    assert len(done["destroyed"]) == 2
    assert done["noted"]
    found = json.loads(tamizdat("vault", "status", "--dir", folder, "--json", code=1).stdout)
    assert (found["vault"], found["lost"]) == ("shredded", 21)
    lost = tamizdat("vault", "export", "ada@post.example", "--dir", folder, code=1)
    assert "the vault is shut" in lost.stderr


def test_the_desk_goes_on_working_after_shredding_and_can_begin_anew(
    folder: Path, tamizdat: Tamizdat, readers: Python
) -> None:
    name = "The Observer Of Orlenz"
    tamizdat("vault", "shred", "--dir", folder, "--yes-shred", name)
    tamizdat("publish", "--all", "--dir", folder)
    again = tamizdat("init", folder, "--json")  # An upgrade does not make a new key unasked.
    assert json.loads(again.stdout)["operator_identity"] is None
    assert not (folder / "secrets" / "vault-key.age").exists()
    tamizdat("vault", "begin", "--dir", folder)
    found = json.loads(tamizdat("vault", "status", "--dir", folder, "--json").stdout)
    assert (found["vault"], found["key_version"], found["lost"]) == ("open", 2, 21)
    readers('from django.conf import settings; from tamizdat.desk.readers.vault import Vault; '
            'Vault.open(settings.NEWSROOM).add("new@post.example", "en")')  # fmt: skip
