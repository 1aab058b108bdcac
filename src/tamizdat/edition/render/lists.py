# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pages that show many stories: fronts, listings and their periods, indexes; and the latest list.

What always holds: stories keep the order they are given in. In a month of the site a day has one
label, under which stories show their time alone; in a volume of another list a month has one,
under which they are lines with their day: a volume is long and rarely read, so it is light.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from itertools import groupby
from operator import itemgetter

from markupsafe import Markup

from tamizdat.edition.paths import index_path, url
from tamizdat.edition.render import linked
from tamizdat.edition.render.articles import alternates
from tamizdat.edition.render.furniture import Tongue
from tamizdat.edition.render.templates import environment, macro, part, render, trusted
from tamizdat.edition.site import ListingKind
from tamizdat.edition.views import Card, Front, Link, Listing, ListingPage, Period

SIDE = 4
ABOVE = 1 + SIDE + 6
MONTHS = 12
FULL = 20
_FRONT = environment.get_template("front.html")
_HEAD = environment.get_template("_head.html")
_LISTING = part("listing.html", "text")
_INDEX = environment.get_template("index.html")
_LATEST = environment.get_template("latest.html")
_TEASER, _LINE = macro("_card.html", "teaser"), macro("_card.html", "line")
_LABEL = re.compile(r"(\d{4})(?:-(\d\d))?\Z")
_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)\Z")
_TURNS = {"older": "older_stories", "newer": "newer_stories"}
Run = tuple[int, str, str, Markup]


def front(front: Front, tongue: Tongue) -> bytes:
    """A language's front page: the lead, some beside and below it, sections, then the rest."""
    site, words = tongue.site, tongue.words
    canonical = site.address + url(tongue.front)
    today = tongue.calendar.local(front.updated).date() if front.updated else None
    cards = list(front.cards)
    blocks = _blocks(front, {card.uri for card in cards[:ABOVE]})
    shown = {card.uri for _, block in blocks for card in block}
    rest = [card for card in cards[ABOVE:] if card.uri not in shown]
    pictured = 3 if all(card.photo for card in cards[1 + SIDE : 4 + SIDE]) else 0
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
        lead=_teasers(cards[:1], today, tongue, pictured=1, eager=True),
        side=_teasers(cards[1 : 1 + SIDE], today, tongue),
        second=_teasers(cards[1 + SIDE : ABOVE], today, tongue, pictured=pictured),
        blocks=[
            (listing, _teasers(block, today, tongue, level="h3", pictured=1))
            for listing, block in blocks
        ],
        rest=trusted("".join([_line_of(c, when(c, today, tongue), tongue) for c in rest])),
        months=_periods(front.months[:MONTHS], tongue),
        message=tongue.message,
    ).encode()


def _blocks(front: Front, above: set[str]) -> list[tuple[Listing, list[Card]]]:
    """Sections with what does not stand above them already."""
    blocks = [(b.listing, [c for c in b.cards if c.uri not in above]) for b in front.blocks]
    return [(listing, cards) for listing, cards in blocks if cards]


def when(card: Card, today: date | None, tongue: Tongue) -> str:
    """“14:05” on the day of the edition, the day otherwise."""
    local = tongue.calendar.local(card.published)
    day = local.date()
    return f"{local:%H:%M}" if day == today else tongue.calendar.day(day)


def listing(page: ListingPage, tongue: Tongue) -> bytes:
    """A listing's own page, or one of its periods."""
    shown, words, period = page.listing, tongue.words, page.period
    path = period.path if period else shown.path
    heading = period_words(period, tongue) if period else shown.title
    title = f"{shown.title}: {heading}" if period else heading
    if shown.kind != "site":
        title = f"{title} · {tongue.language.name}"
    section = shown.slug if shown.kind == "section" else ""
    values = {
        "t": words.plain,
        "title": title,
        "description": "" if period else shown.description,
        "canonical": tongue.site.address + url(path),
        "alternates": (),
        "feeds": _feeds(shown.path) if section else (),
        "linked_data": "",
        "heading": heading,
        "label": _label(shown, period, tongue),
        "runs": _runs(page, tongue),
        "lines": shown.kind != "site",
        "rows": ""
        if period
        else _teasers(page.cards[:FULL], None, tongue, pictured=FULL, eager=True),
        "rest": "" if period else _lines(page.cards[FULL:], tongue),
        "older": page.older,
        "newer": page.newer,
        "older_words": _turn("older", page.older, tongue),
        "newer_words": _turn("newer", page.newer, tongue),
        "periods": _periods(page.periods, tongue),
        "spans": any("/" in period.label for period in page.periods),
    }
    before, between, behind, after = tongue.encoded_furniture("listing", section)
    head, text = render(_HEAD, values), _LISTING(values).encode()
    languages = tongue.language_links({}).encode()
    return b"".join((before, head, between, languages, behind, text, after))


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


def _runs(page: ListingPage, tongue: Tongue) -> list[Run]:
    """The stories of a month by day, of a volume by month."""
    if page.period is None:
        return []
    return _days(page.cards, tongue) if page.listing.kind == "site" else _months(page.cards, tongue)


def _days(cards: Sequence[Card], tongue: Tongue) -> list[Run]:
    """Runs of stories of one day: its number on the page, its ISO date, its words, the stories
    with their times."""
    rows = [_row(card, tongue) for card in cards]
    return [
        (number, day.isoformat(), tongue.calendar.day_label(day), _joined(run))
        for number, (day, run) in enumerate(groupby(rows, key=itemgetter(0)), 1)
    ]


def _months(cards: Sequence[Card], tongue: Tongue) -> list[Run]:
    """The same of one month, the stories with their days."""
    rows = [_dated(card, tongue) for card in cards]
    return [
        (number, f"{first:%Y-%m}", tongue.calendar.month(first.year, first.month), _joined(run))
        for number, (first, run) in enumerate(groupby(rows, key=itemgetter(0)), 1)
    ]


def _teasers(
    cards: Sequence[Card], today: date | None, tongue: Tongue, *, level: str = "h2",
    pictured: int = 0, eager: bool = False,
) -> Markup:  # fmt: skip
    """Stories with their words; so many of the first with their photo, the very first of which
    is loaded at once where ``eager``."""
    rows = [
        _teaser(
            card, when(card, today, tongue), tongue, level, number < pictured, eager and not number
        )
        for number, card in enumerate(cards)
    ]
    return trusted("".join(rows))


def _teaser(
    card: Card, when: str, tongue: Tongue, level: str, pictured: bool = False, eager: bool = False
) -> str:
    mark = tongue.words["corrected"] if card.corrected else ""
    return _TEASER(
        card.path, card.headline, card.kicker, card.standfirst, card.published, when, mark, level,
        card.photo if pictured else None, eager,
    )  # fmt: skip


def own_teaser(card: Card, place: int, tongue: Tongue) -> str:
    """The row of one of the first ``FULL`` stories of a list's own page."""
    return _teaser(card, when(card, None, tongue), tongue, "h2", True, not place)


def own_line(card: Card, tongue: Tongue) -> str:
    """The row of one of those below them."""
    return _line(card, tongue)


def _lines(cards: Sequence[Card], tongue: Tongue) -> Markup:
    return trusted("".join([_line(card, tongue) for card in cards]))


@lru_cache(maxsize=65_536)
def _line(card: Card, tongue: Tongue) -> str:
    """A story in one line. Kept: it is in six lists, and there again when the next one comes."""
    day = tongue.calendar.local(card.published).date()
    return _line_of(card, tongue.calendar.day(day), tongue)


def _line_of(card: Card, day: str, tongue: Tongue) -> str:
    mark = tongue.words["corrected"] if card.corrected else ""
    return _LINE(card.path, card.headline, card.published, day, mark)


def _joined(rows: Iterable[tuple[date, str]]) -> Markup:
    return trusted("".join([html for _, html in rows]))


@lru_cache(maxsize=8192)
def _row(card: Card, tongue: Tongue) -> tuple[date, str]:
    """A story under its day: which day, and its HTML. Kept for the next part of its month."""
    local = tongue.calendar.local(card.published)
    time = f"{local.hour:02}:{local.minute:02}"
    return local.date(), _teaser(card, time, tongue, "h3")


@lru_cache(maxsize=100_000)
def _dated(card: Card, tongue: Tongue) -> tuple[date, str]:
    """A story under its month: which month, and its HTML. Kept, as a story is in six volumes."""
    day = tongue.calendar.local(card.published).date()
    return day.replace(day=1), _line_of(card, tongue.calendar.day_label(day), tongue)


def _periods(periods: Sequence[Period], tongue: Tongue) -> list[tuple[str, str]]:
    return [(period.path, period_words(period, tongue)) for period in periods]


def period_words(period: Period, tongue: Tongue) -> str:
    """“November 2026”, “2026”, “March 2019 – June 2020”; with its part where it is divided."""
    words = _label_words(period.label, tongue)
    if not period.part:
        return words
    key = "part_of" if period.parts else "part"
    return f"{words}, {tongue.words.fill(key, n=period.part, total=period.parts)}"


@lru_cache(maxsize=4096)
def _label_words(label: str, tongue: Tongue) -> str:
    if found := _SPAN.match(label):
        return _span(date.fromisoformat(found[1]), date.fromisoformat(found[2]), tongue)
    found = _LABEL.match(label)
    return tongue.calendar.month(int(found[1]), int(found[2] or 0)) if found else label


def _span(first: date, last: date, tongue: Tongue) -> str:
    """From month to month, or from day to day within one: there may be several in a month."""
    calendar = tongue.calendar
    if first == last:
        return calendar.day(first)
    if (first.year, first.month) == (last.year, last.month):
        return tongue.words.fill("span", first=calendar.day(first), last=calendar.day(last))
    begins, ends = calendar.month(first.year, first.month), (last.year, last.month)
    return tongue.words.fill("span", first=begins, last=calendar.month_within(*ends))


def _turn(which: str, link: Link | None, tongue: Tongue) -> str:
    if link is None:
        return ""
    if not link.title:
        return tongue.words[_TURNS[which]]
    return tongue.words.fill(which, title=_label_words(link.title, tongue))


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
