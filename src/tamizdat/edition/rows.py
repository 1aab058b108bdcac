# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a story to its row in the catalogue: what lists, links and addresses need of it.

What always holds: a row is a pure function of the story, the site and the renderer; the same in
every process, so a paper built by many processes is the same as one built by one. Everything
that could make a story impossible to publish is found here, before anything is written.

What is not done here: writing (``catalogue``), what the story shows (the renderer).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec

from tamizdat.edition import paths
from tamizdat.edition.errors import SiteError, StoryError
from tamizdat.edition.site import ListingKind, Site
from tamizdat.edition.story import Rendition, Story, Term, decode, ni_sha256, parse_date
from tamizdat.edition.views import Card, Renderer

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
TIE_BITS = 21
_cards = msgspec.json.Encoder()


class Membership(NamedTuple):
    """A listing that a story is in: ``period`` is 202611 where it goes by months, else 0. An issue
    is in the list of its newsletter alone."""

    kind: ListingKind
    slug: str
    name: str
    period: int


class StoryRow(msgspec.Struct, array_like=True, frozen=True):
    """A story as the catalogue keeps it. ``rank`` orders stories by first publication, to the
    millisecond, ties by uri; ``month`` is 0 for issues; ``card`` is a ``Card`` as JSON; ``updated``
    is in UTC; ``files`` are the paths of what it shows."""

    uri: str
    version: int
    language: str
    path: str
    live: bool
    month: int
    rank: int
    updated: str
    translation: str
    card: bytes
    memberships: tuple[Membership, ...] = ()
    related: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    former: tuple[str, ...] = ()


def rank(published: datetime, uri: str) -> int:
    milliseconds = (published - EPOCH) // _MILLISECOND
    tie = int.from_bytes(hashlib.sha256(uri.encode()).digest()[:4], "big")
    return (milliseconds << TIE_BITS) | (tie & ((1 << TIE_BITS) - 1))


def peek_uri(raw: bytes) -> str:
    """The uri of an item that may be no story at all; empty where it cannot be found."""
    try:
        return msgspec.json.decode(raw, type=_Uri).uri
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return ""


class _Uri(msgspec.Struct):
    uri: str = ""


def make_row(story: Story, renderer: Renderer, site: Site, now: datetime) -> StoryRow:
    """Raises ``StoryError`` that names the story and says what keeps it from being published."""
    uri = story.uri
    _check_publishable(story, site, now)
    published = story.published
    local = published.astimezone(paths.zone(site.timezone))
    path = story_path(story, site)
    withdrawn = story.withdrawn
    card: Card = renderer.card(story, path)
    return StoryRow(
        uri=uri,
        version=_version(story),
        language=story.language or "",
        path=path,
        live=not withdrawn,
        month=0 if story.is_issue else local.year * 100 + local.month,
        rank=rank(published, uri),
        updated=f"{story.updated.astimezone(UTC).isoformat()[:19]}Z",
        translation=story.translation_key,
        card=_cards.encode(card),
        memberships=() if withdrawn else _memberships(story, site, local),
        related=() if withdrawn else _related(story),
        files=() if withdrawn else _files(story),
        former=_former(story, path),
    )


def read_row(raw: bytes, renderer: Renderer, site: Site, now: datetime) -> StoryRow | None:
    """The row of a raw item, or None where the story is withheld: kept, but not published."""
    story = decode(raw)
    return None if story.pub_status == "withheld" else make_row(story, renderer, site, now)


def story_path(story: Story, site: Site) -> str:
    """The story's address. Raises ``StoryError`` where it cannot be one."""
    path = story.path
    if story.is_issue:
        return _issue_path(story)
    if not path:
        slug = story.slugline or story.headline
        return paths.article_path(story.language or "", story.published, slug, site.timezone)
    if not (paths.is_article(path) and paths.is_safe(path)):
        raise StoryError(
            f"story {story.uri}: “{path}” cannot be its address; one looks like "
            "/en/2026/11/22/slug/"
        )
    if path.split("/", 2)[1] != story.language:
        raise StoryError(
            f"story {story.uri}: its address {path} is not under its language, /{story.language}/"
        )
    return path


def _issue_path(story: Story) -> str:
    """An issue's address. Raises ``StoryError`` where it does not name language and newsletter."""
    newsletter, found = story.newsletter, paths.issue_of(story.path)
    slug = newsletter.literal if newsletter else None
    if not found or story.path != paths.issue_path(story.language or "", slug or "", found[1]):
        raise StoryError(
            f"story {story.uri}: “{story.path}” cannot be the address of an issue; one looks like "
            f"/{story.language}/newsletter/{slug or 'weekly'}/12/"
        )
    return story.path


def _version(story: Story) -> int:
    version = story.version or ""
    return int(version) if version.isdecimal() and len(version) < 19 else 0


def _check_publishable(story: Story, site: Site, now: datetime) -> None:
    if not story.language:
        raise StoryError(f"story {story.uri} has no language: set one that the paper has")
    try:
        site.language(story.language)
    except SiteError as error:
        raise StoryError(f"story {story.uri}: {error}") from error
    embargo = story.embargoed_until
    if embargo and not story.withdrawn and parse_date(embargo, story.uri) > now:
        raise StoryError(f"story {story.uri} is under embargo until {embargo}")


def _memberships(story: Story, site: Site, local: datetime) -> tuple[Membership, ...]:
    if story.is_issue and (newsletter := story.newsletter):
        slug = newsletter.literal or ""
        return (Membership("newsletter", slug, newsletter.name or slug, 0),)
    found = [Membership("site", "", "", local.year * 100 + local.month)]
    section = story.section
    if section is not None:
        slug = paths.slugify(section.literal or section.name or "")
        _check_section(slug, story, site)
        found.append(Membership("section", slug, section.name or slug, 0))
    kinds: tuple[tuple[ListingKind, list[Term]], ...] = (
        ("topic", story.topics),
        ("place", story.places),
        ("person", story.bylines),
        ("series", story.series),
    )
    for kind, terms in kinds:
        for term in terms:
            one = _membership(kind, term.literal, term.name)
            if one is not None:
                found.append(one)
    if len({(one.kind, one.slug) for one in found}) == len(found):
        return tuple(found)
    return tuple({one[:2]: one for one in reversed(found)}.values())[::-1]


@lru_cache(maxsize=8192)
def _membership(kind: ListingKind, literal: str | None, name: str | None) -> Membership | None:
    """A story's place in a list, or None where the term has no letter to make an address of."""
    slug = paths.slugify(literal or name or "")
    return Membership(kind, slug, name or slug, 0) if slug else None


def _check_section(slug: str, story: Story, site: Site) -> None:
    language = site.language(story.language or "")
    taken = (
        site.reserves(language, slug)
        or slug.isdigit()
        or any(p.slug == slug for p in language.pages)
    )
    if not slug or taken:
        raise StoryError(f"story {story.uri}: “{slug}” cannot be the address of a section")


def _related(story: Story) -> tuple[str, ...]:
    uris = dict.fromkeys(item.uri for item in (story.picks if story.is_issue else story.related))
    uris.pop(story.uri, None)
    return tuple(uris)


def _files(story: Story) -> tuple[str, ...]:
    shown = [file_path(r) for r in story.media()]
    return tuple(dict.fromkeys(filter(None, shown)))


def file_path(rendition: Rendition) -> str:
    """Where a file of ours lies in the paper; empty where it is none."""
    return _file(rendition.href or "", rendition.content_type or "")


@lru_cache(maxsize=8192)
def _file(href: str, media_type: str) -> str:
    """Kept, as photos are shown by more than one story."""
    sha256 = ni_sha256(href)
    return paths.media_path(sha256, media_type) if sha256 else ""


def _former(story: Story, path: str) -> tuple[str, ...]:
    addresses = dict.fromkeys(filter(None, map(paths.former, story.former_paths)))
    addresses.pop(path, None)
    return tuple(addresses)
