# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the builder's entries to the entries that are signed, and one index laid over another.

What always holds: everything here streams in the order of the keys, which is the order of the
builder's index; an edition has the day on which it was built, whatever days came before.

What is not done here: files (``folder``), deciding when which index is written (``signer``).
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tamizdat.edition.index import Entry
from tamizdat.edition.signed import layout
from tamizdat.edition.signed.errors import CollisionError
from tamizdat.edition.signed.shards import KEY, key_of

_SLOT = struct.Struct(">10s32sIBHHB")
_STATUS: Final = {200: layout.OK, 301: layout.MOVED, 410: layout.WITHDRAWN}
_NOTHING = bytes(32)

Days = list[tuple[int, int]]  # (first edition of a day, day), ascending by edition


def note_day(days: Days, edition: int, day: int) -> Days:
    """The calendar with one edition more."""
    if days and (edition <= days[-1][0] or day == days[-1][1]):
        return days
    return [*days, (edition, day)]


def day_of(days: Days, edition: int) -> int:
    """The day on which an edition was built; for one before the calendar, its first day."""
    place = bisect_right(days, (edition, 0xFFFF)) - 1
    return days[max(place, 0)][1] if days else 0


def pack(entry: Entry, day: int) -> bytes:
    """The 52 bytes of an entry of the builder's."""
    edition = entry.edition
    status = _STATUS[entry.status] << 6
    return _SLOT.pack(
        key_of(entry.path),
        bytes.fromhex(entry.sha256),
        entry.length,
        edition >> 16,
        edition & 0xFFFF,
        day,
        status | layout.media_number(entry.media_type),
    )


def gone(key: bytes, edition: int, day: int) -> bytes:
    """The entry that says: nothing lies here any more."""
    return _SLOT.pack(key, _NOTHING, 0, edition >> 16, edition & 0xFFFF, day, layout.GONE << 6)


def packed(entries: Iterable[Entry], days: Days) -> Iterator[bytes]:
    """All entries of an index of the builder's, in its order. Raises ``CollisionError``."""
    known: dict[int, int] = {}
    last = b""
    for entry in entries:
        day = known.get(entry.edition)
        if day is None:
            day = known[entry.edition] = day_of(days, entry.edition)
        slot = pack(entry, day)
        if slot[:KEY] == last:
            raise CollisionError(entry.path)
        last = slot[:KEY]
        yield slot


def same(one: bytes, other: bytes) -> bool:
    """True where readers get the same: hash, length, status and media type."""
    return one[10:46] == other[10:46] and one[51] == other[51]


def is_gone(slot: bytes) -> bool:
    return slot[51] >> 6 == layout.GONE


def over(
    upper: Iterable[bytes], lower: Iterable[bytes], removed: Callable[[bytes], bytes]
) -> Iterator[bytes]:
    """What must be laid over ``lower`` so that readers get ``upper``. ``removed`` makes the entry
    for a key that only ``lower`` has."""
    below = iter(lower)
    under = next(below, None)
    for slot in upper:
        key = slot[:KEY]
        while under is not None and under[:KEY] < key:
            yield removed(under[:KEY])
            under = next(below, None)
        if under is not None and under[:KEY] == key:
            if not same(slot, under):
                yield slot
            under = next(below, None)
        else:
            yield slot
    while under is not None:
        yield removed(under[:KEY])
        under = next(below, None)
