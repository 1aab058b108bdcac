# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sitemap of a month: of all its stories, or of the sitemap as it was.

What always holds: both ways give the same bytes and the same date of the last change.

What is not done here: what a sitemap looks like (``render.sitemaps``), deciding which months a
publication changes (``publishing``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tamizdat.edition.catalogue import Catalogue, Kept
from tamizdat.edition.views import Renderer, SitemapEntry
from tamizdat.edition.volumes import HIGHEST, LOWEST

_FEW = 60  # stories; where more changed, a sitemap is as quick to make anew


class Before(NamedTuple):
    """A month's sitemap as it was, the stories that may stand there otherwise now, and the paths
    of all that stood there otherwise before."""

    former: bytes
    kept: Sequence[Kept]
    gone: frozenset[str]


def entries(catalogue: Catalogue, rows: Sequence[tuple[str, str, str]]) -> list[SitemapEntry]:
    """What a sitemap says of stories: of each its path, date of change and translation key."""
    translated = catalogue.translations(key for _, _, key in rows)
    found = []
    for path, updated, key in rows:
        group = translated.get(key, ()) if key else ()
        ordered: dict[str, str] = {}
        if len(group) > 1:
            others = {card.language: card.path for _, _, card in reversed(group)}
            ordered = dict(sorted(others.items())) if len(others) > 1 else {}
        found.append(SitemapEntry(path=path, updated=updated, alternates=ordered))
    return found


def spliced(
    catalogue: Catalogue, renderer: Renderer, month: int, before: Before
) -> tuple[bytes, str] | None:
    """A month's sitemap of the one before, and the date of the last change in it; None where it
    must be made anew."""
    rows = sorted(
        (kept.row for kept in before.kept if _within(kept, month)), key=lambda row: row.rank
    )
    if not month or len(rows) > _FEW:
        return None
    if any(_count(catalogue, month, row.rank, row.rank) != 1 for row in rows):
        return None  # Of two at one moment nobody knows here which comes first.
    made = entries(catalogue, [(row.path, row.updated, row.translation) for row in rows])
    places = [_count(catalogue, month, LOWEST, row.rank - 1) for row in rows]
    stories = _count(catalogue, month, LOWEST, HIGHEST)
    come = list(zip(places, made, strict=True))
    return renderer.spliced_sitemap(before.former, before.gone, come, stories)


def _within(kept: Kept, month: int) -> bool:
    return any(m.kind == "site" and m.period == month for m in kept.row.memberships)


def _count(catalogue: Catalogue, month: int, first: int, last: int) -> int:
    """How many stories of a month, of all languages, have these ranks."""
    query = (
        "SELECT count(*) FROM listings l JOIN members m ON m.listing = l.id AND m.period = ? "
        "AND m.rank BETWEEN ? AND ? WHERE l.kind = 'site'"
    )
    counted: int = catalogue.db.execute(query, [month, first, last]).fetchone()[0]
    return counted


def paths_of(kept: Iterable[Kept]) -> set[str]:
    """Where stories lie."""
    return {one.row.path for one in kept}
