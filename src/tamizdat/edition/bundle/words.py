# SPDX-License-Identifier: AGPL-3.0-or-later
"""A bundle's own words and dates, in the languages that it is in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from importlib import resources
from itertools import groupby
from typing import Any, Literal, NamedTuple

import msgspec

from tamizdat.edition.bundle.gather import Gathered
from tamizdat.edition.bundle.leaf import Leaf
from tamizdat.theme.words import Calendar, Words

_FALLBACK = "en"


class Part(NamedTuple):
    """The stories of one language: what the paper is called in it, and which days they are of."""

    language: str
    direction: Literal["ltr", "rtl"]
    paper: str
    days: str
    leaves: list[Leaf]


def parts(gathered: Gathered) -> list[Part]:
    """The stories by language, in the order in which they stand."""
    found = []
    for language, group in groupby(gathered.leaves, key=lambda leaf: leaf.language):
        leaves = list(group)
        paper = _paper(gathered.site, language)
        found.append(Part(language, leaves[0].direction, paper, _days(leaves, language), leaves))
    return found


def title(part: Part) -> str:
    """“The Lantern, 16 November 2026 – 22 November 2026”."""
    return f"{part.paper}, {part.days}" if part.days else part.paper


@cache
def words(language: str) -> Mapping[str, str]:
    """``contents``, ``as_of`` (with ``{date}``), ``top``."""
    folder = resources.files("tamizdat.theme") / "locales" / "bundle"
    for code in (language, language.partition("-")[0], _FALLBACK):
        if (file := folder / f"{code}.json").is_file():
            return msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    raise AssertionError("the theme has no English words for bundles")


def day(when: date, language: str) -> str:
    return _calendar(language).day(when)


def _paper(site: Mapping[str, Any], language: str) -> str:
    for one in site.get("languages", []):
        if isinstance(one, dict) and one.get("code") == language and one.get("name"):
            return str(one["name"])
    return str(site.get("name", "")) or language


def _days(leaves: list[Leaf], language: str) -> str:
    dates = sorted({leaf.date.date() for leaf in leaves if leaf.date})
    if not dates:
        return ""
    first, last = day(dates[0], language), day(dates[-1], language)
    return first if first == last else f"{first} – {last}"


@cache
def _calendar(language: str) -> Calendar:
    return Calendar(Words(language).locale, "UTC")
