# SPDX-License-Identifier: AGPL-3.0-or-later
"""Choosing “Read more”: published stories that share a series, topic, place or person.

What always holds: never the story itself, never another language, never what is not published;
no story is chosen by more than ``MOST_LINKS`` others, so that correcting it stays cheap. The
work does not depend on the size of the archive.
"""

from __future__ import annotations

from tamizdat.edition.catalogue import Catalogue
from tamizdat.edition.rows import StoryRow
from tamizdat.edition.views import Card

MOST_LINKS = 20
_WEIGHTS = {"series": 8, "topic": 4, "place": 3, "person": 1}
_CONSIDERED = 30  # of each list, before and after the story


def choose(catalogue: Catalogue, row: StoryRow, limit: int) -> list[Card]:
    """The stories to show under this one, best first: those that share most, then those nearest
    in time."""
    scores: dict[int, int] = {}
    for m in row.memberships:
        weight = _WEIGHTS.get(m.kind)
        listing = catalogue.find_listing(m.kind, row.language, m.slug) if weight else None
        if weight and listing:
            for story in catalogue.near(listing.id, m.period, row.rank, _CONSIDERED):
                scores[story] = scores.get(story, 0) + weight
    found = [
        (-scores[kept.id], abs(kept.row.rank - row.rank), kept.row.uri)
        for kept in catalogue.stories(scores)
        if kept.row.uri != row.uri and kept.row.live
    ]
    chosen: list[str] = []
    for _, _, uri in sorted(found):
        if len(chosen) == limit:
            break
        if sum(1 for _ in catalogue.references(uri)) < MOST_LINKS:
            chosen.append(uri)
    cards = catalogue.live_cards(chosen)
    return [cards[uri] for uri in chosen if uri in cards]
