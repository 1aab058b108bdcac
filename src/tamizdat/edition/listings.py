# SPDX-License-Identifier: AGPL-3.0-or-later
"""How lists are cut into pages that do not shift.

What always holds: a listing goes by months (the site, sections) or years (all others); a period
longer than ``PART`` stories is cut into parts numbered from the oldest, of which the newest lies
at the period's own address. So a new story changes the newest part alone, and, once in ``PART``
stories, the one before it.

What is not done here: reading stories, rendering.
"""

from __future__ import annotations

from collections.abc import Sequence

from tamizdat.edition import paths
from tamizdat.edition.views import Link, Period

PART = 60
FRONT = 30
FEED = 20
BLOCK = 4
LATEST = 10
NEWS_HOURS = 48

Counts = Sequence[tuple[int, int]]
"""Periods and their numbers of stories, newest first."""


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
    """A listing's periods as its front links to them."""
    return tuple(
        Period(label=paths.period_label(p), path=paths.period_path(listing, p)) for p, _ in counts
    )


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
