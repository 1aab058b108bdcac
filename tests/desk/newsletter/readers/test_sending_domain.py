# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keys to sign with, and what the doctor is told of the newsroom."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tamizdat.cli import cli, newsletter_doctor
from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.newsletter.sending_domain import make_key, setup_of
from tamizdat.mail.errors import SigningError
from tamizdat.mail.records import Records
from tamizdat.mail.standing import judge
from tests.desk.newsletter.readers.conftest import Desk


@pytest.mark.parametrize("algorithm", ["rsa", "ed25519"])
def test_a_key_that_was_made_and_published_is_found_to_be_ours(desk: Desk, algorithm: str) -> None:
    name, key = make_key(desk.newsroom, "meridian.example", "2026a", algorithm)
    assert (desk.newsroom.secrets / name).stat().st_mode & 0o077 == 0
    toml = desk.newsroom.settings_file
    toml.write_text(
        f'{toml.read_text()}[[mail.dkim]]\ndomain = "meridian.example"\nselector = "2026a"\n'
        f'key = "{name}"\n'
    )
    setup = setup_of(Newsroom(desk.newsroom.folder))
    assert setup.senders == ("meridian.example",)
    published = Records(f'{key.name}. IN TXT "{key.record[:200]}" "{key.record[200:]}"')
    found = [f for f in judge(setup, published) if f.name == "dkim"]
    assert found[0].level == "fine"
    assert ("Ed25519" in found[-1].what) is (algorithm == "ed25519")


def test_no_key_takes_the_place_of_another(desk: Desk) -> None:
    make_key(desk.newsroom, "meridian.example", "2026a", "ed25519")
    with pytest.raises(ConfigError, match="choose another"):
        make_key(desk.newsroom, "meridian.example", "2026a", "ed25519")


@pytest.mark.parametrize(("domain", "selector"), [("../x", "a"), ("x.example", "../a")])
def test_a_name_that_is_none_makes_no_key(desk: Desk, domain: str, selector: str) -> None:
    with pytest.raises((ConfigError, SigningError)):
        make_key(desk.newsroom, domain, selector, "ed25519")
    assert list(desk.newsroom.secrets.glob("dkim-*")) == []


def test_how_to_ask_is_said_to_who_has_not_asked(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newsletter_doctor, "start_django", lambda folder: desk.newsroom)
    said = CliRunner().invoke(cli, ["newsletter", "doctor"]).stdout
    assert "dig " in said
    (tmp_path / "records.txt").write_text('meridian.example. IN TXT "v=spf1 -all"\n')
    records = str(tmp_path / "records.txt")
    said = CliRunner().invoke(cli, ["newsletter", "doctor", "--records", records]).stdout
    assert "spf" in said
    assert "dig " not in said


def test_an_address_that_is_none_is_said(desk: Desk) -> None:
    with pytest.raises(ConfigError, match="no address"):
        setup_of(desk.newsroom, ("192.0.2",))
