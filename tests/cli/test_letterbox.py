# SPDX-License-Identifier: AGPL-3.0-or-later
"""The keys to the letterboxes, and the tables that say where those are."""

from __future__ import annotations

import stat
from pathlib import Path

import pyrage
import pytest

from tamizdat import letterbox
from tamizdat.cli.folder import start_folder
from tamizdat.config import ConfigError, Newsroom
from tamizdat.drop.envelope import open_sealed, seal, submission


@pytest.fixture
def newsroom(tmp_path: Path) -> Newsroom:
    return start_folder(
        tmp_path / "news",
        name="The Observer",
        address="https://observer.example",
        languages=("en",),
        timezone="UTC",
    )


def test_a_new_newsroom_has_keys_that_nobody_else_may_read(newsroom: Newsroom) -> None:
    for name in ("letterbox-key", "collector-key"):
        assert stat.S_IMODE((newsroom.secrets / name).stat().st_mode) == 0o600
    assert letterbox.recipient(newsroom).startswith("age1")
    assert len(bytes.fromhex(letterbox.collector_public(newsroom))) == 32


def test_keys_that_are_there_stay(newsroom: Newsroom) -> None:
    before = letterbox.recipient(newsroom), letterbox.collector_public(newsroom)
    letterbox.ensure_keys(newsroom)
    assert (letterbox.recipient(newsroom), letterbox.collector_public(newsroom)) == before


def test_what_was_sealed_to_an_older_key_can_still_be_opened(newsroom: Newsroom) -> None:
    keys = []
    for number in (10, 9, 1):
        keys.append(old := pyrage.x25519.Identity.generate())
        (newsroom.secrets / f"letterbox-key.{number}").write_text(f"{old}\n")
    message = submission("message", "en", {"text": "Sealed last year."})
    sealed = seal(message, [keys[0].to_public()])
    found = letterbox.identities(newsroom)
    assert open_sealed(sealed, found) == message
    assert [str(key) for key in found[1:]] == [str(key) for key in reversed(keys)]


@pytest.mark.parametrize("name", ["letterbox-key", "collector-key"])
def test_a_damaged_or_missing_key_is_named(newsroom: Newsroom, name: str) -> None:
    read = letterbox.recipient if name == "letterbox-key" else letterbox.collector_public
    (newsroom.secrets / name).write_text("x" * 80)
    with pytest.raises(ConfigError, match=rf"{name} is damaged: restore it"):
        read(newsroom)
    (newsroom.secrets / name).unlink()
    with pytest.raises(ConfigError, match=rf"{name} is missing"):
        read(newsroom)


@pytest.mark.parametrize(
    ("tables", "problem"),
    [
        ('[[drops]]\nname = "a"', "needs a url, a folder or both"),
        ('[[drops]]\nurl = "https://a.example"', "must be named in a-z"),
        ('[[drops]]\nname = "a"\nurl = "http://a.example"', "must begin with https://"),
        ('[[drops]]\nname = "a"\nurl = "https://a.example/path"', "name a host alone"),
        ('[[drops]]\nname = "a"\nurl = "https://me@a.example"', "name a host alone"),
        ('[[drops]]\nname = "a"\nfolder = "drop"', "must be a whole path"),
        ('[[drops]]\nname = "a"\nfolder = "/a"\n[[drops]]\nname = "a"\nfolder = "/b"', "two drops"),
        ("[letters]\nkeep_days = 0", "keep_days"),
    ],
)
def test_tables_that_make_no_sense_are_refused_in_words(
    newsroom: Newsroom, tables: str, problem: str
) -> None:
    file = newsroom.settings_file
    file.write_text(f"{file.read_text()}\n{tables}\n")
    with pytest.raises(ConfigError, match=problem):
        Newsroom(newsroom.folder)


@pytest.mark.parametrize(
    "url",
    ["https://a.example", "https://a.example:8443/", "http://127.0.0.1:8002", "http://abc.onion/"],
)
def test_a_drop_may_stand_anywhere_that_is_safe(newsroom: Newsroom, url: str) -> None:
    file = newsroom.settings_file
    file.write_text(f'{file.read_text()}\n[[drops]]\nname = "a"\nurl = "{url}"\n')
    assert Newsroom(newsroom.folder).settings.drops[0].url == url
