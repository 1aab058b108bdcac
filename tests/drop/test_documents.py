# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is written about the drop's settings is so, and its folder is made as it is said."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tamizdat.cli.drop_folder import toml
from tamizdat.drop.errors import DropSettingsError
from tamizdat.drop.settings import (
    DropFolder,
    GivingSettings,
    Limits,
    Newsletter,
    Provider,
    Settings,
)
from tests.drop.machines import SETTINGS, make_folder

PAGE = Path(__file__).parent.parent.parent / "docs" / "operating" / "drop.md"


@pytest.mark.parametrize(
    ("struct", "heading"),
    [(Settings, "setting"), (Limits, "of `[limits]`"), (GivingSettings, "of `[giving]`")],
)
def test_settings_and_defaults_are_documented(struct: type[Any], heading: str) -> None:
    section = PAGE.read_text().split(f"\n| {heading}", 1)[1].split("\n\n", 1)[0]
    said = dict(re.findall(r"^\| `([a-z_]+)` \| (.+?) \|", section, re.MULTILINE))
    wanted = {}
    for field in msgspec.structs.fields(struct):
        if field.required:
            wanted[field.name] = "must be given"
        elif field.name in ("limits", "names", "giving"):
            wanted[field.name] = "`{}`"
        else:
            wanted[field.name] = f"`{json.dumps(field.default)}`"
    assert said == wanted


def test_the_file_that_is_written_is_the_one_that_is_read(tmp_path: Path) -> None:
    settings = Settings(
        name='The "Lamp" — Лампа',
        names={"en": 'The "Lamp"', "ru": "Лампа"},
        paper="https://lamp.example",
        recipients=tuple(SETTINGS["recipients"]),
        collector=SETTINGS["collector"],
        webhooks=(Provider(name="piggybank", headers=("a", "b")), Provider(name="jar")),
        newsletters=(Newsletter(slug="weekly", titles={"en": "Weekly", "pt-BR": "S"}),),
        limits=Limits(free=7),
    )
    (tmp_path / "drop.toml").write_text(toml(settings))
    assert DropFolder(tmp_path).settings == settings


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recipients": []}, "recipients must name at least one"),
        ({"recipients": ["age1nonsense"]}, "no age recipient"),
        ({"collector": "zz"}, "64 hex digits"),
        ({"languages": []}, "languages"),
        ({"names": {"not a language": "Meridian"}}, "names"),
        ({"accent": "red"}, "no colour"),
        ({"hosts": ["Drop.example:443"]}, "no host name"),
        ({"trusted_proxies": ["localhost"]}, "no address or network"),
        ({"reserve": 2**30}, "half of cap"),
        ({"webhooks": [{"name": "Piggy Bank"}]}, "a-z, 0-9"),
        ({"webhooks": [{"name": "a", "headers": ["X-Up"]}]}, "lower case"),
        ({"newsletters": [{"slug": "Week ly"}]}, "a-z, 0-9"),
        ({"privacy_page": "privacy.html"}, "https://"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_words(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(DropSettingsError, match=said):
        make_folder(tmp_path, **change)


def test_what_is_no_drop_is_said(tmp_path: Path) -> None:
    with pytest.raises(DropSettingsError, match="tamizdat drop init"):
        DropFolder(tmp_path)
    (tmp_path / "drop.toml").write_text("unknown = 1")
    with pytest.raises(DropSettingsError, match="unknown"):
        DropFolder(tmp_path)
