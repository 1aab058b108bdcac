# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small signed paper in three languages, and its bundles."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tamizdat.edition.bundle import Limits, Printed, print_bundles
from tests.reader.copies import Room


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Room:
    """Nobody changes it: stories 1, 2, 3 in three languages with a picture each, 4 withdrawn,
    5 without a picture."""
    return Room(tmp_path_factory.mktemp("room"), []).open_paper()


class Bundles(dict[str, Printed]):
    """By form; a test that fails does not print their megabytes."""

    def __repr__(self) -> str:
        return f"bundles in {', '.join(self)}"


@pytest.fixture(scope="session")
def bundles(room: Room) -> Mapping[str, Printed]:
    return Bundles(printed(room.desk.folder.path, room))


def printed(edition: Path, room: Room, limits: Limits | None = None) -> dict[str, Printed]:
    """The bundles of an edition by their form."""
    made = print_bundles(edition, limits or Limits(), room.clock)
    return {one.form: one for one in made}
