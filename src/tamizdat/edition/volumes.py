# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the lists of sections, topics, places, people and series are cut into pages.

A list is cut into *volumes*, from its oldest story on. The next volume begins with the story that
drew the highest lot among those from place ``SHORTEST`` to before place ``LONGEST``; a story's lot
is in its rank, drawn from its uri. A volume is closed when ``WHOLE`` stories stand from its
beginning on; all stories in no closed volume stand on the list's own page.

What always holds:

- Where a list is cut depends on the stories in it alone, not on the order they came in.
- A new story changes no volume. One that comes or goes further back changes the volume that it is
  in; others only where the next lot falls elsewhere, mostly none and never many: two ways of
  cutting soon fall into step, since their volumes choose among the same stories.
- A volume has ``SHORTEST`` to ``LONGEST - 1`` stories, a list's own page fewer than ``WHOLE`` and,
  beside volumes, more than ``WHOLE - LONGEST``.
- A volume is named by the month of its first story, not by a number, since a number would count
  the volumes before it.

What is not done here: reading stories, rendering; the site's own list, which goes by months
(``listings``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import date, timedelta, tzinfo
from functools import lru_cache
from typing import NamedTuple

from tamizdat.edition.rows import EPOCH, TIE_BITS

SHORTEST = 45
LONGEST = 2 * SHORTEST  # At most this, or a story could decide over more than two volumes.
WHOLE = 110
LOWEST, HIGHEST = -(1 << 63), (1 << 63) - 1

Read = Callable[[int], Sequence[int]]
"""The ranks of a list's stories from a rank on, ascending, at most ``WHOLE`` of them."""
Count = Callable[[int, int], int]
"""How many stories of a list have ranks from the first to the second, both counted in."""


class Volume(NamedTuple):
    """The ranks of a volume's oldest and newest story, and its name, “2019-03”."""

    first: int
    last: int
    name: str


class _Cut(NamedTuple):
    first: int
    last: int
    after: int


def cut(read: Read, start: int = LOWEST) -> Iterator[_Cut]:
    """The volumes from one's first rank on, and with which rank the next begins."""
    while True:
        ranks = read(start)
        if len(ranks) < WHOLE:
            return
        after = max(ranks[SHORTEST:LONGEST], key=_lot)
        if after == ranks[0]:
            return
        yield _Cut(ranks[0], ranks[bisect_left(ranks, after) - 1], after)
        start = after


def _lot(rank: int) -> tuple[int, int]:
    return rank & ((1 << TIE_BITS) - 1), rank


def recut(old: Sequence[Volume], moved: Collection[int], read: Read) -> list[tuple[int, int]]:
    """First and last ranks of a list's volumes after stories came or went at these ranks."""
    found = [(volume.first, volume.last) for volume in old]
    todo = sorted(moved)
    while todo:
        # A story can decide over the volume that it is in and over the one before.
        place = max(0, bisect_right(found, todo[0], key=lambda pair: pair[0]) - 2)
        fresh, rest, done = _again(found, place, todo, read)
        while place and not fresh:  # So many went that the one before may not be closed either.
            place -= 1
            fresh, rest, done = _again(found, place, todo, read)
        found[place:] = fresh + found[rest:]
        todo = [rank for rank in todo if rank >= done]
    return found


def _again(
    found: Sequence[tuple[int, int]], place: int, todo: Sequence[int], read: Read
) -> tuple[list[tuple[int, int]], int, int]:
    """The volumes from a place on, as far as they are others; the place and the first rank of the
    volume from which on they are what they were."""
    known = {first: number for number, (first, _) in enumerate(found)}
    fresh = []
    for first, last, after in cut(read, found[place][0] if place else LOWEST):
        fresh.append((first, last))
        if after in known and after > todo[0]:
            return fresh, known[after], after
    return fresh, len(found), todo[-1] + 1


def stands(old: Sequence[Volume], moved: Collection[int], count: Count) -> bool:
    """Whether it is certain, by counting alone, that a list is cut as before: mostly stories come
    or go behind the last volume, too late to decide over it and too few for another."""
    if not old:
        return count(LOWEST, HIGHEST) < WHOLE
    last, oldest = old[-1], min(moved)
    if oldest <= last.last or count(last.last + 1, HIGHEST) >= WHOLE:
        return False
    before = count(last.first, oldest - 1)
    return before >= LONGEST and before + count(oldest, HIGHEST) >= WHOLE


def named(pairs: Iterable[tuple[int, int]], zone: tzinfo) -> list[Volume]:
    """Name volumes by the months in which they begin; a month's second is “2019-03-2”."""
    found: list[Volume] = []
    month, number = "", 0
    for first, last in pairs:
        begins = f"{day_of(first, zone):%Y-%m}"
        month, number = begins, number + 1 if begins == month else 1
        found.append(Volume(first, last, f"{month}-{number}" if number > 1 else month))
    return found


def changed(old: Sequence[Volume], new: Sequence[Volume], ranks: Collection[int]) -> list[int]:
    """The first ranks of the volumes to make anew: of those that are not what they were, or have
    another neighbour, and of those in which something happened at one of these ranks."""
    found = set()
    if old != new:
        before = set(_linked(old))
        found = {linked[0].first for linked in _linked(new) if linked not in before}
    firsts = [volume.first for volume in new]
    for rank in ranks:
        place = bisect_right(firsts, rank) - 1
        if place >= 0 and rank <= new[place].last:
            found.add(firsts[place])
    return sorted(found)


def _linked(volumes: Sequence[Volume]) -> Iterator[tuple[Volume, str, str]]:
    """Every volume with the names of those before and after it."""
    names = ["", *(volume.name for volume in volumes), ""]
    yield from zip(volumes, names, names[2:], strict=False)


def day_of(rank: int, zone: tzinfo) -> date:
    """The day of a story's first publication, in the paper's time zone."""
    return (EPOCH + timedelta(milliseconds=rank >> TIE_BITS)).astimezone(zone).date()


@lru_cache(maxsize=8192)
def span(volume: Volume, zone: tzinfo) -> str:
    """From the day of the first story to that of the last: “2019-03-14/2020-06-02”. Kept: each
    story published asks for those of all its lists."""
    return f"{day_of(volume.first, zone)}/{day_of(volume.last, zone)}"
