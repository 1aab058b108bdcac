# SPDX-License-Identifier: AGPL-3.0-or-later
"""``tamizdat vault``: a person's rights, and the worst day, at the command line."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pyrage

from tamizdat.desk.readers.keyring import open_keyring
from tests.cli.one_process import commands

NAME = "The Observer Of Orlenz"
STATUS: list[str | Path] = ["vault", "status", "--json"]
FILL = """
from django.conf import settings
from tamizdat.desk.readers import consents
from tamizdat.desk.readers.vault import Vault
vault = Vault.open(settings.NEWSROOM)
ada = vault.add("Ada@post.example", "en")
asked = consents.ask(reader=ada, purpose="newsletter", subject="weekly", form="article",
                     privacy=1, language="en")
consents.confirm(asked=asked, token="t", form="mail", language="en")
for number in range(20):
    vault.add(f"reader{number}@post.example", "en")
"""


def test_the_operators_key_is_shown_once_or_only_its_public_half_is_taken(
    started: tuple[Path, dict[str, Any]], folder: Path, environment: dict[str, str]
) -> None:
    identity = started[1]["operator_identity"]
    assert identity.startswith("AGE-SECRET-KEY-1")
    assert not [p for p in folder.rglob("*") if p.is_file() and identity.encode() in p.read_bytes()]
    operator = pyrage.x25519.Identity.generate()
    given = ("--operator-recipient", str(operator.to_public()))
    again, found, other, refused = commands(
        folder,
        environment,
        ["init", folder, "--user", "anna", "--json"],
        STATUS,
        ["init", folder, "--user", "anna", *given, "--json"],
        ["init", folder, "--user", "anna", "--operator-recipient", "age1nonsense"],
    )
    assert again.json["operator_identity"] is None
    assert (found.json["ok"], found.json["vault"], found.json["key_version"]) == (True, "open", 1)
    assert other.json["operator_identity"] is None
    assert open_keyring((folder / "secrets" / "vault-key.age").read_bytes(), operator).current == 1
    assert (refused.code, "is not an age recipient" in refused.err) == (1, True)


def test_what_opens_the_vault_leaves_no_core_file(
    folder: Path, environment: dict[str, str]
) -> None:
    say = "import resource; print(resource.getrlimit(resource.RLIMIT_CORE))"
    _, said = commands(folder, environment, STATUS, say)
    assert said.out.strip() == "(0, 0)"


def test_a_person_gets_everything_and_is_forgotten(
    folder: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    page, ada = tmp_path / "ada.html", "ada@POST.example"
    _, _, told, _, erased, after, nobody, wrong = commands(
        folder,
        environment,
        STATUS,
        FILL,
        ["vault", "export", ada, "--json"],
        ["vault", "export", ada, "--format", "html", "--out", page],
        ["vault", "erase", ada, "--json"],
        ["vault", "export", ada],
        ["vault", "erase", "nobody@post.example"],
        ["vault", "erase", "nobody"],
    )
    assert told.json["parts"][0]["records"][0]["address"] == "Ada@post.example"
    assert f"<h1>What {NAME} holds about {ada}" in page.read_text()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    receipt = erased.json
    assert [part["title"] for part in receipt["erased"]] == ["Your address"]
    assert [kept["what"] for kept in receipt["kept"]] == [
        "Proof of consent",
        "Fingerprint of the address",
    ]
    assert "Ada@" not in after.out
    assert "We hold nothing about this address." in nobody.out
    assert (wrong.code, "no mail address" in wrong.err) == (1, True)


def test_the_key_is_changed_and_everybody_is_still_found(
    folder: Path, environment: dict[str, str]
) -> None:
    _, _, done, begun, during, _, found, rules, unknown = commands(
        folder,
        environment,
        STATUS,
        FILL,
        ["vault", "rotate", "--json"],
        ["vault", "rotate", "--background", "--json"],
        STATUS,
        ["vault", "rotate"],
        STATUS,
        ["vault", "retention", "--run", "--json"],
        ["vault", "retention", "--run", "--yes", "everything"],
    )
    assert (done.json["version"], done.json["sealed"], done.json["done"]) == (2, 21, True)
    assert (begun.json["version"], begun.json["done"]) == (3, False)
    assert (during.json["rotating"], during.json["remaining"]) == (True, 21)
    assert (found.json["rotating"], found.json["key_version"], found.json["lost"]) == (False, 3, 0)
    assert {rule["rule"] for rule in rules.json["rules"]} >= {"unconfirmed", "withdrawn"}
    assert (unknown.code, "there is no rule" in unknown.err) == (1, True)


def test_shredding_takes_an_instant_and_the_desk_goes_on(
    folder: Path, environment: dict[str, str]
) -> None:
    shred: list[str | Path] = ["vault", "shred", "--json", "--yes-shred"]
    _, _, refused, open_, done, found, lost, published, again, shut, begun, anew = commands(
        folder,
        environment,
        STATUS,
        FILL,
        [*shred, "yes"],
        STATUS,
        [*shred, NAME],
        STATUS,
        ["vault", "export", "ada@post.example"],
        ["publish", "--all"],
        ["init", folder, "--user", "anna", "--json"],
        STATUS,
        ["vault", "begin", "--json"],
        STATUS,
    )
    assert (refused.code, "nothing was destroyed" in refused.err) == (1, True)
    assert open_.json["vault"] == "open"
    assert done.json["seconds"] < 1.0
    assert (len(done.json["destroyed"]), done.json["noted"], done.json["copies"]) == (3, True, [])
    assert (found.json["vault"], found.json["lost"], found.code) == ("shredded", 21, 1)
    assert (lost.code, "the vault is shut" in lost.err) == (1, True)
    assert (published.code, again.code) == (0, 0)
    assert shut.json["vault"] == "shredded", "nobody makes a new key unasked"
    assert begun.json["ok"]
    assert (anew.json["vault"], anew.json["key_version"], anew.json["lost"]) == ("open", 2, 21)
