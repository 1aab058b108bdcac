# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's lying mirror lies as it says, and its settings stay in order."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import brotli
import pytest

from tamizdat.cli.demo_mirrors import FORGED, demo_mirrors, forge
from tamizdat.config import Newsroom

PAGE = b"<html><head><title>T</title></head><body><h1 class=a>A bridge is opened</h1></body></html>"


@pytest.mark.parametrize("packed", [False, True])
def test_a_forged_page_says_another_thing_at_the_same_length(packed: bool) -> None:
    made = forge(brotli.compress(PAGE) if packed else PAGE, packed)
    page = brotli.decompress(made) if packed else made
    assert len(page) == len(PAGE)
    assert b"<h1 class=a>" + FORGED[:18] + b"</h1>" in page


def test_what_is_no_page_is_passed_on() -> None:
    assert forge(b"\x89PNG no headline", False) == b"\x89PNG no headline"


@pytest.mark.enable_socket
def test_mirrors_stand_in_the_settings_and_move_where_a_port_is_taken(folder: Path) -> None:
    with demo_mirrors(Newsroom(folder), 18_900) as first:
        before = {mirror.name: mirror.settings.url for mirror in first.all}
        with demo_mirrors(Newsroom(folder), 18_900) as second:
            after = {mirror.name: mirror.settings.url for mirror in second.all}
    assert {mirror.name: mirror.url for mirror in Newsroom(folder).settings.mirrors} == after
    ports = [urlsplit(url).port for url in (*before.values(), *after.values())]
    assert len(set(ports)) == 6
