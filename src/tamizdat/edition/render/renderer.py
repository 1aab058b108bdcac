# SPDX-License-Identifier: AGPL-3.0-or-later
"""``PageRenderer``: the ``Renderer`` port of ``views`` for this theme.

What always holds: every answer is a function of the arguments and the site given at the start.
Errors name the story. The work is done in the modules beside this one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property

from tamizdat.edition.errors import StoryError
from tamizdat.edition.render import (
    articles,
    assets,
    feeds,
    furniture,
    giving,
    letters,
    lists,
    newsletters,
    pages,
    sitemaps,
    splicing,
)
from tamizdat.edition.render.furniture import Tongue
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


class PageRenderer:
    """Makes the pages of one site. Cheap to keep, a few milliseconds to make."""

    def __init__(self, site: Site) -> None:
        self._site = site.check()
        self._tongues = {language.code: Tongue(site, language) for language in site.languages}

    @cached_property
    def fingerprint(self) -> str:
        return furniture.fingerprint(self._site)

    def _tongue(self, code: str) -> Tongue:
        found = self._tongues.get(code)
        return found or self._tongues[self._site.language(code).code]

    def card(self, story: Story, path: str) -> Card:
        if not story.headline:
            raise StoryError(f"story {story.uri} has no headline")
        if not story.language:
            raise StoryError(f"{articles.name_of(story)} does not say its language")
        return articles.card(story, path, self._tongue(story.language))

    def feed_item(self, story: Story, card: Card) -> FeedItem:
        if story.is_issue:
            return newsletters.feed_item(story, card, self._tongue(card.language))
        return articles.feed_item(story, card)

    def article(self, story: Story, card: Card, facts: ArticleFacts) -> bytes:
        if story.is_issue:
            return newsletters.issue(story, card, facts, self._tongue(card.language))
        return articles.page(story, card, facts, self._tongue(card.language))

    def tombstone(self, story: Story, card: Card) -> bytes:
        return pages.tombstone(story, card, self._tongue(card.language))

    def redirect(self, to_path: str, language: str) -> bytes:
        return pages.redirect(to_path, self._tongue(language))

    def front(self, front: Front) -> bytes:
        return lists.front(front, self._tongue(front.language))

    def listing(self, page: ListingPage) -> bytes:
        return lists.listing(page, self._tongue(page.listing.language))

    def spliced(
        self, former: bytes, splice: Splice, language: str, card_at: splicing.CardAt
    ) -> bytes | None:
        return splicing.spliced(former, splice, card_at, self._tongue(language))

    def listing_index(self, kind: ListingKind, language: str, links: Sequence[Link]) -> bytes:
        return lists.index(kind, self._tongue(language), links)

    def page(self, page: Page, language: str, former: Sequence[Link]) -> bytes:
        return pages.page(page, self._tongue(language), former)

    def write(self, language: str) -> bytes:
        return letters.write(self._tongue(language))

    def support(self, language: str) -> bytes:
        return giving.support(self._tongue(language))

    def thanks(self, language: str) -> bytes:
        return giving.thanks(self._tongue(language))

    def ask(self, language: str, place: AskPlace) -> bytes:
        return giving.ask(self._tongue(language), place)

    def newsletter(self, page: ListingPage) -> bytes:
        return newsletters.newsletter(page, self._tongue(page.listing.language))

    def newsletters(self, language: str, latest: Mapping[str, Card]) -> bytes:
        return newsletters.newsletters(self._tongue(language), latest)

    def not_found(self, language: str) -> bytes:
        return pages.not_found(self._tongue(language))

    def rss(self, listing: Listing, items: Sequence[FeedItem]) -> bytes:
        return feeds.rss(listing, items, self._tongue(listing.language))

    def json_feed(self, listing: Listing, items: Sequence[FeedItem]) -> bytes:
        return feeds.json_feed(listing, items, self._tongue(listing.language))

    def sitemap(self, entries: Sequence[SitemapEntry]) -> bytes:
        return sitemaps.sitemap(self._site, entries)

    def spliced_sitemap(
        self,
        former: bytes,
        gone: Collection[str],
        come: Sequence[tuple[int, SitemapEntry]],
        stories: int,
    ) -> tuple[bytes, str] | None:
        return sitemaps.spliced(self._site, former, (gone, come, stories))

    def sitemap_index(self, sitemaps_: Sequence[tuple[str, str]]) -> bytes:
        return sitemaps.index(self._site, sitemaps_)

    def news_sitemap(self, cards: Sequence[Card]) -> bytes:
        return sitemaps.news(self._site, cards)

    def latest_fragment(self, language: str, cards: Sequence[Card]) -> bytes:
        return lists.latest(self._tongue(language), cards)

    def robots(self) -> bytes:
        return sitemaps.robots(self._site)

    def manifest(self, language: str) -> bytes:
        return assets.manifest(self._tongue(language))

    def assets(self) -> Mapping[str, bytes]:
        return assets.assets(self._site)
