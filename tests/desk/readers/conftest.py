# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom of the test's own with a vault, and the operator who holds its other key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pyrage
import pytest

from tamizdat.config import Newsroom
from tamizdat.desk.readers import actions, keyring
from tamizdat.desk.readers.vault import Vault


class Made(NamedTuple):
    newsroom: Newsroom
    operator: pyrage.x25519.Identity
    vault: Vault


def make_newsroom(folder: Path) -> Newsroom:
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(
        'name = "The Meridian"\naddress = "https://meridian.example"\n'
    )
    return Newsroom(folder)


@pytest.fixture
def made(db: None, tmp_path: Path, settings: Any) -> Made:
    newsroom = make_newsroom(tmp_path / "newsroom")
    settings.NEWSROOM = newsroom
    operator = pyrage.x25519.Identity.generate()
    keyring.found(newsroom, operator.to_public())
    return Made(newsroom, operator, actions.begin_vault(newsroom=newsroom))


@pytest.fixture
def vault(made: Made) -> Vault:
    return made.vault
