# SPDX-License-Identifier: AGPL-3.0-or-later
"""How lists lead to their older pages, which do not shift.

What always holds:

- The site's list goes by months; a month longer than ``PART`` stories is cut into parts numbered
  from the oldest, of which the newest lies at the month's own address. So a new story changes the
  newest part alone, and, once in ``PART`` stories, the one before it.
- All other lists go by volumes (``volumes``).

What is not done here: reading stories, rendering.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from tamizdat.edition import paths
from tamizdat.edition.views import Link, Period
from tamizdat.edition.volumes import Volume, span

PART = 60
SPANS = 24
FEED = 20
BLOCK = 4
LATEST = 10
NEWS_HOURS = 48

Counts = Sequence[tuple[int, int]]
"""Months and their numbers of stories, newest first."""


def parts(stories: int) -> int:
    """How many pages a period of so many stories has."""
    return max(1, -(-stories // PART))


def part_path(listing: str, period: int, part: int, stories: int) -> str:
    """The address of a part (from 1, the oldest) of a period of so many stories."""
    return paths.period_path(listing, period, 0 if part >= parts(stories) else part)


def part_view(listing: str, period: int, part: int, stories: int) -> Period:
    """What the page of a part shows of its period. Only the newest part knows how many there
    are: it alone is made anew when another begins."""
    count = parts(stories)
    return Period(
        label=paths.period_label(period),
        path=part_path(listing, period, part, stories),
        part=part if count > 1 else 0,
        parts=count if count > 1 and part == count else 0,
    )


def period_links(listing: str, counts: Counts) -> tuple[Period, ...]:
    """The site's months as its front links to them."""
    return tuple(
        Period(label=paths.period_label(p), path=paths.period_path(listing, p)) for p, _ in counts
    )


def volume_view(listing: str, volume: Volume, zone: tzinfo) -> Period:
    """What the page of a volume shows of it."""
    return Period(label=span(volume, zone), path=paths.volume_path(listing, volume.name))


def archive(listing: str, volumes: Sequence[Volume], zone: tzinfo) -> tuple[Period, ...]:
    """A list's volumes as its own page links to them, newest first: of more than ``SPANS``, one a
    year, the newest that begins in it."""
    if len(volumes) <= SPANS:
        return tuple(volume_view(listing, volume, zone) for volume in reversed(volumes))
    years = {volume.name[:4]: volume for volume in volumes}
    return tuple(
        Period(label=year, path=paths.volume_path(listing, volume.name))
        for year, volume in reversed(years.items())
    )


def newest(listing: str, volumes: Sequence[Volume]) -> Link | None:
    """What lies before a list's own page."""
    return _volume(listing, volumes[-1]) if volumes else None


def turn(listing: str, volumes: Sequence[Volume], place: int) -> tuple[Link | None, Link]:
    """The pages before and after a volume; after the newest comes the list's own. A volume says
    nothing else of its neighbours, so that it stays when they change."""
    before = _volume(listing, volumes[place - 1]) if place else None
    last = place + 1 == len(volumes)
    return before, Link(path=listing, title="") if last else _volume(listing, volumes[place + 1])


def _volume(listing: str, volume: Volume) -> Link:
    return Link(path=paths.volume_path(listing, volume.name), title="")


def older(listing: str, counts: Counts, place: int, part: int) -> Link | None:
    """The page before a part of ``counts[place]``."""
    period, stories = counts[place]
    if part > 1:
        return _link(listing, period, part - 1, stories)
    if place + 1 < len(counts):
        period, stories = counts[place + 1]
        return _link(listing, period, parts(stories), stories)
    return None


def newer(listing: str, counts: Counts, place: int, part: int) -> Link | None:
    """The page after a part of ``counts[place]``."""
    period, stories = counts[place]
    if part < parts(stories):
        return _link(listing, period, part + 1, stories)
    if place > 0:
        period, stories = counts[place - 1]
        return _link(listing, period, 1, stories)
    return None


def _link(listing: str, period: int, part: int, stories: int) -> Link:
    title = paths.period_label(period)
    return Link(path=part_path(listing, period, part, stories), title=title)


def changed_parts(before: int, after: int, shifted: int | None, places: Sequence[int]) -> list[int]:
    """The parts of a period to make anew when it went from ``before`` to ``after`` stories:
    ``shifted`` is the first place (from 0) at which stories came or went, ``places`` are those
    of stories that changed where they are."""
    found = {place // PART + 1 for place in places}
    if shifted is not None:
        first = shifted // PART + 1
        if parts(before) != parts(after):
            first = min(first, max(1, min(parts(before), parts(after)) - 1))
        found.update(range(first, parts(after) + 1))
    return sorted(part for part in found if part <= parts(after)) if after else []
