# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the builder hands to the renderer, and the port between them.

What always holds: these are plain data; a ``Card`` is all that a list, feed index or box ever
needs of a story, so no list loads a story's text. The renderer is a pure function of what it is
given (no clock, no files, no network): the same input gives the same bytes in every process.

What is not done here: choosing what goes on which page (``listings``), writing (``store``).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import msgspec

from tamizdat.edition.site import AskPlace, ListingKind, Page
from tamizdat.edition.story import Story


class _Data(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Base of the plain data below."""


class Thumb(_Data, frozen=True, cache_hash=True):
    """A small picture in a list: address from the root, size in pixels, alternative text."""

    path: str
    width: int
    height: int
    alt: str = ""


class Card(_Data, frozen=True, cache_hash=True):
    """A story as lists show it. Dates are RFC 3339 with offset; ``minutes`` to read."""

    uri: str
    path: str
    language: str
    headline: str
    published: str
    updated: str
    kicker: str = ""
    standfirst: str = ""
    byline: str = ""
    section: str = ""
    section_title: str = ""
    minutes: int = 0
    corrected: bool = False
    photo: Thumb | None = None


class Link(_Data, frozen=True):
    """A link inside the paper: address from the root, words, language where it is another one.
    From page to page of a list, ``title`` is a month's label, or empty: “older stories”."""

    path: str
    title: str
    language: str = ""


class ArticleFacts(_Data, frozen=True):
    """What an article's page shows that is not in the story itself.

    ``related`` holds only stories published now; ``translations`` likewise. Of an issue of a
    newsletter ``related`` are those of its stories that are, ``older`` and ``newer`` the issues
    before and after it.
    """

    related: tuple[Card, ...] = ()
    translations: tuple[Link, ...] = ()
    older: Link | None = None
    newer: Link | None = None


class Listing(_Data, frozen=True):
    """A list of stories: the whole site, a section, topic, place, person, series or newsletter."""

    kind: ListingKind
    language: str
    slug: str
    title: str
    path: str
    description: str = ""


class Period(_Data, frozen=True):
    """A stretch of a listing that has a page of its own: a month of the site or a part of one, a
    volume of another list.

    ``label`` is ``2026-11``, ``2026``, or from day to day of a volume: ``2019-03-14/2020-06-02``.
    ``part`` counts from 1, the oldest, 0 where undivided.
    """

    label: str
    path: str
    part: int = 0
    parts: int = 0


class ListingPage(_Data, frozen=True):
    """One page of a listing. ``cards`` are in the order to be shown, newest first.

    ``period`` is None on the listing's front, which then links to ``periods``, newest first. There
    the first stories are the pinned ones, and all follow that stand on no other page of the list.
    """

    listing: Listing
    cards: tuple[Card, ...]
    period: Period | None = None
    older: Link | None = None
    newer: Link | None = None
    periods: tuple[Period, ...] = ()


class Splice(_Data, frozen=True):
    """What changed on a list's own page, all else being as it was: the paths of stories that are
    taken out, those that are put in with their places from 0, ascending, and how many stories
    there are then. A story that stays and changed goes out and comes in."""

    gone: frozenset[str]
    come: tuple[tuple[int, Card], ...]
    stories: int


class FrontBlock(_Data, frozen=True):
    """A section's part of the front page."""

    listing: Listing
    cards: tuple[Card, ...]


class Front(_Data, frozen=True):
    """A language's front page: ``lead`` first, pinned ones before the latest."""

    language: str
    edition: int
    updated: str
    cards: tuple[Card, ...]
    blocks: tuple[FrontBlock, ...] = ()
    translations: tuple[Link, ...] = ()
    months: tuple[Period, ...] = ()


class FeedItem(_Data, frozen=True):
    """A story in a feed, with its whole text (HTML with absolute addresses is the renderer's)."""

    card: Card
    html: str = ""
    authors: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()


class SitemapEntry(_Data, frozen=True):
    """An address in a sitemap. ``alternates`` maps language codes to paths."""

    path: str
    updated: str
    alternates: Mapping[str, str] = {}


class Renderer(Protocol):
    """Makes bytes of stories and lists. Raises ``StoryError`` naming the story and the block."""

    @property
    def fingerprint(self) -> str:
        """Changes when the furniture of every page changes: theme, name, sections, colours."""

    def card(self, story: Story, path: str) -> Card: ...
    def feed_item(self, story: Story, card: Card) -> FeedItem: ...
    def article(self, story: Story, card: Card, facts: ArticleFacts) -> bytes: ...
    def tombstone(self, story: Story, card: Card) -> bytes: ...
    def redirect(self, to_path: str, language: str) -> bytes: ...
    def front(self, front: Front) -> bytes: ...
    def listing(self, page: ListingPage) -> bytes: ...
    def spliced(
        self, former: bytes, splice: Splice, language: str, card_at: Callable[[str], Card | None]
    ) -> bytes | None:
        """A list's own page of the page as it was; None where it must be made anew. ``card_at``:
        the card of the story at a path."""

    def listing_index(self, kind: ListingKind, language: str, links: Sequence[Link]) -> bytes: ...
    def page(self, page: Page, language: str, former: Sequence[Link]) -> bytes: ...
    def write(self, language: str) -> bytes:
        """The page on which readers write to the desk; asked for where the site has drops."""

    def support(self, language: str) -> bytes:
        """The page on which readers give; asked for where the site ``gives``."""

    def thanks(self, language: str) -> bytes:
        """The page to which who gave comes back."""

    def ask(self, language: str, place: AskPlace) -> bytes:
        """The messages to readers of a place, a fragment; asked for where there are any."""

    def newsletter(self, page: ListingPage) -> bytes:
        """A newsletter's own page: signing up, its latest issue, those before it."""

    def newsletters(self, language: str, latest: Mapping[str, Card]) -> bytes:
        """All that readers may sign up for, with the latest issue of each, by slug."""

    def not_found(self, language: str) -> bytes: ...
    def rss(self, listing: Listing, items: Sequence[FeedItem]) -> bytes: ...
    def json_feed(self, listing: Listing, items: Sequence[FeedItem]) -> bytes: ...
    def sitemap(self, entries: Sequence[SitemapEntry]) -> bytes: ...
    def spliced_sitemap(
        self,
        former: bytes,
        gone: Collection[str],
        come: Sequence[tuple[int, SitemapEntry]],
        stories: int,
    ) -> tuple[bytes, str] | None:
        """A sitemap of the one before, without the stories at some paths and with others at their
        places from 0, ascending; and the date of the last change in it. None where it must be made
        anew: it has to have so many ``stories``."""

    def sitemap_index(self, sitemaps: Sequence[tuple[str, str]]) -> bytes: ...
    def news_sitemap(self, cards: Sequence[Card]) -> bytes: ...
    def latest_fragment(self, language: str, cards: Sequence[Card]) -> bytes: ...
    def robots(self) -> bytes: ...
    def manifest(self, language: str) -> bytes: ...
    def assets(self) -> Mapping[str, bytes]:
        """Files every paper has, by path from the root: scripts, icons."""
