# SPDX-License-Identifier: AGPL-3.0-or-later
"""The keys change while mirrors are pushed to and pulled from: everybody comes along."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tamizdat.edition.signed import ceremony, keys, layout
from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.errors import VerifyError
from tamizdat.edition.signed.fetch import FolderFetcher
from tamizdat.mirrors.errors import MirrorError
from tamizdat.mirrors.manifest import Manifest
from tamizdat.mirrors.ports import Target
from tamizdat.mirrors.pull import pull
from tamizdat.mirrors.push import Push, Report
from tamizdat.mirrors.source import Source
from tests.fakes.mirrors import MemoryTarget, failing_at
from tests.mirrors.conftest import make_place
from tests.signed.newsroom import Newsroom


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path / "room").found().build(2)


def push(room: Newsroom, target: Target) -> Report:
    with contextlib.closing(Manifest(room.folder / "noted.sqlite3")) as noted:
        return Push(target, noted, Source(room.desk.folder.path)).run()


def online(room: Newsroom) -> None:
    """The online key is replaced, as after a theft."""
    room.finish(ceremony.prepare_online(room.desk, room.now), "anna", "ben")


def holder(room: Newsroom) -> None:
    """One holder gives way to another."""
    key = keys.generate()
    new = keys.KeyFile(newsroom="", holder="dora", keyid="", public=keys.public_hex(key), secret="")
    room.finish(ceremony.prepare_holder(room.desk, "cleo", new, room.now), "anna", "ben")
    room.holders["dora"] = key


CHANGES: list[tuple[Callable[[Newsroom], None], ...]] = [(online,), (holder,), (online, holder)]


@pytest.mark.parametrize("kind", ["folder", "rsync", "s3"])
def test_a_mirror_its_readers_and_who_pulls_from_it_follow_new_keys(
    request: pytest.FixtureRequest, tmp_path: Path, room: Newsroom, kind: str
) -> None:
    (tmp_path / "secrets").mkdir(mode=0o700)
    place = make_place(request, kind, tmp_path, tmp_path / "secrets")
    volunteer = tmp_path / "volunteer"
    assert place.folder is not None
    with contextlib.closing(place.open()) as target:
        push(room, target)
        room.check(room.reader("iva", place.folder))
        pull(FolderFetcher(place.folder), volunteer, room.root, clock=room.clock)
        for number, change in enumerate((online, holder, online), start=2):
            change(room)
            push(room, target)
            assert (place.folder / f"metadata/{number}.root.json").is_file()
            assert not room.publish(10 + number)
            push(room, target)
            room.check(room.reader("iva", place.folder))
            pull(FolderFetcher(place.folder), volunteer, clock=room.clock)
            room.check(room.reader("ken", volunteer))
        room.check(room.reader("new", place.folder))
        assert push(room, target).files == 0


@pytest.mark.slow
@pytest.mark.parametrize("changes", CHANGES, ids=["online", "holder", "both"])
def test_a_push_of_new_keys_that_is_cut_off_anywhere_is_made_whole_by_the_next(
    tmp_path: Path, room: Newsroom, changes: tuple[Callable[[Newsroom], None], ...]
) -> None:
    """Only between a new root and the timestamp may a mirror show nothing."""
    target = MemoryTarget()
    push(room, target)
    before, noted = dict(target.files), (room.folder / "noted.sqlite3").read_bytes()
    room.check(room.reader("iva"))
    remembered = tmp_path / "remembered"
    shutil.copytree(room.folder / "reader-iva", remembered)
    for change in changes:
        change(room)
    assert not room.publish(10)
    silent = 0
    for cut in range(1, 200):
        target = MemoryTarget()
        target.files.update(before)
        (room.folder / "noted.sqlite3").write_bytes(noted)
        target.before = failing_at(cut)
        shutil.rmtree(room.folder / "reader-iva")
        shutil.copytree(remembered, room.folder / "reader-iva")
        try:
            push(room, target)
            break
        except MirrorError:
            silent += not shows(room, target)
        target.before = lambda kind, name: None
        push(room, target)
        follow(room, target)
    else:
        pytest.fail("the push never came to its end")
    follow(room, target)
    assert silent <= len(changes)
    assert cut > 10


def shows(room: Newsroom, target: MemoryTarget) -> bool:
    """Whether a reader gets an edition, the old or the new one, whole."""
    reader = SignedReader(target, room.folder / "reader-iva", room.root, room.clock)
    try:
        edition = reader.refresh().number
    except VerifyError:
        return False
    assert edition in (1, 2)
    for path in ("/en/", *(story.path for n, story in room.stories.items() if n < 2)):
        assert reader.read(path)
    return True


def follow(room: Newsroom, target: MemoryTarget) -> None:
    reader = SignedReader(target, room.folder / "reader-iva", room.root, room.clock)
    room.check(reader)
    assert target.fetch(layout.TIMESTAMP, 4_000)
