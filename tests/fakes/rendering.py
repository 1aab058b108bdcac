# SPDX-License-Identifier: AGPL-3.0-or-later
"""A real, plain renderer: everything that it is given shows in its bytes, as JSON lines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from tamizdat.edition.errors import StoryError
from tamizdat.edition.site import AskPlace, ListingKind, Page, Site
from tamizdat.edition.story import Story
from tamizdat.edition.views import (
    ArticleFacts,
    Card,
    FeedItem,
    Front,
    Link,
    Listing,
    ListingPage,
    SitemapEntry,
    Splice,
)

_encode = msgspec.json.Encoder(order="deterministic").encode


def _bytes(what: str, *values: Any) -> bytes:
    return b"<!doctype html><title>" + what.encode() + b"</title>\n" + _encode(values) + b"\n"


class PlainRenderer:
    """The ``Renderer`` port without a theme. A body with “unrenderable” in it is refused."""

    def __init__(self, site: Site) -> None:
        self._site = site
        names = [[lang.code, lang.name, [s.slug for s in lang.sections]] for lang in site.languages]
        self._fingerprint = hashlib.sha256(_encode([names, site.accent])).hexdigest()

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    def card(self, story: Story, path: str) -> Card:
        if not story.headline:
            raise StoryError(f"story {story.uri} has no headline")
        section = story.section
        return Card(
            uri=story.uri,
            path=path,
            language=story.language or "",
            headline=story.headline,
            published=story.published.isoformat(),
            updated=story.updated.isoformat(),
            kicker=story.kicker,
            standfirst=story.standfirst,
            byline=story.by or "",
            section=(section.literal or "") if section else "",
            minutes=len(story.body_html) // 1000,
            corrected=bool(story.corrections),
        )

    def feed_item(self, story: Story, card: Card) -> FeedItem:
        return FeedItem(card=card, html=story.body_html)

    def article(self, story: Story, card: Card, facts: ArticleFacts) -> bytes:
        if "unrenderable" in story.body_html:
            raise StoryError(f"story {story.uri}: block 1 cannot be rendered")
        return _bytes("article", card, story.body_html, facts)

    def tombstone(self, story: Story, card: Card) -> bytes:
        return _bytes("withdrawn", card.headline, story.withdrawal_reason)

    def redirect(self, to_path: str, language: str) -> bytes:
        return _bytes("moved", to_path, language)

    def newsletter(self, page: ListingPage) -> bytes:
        return _bytes("newsletter", page)

    def newsletters(self, language: str, latest: Mapping[str, Card]) -> bytes:
        letters = [n.slug for n in self._site.language(language).newsletters]
        return _bytes("newsletters", language, letters, latest)

    def front(self, front: Front) -> bytes:
        return _bytes("front", front)

    def listing(self, page: ListingPage) -> bytes:
        return _bytes("listing", page)

    def spliced(
        self, former: bytes, splice: Splice, language: str, card_at: Callable[[str], Card | None]
    ) -> bytes | None:
        return None

    def listing_index(self, kind: ListingKind, language: str, links: Sequence[Link]) -> bytes:
        return _bytes("index", kind, language, list(links))

    def page(self, page: Page, language: str, former: Sequence[Link]) -> bytes:
        return _bytes("page", page, language, list(former))

    def write(self, language: str) -> bytes:
        return _bytes("write", language)

    def support(self, language: str) -> bytes:
        return _bytes("support", language)

    def thanks(self, language: str) -> bytes:
        return _bytes("thanks", language)

    def ask(self, language: str, place: AskPlace) -> bytes:
        return _bytes("ask", language, place)

    def not_found(self, language: str) -> bytes:
        return _bytes("not found", language)

    def rss(self, listing: Listing, items: Sequence[FeedItem]) -> bytes:
        return _bytes("rss", listing, list(items))

    def json_feed(self, listing: Listing, items: Sequence[FeedItem]) -> bytes:
        return _bytes("json feed", listing, list(items))

    def sitemap(self, entries: Sequence[SitemapEntry]) -> bytes:
        return _bytes("sitemap", list(entries))

    def spliced_sitemap(
        self,
        former: bytes,
        gone: Collection[str],
        come: Sequence[tuple[int, SitemapEntry]],
        stories: int,
    ) -> tuple[bytes, str] | None:
        return None

    def sitemap_index(self, sitemaps: Sequence[tuple[str, str]]) -> bytes:
        return _bytes("sitemaps", list(sitemaps))

    def news_sitemap(self, cards: Sequence[Card]) -> bytes:
        return _bytes("news", list(cards))

    def latest_fragment(self, language: str, cards: Sequence[Card]) -> bytes:
        return _bytes("latest", language, list(cards))

    def robots(self) -> bytes:
        return b"User-agent: *\nDisallow:\n"

    def manifest(self, language: str) -> bytes:
        return _bytes("manifest", language)

    def assets(self) -> Mapping[str, bytes]:
        return {"/assets/paper.js": b"// nothing yet\n"}
