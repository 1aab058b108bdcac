# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is published is signed at once, and any copy of it can be read with the root alone."""

from __future__ import annotations

import os
import random
import time
from datetime import timedelta
from pathlib import Path

import pytest

from tamizdat.edition.errors import BusyError
from tamizdat.edition.signed import layout, roles
from tamizdat.edition.signed.errors import ClockError
from tamizdat.edition.signed.told import Mirror
from tamizdat.edition.store import Store
from tests.edition.papers import SITE, Stories, make_story
from tests.edition.test_crash import kill_during, patiently
from tests.signed.newsroom import Newsroom

PARTS = ("metadata", "targets", "shards")


def files(folder: Path) -> dict[str, bytes]:
    """Every file of the signed folder but the paper's own objects."""
    found = (f for part in PARTS for f in (folder / part).rglob("*") if f.is_file())
    return {str(f.relative_to(folder)): f.read_bytes() for f in found}


def leads_to(room: Newsroom) -> set[str]:
    """The names that the present edition leads to."""
    edition = room.reader("nobody").refresh()
    shards = {
        layout.shard_name(record.root.hex(), number)
        for record in edition.records.values()
        for number in range(1 << record.depth if record.count else 0)
    }
    return shards | set(edition.files)


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path).found().build()


def test_readers_follow_what_is_published_corrected_and_withdrawn(room: Newsroom) -> None:
    reader = room.reader("iva")
    room.check(reader)
    for number in range(20, 26):
        assert room.publish(number) == []
    room.check(reader)
    room.publish(3, version=2, headline="Corrected")
    room.publish(4, version=2, withdrawn=True)
    room.check(reader)
    room.publish(5, version=2, slug="elsewhere", former=[make_story(5).path])
    room.check(reader)
    assert reader.find("/nothing/here/").slot is None
    signed = room.desk.signer.signed()
    assert signed is not None
    assert signed.recent.count > 0
    assert signed.recent.since == signed.base.edition == 1


def test_a_whole_build_writes_base_anew_and_what_left_the_paper_is_gone(room: Newsroom) -> None:
    reader = room.reader("iva")
    room.publish(30)
    gone = make_story(2).path
    assert reader.find(gone).found
    del room.stories[2]
    room.whole()
    room.check(reader)
    assert reader.find(gone).slot is None
    signed = room.desk.signer.signed()
    assert signed is not None
    assert (signed.recent.count, signed.recent.since) == (0, signed.base.edition)


def test_recent_moves_into_base_before_it_grows_too_large(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "RECENT_LIMIT", 24)
    reader, bases = room.reader("iva"), set()
    for number in range(20, 32):
        assert room.publish(number) == []
        signed = room.desk.signer.signed()
        assert signed is not None
        assert signed.recent.count <= 24
        bases.add(signed.base.edition)
    room.check(reader)
    assert len(bases) > 1


def test_a_name_never_means_other_bytes_and_nothing_is_removed_too_soon(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "RECENT_LIMIT", 30)
    folder, seen = room.desk.folder.path, {}
    needed: list[set[str]] = []
    for number in range(20, 44):
        needed.append(leads_to(room) - {layout.TIMESTAMP})
        room.publish(number)
        now = files(folder)
        for name, data in now.items():
            if name not in (layout.TIMESTAMP, layout.CURRENT):
                assert seen.setdefault(name, data) == data, name
        for names in needed[-2:]:
            assert names <= set(now), "the last two editions are whole"
    assert len(files(folder)) < 250, "what nothing leads to goes"


def test_a_copy_of_any_moment_is_a_whole_edition(room: Newsroom) -> None:
    room.publish(20)
    copy = room.copy("copy")
    number = room.desk.signer.edition
    for more in range(21, 26):
        room.publish(more)
    reader = room.reader("iva", copy)
    assert reader.refresh().number == number
    assert all(reader.read(path) for path in ("/", "/en/", make_story(20).path))


def test_the_signer_begins_anew_where_its_own_file_is_lost_or_damaged(room: Newsroom) -> None:
    reader = room.reader("iva")
    room.publish(20)
    room.check(reader)
    state = room.desk.folder.path / "signing"
    for damage in (b"", b"\x93garbage", None):
        state.write_bytes(damage) if damage is not None else state.unlink()
        room.publish(21 + len(damage or b"x"))
        room.check(reader)


def test_a_base_that_the_disk_lost_is_made_anew(room: Newsroom) -> None:
    signed = room.desk.signer.signed()
    assert signed is not None
    shards = room.desk.folder.path / "shards" / signed.base.root.hex()
    for file in shards.rglob("0*"):
        if file.is_file():
            file.write_bytes(b"")
    assert room.publish(4, version=2, slug="elsewhere") == []  # Its old address is looked up.
    room.whole()
    room.check(room.reader("iva"))


def test_mirrors_are_named_under_the_online_key(tmp_path: Path) -> None:
    room = Newsroom(tmp_path, mirrors=[Mirror("https://m1.example/x/")]).found().build()
    said = room.reader("iva").target(layout.MIRRORS)
    assert said == b'{"format":1,"mirrors":[{"url":"https://m1.example/x/","cohort":""}]}'
    room.mirrors = (Mirror.at("https://m2.example"),)
    assert room.paper.resign(), "readers need not wait for a publication"
    assert not room.paper.resign()
    assert b"https://m2.example/" in room.reader("iva").target(layout.MIRRORS)
    room.publish(20)
    room.check(room.reader("iva"))


def test_without_keys_a_paper_is_built_unsigned(tmp_path: Path) -> None:
    room = Newsroom(tmp_path).build()
    assert room.paper.number == 1
    assert not (room.desk.folder.path / "metadata").exists()
    room.found()
    assert room.paper.resign()
    room.check(room.reader("iva"))


def test_an_online_key_that_is_lost_holds_up_no_publication(room: Newsroom) -> None:
    reader = room.reader("iva")
    room.check(reader)
    key = room.desk.key_file
    kept = key.read_bytes()
    key.write_bytes(b"not a key")
    problems = room.publish(20)
    assert "could not be signed" in problems[0]
    for number in range(21, 25):
        room.publish(number)
    reader.refresh()
    assert reader.edition.number == 1
    assert reader.read("/en/"), "what the last signature leads to is still here"
    key.write_bytes(kept)
    assert room.paper.resign()
    room.check(reader)


# Time


def test_the_timestamp_is_renewed_each_day_without_a_publication(room: Newsroom) -> None:
    reader = room.reader("iva")
    first = reader.refresh()
    assert not room.paper.resign()
    room.now += timedelta(hours=23)
    assert room.paper.resign()
    assert not room.paper.resign()
    assert reader.refresh().as_of == first.as_of + timedelta(hours=23)
    assert reader.edition.number == first.number


def test_live_and_snapshot_are_renewed_before_they_expire(room: Newsroom) -> None:
    room.now += timedelta(days=300)
    assert room.paper.resign()
    room.now += timedelta(days=6)
    assert room.reader("iva").refresh().expired == ()
    room.now += timedelta(days=70)
    assert room.reader("iva").refresh().expired == ("timestamp",)


def test_a_clock_before_the_keys_or_after_their_end_signs_nothing(room: Newsroom) -> None:
    stamp = (room.desk.folder.path / layout.TIMESTAMP).read_bytes()
    for wrong in (-timedelta(days=400), timedelta(days=4000)):
        right, room.now = room.now, room.now + wrong
        problems = room.publish(50 + abs(wrong.days), published=right)
        assert "the clock says" in problems[0]
        with pytest.raises(ClockError):
            room.paper.resign()
        assert (room.desk.folder.path / layout.TIMESTAMP).read_bytes() == stamp
        room.now = right
    assert room.publish(20) == []
    room.check(room.reader("iva"))


def test_a_clock_that_was_wrong_for_a_while_does_no_harm(room: Newsroom) -> None:
    reader = room.reader("iva")
    right = room.now + timedelta(days=30)
    room.now = right + timedelta(days=1000)
    assert room.publish(20) == []
    assert reader.refresh().as_of.year == right.year + 3
    room.now = right + timedelta(hours=1)
    assert room.publish(21) == []
    room.check(reader)
    assert abs(reader.edition.as_of - room.now) < timedelta(minutes=2)
    room.now -= timedelta(days=3)
    last = reader.edition.as_of
    assert room.publish(22) == []
    assert reader.refresh().as_of == last, "not earlier than what was signed"
    room.check(reader)


# Crashes and others at work


def test_two_cannot_sign_at_once(room: Newsroom) -> None:
    with Store(room.desk.folder.path).exclusive(), pytest.raises(BusyError):
        room.paper.resign()


def crash(room: Newsroom, points: int, chance: random.Random) -> None:
    """Kill the signer at random points; each time a reader sees a whole edition, the last or the
    next, and the next run signs what is out."""
    twin = Newsroom(room.folder / "twin").found().build()
    reader, killed, number = room.reader("iva"), 0, 100
    while killed < points:
        for one in (twin, room):
            one.stories[number] = make_story(number)
        began = time.monotonic()
        twin.paper.publish([twin.stories[number]], SITE)
        took = time.monotonic() - began
        paper, story = room.paper, room.stories[number]
        whole_build = number % 7 == 0

        def step() -> None:
            if whole_build:  # noqa: B023
                paper.build(Stories(room.stories.values()), SITE)  # noqa: B023
            else:
                paper.publish([story], SITE)  # noqa: B023

        killed += kill_during(step, took * chance.uniform(0, 1.5 if not whole_build else 4))
        seen = reader.refresh()
        assert all(
            reader.read(path) for path in ("/", "/en/", "/feed.xml") if reader.find(path).slot
        )
        patiently(lambda: room.paper.publish([story], SITE))  # noqa: B023
        patiently(room.paper.resign)
        room.check(reader)
        assert reader.edition.number >= seen.number
        number += 1


def test_a_killed_signer_leaves_a_whole_edition(room: Newsroom) -> None:
    crash(room, 20, random.Random(3))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_two_hundred_killed_signers_leave_a_whole_edition(room: Newsroom) -> None:
    crash(room, 200, random.Random(int(os.environ.get("CRASH_SEED", "5"))))


def test_the_first_root_can_be_told_by_its_fingerprint(room: Newsroom) -> None:
    said = roles.fingerprint(room.root)
    assert len(said.split()) == 8
    assert said == roles.fingerprint((room.desk.folder.path / "metadata/1.root.json").read_bytes())
