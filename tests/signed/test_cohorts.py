# SPDX-License-Identifier: AGPL-3.0-or-later
"""Each cohort learns its own mirrors, and nobody learns all of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tamizdat.edition.signed import cohorts, layout, programs
from tamizdat.edition.signed.errors import BadFormatError, KeyFileError
from tamizdat.edition.signed.told import Mirror, mirrors_json, site_json
from tests.edition.papers import SITE
from tests.signed.newsroom import Newsroom
from tests.signed.test_programs import facts
from tests.signed.test_vectors import BLOBS, VECTORS

MIRRORS = [
    Mirror("https://all.example/"),
    Mirror("https://n1.example/", "north"),
    Mirror("https://n2.example/", "north"),
    Mirror("https://s1.example/", "south"),
]


def said(folder: Path, mirrors: list[Mirror] = MIRRORS) -> dict[str, object]:
    found: dict[str, object] = json.loads(mirrors_json(mirrors, folder))
    return found


def test_the_list_tells_a_stranger_nothing_of_the_cohorts_mirrors(tmp_path: Path) -> None:
    told = mirrors_json(MIRRORS, tmp_path)
    for hidden in (b"n1.example", b"s1.example", b"north", b"south"):
        assert hidden not in told
    assert json.loads(told)["mirrors"] == [{"url": "https://all.example/", "cohort": ""}]
    more = [*MIRRORS, Mirror("https://s2.example/", "south")]
    assert len(told) == len(mirrors_json(more, tmp_path)), "nor how many a cohort has"
    seeds = site_json("The Lantern", SITE, [], MIRRORS)
    assert b"n1.example" not in seeds
    assert b"all.example" in seeds


def test_each_cohort_opens_its_own_list_and_no_other(tmp_path: Path) -> None:
    found = said(tmp_path)
    north, south = (cohorts.cohort(cohorts.secret(tmp_path), name) for name in ("north", "south"))
    assert cohorts.urls(north, found) == ["https://n1.example/", "https://n2.example/"]
    assert cohorts.urls(south, found) == ["https://s1.example/"]
    with pytest.raises(BadFormatError):
        cohorts.urls(north._replace(identifier=south.identifier), found)
    elsewhere = cohorts.cohort(cohorts.secret(tmp_path / "another"), "north")
    assert cohorts.urls(elsewhere, found) == []
    assert cohorts.of(north.told) == north


def test_the_same_mirrors_give_the_same_bytes(tmp_path: Path) -> None:
    assert mirrors_json(MIRRORS, tmp_path) == mirrors_json(MIRRORS, tmp_path)
    assert (tmp_path / cohorts.FILE).stat().st_mode & 0o777 == 0o600


def test_a_damaged_secret_is_not_replaced_in_silence(tmp_path: Path) -> None:
    (tmp_path / cohorts.FILE).write_text("11")
    with pytest.raises(KeyFileError, match="backup"):
        mirrors_json(MIRRORS, tmp_path)


def test_the_vectors_of_cohorts() -> None:
    mirrors = json.loads(BLOBS[VECTORS["cohorts"]["mirrors"]])
    own = {
        one["told"]: one["urls"][:-1]
        for one in VECTORS["cohorts"]["readers"]
        if len(one["urls"]) > 1
    }
    assert len(own) == 2
    for told, urls in own.items():
        found = cohorts.of(told)
        assert found is not None
        assert cohorts.urls(found, mirrors) == urls


def test_the_readers_of_a_cohort_come_with_its_mirrors_and_its_key(tmp_path: Path) -> None:
    room = Newsroom(tmp_path, mirrors=MIRRORS).found().build(2)
    north = cohorts.cohort(cohorts.secret(tmp_path / "secrets"), "north")
    folder = room.desk.folder.path
    for_north, for_all = programs.worker(folder, north), programs.worker(folder)
    assert for_north is not None
    assert for_all is not None
    expected = ["https://n1.example/", "https://n2.example/", "https://all.example/"]
    assert facts(for_north)["mirrors"] == expected
    assert facts(for_north)["cohort"] == north.told
    assert facts(for_all)["mirrors"] == ["https://all.example/"]
    assert facts(for_all)["cohort"] == ""
    assert for_north.partition(b"\n")[2] == for_all.partition(b"\n")[2]
    assert north.told.encode() in (programs.single_file(folder, north) or b"")
    assert b"s1.example" not in (programs.single_file(folder, north) or b"")


def test_a_new_mirror_of_a_cohort_is_told_at_once(tmp_path: Path) -> None:
    room = Newsroom(tmp_path, mirrors=MIRRORS[:2]).found().build(2)
    room.mirrors = tuple(MIRRORS)
    assert room.paper.resign(), "readers need not wait for a publication"
    north = cohorts.cohort(cohorts.secret(tmp_path / "secrets"), "north")
    listed = json.loads(room.reader("iva").target(layout.MIRRORS))
    assert "https://n2.example/" in cohorts.urls(north, listed)
