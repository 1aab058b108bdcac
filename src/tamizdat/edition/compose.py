# SPDX-License-Identifier: AGPL-3.0-or-later
"""What lies at each address: puts together what the renderer needs for every kind of page.

What always holds: a page is a function of the catalogue, the site and (for the news sitemap) the
time; it does not matter whether one story was published or all of them. Nothing leads to a
story that is not published now.

What is not done here: deciding which pages a change touches (``publishing``, ``builder``),
keeping bytes (``store``).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tamizdat.edition import listings, months, paths
from tamizdat.edition.catalogue import Catalogue, Kept, ListingRow, decode_card
from tamizdat.edition.rows import rank
from tamizdat.edition.site import SUPPORT_SLUG, AskPlace, ListingKind, Page, Site
from tamizdat.edition.story import Story, decode
from tamizdat.edition.storylog import StoryLog
from tamizdat.edition.views import (
    ArticleFacts,
    Card,
    FeedItem,
    Front,
    FrontBlock,
    Link,
    Listing,
    ListingPage,
    Renderer,
    Splice,
)
from tamizdat.edition.volumes import HIGHEST, LOWEST, Volume

MOST_RELATED = 8
_CACHED = 100_000  # cards, about 1 kB each: a story is in six lists
_NEAR = 8_000  # cards, of stories that others lead to
_VIEWS = 5_000


class Output(NamedTuple):
    """One file of the paper. ``rank`` says which of several redirects at one path is meant: the
    highest."""

    path: str
    data: bytes
    status: int = 200
    location: str = ""
    rank: int = 0


class Touched(NamedTuple):
    """What changed on a list's own page, which has the stories from rank ``after`` on: the ranks
    at which stories came, went or changed, and where these lay or lie."""

    ranks: Collection[int]
    paths: frozenset[str]
    after: int


class Composer:
    """Makes files from the catalogue as it is; make a new one when the catalogue has changed.
    ``cards`` are those of stories that are known already, by id; more are put there."""

    def __init__(
        self,
        catalogue: Catalogue,
        log: StoryLog,
        renderer: Renderer,
        site: Site,
        now: datetime,
        cards: dict[int, Card] | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._log = log
        self._renderer = renderer
        self._site = site
        self._now = now
        self._profiles = {
            (language.code, profile.kind, profile.slug): profile
            for language in site.languages
            for profile in language.profiles
        }
        self._cards: dict[int, Card] = {} if cards is None else cards
        self._live: dict[str, Card | None] = {}
        self._items: dict[int, FeedItem] = {}
        self._zone = paths.zone(site.timezone)
        self._views: dict[int, Listing] = {}
        self._counts: dict[int, list[tuple[int, int]]] = {}
        self._volumes: dict[int, list[Volume]] = {}

    # Stories

    def stories(self, kept: Sequence[Kept]) -> Iterator[Output]:
        """The pages of stories, tombstones of withdrawn ones, and redirects to them."""
        cards = [decode_card(one.row.card) for one in kept]
        targets = self._targets(kept, cards)
        translated = self._catalogue.translations(k.row.translation for k in kept)
        for one, card in zip(kept, cards, strict=True):
            story = decode(self._log.read(one.start, one.length))
            if one.row.live:
                facts = (
                    self._issue_facts(one, targets)
                    if story.is_issue
                    else ArticleFacts(
                        related=_related(one, targets), translations=self._links(one, translated)
                    )
                )
                yield Output(one.row.path, self._renderer.article(story, card, facts))
            else:
                yield Output(one.row.path, self._renderer.tombstone(story, card), 410)
            for path in one.row.former:
                yield self._redirect(path, one.row.path, one.row.language, one.row.rank)

    def _targets(self, kept: Sequence[Kept], cards: Iterable[Card]) -> dict[str, Card | None]:
        """The cards of the stories that these lead to, None where one is not published now. Kept
        for the next ones: stories lead to those that came shortly before them."""
        known = self._live
        if len(known) > _NEAR:
            known.clear()
        known.update(
            (k.row.uri, c if k.row.live else None) for k, c in zip(kept, cards, strict=True)
        )
        if missing := {u for k in kept for u in k.row.related} - known.keys():
            known.update(dict.fromkeys(missing))
            known.update(self._catalogue.live_cards(missing))
        return known

    def _issue_facts(self, one: Kept, targets: dict[str, Card | None]) -> ArticleFacts:
        """Which of an issue's stories can be read, and the issues beside it."""
        slug, _ = paths.issue_of(one.row.path) or ("", 0)
        row = self._catalogue.find_listing("newsletter", one.row.language, slug)
        beside = self._catalogue.near(row.id, 0, one.row.rank, 1) if row else []
        turn: dict[bool, Link] = {}
        for kept in self._catalogue.stories(beside):
            title = decode_card(kept.row.card).headline
            turn[kept.row.rank > one.row.rank] = Link(path=kept.row.path, title=title)
        return ArticleFacts(
            related=tuple(card for uri in one.row.related if (card := targets[uri])),
            older=turn.get(False),
            newer=turn.get(True),
        )

    def redirect(self, path: str) -> Output | None:
        """The redirect page at a former address, where a story has it."""
        found = self._catalogue.redirect(path)
        return self._redirect(path, *found) if found else None

    def _redirect(self, path: str, to: str, language: str, order: int = 0) -> Output:
        return Output(path, self._renderer.redirect(to, language), 301, to, order)

    def _links(
        self, one: Kept, translated: dict[str, list[tuple[int, int, Card]]]
    ) -> tuple[Link, ...]:
        found = {}
        for _, _, card in reversed(translated.get(one.row.translation, [])):
            if card.language != one.row.language:
                found[card.language] = card
        return tuple(
            Link(path=c.path, title=c.headline, language=code)
            for language in self._site.languages
            if (c := found.get(code := language.code))
        )

    # Fronts

    def front(self, language: str, edition: int) -> Iterator[Output]:
        """A language's front page; that of the default one lies at the root too."""
        site = self._catalogue.find_listing("site", language, "")
        counts = self._catalogue.periods(site.id) if site else []
        cards = self._pinned(language, "", site, self._site.front_stories)
        sections = self._site.language(language).sections
        blocks = tuple(filter(None, (self._block(language, s.slug) for s in sections)))
        shown = [card for block in blocks for card in block.cards] + list(cards)
        front = Front(
            language=language,
            edition=edition,
            updated=max((card.updated for card in shown), key=datetime.fromisoformat, default=""),
            cards=cards,
            blocks=blocks,
            translations=self._other_fronts(language),
            months=listings.period_links(paths.front_path(language), counts),
        )
        data = self._renderer.front(front)
        yield Output(paths.front_path(language), data)
        if language == self._site.languages[0].code:
            yield Output("/", data)

    def _other_fronts(self, language: str) -> tuple[Link, ...]:
        return tuple(
            Link(path=paths.front_path(other.code), title=other.name, language=other.code)
            for other in self._site.languages
            if other.code != language
        )

    def _block(self, language: str, slug: str) -> FrontBlock | None:
        row = self._catalogue.find_listing("section", language, slug)
        cards = self._pinned(language, slug, row, listings.BLOCK)
        listing = self.listing_view("section", language, slug, row)
        return FrontBlock(listing=listing, cards=cards) if cards else None

    def _pinned(
        self, language: str, section: str, row: ListingRow | None, limit: int
    ) -> tuple[Card, ...]:
        """A front's pinned stories, then the latest, ``limit`` of them in all."""
        pins = self._pins(language, section)
        latest = self._catalogue.latest(row.id, limit + len(pins)) if row else []
        return _before(pins, self.cards(latest))[:limit]

    def _pins(self, language: str, section: str) -> list[Card]:
        uris = self._site.language(language).pinned(section)
        live = self._catalogue.live_cards(uris)
        return [c for uri in dict.fromkeys(uris) if (c := live.get(uri)) and c.language == language]

    # Lists

    def listing_view(
        self, kind: ListingKind, language: str, slug: str, row: ListingRow | None
    ) -> Listing:
        """How a listing calls itself: as the site says, else as its oldest story does."""
        tongue = self._site.language(language)
        title, description = (row.title if row else "") or slug, ""
        if kind == "newsletter" and (letter := tongue.newsletter(slug)):
            title, description = letter.title, letter.about
        profile = self._profiles.get((language, kind, slug))
        if profile is not None:
            title, description = profile.title or title, profile.description
        section = tongue.section(slug) if kind == "section" else None
        if section is not None:
            title, description = section.title, section.description or description
        if kind == "site":
            title, description = tongue.name, tongue.description
        path = paths.listing_path(kind, language, slug)
        return Listing(
            kind=kind, language=language, slug=slug, title=title, path=path, description=description
        )

    def listing_front(self, kind: ListingKind, language: str, slug: str) -> Iterator[Output]:
        """A listing's own page, with all stories that are in no volume. Sections that the site
        names have one even where they have no story yet."""
        row = self._catalogue.find_listing(kind, language, slug)
        view = self.listing_view(kind, language, slug, row)
        pins = self._pins(language, slug) if kind == "section" else []
        volumes = self._catalogue.volumes(row.id) if row else []
        after = volumes[-1].last + 1 if volumes else LOWEST
        ids = self._catalogue.between(row.id, after, HIGHEST) if row else []
        page = ListingPage(
            listing=view,
            cards=_before(pins, self.cards(ids)),
            older=listings.newest(view.path, volumes),
            periods=listings.archive(view.path, volumes, self._zone),
        )
        render = self._renderer
        made = render.newsletter(page) if kind == "newsletter" else render.listing(page)
        yield Output(view.path, made)

    def spliced(self, row: ListingRow, former: bytes, touched: Touched) -> Iterator[Output]:
        """The same of the page as it was, of which only these stories changed."""
        count, come = self._catalogue.count, []
        for place in sorted(touched.ranks, reverse=True):
            ids = self._catalogue.between(row.id, place, place)
            if len(ids) > 1:  # Of two at one moment nobody knows which is meant.
                return (yield from self.listing_front(row.kind, row.language, row.slug))
            come += [(count(row.id, place + 1, HIGHEST), card) for card in self.cards(ids)]
        stories = count(row.id, touched.after, HIGHEST)
        splice = Splice(gone=touched.paths, come=tuple(come), stories=stories)
        card_at = self._catalogue.card_at
        made = self._renderer.spliced(former, splice, row.language, card_at)
        if made is None:
            return (yield from self.listing_front(row.kind, row.language, row.slug))
        yield Output(paths.listing_path(row.kind, row.language, row.slug), made)

    # Newsletters

    def newsletter(self, language: str, slug: str) -> Iterator[Output]:
        """A newsletter's own page, and the feeds of its issues."""
        yield from self.listing_front("newsletter", language, slug)
        yield from self.feeds(language, slug, "newsletter")

    def newsletters(self, language: str) -> Iterator[Output]:
        """The page on which readers choose, where they can sign up for any."""
        if not self.signs_up(language):
            return
        latest = {}
        for letter in self._site.language(language).newsletters:
            row = self._catalogue.find_listing("newsletter", language, letter.slug)
            for card in self.cards(self._catalogue.latest(row.id, 1)) if row else ():
                latest[letter.slug] = card
        made = self._renderer.newsletters(language, latest)
        yield Output(paths.newsletters_path(language), made)

    def signs_up(self, language: str, slug: str = "") -> bool:
        """Whether readers can sign up for any newsletter of a language, or for this one."""
        tongue = self._site.language(language)
        found = tongue.newsletter(slug) if slug else tongue.newsletters
        return bool(found and self._site.letters.drops)

    # Older pages of lists

    def volume(self, number: int, first: int) -> Iterator[Output]:
        """The page of the volume of a listing that begins with a rank."""
        view, volumes = self._view(number), self._volumes_of(number)
        place = bisect_left(volumes, (first,))
        ids = self._catalogue.between(number, first, volumes[place].last)
        shown = listings.volume_view(view.path, volumes[place], self._zone)
        older, newer = listings.turn(view.path, volumes, place)
        cards = tuple(self.cards(ids))
        page = ListingPage(listing=view, cards=cards, period=shown, older=older, newer=newer)
        yield Output(shown.path, self._renderer.listing(page))

    def period(
        self, number: int, month: int, parts: Iterable[int] | None = None
    ) -> Iterator[Output]:
        """Pages of one month of the site: all of its parts, or those asked for."""
        view, counts = self._view(number), self._months_of(number)
        place = next(i for i, (m, _) in enumerate(counts) if m == month)
        stories = counts[place][1]
        wanted = range(1, listings.parts(stories) + 1) if parts is None else parts
        for part in wanted:
            skip = (part - 1) * listings.PART
            ids = self._catalogue.members(number, month, skip, listings.PART)
            shown = listings.part_view(view.path, month, part, stories)
            page = ListingPage(
                listing=view,
                cards=tuple(self.cards(ids[::-1])),
                period=shown,
                older=listings.older(view.path, counts, place, part),
                newer=listings.newer(view.path, counts, place, part),
            )
            yield Output(shown.path, self._renderer.listing(page))

    def _view(self, number: int) -> Listing:
        """A listing as it calls itself."""
        if number not in self._views:
            if len(self._views) > _VIEWS:
                self._views.clear()
                self._volumes.clear()
            row = self._catalogue.listing(number)
            self._views[number] = self.listing_view(row.kind, row.language, row.slug, row)
        return self._views[number]

    def _months_of(self, number: int) -> list[tuple[int, int]]:
        if number not in self._counts:
            self._counts[number] = self._catalogue.periods(number)
        return self._counts[number]

    def _volumes_of(self, number: int) -> list[Volume]:
        if number not in self._volumes:
            self._volumes[number] = self._catalogue.volumes(number)
        return self._volumes[number]

    def kind_index(self, kind: ListingKind, language: str) -> Iterator[Output]:
        """The list of all topics, places, people or series."""
        views = [
            self.listing_view(kind, language, row.slug, row)
            for row in self._catalogue.listings(kind, language)
        ]
        views.sort(key=lambda view: (view.title.casefold(), view.slug))
        links = [Link(path=view.path, title=view.title) for view in views]
        data = self._renderer.listing_index(kind, language, links)
        yield Output(paths.index_path(kind, language), data)

    def cards(self, ids: Sequence[int]) -> list[Card]:
        """The cards of stories, in the order of their ids given."""
        if missing := [number for number in ids if number not in self._cards]:
            if len(self._cards) > _CACHED:
                self._cards.clear()
                missing = list(ids)
            self._cards.update(self._catalogue.card_rows(missing))
        return [self._cards[number] for number in ids]

    # Feeds and sitemaps

    def feeds(
        self, language: str, slug: str = "", kind: ListingKind = "section"
    ) -> Iterator[Output]:
        """RSS and JSON feeds of the site, or of a section or newsletter."""
        kind = kind if slug else "site"
        row = self._catalogue.find_listing(kind, language, slug)
        view = self.listing_view(kind, language, slug, row)
        ids = self._catalogue.latest(row.id, listings.FEED) if row else []
        items = self._feed_items(ids)
        yield Output(f"{view.path}feed.xml", self._renderer.rss(view, items))
        yield Output(f"{view.path}feed.json", self._renderer.json_feed(view, items))

    def _feed_items(self, ids: Sequence[int]) -> list[FeedItem]:
        missing = [number for number in ids if number not in self._items]
        for kept in self._catalogue.stories(missing):
            story: Story = decode(self._log.read(kept.start, kept.length))
            card = decode_card(kept.row.card)
            self._items[kept.id] = self._renderer.feed_item(story, card)
        return [self._items[number] for number in ids]

    def month(self, month: int, before: months.Before | None = None) -> tuple[list[Output], str]:
        """A month's sitemap (none where it has no story) and the date of its last change."""
        path = paths.sitemap_path(month)
        made = before and months.spliced(self._catalogue, self._renderer, month, before)
        if made:
            return [Output(path, made[0])], made[1]
        rows = self._catalogue.month(month)
        if not rows:
            return [], ""
        sitemap = self._renderer.sitemap(months.entries(self._catalogue, rows))
        return [Output(path, sitemap)], max(updated for _, updated, _ in rows)

    def sitemap_index(self) -> Iterator[Output]:
        found = [(paths.sitemap_path(m), updated) for m, updated in self._catalogue.months()]
        yield Output("/sitemap.xml", self._renderer.sitemap_index(found))

    def news(self) -> Iterator[Output]:
        """The news sitemap: stories of the last two days, newest first."""
        since = self._now - timedelta(hours=listings.NEWS_HOURS)
        local = since.astimezone(self._zone)
        found: list[tuple[int, int]] = []
        for language in self._site.languages:
            row = self._catalogue.find_listing("site", language.code, "")
            if row is not None:
                month = local.year * 100 + local.month
                floor = rank(since, "") & ~((1 << 21) - 1)
                found += self._catalogue.since(row.id, month, floor)
        cards = self.cards([number for _, number in sorted(found, reverse=True)])
        yield Output("/news-sitemap.xml", self._renderer.news_sitemap(cards))

    # What every paper has

    def fragments(self, language: str) -> Iterator[Output]:
        """Files that pages pull in: the latest stories, and messages, which are mostly empty."""
        row = self._catalogue.find_listing("site", language, "")
        cards = self.cards(self._catalogue.latest(row.id, listings.LATEST)) if row else []
        data = self._renderer.latest_fragment(language, cards)
        yield Output(f"/fragments/{language}/latest.html", data)
        places: tuple[AskPlace, ...] = ("ribbon", "message")
        for place in (*places, "thanks") if self._site.gives else places:
            yield Output(paths.ask_path(language, place), self._ask(language, place))

    def _ask(self, language: str, place: AskPlace) -> bytes:
        asks = self._site.language(language).asks
        there = self._site.gives and any(ask.place == place for ask in asks)
        return self._renderer.ask(language, place) if there else b""

    def furniture(self) -> Iterator[Output]:
        """The newsroom's own pages, and the files that stories do not change."""
        for language in self._site.languages:
            code = language.code
            yield Output(f"/{code}/manifest.webmanifest", self._renderer.manifest(code))
            yield Output(f"/{code}/404.html", self._renderer.not_found(code))
            if self._site.letters.drops:
                yield Output(paths.write_path(code), self._renderer.write(code))
            if self._site.gives:
                yield Output(paths.support_path(code), self._renderer.support(code))
                yield Output(paths.thanks_path(code), self._renderer.thanks(code))
            for slug in dict.fromkeys(page.slug for page in language.pages):
                if self._site.gives and slug == SUPPORT_SLUG:
                    continue  # What it says stands on the page where readers give.
                yield from self._pages([p for p in language.pages if p.slug == slug], code)
        default = self._site.languages[0].code
        yield Output("/404.html", self._renderer.not_found(default))
        yield Output("/robots.txt", self._renderer.robots())
        for path, data in sorted(self._renderer.assets().items()):
            yield Output(path, data)

    def _pages(self, versions: list[Page], language: str) -> Iterator[Output]:
        """The newest version at the page's address, and every numbered one at its own."""
        versions = sorted(versions, key=lambda page: page.version, reverse=True)
        links = [
            Link(path=paths.page_path(language, p.slug, p.version), title=p.title)
            for p in versions
            if p.version
        ]
        newest = versions[0]
        data = self._renderer.page(newest, language, links[1:])
        yield Output(paths.page_path(language, newest.slug), data)
        for page in versions:
            if page.version:
                path = paths.page_path(language, page.slug, page.version)
                former = [link for link in links if link.path != path]
                yield Output(path, self._renderer.page(page, language, former))


def _before(pins: Sequence[Card], others: Sequence[Card]) -> tuple[Card, ...]:
    """Pinned stories before the others, each once."""
    shown = {card.uri for card in pins}
    return (*pins, *(card for card in others if card.uri not in shown))


def _related(one: Kept, targets: dict[str, Card | None]) -> tuple[Card, ...]:
    found = [card for uri in one.row.related if (card := targets[uri])]
    return tuple(found[:MOST_RELATED])
