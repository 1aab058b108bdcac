# SPDX-License-Identifier: AGPL-3.0-or-later
"""Publishing a few stories: which files of the paper they change, and nothing else.

What always holds:

- After any sequence of publications the paper is, byte for byte, what one full build of the same
  stories makes (but for the edition's number on a front).
- The work depends on the stories and on the pages that show them, never on the size of the
  archive.
- All or nothing: a ``StoryError`` leaves the last paper and the catalogue as they were.

What is not done here: the transaction and the switch (``paper``), what a page holds (``compose``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import msgspec

from tamizdat.edition import months, paths
from tamizdat.edition.catalogue import Catalogue, Kept, ListingRow
from tamizdat.edition.compose import Composer, Output
from tamizdat.edition.errors import StoryError
from tamizdat.edition.index import Entry
from tamizdat.edition.lists import Lists, members
from tamizdat.edition.media import MediaSource, adopt
from tamizdat.edition.rows import Membership, StoryRow, file_path, make_row
from tamizdat.edition.site import Language, ListingKind, Newsletter, Profile, Section, Site
from tamizdat.edition.story import Story, encode
from tamizdat.edition.storylog import StoryLog
from tamizdat.edition.views import Card, Renderer
from tamizdat.edition.writer import Writer

_Named = Profile | Section | Newsletter
INDEXED: tuple[ListingKind, ...] = ("topic", "place", "person", "series")


class Tools(NamedTuple):
    """What publishing works with. ``cards``: of stories as the catalogue has them, by id, as far
    as they are at hand from the last run; there for the next one."""

    catalogue: Catalogue
    log: StoryLog
    renderer: Renderer
    site: Site
    writer: Writer
    media: MediaSource | None
    now: datetime
    cards: dict[int, Card]


class Publication:
    """One run: ``apply`` each story to the catalogue, then ``compose`` what they changed."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._catalogue = tools.catalogue
        self._stories: set[int] = set()
        zone = paths.zone(tools.site.timezone)
        self._lists = Lists(tools.catalogue, tools.writer, zone)
        self._indexes: set[tuple[ListingKind, str]] = set()
        self._languages: set[str] = set()
        self._sections: set[tuple[str, str]] = set()
        self._newsletters: set[tuple[str, str]] = set()
        self._months: set[int] = set()
        self._paths: set[str] = set()
        self._former: set[str] = set()
        self._media: set[str] = set()
        self._keys: set[str] = set()
        self._titled: set[int] = set()
        self._same = False
        self._kept: list[Kept] = []

    # Stories into the catalogue

    def apply(self, stories: Sequence[Story]) -> int:
        """Take new versions of stories; returns how many changed a thing. Raises ``StoryError``."""
        newest: dict[str, Story] = {}
        for story in stories:
            newest[story.uri] = story
        changed = sum(self._apply(story) for story in newest.values())
        self._check_addresses()
        return changed

    def _apply(self, story: Story) -> bool:
        old = self._catalogue.story(story.uri)
        if story.pub_status == "withheld":
            if old:
                self._replace(old, None, b"")
            return old is not None
        t = self._tools
        row = make_row(story, t.renderer, t.site, t.now)
        if old and row.version < old.row.version:
            return False
        for path in row.files:
            self._adopt(path, story)
        self._replace(old, row, encode(story))
        return True

    def _adopt(self, path: str, story: Story) -> None:
        if self._tools.media is None or self._tools.writer.before(path) is not None:
            return
        if adopt(self._tools.writer.store, self._tools.media, paths.media_sha256(path)) is None:
            label = next((r.title or r.name for r in story.media() if file_path(r) == path), "")
            raise StoryError(
                f"story {story.uri}: the file of “{label}” is missing ({path}). Upload it again, "
                "or take it out of the story."
            )

    def _replace(self, old: Kept | None, new: StoryRow | None, raw: bytes) -> None:
        self._lists.replace(members(old.row if old else None), members(new))
        if old:
            self._catalogue.delete(old)
            self._tools.cards.pop(old.id, None)
        if new:
            start, length = self._tools.log.append([raw])[0]
            number = self._catalogue.insert(new, start, length, old.id if old else None)
            self._tools.cards.pop(number, None)
            self._stories.add(number)
        self._follow(old.row if old else None)
        self._follow(new)
        self._media.update(self._catalogue.file_paths(old.files) if old else ())

    def _follow(self, row: StoryRow | None) -> None:
        """Note what else shows a story as it was or as it is."""
        if row is None:
            return
        if row.month:  # Issues of newsletters are in nothing that a language shows.
            self._languages.add(row.language)
        self._months.add(row.month)
        self._paths.add(row.path)
        self._former.update(row.former)
        self._media.update(row.files)
        self._stories.update(self._catalogue.references(row.uri))
        self._keys.add(row.translation)
        if not row.month:
            self._follow_issue(row)
        for language in self._tools.site.languages:
            for pins in language.pins:
                if pins.section and row.uri in pins.stories:
                    self._sections.add((language.code, pins.section))
        self._sections.update(
            (row.language, m.slug) for m in row.memberships if m.kind == "section"
        )

    def _follow_issue(self, row: StoryRow) -> None:
        """An issue's page leads to those before and after it, its newsletter's to all."""
        for m in row.memberships:
            if m.kind == "newsletter":
                number = self._catalogue.listing_id(m.kind, row.language, m.slug)
                self._stories.update(self._catalogue.near(number, m.period, row.rank, 1))
                self._newsletters.add((row.language, m.slug))

    def _check_addresses(self) -> None:
        for path in sorted(self._paths):
            claims = self._catalogue.at_path(path)
            if len(claims) > 1:
                raise StoryError(
                    f"two stories claim the address {path}: {claims[0]} and {claims[1]}. Give one "
                    "of them another slug."
                )

    # The catalogue into files

    def compose(self, before: Site | None) -> None:
        """Make every file that the stories changed, and what another site than ``before`` (the
        one of the last run) changes."""
        t = self._tools
        self._same = before == t.site
        composer = Composer(t.catalogue, t.log, t.renderer, t.site, t.now, t.cards)
        for group in self._catalogue.translations(self._keys).values():
            self._stories.update(number for number, _, _ in group)
            self._months.update(month for _, month, _ in group)
        self._retitle(before)
        self._kept = kept = list(self._catalogue.stories(self._stories))
        t.writer.put(page for page in composer.stories(kept) if page.status != 301)
        self._listings(composer)
        self._files()
        self._site(composer, before)
        self._redirects(composer)
        self._fronts(composer, before)

    def _retitle(self, before: Site | None) -> None:
        """Where a listing's name changed, all of its pages are made anew."""
        renamed = set(_renamed(self._catalogue, before, self._tools.site))
        for number in list(self._lists.changed):
            row = self._catalogue.listing(number)
            title = title_of(self._catalogue, number)
            if row.kind in INDEXED:
                existed = self._tools.writer.before(
                    paths.listing_path(row.kind, row.language, row.slug)
                )
                if title != row.title or (existed is None) != (row.stories == 0):
                    self._indexes.add((row.kind, row.language))
            if title != row.title:
                self._titled.add(number)
                self._catalogue.db.execute(
                    "UPDATE listings SET title = ? WHERE id = ?", [title, number]
                )
                if row.title:
                    renamed.add(number)
        for number in renamed:
            self._rename(number)

    def _rename(self, number: int) -> None:
        row = self._catalogue.listing(number)
        self._lists.rename(number)
        if row.kind in INDEXED:
            self._indexes.add((row.kind, row.language))
        if row.kind == "section":
            self._sections.add((row.language, row.slug))
        if row.kind == "newsletter":
            self._newsletters.add((row.language, row.slug))

    def _listings(self, composer: Composer) -> None:
        put = self._tools.writer.put
        self._lists.compose(composer)
        for number in sorted(self._lists.changed):
            row = self._catalogue.listing(number)
            if row.kind in INDEXED and row.stories:
                put(self._own_page(composer, row))
            elif row.kind in INDEXED:
                path = paths.listing_path(row.kind, row.language, row.slug)
                self._tools.writer.remove(path)
        for kind, language in sorted(self._indexes):
            put(composer.kind_index(kind, language))

    def _own_page(self, composer: Composer, row: ListingRow) -> Iterator[Output]:
        """A list's own page: of the page as it was, where nothing else changed than a few of its
        stories."""
        writer = self._tools.writer
        touched = self._lists.touched(row.id, frozenset(self._paths))
        pinned = self._tools.site.language(row.language).pinned(row.slug)
        if touched and self._same and row.id not in self._titled and not pinned:
            entry = writer.before(paths.listing_path(row.kind, row.language, row.slug))
            former = writer.store.find(entry.sha256) if entry else None
            if former is not None:
                return composer.spliced(row, former, touched)
        return composer.listing_front(row.kind, row.language, row.slug)

    def _files(self) -> None:
        """Addresses that stories left, and files that came or went with them."""
        writer = self._tools.writer
        for path in sorted(self._paths):
            if not self._catalogue.at_path(path):
                writer.remove(path)
        for path in sorted(self._media):
            sha256 = self._catalogue.file(path)
            length = writer.store.has(sha256) if sha256 else None
            if sha256 and length is not None:
                media_type = paths.media_type(path)
                writer.set(Entry(path, sha256, length, writer.edition, media_type))
            else:
                writer.remove(path)

    def _site(self, composer: Composer, before: Site | None) -> None:
        put, site = self._tools.writer.put, self._tools.site
        refreshed = not self._same
        everywhere = {language.code for language in site.languages}
        for language in sorted(everywhere if refreshed else self._languages & everywhere):
            put(composer.feeds(language))
            put(composer.fragments(language))
        self._letters(composer, before)
        sections = {(lang.code, s.slug) for lang in site.languages for s in lang.sections}
        for language, slug in sorted(self._sections | (sections if refreshed else set())):
            row = self._catalogue.find_listing("section", language, slug)
            if (row and row.stories) or (language, slug) in sections:
                put(composer.feeds(language, slug))
                put(
                    self._own_page(composer, row)
                    if row
                    else composer.listing_front("section", language, slug)
                )
            else:
                base = paths.listing_path("section", language, slug)
                for name in ("", "feed.xml", "feed.json"):
                    self._tools.writer.remove(f"{base}{name}")
        for month in sorted(self._months):
            outputs, updated = composer.month(month, self._month_before(month))
            self._catalogue.set_month(month, updated)
            put(outputs)
            if not outputs:
                self._tools.writer.remove(paths.sitemap_path(month))
        if self._months:
            put(composer.sitemap_index())
        put(composer.news())
        if before is not None and refreshed:
            put(composer.furniture())
            for path in own_pages(before) - own_pages(site):
                self._tools.writer.remove(path)

    def _month_before(self, month: int) -> months.Before | None:
        writer = self._tools.writer
        entry = writer.before(paths.sitemap_path(month)) if self._same else None
        former = writer.store.find(entry.sha256) if entry else None
        gone = frozenset(self._paths | months.paths_of(self._kept))
        return months.Before(former, self._kept, gone) if former is not None else None

    def _letters(self, composer: Composer, before: Site | None) -> None:
        """The pages and feeds of newsletters whose issues changed, all where the site did."""
        t, wanted = self._tools, set(self._newsletters)
        if before != t.site:
            both = (*t.site.languages, *(before.languages if before else ()))
            wanted |= {(lang.code, one.slug) for lang in both for one in lang.newsletters}
        known = {language.code for language in t.site.languages}
        for language, slug in sorted((code, slug) for code, slug in wanted if code in known):
            row = self._catalogue.find_listing("newsletter", language, slug)
            if (row and row.stories) or composer.signs_up(language, slug):
                t.writer.put(composer.newsletter(language, slug))
            else:
                base = paths.listing_path("newsletter", language, slug)
                for name in ("", "feed.xml", "feed.json"):
                    t.writer.remove(f"{base}{name}")
        for language in sorted({code for code, _ in wanted} & known):
            t.writer.put(composer.newsletters(language))

    def _redirects(self, composer: Composer) -> None:
        """A redirect lies only where nothing else does."""
        writer = self._tools.writer
        gone = {path for path, entry in writer.changes.items() if entry is None}
        for path in sorted(self._former | gone):
            present = writer.now(path)
            if present is not None and present.status != 301:
                continue
            output = composer.redirect(path)
            if output:
                writer.put([output])
            else:
                writer.remove(path)

    def _fronts(self, composer: Composer, before: Site | None) -> None:
        """Last, since a front shows the edition's number: it alone is no reason for a new one."""
        t = self._tools
        everywhere = {language.code for language in t.site.languages}
        for language in sorted(everywhere if before != t.site else self._languages & everywhere):
            shown = t.writer.before(paths.front_path(language))
            last = shown.edition if shown else 0
            if any(t.writer.differs(output) for output in composer.front(language, last)):
                t.writer.put(composer.front(language, t.writer.edition))


def title_of(catalogue: Catalogue, listing: int) -> str:
    """What a listing's oldest story calls it; empty where it has none."""
    row = catalogue.listing(listing)
    oldest = catalogue.oldest(listing)
    names: Iterable[Membership] = oldest.row.memberships if oldest else ()
    return next((m.name for m in names if (m.kind, m.slug) == (row.kind, row.slug)), "")


def _renamed(catalogue: Catalogue, before: Site | None, site: Site) -> Iterable[int]:
    """The listings whose title or description another site says differently."""
    if before is None or before == site:
        return
    for language in site.languages:
        old = next((old for old in before.languages if old.code == language.code), None)
        known, fresh = _names(old) if old else {}, _names(language)
        for kind, slug in sorted(known.keys() | fresh.keys()):
            if known.get((kind, slug)) != fresh.get((kind, slug)):
                row = catalogue.find_listing(kind, language.code, slug)
                if row is not None:
                    yield row.id


def _names(language: Language) -> dict[tuple[ListingKind, str], _Named]:
    """What a language says of its listings."""
    found: dict[tuple[ListingKind, str], _Named]
    found = {(p.kind, p.slug): p for p in language.profiles}
    found |= {("section", section.slug): section for section in language.sections}
    return found | {("newsletter", letter.slug): letter for letter in language.newsletters}


def own_pages(site: Site) -> set[str]:
    """Where the newsroom's own pages lie."""
    found = set()
    for language in site.languages:
        if site.letters.drops:
            found.add(paths.write_path(language.code))
            if language.newsletters:
                found.add(paths.newsletters_path(language.code))
        if site.gives:
            found |= {paths.support_path(language.code), paths.thanks_path(language.code)}
            found.add(paths.ask_path(language.code, "thanks"))
        for page in language.pages:
            found.add(paths.page_path(language.code, page.slug))
            if page.version:
                found.add(paths.page_path(language.code, page.slug, page.version))
    return found


def encode_site(site: Site) -> bytes:
    return msgspec.json.encode(site)


@lru_cache(maxsize=2)
def decode_site(raw: bytes) -> Site | None:
    """The site of the last run, or None where it cannot be read any more. Kept: mostly it is the
    same one story later."""
    try:
        return msgspec.json.decode(raw, type=Site)
    except msgspec.DecodeError:
        return None
