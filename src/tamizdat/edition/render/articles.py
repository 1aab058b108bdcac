# SPDX-License-Identifier: AGPL-3.0-or-later
"""An article's page, and the card that stands for it in lists.

What always holds: the body is put in as it was published; a photo in the short form is filled in
from the story's own photos, and one that the story does not have is an error naming both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import lru_cache
from html import escape, unescape
from typing import Any

import msgspec
from markupsafe import Markup

from tamizdat.edition import body
from tamizdat.edition.errors import StoryError
from tamizdat.edition.paths import listing_path, url
from tamizdat.edition.render import bymail, linked, photo
from tamizdat.edition.render.furniture import Tongue
from tamizdat.edition.render.photo import Photo
from tamizdat.edition.render.templates import escaped, macro, part, trusted
from tamizdat.edition.site import ListingKind
from tamizdat.edition.story import BYLINE_RELS, InfoSource, Story, Term
from tamizdat.edition.views import ArticleFacts, Card, FeedItem, Link, Thumb
from tamizdat.theme.words import endonym

THUMB_WIDTH = 640
SOCIAL_WIDTH = 1200
NOTABLE_UPDATE = timedelta(minutes=15)
_SHORT_FORM = re.compile(r'<figure class="photo" data-photo="([^"]*)"></figure>')
_WEB = re.compile(r"https?://[^\s]+\Z")
_TABLE = '<figure class="table">'
_SCROLLED = '<figure class="table" tabindex="0">'  # Wide tables scroll: by keyboard too.
_REMEMBERED = 8192  # links that come again: topics, people, sections
_HEAD, _TEXT = part("article.html", "head"), part("article.html", "text")
_MORE = macro("article.html", "more")


def name_of(story: Story) -> str:
    """How an error names a story: by its headline, else its uri."""
    return f"story “{story.headline}” ({story.uri})" if story.headline else f"story {story.uri}"


def card(story: Story, path: str, tongue: Tongue) -> Card:
    """What lists show of the story."""
    section = story.section
    known = tongue.language.section(section.literal or "") if section else None
    return Card(
        uri=story.uri,
        path=path,
        language=tongue.code,
        headline=story.headline,
        published=story.first_created or story.version_created or "",
        updated=story.version_created or story.first_created or "",
        kicker=story.kicker,
        standfirst=story.standfirst,
        byline=story.by or tongue.words.join([p.name or "" for p in story.bylines]),
        section=(section.literal or "") if section else "",
        section_title=known.title if known else (section.name or "") if section else "",
        minutes=body.reading_minutes(_words(story), tongue.code),
        corrected=bool(story.corrections),
        photo=_thumb(story),
    )


def _words(story: Story) -> int:
    main = next((b for b in story.bodies if b.role == "main"), None)
    if main is None:
        return 0
    return main.word_count if main.word_count is not None else body.count_words(main.value)


def _thumb(story: Story) -> Thumb | None:
    lead = story.lead_photo
    if lead is None:
        return None
    shown = Photo(lead)
    file = shown.nearest(THUMB_WIDTH, ("image/webp", *photo.EVERYWHERE, "image/avif"))
    if file is None:
        return None
    alt = shown.description("alt")
    return Thumb(path=file.path, width=file.width, height=file.height, alt=alt)


def page(story: Story, card: Card, facts: ArticleFacts, tongue: Tongue) -> bytes:
    """The whole page of a published story."""
    address = tongue.site.address
    canonical = address + url(card.path)
    headline = _escaped(card.headline)
    lead = Photo(story.lead_photo) if story.lead_photo else None
    image = _image(lead, address)
    topics = story.topics
    values = {
        "t": tongue.words.plain,
        "paper": tongue.language.name,
        "headline": headline,
        "standfirst": card.standfirst,
        "description": _escaped(card.standfirst) if card.standfirst else headline,
        "kicker": _kicker(card),
        "canonical": _escaped(canonical),
        "alternates": alternates(tongue, canonical, facts.translations),
        "translations": [(t, endonym(t.language)) for t in facts.translations],
        "byline": _byline(story, tongue),
        "dateline": story.located,
        "minutes": tongue.minutes(card.minutes),
        "image": image,
        "corrections": [_correction(c, tongue) for c in story.corrections],
        "photo": _lead_photo(lead, tongue.code),
        "body": _body(story, tongue.code),
        "sources": _sources(story.info_sources, tongue),
        "about": _about(story, topics, tongue),
        "related": trusted("".join([_more(card, tongue) for card in facts.related])),
        "sensitive": story.sensitive,
        "bymail": bymail.box(tongue),
        "message": tongue.message,
        "latest": tongue.latest,
        "linked_data": _linked_data(story, card, canonical, image, topics, tongue),
        **_dates(card, tongue),
    }
    before, between, behind, after = tongue.encoded_furniture(
        "article", card.section, quiet=story.sensitive
    )
    head, text = _HEAD(values).encode(), _TEXT(values).encode()
    languages = tongue.language_links({t.language: t.path for t in facts.translations})
    return b"".join((before, head, between, languages.encode(), behind, text, after))


def _escaped(words: str) -> Markup:
    """Words that stand in several places of a page: escaped once."""
    return trusted(escaped(words))


def alternates(tongue: Tongue, canonical: str, links: Sequence[Link]) -> list[tuple[str, str]]:
    """The page in every language it has, for ``hreflang``; nothing where it has only one."""
    if not links:
        return []
    others = [(link.language, tongue.site.address + url(link.path)) for link in links]
    return [(tongue.code, canonical), *others]


def _kicker(card: Card) -> Markup:
    """The story's own kicker, behind its section."""
    parts = []
    if card.section:
        href = f"/{card.language}/{card.section}/"
        parts.append(link(href, card.section_title or card.section))
    if card.kicker:
        parts.append(f"<span>{escape(card.kicker, quote=False)}</span>")
    return trusted(" ".join(parts))  # Escaped above.


@lru_cache(maxsize=_REMEMBERED)
def link(href: str, words: str) -> str:
    return f'<a href="{escape(href)}">{escape(words, quote=False)}</a>'


def _linked(kind: ListingKind, slug: str | None, name: str | None, language: str) -> str:
    name = name or slug or ""
    if not slug:
        return escape(name, quote=False)
    return link(listing_path(kind, language, slug), name)


def _byline(story: Story, tongue: Tongue) -> Markup:
    """Everybody who made the story, by what they did, each linked to what they wrote."""
    people = [(p.rel, p.literal, p.name) for p in story.people if p.rel in BYLINE_RELS]
    if people:
        return _people(tuple(people), tongue)
    return trusted(escape(story.by or "", quote=False))  # Escaped.


@lru_cache(maxsize=_REMEMBERED)
def _people(
    people: tuple[tuple[str | None, str | None, str | None], ...], tongue: Tongue
) -> Markup:
    """Role, slug and name of each, as HTML."""
    links: dict[str | None, list[str]] = {}
    for rel, slug, name in people:
        links.setdefault(rel, []).append(_linked("person", slug, name, tongue.code))
    lines = []
    for rel in BYLINE_RELS:
        if rel in links:
            before, after = tongue.words.around(f"by_{rel}")
            lines.append(f"<span>{before}{tongue.words.join(links[rel])}{after}</span>")
    return trusted(" ".join(lines))  # Every name is escaped above.


def _dates(card: Card, tongue: Tongue) -> dict[str, str]:
    local = tongue.calendar.local
    published = local(card.published)
    iso = published.isoformat(timespec="seconds")
    dates = {
        "published_iso": iso, "updated_iso": iso, "published": tongue.clock(published),
        "updated": "",
    }  # fmt: skip
    if card.updated != card.published:
        updated = local(card.updated)
        dates["updated_iso"] = updated.isoformat(timespec="seconds")
        if updated - published >= NOTABLE_UPDATE:
            dates["updated"] = tongue.words.fill("updated", date=tongue.clock(updated))
    return dates


def _correction(correction: Story, tongue: Tongue) -> tuple[str, str, Markup]:
    date = correction.version_created or ""
    return tongue.day(date) if date else "", date, paragraphs(correction)


def paragraphs(item: Story) -> Markup:
    """The text of an associated item: its HTML cleaned, or its plain text as paragraphs."""
    for text in item.bodies:
        if text.content_type == "text/html":
            return trusted(body.clean(text.value))  # Cleaned.
        lines = [line for line in text.value.split("\n") if line.strip()]
        html = "".join(f"<p>{escape(line, quote=False)}</p>" for line in lines)
        return trusted(html)  # Escaped above.
    return Markup("")


def _lead_photo(lead: Photo | None, language: str) -> Markup:
    if lead is None:
        return Markup("")
    html = lead.figure(photo.ACROSS, eager=True, data_photo=False, language=language)
    return trusted(html + "\n") if html else Markup("")  # Escaped by figure.


def _body(story: Story, language: str) -> Markup:
    html = story.body_html
    if '"></figure>' in html:
        html = _SHORT_FORM.sub(_filler(story, language), html)
    if _TABLE in html:
        html = html.replace(_TABLE, _SCROLLED)
    return trusted(html)  # Cleaned when it was published.


def _filler(story: Story, language: str) -> Callable[[re.Match[str]], str]:
    photos = {item.uri: item for item in story.associations if item.rel in ("photo", "lead-photo")}

    def fill(match: re.Match[str]) -> str:
        uri = unescape(match[1])
        if uri not in photos:
            raise StoryError(
                f"{name_of(story)}: the text shows the photo {uri}, "
                "which is not among the story's photos"
            )
        return photo.figure(photos[uri], language=language)

    return fill


def _sources(sources: Iterable[InfoSource], tongue: Tongue) -> list[tuple[str, str, str, str]]:
    """Of each its name, its role, its address, what it supports."""
    return [
        (
            source.name or source.literal or "",
            tongue.words.plain.get(f"source_{source.role}", ""),
            _web_link(source.uri or ""),
            (source.literal or "") if source.name else "",
        )
        for source in sources
        if source.name or source.literal
    ]


def _web_link(uri: str) -> str:
    """The address where it is one of the web, else nothing: ``javascript:`` is none."""
    return uri if _WEB.match(uri) else ""


def _about(story: Story, topics: list[Term], tongue: Tongue) -> list[tuple[str, Markup]]:
    """Where more of the same is found: series, topics, places, each with its links."""
    groups: tuple[tuple[ListingKind, list[Term]], ...] = (
        ("series", story.series),
        ("topic", topics),
        ("place", story.places),
    )
    rows = []
    for kind, terms in groups:
        links = [_defined(kind, tongue.code, t.literal, t.name or "") for t in terms if t.literal]
        if links:
            rows.append((tongue.words.count(kind, len(links)), trusted("".join(links))))
    return rows


@lru_cache(maxsize=_REMEMBERED)
def _defined(kind: ListingKind, language: str, slug: str, name: str) -> str:
    href = listing_path(kind, language, slug)
    return f'<dd><a href="{escape(href)}">{escape(name or slug)}</a></dd>'


@lru_cache(maxsize=4096)
def _more(card: Card, tongue: Tongue) -> str:
    """A story under “Read more”. Kept: stories lead to those that came shortly before them."""
    return _MORE(card.path, card.headline, card.published, tongue.day(card.published))


def _image(lead: Photo | None, address: str) -> tuple[str, int, int, str] | None:
    """The picture that stands for the story elsewhere: a JPEG, for those that know no other. Its
    address, its width and height in pixels, what it shows."""
    file = lead.nearest(SOCIAL_WIDTH, photo.EVERYWHERE) if lead else None
    if lead is None or file is None:
        return None
    return address + file.path, file.width, file.height, lead.description("alt")


def _linked_data(
    story: Story,
    card: Card,
    canonical: str,
    image: tuple[str, int, int, str] | None,
    topics: list[Term],
    tongue: Tongue,
) -> Markup:
    return linked.json_in_html(
        linked.Article(
            context="https://schema.org",
            kind="NewsArticle",
            free=True,
            headline=card.headline,
            description=card.standfirst,
            url=canonical,
            published=card.published,
            modified=card.updated,
            author=_authors(story, tongue),
            section=card.section_title,
            image=(image[0],) if image else None,
            language=tongue.code,
            keywords=[topic.name for topic in topics if topic.name],
            publisher=tongue.publisher_json,
            corrections=[_comment(c) for c in story.corrections],
        )
    )


def _authors(story: Story, tongue: Tongue) -> list[Any] | dict[str, str]:
    authors: list[Any] = [
        _person(p.name, p.literal or "", tongue.site.address, tongue.code)
        for p in story.people
        if p.rel in ("author", "reporter") and p.name
    ]
    if authors:
        return authors
    if story.by:
        return [{"@type": "Person", "name": story.by}]
    return {"@type": "NewsMediaOrganization", "name": tongue.publisher["name"]}


@lru_cache(maxsize=_REMEMBERED)
def _person(name: str, slug: str, address: str, language: str) -> msgspec.Raw:
    facts = {"@type": "Person", "name": name}
    if slug:
        facts["url"] = address + url(listing_path("person", language, slug))
    return msgspec.Raw(msgspec.json.encode(facts))


def _comment(correction: Story) -> dict[str, str]:
    text = body.plain(str(paragraphs(correction)))
    return {
        "@type": "CorrectionComment",
        "text": text,
        "datePublished": correction.version_created or "",
    }


def feed_item(story: Story, card: Card) -> FeedItem:
    """The story as a feed carries it: its corrections, its lead photo, its text."""
    authors = [p.name for p in story.people if p.rel in ("author", "reporter") and p.name]
    notes = "".join(f"<blockquote>{paragraphs(c)}</blockquote>" for c in story.corrections)
    lead = Photo(story.lead_photo) if story.lead_photo else None
    return FeedItem(
        card=card,
        html="".join([notes, _lead_photo(lead, card.language), _body(story, card.language)]),
        authors=tuple(authors or ([story.by] if story.by else [])),
        topics=tuple(topic.name for topic in story.topics if topic.name),
    )
