# SPDX-License-Identifier: AGPL-3.0-or-later
"""A letterbox is made from a newsroom, and can be given away."""

from __future__ import annotations

import json
from pathlib import Path

from tamizdat.config import Newsroom
from tamizdat.drop.settings import DropFolder
from tamizdat.letterbox import collector_public, recipient
from tests.cli.conftest import Tamizdat


def test_a_letterbox_has_the_newsrooms_public_keys_and_no_secret(
    folder: Path, tmp_path: Path, tamizdat: Tamizdat
) -> None:
    box = tmp_path / "pier"
    done = tamizdat(
        "drop", "init", box, "--dir", folder, "--url", "https://Pier.example:8443", "--json"
    )
    assert json.loads(done.stdout)["hosts"] == ["pier.example"]
    newsroom = Newsroom(folder)
    made = DropFolder(box).settings
    assert made.recipients == (recipient(newsroom),)
    assert made.collector == collector_public(newsroom)
    assert made.languages == newsroom.settings.languages
    everything = b"".join(path.read_bytes() for path in box.rglob("*") if path.is_file())
    for secret in newsroom.secrets.iterdir():
        kept = secret.read_bytes().strip()
        assert not kept or kept not in everything
    assert b"AGE-SECRET-KEY" not in everything
    assert b"PRIVATE" not in everything
    assert (box / "drop.toml").stat().st_mode & 0o077 == 0
    status = json.loads(tamizdat("drop", "status", box, "--json").stdout)
    assert status == {
        "ok": True, "batches": 0, "open": 0, "bytes": 0, "cap": made.cap, "share": 0.0,
    }  # fmt: skip


def test_made_again_it_follows_the_newsroom_and_keeps_the_operators_changes(
    folder: Path, tmp_path: Path, tamizdat: Tamizdat
) -> None:
    box = tmp_path / "pier"
    tamizdat("drop", "init", box, "--dir", folder)
    file = box / "drop.toml"
    file.write_text(
        file.read_text()
        .replace("cap = 1073741824", "cap = 300000000")
        .replace("trusted_proxies = []", 'trusted_proxies = ["10.1.2.3"]')
    )
    settings = folder / "tamizdat.toml"
    settings.write_text(
        settings.read_text().replace('languages = ["en"]', 'languages = ["en", "ru"]')
    )
    (box / "spool" / "waits").write_text("x")
    tamizdat("drop", "init", box, "--dir", folder, "--url", "http://abc.onion")
    made = DropFolder(box).settings
    assert (made.cap, made.trusted_proxies) == (300_000_000, ("10.1.2.3",))
    assert made.languages == ("en", "ru")
    assert made.hosts == ("abc.onion",)
    assert (box / "spool" / "waits").exists()


def test_a_folder_of_something_else_is_left_alone(
    folder: Path, tmp_path: Path, tamizdat: Tamizdat
) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    done = tamizdat("drop", "init", tmp_path / "other", "--dir", folder, code=1)
    assert "name an empty folder" in done.stderr
    done = tamizdat("drop", "serve", tmp_path / "other", code=1)
    assert "is not a drop" in done.stderr
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["letter.txt"]


GIVING = """
[[giving.providers]]
kind = "stripe"
till = "stripe-till"
credentials = "stripe-desk"
webhook = "stripe-webhook"

[[giving.offers]]
kind = "monthly"
currency = "KWD"
amounts = ["1.500", "3"]
least = "0.5"
most = "100"
recommended = "3"
"""


def test_where_money_is_taken_the_tills_key_goes_along_and_no_other(
    folder: Path, tmp_path: Path, tamizdat: Tamizdat
) -> None:
    settings = folder / "tamizdat.toml"
    settings.write_text(settings.read_text() + GIVING)
    for name in ("stripe-till", "stripe-desk", "stripe-webhook"):
        (folder / "secrets" / name).write_text(f"rk_test_{name}_{'x' * 32}\n")
    box = tmp_path / "pier"
    tamizdat("drop", "init", box, "--dir", folder)
    key = box / "till-stripe"
    assert key.stat().st_mode & 0o777 == 0o600
    everything = b"".join(path.read_bytes() for path in box.rglob("*") if path.is_file())
    for secret in filter(Path.is_file, (folder / "secrets").iterdir()):
        kept = secret.read_bytes().strip()
        given = bool(kept) and kept in everything
        assert given == (secret.name == "stripe-till"), secret.name
    made = DropFolder(box).settings
    (offer,) = made.giving.offers
    assert (offer.amounts, offer.least, offer.recommended) == ((1500, 3000), 500, 3000)
    assert made.giving.entries == (Newsroom(folder).settings.address.rstrip("/"),)
    assert [(one.name, one.headers) for one in made.webhooks] == [("stripe", ("stripe-signature",))]
    file = box / "drop.toml"
    file.write_text(file.read_text().replace('"stripe-signature"', '"stripe-signature", "x-more"'))
    tamizdat("drop", "init", box, "--dir", folder)
    assert DropFolder(box).settings.webhooks[0].headers == ("stripe-signature", "x-more")
