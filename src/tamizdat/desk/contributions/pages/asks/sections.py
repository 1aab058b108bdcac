# SPDX-License-Identifier: AGPL-3.0-or-later
"""The paper's sections as boxes to tick: a section and its translations are one box.

What always holds: a message keeps slugs, as pages have them; what it names and the paper no longer
has stays a box of its own until somebody clears it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.conf import settings

from tamizdat.desk.newsroom.models import Section


class Box(NamedTuple):
    """``key`` is its first slug."""

    key: str
    title: str
    slugs: tuple[str, ...]


def boxes(kept: Iterable[str] = ()) -> list[Box]:
    """One for each section, in the paper's order; ``kept`` are slugs that a message names."""
    languages = settings.NEWSROOM.settings.languages
    rows = Section.objects.filter(locale__language_code__in=languages).select_related("locale")
    groups: dict[object, list[Section]] = {}
    for one in sorted(
        rows, key=lambda s: (languages.index(s.locale.language_code), s.order, s.title)
    ):
        groups.setdefault(one.translation_key, []).append(one)
    found = [_box(group) for group in groups.values()]
    known = {slug for box in found for slug in box.slugs}
    gone = [slug for slug in dict.fromkeys(kept) if slug not in known]
    return found + [Box(one, f"“{one}”, which the paper no longer has", (one,)) for one in gone]


def _box(group: Sequence[Section]) -> Box:
    slugs = tuple(dict.fromkeys(one.slug for one in group))
    return Box(slugs[0], " · ".join(dict.fromkeys(one.title for one in group)), slugs)


def ticked(slugs: Iterable[str], of: Sequence[Box]) -> list[str]:
    """The keys of the boxes that stand for any of these."""
    named = set(slugs)
    return [box.key for box in of if named & set(box.slugs)]


def slugs_of(keys: Iterable[str], of: Sequence[Box]) -> tuple[str, ...]:
    wanted = set(keys)
    return tuple(dict.fromkeys(slug for box in of if box.key in wanted for slug in box.slugs))
