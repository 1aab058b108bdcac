# SPDX-License-Identifier: AGPL-3.0-or-later
"""The key that letters are sealed to is signed by the holders, and its owner hears when it is not
the one that opens them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tamizdat import letterbox
from tamizdat.cli import signing
from tamizdat.cli.folder import start_folder
from tamizdat.cli.keys_status import status_of
from tamizdat.config import Newsroom
from tamizdat.edition.signed import ceremony, keys

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    return start_folder(
        tmp_path / "observer",
        name="The Observer",
        address="https://observer.example",
        languages=("en",),
        timezone="UTC",
    )


@pytest.fixture
def signed(newsroom: Newsroom) -> Newsroom:
    holders = {name: keys.generate() for name in ("anna", "ben", "cleo")}
    ceremony.found(signing.desk_of(newsroom), holders, signing.wanted_site(newsroom), NOW)
    return newsroom


def told(newsroom: Newsroom) -> list[str]:
    """What is to be done about letters and site.json."""
    return [line for line in status_of(newsroom).todo if "letter" in line or "site.json" in line]


def test_the_holders_sign_the_recipient_of_letters(signed: Newsroom) -> None:
    site = json.loads(ceremony.present_site(signing.desk_of(signed)))
    assert site["recipient"] == letterbox.recipient(signed)
    assert told(signed) == []


def test_another_letterbox_key_waits_for_the_holders(signed: Newsroom) -> None:
    key = signed.secrets / "letterbox-key"
    key.rename(signed.secrets / "letterbox-key.1")
    letterbox.ensure_keys(signed)
    said = told(signed)
    assert len(said) == 1
    assert "another key than secrets/letterbox-key" in said[0]
    assert "tamizdat keys site" in said[0]


def test_a_damaged_letterbox_key_is_named_not_thrown(signed: Newsroom) -> None:
    (signed.secrets / "letterbox-key").write_text("x" * 80)
    assert any("letterbox-key is damaged" in line for line in told(signed))


def test_a_newsroom_from_before_letters_is_asked_for_a_signature_calmly(
    newsroom: Newsroom,
) -> None:
    holders = {name: keys.generate() for name in ("anna", "ben", "cleo")}
    site = json.loads(signing.wanted_site(newsroom)) | {"recipient": ""}
    ceremony.found(signing.desk_of(newsroom), holders, json.dumps(site).encode(), NOW)
    assert told(newsroom) == ["site.json is outdated: prepare tamizdat keys site"]
