# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which pages of lists a publication changes.

What always holds: for each list, the work depends on the stories that came, went or changed and
on the pages they are in; of the list as a whole only the names of its volumes are looked at.

What is not done here: what a page holds (``compose``), fronts and feeds (``publishing``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from functools import partial

from tamizdat.edition import listings, paths, volumes
from tamizdat.edition.catalogue import Catalogue
from tamizdat.edition.compose import Composer, Touched
from tamizdat.edition.rows import StoryRow
from tamizdat.edition.site import ListingKind
from tamizdat.edition.writer import Writer

_FEW = 8  # stories; where more changed, a page is as quick to make anew
Member = tuple[ListingKind, str, str, int, int]
"""A story's place in a list: kind, language and slug of the list, the story's rank and period."""


class _Month:
    """What happened to one month of the site: how many stories it had, from which rank on they
    moved, and the ranks of those that changed in place."""

    def __init__(self, before: int) -> None:
        self.before = before
        self.shifted: int | None = None
        self.ranks: set[int] = set()

    def shift(self, rank: int) -> None:
        self.shifted = rank if self.shifted is None else min(self.shifted, rank)


class _Rows:
    """What happened to another list: the ranks at which stories came or went, and of those that
    changed in place; whether all its volumes are to be made anew; which they are now; the rank
    from which on stories stand on its own page, None where that is another than before."""

    def __init__(self) -> None:
        self.after: int | None = None
        self.moved: set[int] = set()
        self.stayed: set[int] = set()
        self.renamed = False
        self.firsts: list[int] = []


class Lists:
    """One run: ``replace`` the memberships of each story, then ``compose``."""

    def __init__(self, catalogue: Catalogue, writer: Writer, zone: tzinfo) -> None:
        self._catalogue = catalogue
        self._writer = writer
        self._zone = zone
        self._months: dict[tuple[int, int], _Month] = {}
        self._rows: dict[int, _Rows] = {}
        self.changed: set[int] = set()

    # What happens to lists

    def replace(self, before: set[Member], after: set[Member]) -> None:
        """Count a story out of some lists and into others. Call it before or after the story
        itself is written, but before ``compose``."""
        for member in before - after:
            self._count(member, -1)
        for member in after - before:
            self._count(member, +1)
        for member in before & after:
            number, month = self._of(member), member[4]
            if month:
                self._month(number, month).ranks.add(member[3])
            else:
                self._list(number).stayed.add(member[3])

    def _count(self, member: Member, change: int) -> None:
        number, rank, month = self._of(member), member[3], member[4]
        run = self._catalogue.db.execute
        run("UPDATE listings SET stories = stories + ? WHERE id = ?", [change, number])
        if not month:
            self._list(number).moved.add(rank)
            return
        self._month(number, month).shift(rank)
        run(
            "INSERT INTO periods VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET stories = stories + ?",
            [number, month, change, change],
        )
        run("DELETE FROM periods WHERE listing = ? AND period = ? AND stories = 0", [number, month])

    def rename(self, number: int) -> None:
        """Make all pages of a list anew."""
        self.changed.add(number)
        self._list(number).renamed = True
        for month, stories in self._catalogue.periods(number):
            touch = self._months.setdefault((number, month), _Month(stories))
            touch.shift(volumes.LOWEST)

    def _of(self, member: Member) -> int:
        kind, language, slug, _, _ = member
        number = self._catalogue.listing_id(kind, language, slug)
        self.changed.add(number)
        return number

    def _month(self, number: int, month: int) -> _Month:
        if (number, month) not in self._months:
            self._months[number, month] = _Month(self._stories(number, month))
        return self._months[number, month]

    def _list(self, number: int) -> _Rows:
        return self._rows.setdefault(number, _Rows())

    def _stories(self, number: int, month: int) -> int:
        query = "SELECT stories FROM periods WHERE listing = ? AND period = ?"
        found = self._catalogue.db.execute(query, [number, month]).fetchone()
        return found[0] if found else 0

    # What is made of it

    def compose(self, composer: Composer) -> None:
        """Take away the older pages that are no more, and make those that changed. Everything is
        cut before anything is made, since a page leads to its neighbours."""
        for (number, month), touch in sorted(self._months.items()):
            self._leave(number, month, touch)
        for number in sorted(self._rows):
            self._cut(number, self._rows[number])
        for (number, month), touch in sorted(self._months.items()):
            self._parts(composer, number, month, touch)
        for number, rows in sorted(self._rows.items()):
            for first in rows.firsts:
                self._writer.put(composer.volume(number, first))

    def touched(self, number: int, places: frozenset[str]) -> Touched | None:
        """After ``compose``: what changed on a list's own page, and at which addresses the stories
        were and are; None where more may have changed than its stories, or most of them."""
        rows = self._rows.get(number)
        if rows is None or rows.renamed or rows.after is None:
            return None
        ranks = {rank for rank in rows.moved | rows.stayed if rank >= rows.after}
        return Touched(ranks, places, rows.after) if len(ranks) <= _FEW else None

    def _cut(self, number: int, rows: _Rows) -> None:
        old = new = self._catalogue.volumes(number)
        count = partial(self._catalogue.count, number)
        if rows.moved and not volumes.stands(old, rows.moved, count):
            read = partial(self._catalogue.ranks, number)
            cuts = volumes.recut(old, rows.moved, read)
            if cuts != [(volume.first, volume.last) for volume in old]:
                new = volumes.named(cuts, self._zone)
                self._catalogue.set_volumes(number, old, new)
        if new == old:
            rows.after = new[-1].last + 1 if new else volumes.LOWEST
        rows.firsts = (
            [volume.first for volume in new]
            if rows.renamed
            else volumes.changed(old, new, rows.moved | rows.stayed)
        )
        base = self._base(number)
        for name in {volume.name for volume in old} - {volume.name for volume in new}:
            self._writer.remove(paths.volume_path(base, name))

    def _base(self, number: int) -> str:
        row = self._catalogue.listing(number)
        return paths.listing_path(row.kind, row.language, row.slug)

    def _leave(self, number: int, month: int, touch: _Month) -> None:
        """Take away the pages of a month that are no more."""
        base = self._base(number)
        after = self._stories(number, month)
        count = listings.parts(after) if after else 0
        if touch.before and not after:
            self._writer.remove(paths.period_path(base, month))
        for part in range(max(1, count), listings.parts(touch.before)):
            self._writer.remove(paths.period_path(base, month, part))

    def _parts(self, composer: Composer, number: int, month: int, touch: _Month) -> None:
        after = self._stories(number, month)
        place = self._catalogue.position
        shifted = None if touch.shifted is None else place(number, month, touch.shifted)
        places = [place(number, month, rank) for rank in touch.ranks]
        changed = listings.changed_parts(touch.before, after, shifted, places)
        if changed:
            self._writer.put(composer.period(number, month, changed))
        divided = (touch.before > listings.PART) != (after > listings.PART)
        if divided or (touch.before == 0) != (after == 0):
            self._neighbours(composer, number, month)

    def _neighbours(self, composer: Composer, number: int, month: int) -> None:
        """The pages that link to a month's first and last."""
        counts = self._catalogue.periods(number)[::-1]
        earlier = [(m, n) for m, n in counts if m < month][-1:]
        later = [(m, n) for m, n in counts if m > month][:1]
        for m, n in earlier:
            self._writer.put(composer.period(number, m, [listings.parts(n)]))
        for m, _ in later:
            self._writer.put(composer.period(number, m, [1]))


def members(row: StoryRow | None) -> set[Member]:
    """A story's places in lists."""
    found: Iterable[Member] = (
        ((m.kind, row.language, m.slug, row.rank, m.period) for m in row.memberships) if row else ()
    )
    return set(found)
