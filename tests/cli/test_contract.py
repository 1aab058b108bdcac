# SPDX-License-Identifier: AGPL-3.0-or-later
"""The documents are the contract: what they say of commands and settings is so."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest
from click.testing import CliRunner

from tamizdat.cli import COMMANDS, cli
from tamizdat.cli.archive import seal
from tamizdat.cli.backup import backup
from tamizdat.cli.contributions import contributions
from tamizdat.cli.desk import desk
from tamizdat.cli.desk_audit import audit
from tamizdat.cli.desk_user import user
from tamizdat.cli.drop import drop
from tamizdat.cli.edition import edition
from tamizdat.cli.keys import keys_
from tamizdat.cli.mirror import mirror
from tamizdat.cli.newsletter import newsletter
from tamizdat.cli.vault import vault
from tamizdat.config import (
    CohortSettings,
    DeskSettings,
    DkimSettings,
    DomainLimit,
    DropSettings,
    GivingSettings,
    LettersSettings,
    MailSettings,
    MirrorSettings,
    OfferSettings,
    PaperSettings,
    ProviderSettings,
    RelaySettings,
    Settings,
    VaultSettings,
)

TOP = Path(__file__).parent.parent.parent
sys.path.insert(0, str(TOP / "scripts"))

from docs_help import MARKED, with_help  # noqa: E402


def every_command() -> Iterator[str]:
    yield ""
    yield from COMMANDS
    yield from (f"edition {name}" for name in edition.commands)
    yield from (f"mirror {name}" for name in mirror.commands)
    yield from (f"desk {name}" for name in desk.commands)
    yield from (f"desk user {name}" for name in user.commands)
    yield from (f"drop {name}" for name in drop.commands)
    yield from (f"desk audit {name}" for name in audit.commands)
    yield from (f"keys {name}" for name in keys_.commands)
    yield from (f"newsletter {name}" for name in newsletter.commands)
    yield from (f"contributions {name}" for name in contributions.commands)
    yield from (f"vault {name}" for name in vault.commands)
    yield from (f"backup {name}" for name in backup.commands)
    yield from ("archive seal", *(f"archive seal {name}" for name in seal.commands))


def test_the_documented_help_is_what_the_program_prints() -> None:
    page = (TOP / "docs" / "cli.md").read_text()
    assert with_help(page) == page, "run: python scripts/docs_help.py"


def test_every_command_is_documented() -> None:
    page = (TOP / "docs" / "cli.md").read_text()
    assert {found["words"] for found in MARKED.finditer(page)} == set(every_command())


@pytest.mark.parametrize("name", COMMANDS)
def test_the_short_help_in_the_list_is_the_commands_own(name: str) -> None:
    command = cli.get_command(click.Context(cli), name)
    assert command is not None
    assert (command.help or "").split("\n\n")[0].replace("\n", " ").strip() == COMMANDS[name][1]


def test_help_starts_without_django_or_wagtail() -> None:
    code = (
        "import sys; from tamizdat.cli import run; run(['--help']); "
        "sys.exit(any(m in sys.modules for m in ('django', 'wagtail', 'granian', 'jinja2')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def _documented(page: str, heading: str) -> dict[str, str]:
    section = page.split(f"## {heading}", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+?) \|", section, re.MULTILINE)
    return dict(rows)


@pytest.mark.parametrize(
    ("heading", "struct"),
    [
        ("The file", Settings),
        ("`[desk]`", DeskSettings),
        ("`[paper]`", PaperSettings),
        ("`[vault]`", VaultSettings),
        ("`[[mirrors]]`", MirrorSettings),
        ("`[[cohorts]]`", CohortSettings),
        ("`[[drops]]`", DropSettings),
        ("`[letters]`", LettersSettings),
        ("`[mail]`", MailSettings),
        ("`[[mail.dkim]]`", DkimSettings),
        ("`[[mail.domains]]`", DomainLimit),
        ("`[[relays]]`", RelaySettings),
        ("`[giving]`", GivingSettings),
        ("`[[giving.providers]]`", ProviderSettings),
        ("`[[giving.offers]]`", OfferSettings),
    ],
)
def test_settings_and_defaults_are_documented(heading: str, struct: type[Any]) -> None:
    tables = (
        *("desk", "paper", "vault", "mirrors", "cohorts", "drops", "letters", "mail", "relays"),
        *("giving", "providers", "offers"),
    )
    fields = [f for f in msgspec.structs.fields(struct) if f.name not in tables]
    wanted = {
        f.name: "must be given" if f.required else f"`{json.dumps(f.default, ensure_ascii=False)}`"
        for f in fields
    }
    assert _documented((TOP / "docs" / "settings.md").read_text(), heading) == wanted


def test_an_unknown_command_is_a_wrong_question() -> None:
    assert CliRunner().invoke(cli, ["there-is-none"]).exit_code == 2
