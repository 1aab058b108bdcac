# SPDX-License-Identifier: AGPL-3.0-or-later
"""What was lost, torn or written by a thief in our own folder keeps nobody from going on."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from tamizdat.edition.index import Entry
from tamizdat.edition.signed import ceremony, keys, layout, roles, shards, signer, slots
from tamizdat.edition.signed.errors import BadFormatError, CollisionError
from tamizdat.edition.signed.folder import Folder
from tamizdat.edition.signed.signer import PENDING
from tests.edition.papers import make_story
from tests.signed.newsroom import Newsroom


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    return Newsroom(tmp_path).found().build(4)


def lose(room: Newsroom, pattern: str) -> None:
    found = list(room.desk.folder.path.glob(pattern))
    assert found
    for file in found:
        file.unlink()


@pytest.mark.parametrize(
    "pattern",
    [
        "metadata/timestamp.json",
        "metadata/[ct]*",
        "metadata/*.snapshot.json",
        "metadata/*.live.json",
        "targets/live/*",
        "signing",
    ],
)
def test_readers_follow_where_a_part_was_lost(room: Newsroom, pattern: str) -> None:
    reader = room.reader("iva")
    room.publish(4)
    room.now += timedelta(days=1)
    room.paper.resign()
    room.check(reader)
    lose(room, pattern if "[" not in pattern else "metadata/timestamp.json")
    if "[" in pattern:
        lose(room, "metadata/current")
    assert room.publish(5) == []
    room.check(reader)
    room.check(room.reader("new"))


@pytest.mark.parametrize("junk", [b"", b"torn", b'{"signed":{}}', b"\xff\xfe"])
@pytest.mark.parametrize("name", [layout.TIMESTAMP, "metadata/1.snapshot.json", layout.CURRENT])
def test_readers_follow_where_a_part_was_torn(room: Newsroom, junk: bytes, name: str) -> None:
    reader = room.reader("iva")
    room.check(reader)
    (room.desk.folder.path / name).write_bytes(junk)
    assert room.publish(5) == []
    room.check(reader)


@pytest.mark.parametrize("version", [(1 << 40) - 2, (1 << 40) - 1, 1 << 40, (1 << 53) - 1, 10**30])
def test_versions_go_up_after_a_thief_who_counted_far(room: Newsroom, version: int) -> None:
    """Beyond any count that a newsroom reaches, and just before it."""
    reader = room.reader("iva")
    room.check(reader)
    count_up(room, version)
    room.finish(ceremony.prepare_online(room.desk, room.now), "ben", "cleo")
    seen = []
    for number in range(5, 9):
        room.publish(number)
        room.check(reader)
        signed = room.desk.signer.signed()
        assert signed is not None
        seen.append([part.signed.version for part in signed[:3]])
    for before, after in pairwise(seen):
        assert all(old < new for old, new in zip(before, after, strict=True))
    assert max(seen[-1]) < 1 << 53, "no reader loses count"


def count_up(room: Newsroom, version: int) -> None:
    """Sign the present edition under a far version, and let it lie in our folder."""
    folder, key = room.desk.folder, keys.read_online(room.desk.key_file)
    signed, offline = room.desk.signer.signed(), room.desk.signer.offline()
    assert signed is not None
    live = roles.live(
        version,
        {
            layout.RECENT: signed.recent.encode(),
            layout.BASE: signed.base.encode(),
            layout.MIRRORS: b'{"format":1,"mirrors":[]}',
        },
        key,
        room.now,
    )
    folder.put_target(layout.MIRRORS, b'{"format":1,"mirrors":[]}')
    folder.write(layout.metadata_name("live", version), roles.encode(live))
    snapshot = roles.snapshot(version, offline, version, key, room.now)
    folder.write(layout.metadata_name("snapshot", version), roles.encode(snapshot))
    stamp = roles.timestamp(version, version, key, room.now)
    folder.write(layout.TIMESTAMP, roles.encode(stamp))


def test_a_false_number_of_the_last_edition_is_not_counted_on_from(room: Newsroom) -> None:
    signed = room.desk.signer.signed()
    assert signed is not None
    record = signed.recent._replace(edition=0xFFFFFFFF, since=signed.base.edition).encode()
    key, folder = keys.read_online(room.desk.key_file), room.desk.folder
    contents = {layout.RECENT: record, layout.BASE: signed.base.encode()}
    for name, data in contents.items():
        folder.put_target(name, data)
    live = roles.live(9, contents, key, room.now)
    folder.write("metadata/9.live.json", roles.encode(live))
    snapshot = roles.snapshot(9, room.desk.signer.offline(), 9, key, room.now)
    folder.write("metadata/9.snapshot.json", roles.encode(snapshot))
    folder.write(layout.TIMESTAMP, roles.encode(roles.timestamp(9, 9, key, room.now)))
    assert room.desk.signer.number < 1 << 24, "else its number would fit into no entry"


def test_a_decision_that_is_not_signed_is_not_put_into_force(room: Newsroom) -> None:
    reader = room.reader("iva")
    room.check(reader)
    request = ceremony.prepare_online(room.desk, room.now)
    pending = room.desk.folder.path / PENDING
    one = ceremony.sign(request, room.holders["anna"])
    for planted in (request, one):
        pending.write_bytes(planted.encode())
        assert "could not be signed" in room.publish(5)[0]
        room.reader("new").refresh()
    assert not room.desk.folder.has("metadata/2.root.json")
    pending.write_bytes(b"{")
    assert "remove it" in room.publish(5)[0]
    pending.unlink()
    room.publish(6)
    room.check(reader)


def test_a_clock_that_was_years_ahead_dates_nothing_afterwards(room: Newsroom) -> None:
    right = room.now
    room.now = right + timedelta(days=3000)
    room.publish(5)
    room.now = right + timedelta(days=1)
    room.publish(6)
    slot = room.reader("iva").find(make_story(6).path).slot
    assert slot is not None
    assert slot.day == layout.day_number(room.now)


def test_the_calendar_is_asked_by_edition() -> None:
    days: slots.Days = []
    for edition, day in ((1, 10), (2, 10), (3, 4000), (4, 11), (5, 11)):
        days = slots.note_day(days, edition, day)
    assert [slots.day_of(days, edition) for edition in range(1, 6)] == [10, 10, 4000, 11, 11]
    assert len(days) == 3


def test_two_addresses_with_one_key_are_not_signed_and_nothing_is_swapped(
    room: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten bytes are few enough that somebody could search for such a pair for days."""
    reader = room.reader("iva")
    room.check(reader)
    one, other = make_story(1).path, make_story(5).path
    real = shards.key_of

    def colliding(path: str) -> bytes:
        return real(one if path == other else path)

    with monkeypatch.context() as patch:
        for module in (shards, slots, signer):
            patch.setattr(module, "key_of", colliding)
        assert other in room.publish(5)[0]
    reader.refresh()
    assert b"Text of 1." in reader.read(one)
    del room.stories[5]
    room.whole()
    room.check(reader)


def test_neighbours_with_one_key_are_refused_when_all_is_written() -> None:
    entries = [
        Entry("/a/", "00" * 32, 1, 1, "text/html"),
        Entry("/b/", "00" * 32, 1, 1, "text/html"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(slots, "key_of", lambda path: bytes(10))
        with pytest.raises(CollisionError, match="/b/"):
            list(slots.packed(entries, []))


def test_keys_whose_making_was_cut_short_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever it was cut: either there are no keys yet, or there is all that belongs to them."""
    for cut in range(1, 8):
        room = Newsroom(tmp_path / str(cut))
        left = cut

        def fail(real: Callable[..., None]) -> Callable[..., None]:
            def write(*given: object, **more: object) -> None:
                nonlocal left
                left -= 1
                if not left:
                    raise OSError("cut")
                real(*given, **more)

            return write

        with monkeypatch.context() as patch:
            patch.setattr(Folder, "write", fail(Folder.write))
            patch.setattr(keys, "write_private", fail(keys.write_private))
            with suppress(OSError):
                room.found()
        if not room.desk.folder.has("metadata/1.root.json"):
            room.found()
        room.root = room.desk.folder.read("metadata/1.root.json")
        assert sorted(room.desk.holders().values()) == ["anna", "ben", "cleo"]
        room.build(2)
        room.check(room.reader("iva"))


def test_nobody_else_can_read_what_is_secret(room: Newsroom, tmp_path: Path) -> None:
    """Whatever the umask; and no request has a secret in it."""
    before = os.umask(0)
    try:
        other = Newsroom(tmp_path / "other").found().build(2)
        request = ceremony.prepare_online(other.desk, other.now)
        out = tmp_path / "keys/anna.key"
        sealed = keys.seal(
            other.holders["anna"], holder="anna", newsroom="", passphrase="six words drawn"
        )
        keys.write_private(out, sealed)
    finally:
        os.umask(before)
    for file in [*other.desk.secrets.iterdir(), out]:
        assert file.stat().st_mode & 0o077 == 0, file
    for key in (keys.read_online(other.desk.key_file), *other.holders.values()):
        raw = load_pem_private_key(key.private_bytes, None).private_bytes_raw()
        for file in (f for f in other.desk.folder.path.rglob("*") if f.is_file()):
            data = file.read_bytes()
            assert raw not in data
            assert raw.hex().encode() not in data
        assert raw.hex().encode() not in request.encode()
        assert raw not in sealed


def test_a_snapshot_without_live_is_a_damaged_one(room: Newsroom) -> None:
    folder, key = room.desk.folder, keys.read_online(room.desk.key_file)
    snapshot = roles.snapshot(9, room.desk.signer.offline(), 9, key, room.now)
    del snapshot.signed.meta["live.json"]
    snapshot.sign(key)
    folder.write("metadata/9.snapshot.json", roles.encode(snapshot))
    folder.write(layout.TIMESTAMP, roles.encode(roles.timestamp(9, 9, key, room.now)))
    with pytest.raises(BadFormatError):
        room.desk.signer.signed()
    reader = room.reader("iva")
    assert room.publish(5) == []
    room.check(reader)
