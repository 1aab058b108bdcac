# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever a thief of the online key signs, readers come back when two holders replace it."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from tamizdat.edition.errors import EditionError
from tamizdat.edition.signed import ceremony, keys, layout, roles
from tamizdat.edition.signed.fetch import FolderFetcher
from tamizdat.edition.signed.folder import Folder
from tamizdat.edition.signed.shards import NO_ROOT, Record
from tamizdat.mirrors.pull import pull
from tests.signed.newsroom import Newsroom

EDITIONS = (0, 1, 5, 1 << 24, (1 << 32) - 1)
VERSIONS = (2, 3, 1 << 31, (1 << 53) - 1)
LAST = 253_402_300_799  # seconds: the end of the year 9999


def steal(room: Newsroom, copy: Path, chance: random.Random) -> None:
    """Sign something in a copy: records that hide, contradict or count far, odd names, dates."""
    key, folder = keys.read_online(room.desk.key_file), Folder(copy)
    signed, offline = room.desk.signer.signed(), room.desk.signer.offline()
    assert signed is not None
    lower, built = chance.choice(EDITIONS), chance.choice((0, LAST))
    recent = signed.recent._replace(edition=chance.choice(EDITIONS), since=lower, built=built)
    base = signed.base._replace(edition=lower, built=built)
    if chance.random() < 0.4:
        base = Record(0, 0, lower, built, 0, NO_ROOT)
    contents = {layout.RECENT: recent.encode(), layout.BASE: base.encode()}
    contents[layout.MIRRORS] = b'{"format":1,"mirrors":[{"url":"file:///etc/","cohort":""}]}'
    for name in [name for name in contents if chance.random() < 0.15]:
        del contents[name]
    for name, data in contents.items():
        folder.put_target(name, data)
    numbers = [chance.choice(VERSIONS) for _ in range(3)]
    now = room.now + chance.choice((timedelta(0), timedelta(days=36_500)))
    live = roles.live(numbers[0], contents, key, now)
    live.signed.targets["live/../../../outside"] = roles.target("x", b"")
    live.sign(key)
    folder.write(layout.metadata_name("live", numbers[0]), roles.encode(live))
    snapshot = roles.snapshot(numbers[1], offline, numbers[0], key, now)
    folder.write(layout.metadata_name("snapshot", numbers[1]), roles.encode(snapshot))
    stamp = roles.timestamp(numbers[2], numbers[1], key, now)
    folder.write(layout.TIMESTAMP, roles.encode(stamp))
    (copy / layout.CURRENT).unlink(missing_ok=True)


@pytest.mark.parametrize("seed", range(8))
def test_readers_and_volunteers_come_back_when_the_key_is_replaced(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    room = Newsroom(tmp_path / "room").found().build(2)
    reader, volunteer = room.reader("iva"), room.folder / "volunteer"
    if seed % 2:
        room.check(reader)
    stolen = room.copy("stolen")
    steal(room, stolen, chance)
    with suppress(EditionError):
        room.reader("iva", stolen).refresh()
    with suppress(EditionError):
        pull(FolderFetcher(stolen), volunteer, room.root)
    room.finish(ceremony.prepare_online(room.desk, room.now), "anna", "ben")
    room.publish(3)
    room.check(room.reader("iva"))
    assert pull(FolderFetcher(room.desk.folder.path), volunteer, room.root).edition == 2
    room.check(room.reader("new", volunteer))
    assert not list(tmp_path.rglob("*outside*"))
