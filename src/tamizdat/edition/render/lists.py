# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages that show many stories: fronts, listings and their periods, indexes; and the latest list.

What always holds: stories keep the order they are given in; a day has one label, under which
stories show their time alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby

from markupsafe import Markup

from tamizdat.edition.paths import index_path, url
from tamizdat.edition.render import linked
from tamizdat.edition.render.articles import alternates
from tamizdat.edition.render.furniture import Tongue
from tamizdat.edition.render.templates import environment, render, trusted
from tamizdat.edition.site import ListingKind
from tamizdat.edition.views import Card, Front, Link, Listing, ListingPage, Period

SIDE = 4
ABOVE = 1 + SIDE + 6
MONTHS = 12
_FRONT = environment.get_template("front.html")
_LISTING = environment.get_template("listing.html")
_INDEX = environment.get_template("index.html")
_LATEST = environment.get_template("latest.html")
_TEASER = environment.get_template("_card.html").module.teaser  # type: ignore[attr-defined]  # A macro.
_LABEL = re.compile(r"(\d{4})(?:-(\d\d))?\Z")


def front(front: Front, tongue: Tongue) -> bytes:
    """A language's front page: the lead, some beside and below it, sections, then the rest."""
    site, words = tongue.site, tongue.words
    canonical = site.address + url(tongue.front)
    today = tongue.calendar.local(front.updated).date() if front.updated else None
    cards = list(front.cards)
    blocks = _blocks(front, {card.uri for card in cards[:ABOVE]})
    shown = {card.uri for _, block in blocks for card in block}
    rest = [card for card in cards[ABOVE:] if card.uri not in shown]
    return _FRONT.render(
        f=tongue.furniture("front"),
        t=words.plain,
        title=tongue.language.name,
        description=tongue.language.description or tongue.language.tagline,
        canonical=canonical,
        alternates=alternates(tongue, canonical, front.translations),
        feeds=_feeds(tongue.front),
        linked_data=linked.json_in_html({"@context": "https://schema.org", **tongue.publisher}),
        languages=tongue.language_links({}),
        day=tongue.calendar.weekday(today) if today else "",
        edition=words.fill("edition", number=front.edition) if front.edition else "",
        tagline=tongue.language.tagline,
        lead=_timed(cards[:1], today, tongue)[0] if cards else None,
        side=_timed(cards[1 : 1 + SIDE], today, tongue),
        second=_timed(cards[1 + SIDE : ABOVE], today, tongue),
        pictured=all(card.photo for card in cards[1 + SIDE : 4 + SIDE]),
        blocks=[(listing, _timed(block, today, tongue)) for listing, block in blocks],
        rest=_timed(rest, today, tongue),
        months=_periods(front.months[:MONTHS], tongue),
        message=tongue.message,
    ).encode()


def _blocks(front: Front, above: set[str]) -> list[tuple[Listing, list[Card]]]:
    """Sections with what does not stand above them already."""
    blocks = [(b.listing, [c for c in b.cards if c.uri not in above]) for b in front.blocks]
    return [(listing, cards) for listing, cards in blocks if cards]


def _timed(cards: Sequence[Card], today: date | None, tongue: Tongue) -> list[tuple[Card, str]]:
    return [(card, when(card, today, tongue)) for card in cards]


def when(card: Card, today: date | None, tongue: Tongue) -> str:
    """“14:05” on the day of the edition, the day otherwise."""
    local = tongue.calendar.local(card.published)
    day = local.date()
    return f"{local:%H:%M}" if day == today else tongue.calendar.day(day)


def listing(page: ListingPage, tongue: Tongue) -> bytes:
    """A listing's own page, or one of its periods."""
    shown, words, period = page.listing, tongue.words, page.period
    path = period.path if period else shown.path
    heading = _period(period, tongue) if period else shown.title
    title = f"{shown.title}: {heading}" if period else heading
    if shown.kind != "site":
        title = f"{title} · {tongue.language.name}"
    section = shown.slug if shown.kind == "section" else ""
    values = {
        "f": tongue.furniture("listing", section),
        "t": words.plain,
        "title": title,
        "description": "" if period else shown.description,
        "canonical": tongue.site.address + url(path),
        "alternates": (),
        "feeds": _feeds(shown.path) if section else (),
        "linked_data": "",
        "languages": tongue.language_links({}),
        "listing": shown,
        "period": period,
        "heading": heading,
        "label": _label(shown, period, tongue),
        "days": _days(page.cards, tongue) if period else (),
        "rows": () if period else _timed(page.cards, None, tongue),
        "older": page.older,
        "newer": page.newer,
        "older_words": words.fill("older", title=_turn(page.older, tongue)) if page.older else "",
        "newer_words": words.fill("newer", title=_turn(page.newer, tongue)) if page.newer else "",
        "periods": _periods(page.periods, tongue),
    }
    return render(_LISTING, values)


def _label(shown: Listing, period: Period | None, tongue: Tongue) -> Markup | str:
    """Above a period: its listing. Above a topic, a person: all of their kind."""
    if period:
        return _link(shown.path, shown.title)
    if shown.kind in ("site", "section"):
        return ""
    return _link(index_path(shown.kind, tongue.code), tongue.words[f"kind_{shown.kind}"])


@lru_cache(maxsize=4096)
def _link(path: str, words: str) -> Markup:
    return Markup('<a href="{}">{}</a>').format(path, words)


def _days(cards: Sequence[Card], tongue: Tongue) -> list[tuple[str, str, Markup]]:
    """Runs of stories of one day: its ISO date, its words, the stories with their times."""
    rows = [_row(card, tongue) for card in cards]
    return [
        (
            day.isoformat(),
            tongue.calendar.day_label(day),
            trusted("".join([html for _, html in run])),
        )
        for day, run in groupby(rows, key=lambda row: row[0])
    ]


@lru_cache(maxsize=8192)
def _row(card: Card, tongue: Tongue) -> tuple[date, str]:
    """A story under its day: which day, and its HTML. Kept, as a story is in seven lists or so."""
    local = tongue.calendar.local(card.published)
    html: str = _TEASER(card, f"{local.hour:02}:{local.minute:02}", tongue.words.plain, "h3")
    return local.date(), html


def _periods(periods: Sequence[Period], tongue: Tongue) -> list[tuple[str, str]]:
    return [(period.path, _period(period, tongue)) for period in periods]


def _period(period: Period, tongue: Tongue) -> str:
    """“November 2026”, “2026”; with its part where it is divided."""
    words = _month(period.label, tongue)
    if not period.part:
        return words
    key = "part_of" if period.parts else "part"
    return f"{words}, {tongue.words.fill(key, n=period.part, total=period.parts)}"


def _month(label: str, tongue: Tongue) -> str:
    found = _LABEL.match(label)
    return tongue.calendar.month(int(found[1]), int(found[2] or 0)) if found else label


def _turn(link: Link, tongue: Tongue) -> str:
    return _month(link.title, tongue)


def _feeds(path: str) -> list[tuple[str, str]]:
    return [(f"{path}feed.json", "application/feed+json")] + (
        [(f"{path}feed.xml", "application/rss+xml")] if path.count("/") > 2 else []
    )


def index(kind: ListingKind, tongue: Tongue, links: Sequence[Link]) -> bytes:
    """All topics, places, people or series, by first letter where there are many."""
    heading = tongue.words[f"index_{kind}"]
    return _INDEX.render(
        f=tongue.furniture("listing"),
        t=tongue.words.plain,
        title=f"{heading} · {tongue.language.name}",
        description="",
        canonical=tongue.site.address + url(index_path(kind, tongue.code)),
        alternates=(),
        feeds=(),
        linked_data="",
        languages=tongue.language_links({}),
        heading=heading,
        groups=_letters(links),
    ).encode()


def _letters(links: Sequence[Link]) -> list[tuple[str, list[Link]]]:
    def letter(link: Link) -> str:
        first = link.title[:1].upper()
        return first if first.isalpha() else "#"

    return [(first, list(run)) for first, run in groupby(links, key=letter)]


def latest(tongue: Tongue, cards: Sequence[Card]) -> bytes:
    """The list that articles pull in: a fragment of HTML, not a page."""
    shown = [(card, tongue.day(card.published)) for card in cards]
    return _LATEST.render(t=tongue.words.plain, cards=shown, front=tongue.front).encode()
