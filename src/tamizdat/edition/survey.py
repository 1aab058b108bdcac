# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a full build finds out of a list before its pages are made: its title, its volumes.

What always holds: it is a function of the list's members; nothing is written here, so that all
workers can look at once.

What is not done here: writing what was found (``builder``), titles that the site gives
(``compose``).
"""

from __future__ import annotations

from datetime import tzinfo
from functools import partial
from typing import NamedTuple

from tamizdat.edition import volumes
from tamizdat.edition.catalogue import Catalogue
from tamizdat.edition.publishing import title_of
from tamizdat.edition.volumes import Volume


class Surveyed(NamedTuple):
    """A list's number of stories, what its oldest story calls it, its volumes."""

    listing: int
    stories: int
    title: str
    volumes: list[Volume]


def survey(catalogue: Catalogue, listing: int, zone: tzinfo) -> Surveyed:
    """Look at one list."""
    query = "SELECT count(*) FROM members WHERE listing = ?"
    stories: int = catalogue.db.execute(query, [listing]).fetchone()[0]
    found: list[Volume] = []
    if stories >= volumes.WHOLE and catalogue.listing(listing).kind != "site":
        cuts = volumes.cut(partial(catalogue.ranks, listing))
        found = volumes.named(((cut.first, cut.last) for cut in cuts), zone)
    return Surveyed(listing, stories, title_of(catalogue, listing) if stories else "", found)
