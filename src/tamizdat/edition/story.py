# SPDX-License-Identifier: AGPL-3.0-or-later
"""A story: an IPTC ninjs 3.1 item, typed, and the words this newsroom adds to it.

What always holds:

- ``Story`` has every property of the ninjs 3.1 schema and no other; decoding an item that
  validates against the schema and encoding it again loses nothing.
- ``encode`` is deterministic: equal stories give equal bytes.
- What ninjs has no property for is carried in the roles and rels named below, never in an
  extension, so that whatever reads ninjs reads our stories.
- A story is one version. A correction is a new ``Story`` with the same ``uri`` and a higher
  ``version``.

What is not done here: rendering, addresses (see ``paths``), file and network I/O.

Source: IPTC ninjs 3.1, http://www.iptc.org/std/ninjs/ninjs-schema_3.1.json

=====================  ==========================================================================
in the story           where it lies in the ninjs item
=====================  ==========================================================================
headline               ``headlines[role=main]`` (or the first one without a role)
kicker                 ``headlines[role=kicker]``
standfirst             ``descriptions[role=standfirst]``
body                   ``bodies[role=main, contentType=text/html]``, canonical HTML (docs/format)
slug                   ``slugline``
address                ``altIds[role=path]``: ``/en/2026/11/22/slug/``, fixed at first publication
former addresses       ``altIds[role=redirect]``, each a path from the root
translations           ``altIds[role=translation-of]``: one value shared by a story and its
                       translations
section                ``subjects[rel=section]``, ``literal`` is the slug
topics                 ``subjects[rel=topic]``
series                 ``subjects[rel=series]``
places                 ``places[]``, ``literal`` is the slug
dateline               ``located``
bylines                ``people[]`` whose rel is in ``BYLINE_RELS``, in order; ``by`` is the line as
                       it is printed
sources                ``infoSources[]``: ``name``, ``role`` (``SOURCE_ROLES``), ``uri`` the link,
                       ``literal`` what it supports
photos                 ``associations[rel=photo]`` (in the text) and ``[rel=lead-photo]``
related stories        ``associations[rel=related]``: ``name`` is the headline, ``uri`` the story's
corrections            ``associations[rel=correction]``: ``versionCreated`` and a ``bodies`` text
withdrawal             ``pubStatus=canceled`` and ``descriptions[role=withdrawal]``, the reason
sensitive              ``genres[literal=sensitive]``: asks for nothing on this page
issue of a newsletter  ``profile=newsletter-issue``; ``subjects[rel=newsletter]``: ``literal`` is
                       the slug, ``name`` the title; its address is ``/en/newsletter/slug/12/``
stories in an issue    ``associations[rel=pick]``: ``headlines``, ``descriptions[role=standfirst]``
                       the blurb, ``by``, ``subjects[rel=heading]`` the heading it stands under,
                       ``altIds[role=path]`` where it was then
=====================  ==========================================================================

A photo's bytes are named by ``renditions[].href`` as an ``ni:`` URI (RFC 6920) of their sha-256.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal

import msgspec

from tamizdat.edition.errors import StoryError

ISSUE = "newsletter-issue"
BYLINE_RELS = ("author", "reporter", "photographer", "editor", "translator", "illustrator")
SOURCE_ROLES = ("agency", "official", "document", "recording", "witness", "own-reporting")
PubStatus = Literal["usable", "withheld", "canceled"]
NewsType = Literal[
    "text", "audio", "video", "picture", "graphic", "composite", "component", "event", "planning"
]


class _Part(
    msgspec.Struct, rename="camel", omit_defaults=True, forbid_unknown_fields=True, kw_only=True
):
    """Base of every typed part: camelCase outside, absent when empty, unknown names refused."""


class Text(_Part):
    """A headline, description or body. Counts are of the text without markup."""

    value: str
    role: str | None = None
    content_type: str | None = None
    char_count: int | None = None
    word_count: int | None = None


class Term(_Part):
    """A person, place, subject, organisation, event, object or genre: something with a name.

    ``literal`` is the slug in our own stories. The last six are each used by one of the kinds.
    """

    name: str | None = None
    rel: str | None = None
    uri: str | None = None
    literal: str | None = None
    id: str | None = None
    creator: str | None = None
    relevance: int | None = None
    confidence: int | None = None
    symbols: list[dict[str, Any]] | None = None
    contact_info: list[dict[str, Any]] | None = None
    geo_json: dict[str, Any] | None = msgspec.field(default=None, name="geoJSON")


class InfoSource(_Part):
    """Who reported it. ``literal`` says what of the story the source supports."""

    name: str | None = None
    role: str | None = None
    uri: str | None = None
    literal: str | None = None
    contact_info: list[dict[str, Any]] | None = None


class Point(_Part):
    """Point of interest in pixels from the top left of the rendition."""

    x: int
    y: int


class Rendition(_Part):
    """One file of a photo, recording or document. Sizes in pixels, bytes and seconds."""

    name: str
    href: str | None = None
    content_type: str | None = None
    title: str | None = None
    width: int | None = None
    height: int | None = None
    size_in_bytes: int | None = None
    duration: float | None = None
    format: str | None = None
    aspect_ratio: str | None = None
    video_codec: str | None = None
    frame_rate: float | None = None
    poi: Point | None = None
    transport_protocol: str | None = None
    scan_type: Literal["progressive", "interlaced"] | None = None
    bitrate: str | None = None


class AltId(_Part):
    role: str | None = None
    value: str | None = None


class Story(_Part):
    """A ninjs 3.1 item. Dates are RFC 3339 strings, as they came; ``name`` and ``rel`` are
    only set on items in ``associations``."""

    uri: str
    name: str | None = None
    rel: str | None = None
    type: NewsType | None = None
    representation_type: Literal["full", "partial"] | None = None
    profile: str | None = None
    version: str | None = None
    first_created: str | None = None
    version_created: str | None = None
    content_created: str | None = None
    embargoed_until: str | None = None
    pub_status: PubStatus | None = None
    urgency: int | None = None
    copyright_holder: str | None = None
    copyright_notice: str | None = None
    usage_terms: str | None = None
    ed_note: str | None = None
    language: str | None = None
    headlines: list[Text] = []
    descriptions: list[Text] = []
    bodies: list[Text] = []
    by: str | None = None
    people: list[Term] = []
    organisations: list[Term] = []
    places: list[Term] = []
    subjects: list[Term] = []
    events: list[Term] = []
    objects: list[Term] = []
    genres: list[Term] = []
    event_details: dict[str, Any] | None = None
    planned_coverage: list[dict[str, Any]] | None = None
    info_sources: list[InfoSource] = []
    title: str | None = None
    slugline: str | None = None
    located: str | None = None
    renditions: list[Rendition] = []
    associations: list[Story] = []
    alt_ids: list[AltId] = []
    trust_indicators: list[dict[str, Any]] | None = None
    standard: dict[str, Any] | None = None
    expires: str | None = None
    rights_info: dict[str, Any] | None = None
    digital_source_type: dict[str, Any] | None = None

    # What the newsroom calls things. Absent is the empty string, never None.

    @property
    def headline(self) -> str:
        return _text(self.headlines, "main") or _text(self.headlines, None)

    @property
    def kicker(self) -> str:
        return _text(self.headlines, "kicker")

    @property
    def standfirst(self) -> str:
        return _text(self.descriptions, "standfirst")

    @property
    def body_html(self) -> str:
        for text in self.bodies:
            if text.role == "main" and text.content_type == "text/html":
                return text.value
        return ""

    @property
    def withdrawn(self) -> bool:
        return self.pub_status == "canceled"

    @property
    def withdrawal_reason(self) -> str:
        return _text(self.descriptions, "withdrawal")

    @property
    def path(self) -> str:
        """The address: ``/en/2026/11/22/slug/``; empty where none was given yet."""
        return self._alt_value("path")

    @property
    def former_paths(self) -> list[str]:
        return [a.value for a in self.alt_ids if a.role == "redirect" and a.value]

    @property
    def translation_key(self) -> str:
        return self._alt_value("translation-of")

    @property
    def section(self) -> Term | None:
        for subject in self.subjects:
            if subject.rel == "section":
                return subject
        return None

    @property
    def topics(self) -> list[Term]:
        return [s for s in self.subjects if s.rel == "topic"]

    @property
    def series(self) -> list[Term]:
        return [s for s in self.subjects if s.rel == "series"]

    @property
    def bylines(self) -> list[Term]:
        return [p for p in self.people if p.rel in BYLINE_RELS]

    @property
    def corrections(self) -> list[Story]:
        return self.associated("correction")

    @property
    def related(self) -> list[Story]:
        return self.associated("related")

    @property
    def is_issue(self) -> bool:
        """Whether it is an issue of a newsletter: in no list but that of its newsletter."""
        return self.profile == ISSUE

    @property
    def newsletter(self) -> Term | None:
        return next((s for s in self.subjects if s.rel == "newsletter"), None)

    @property
    def picks(self) -> list[Story]:
        """The stories that an issue shows, in their order."""
        return self.associated("pick")

    @property
    def lead_photo(self) -> Story | None:
        for item in self.associations:
            if item.rel == "lead-photo":
                return item
        return None

    @property
    def sensitive(self) -> bool:
        return bool(self.genres) and any(g.literal == "sensitive" for g in self.genres)

    @property
    def published(self) -> datetime:
        """When it was first published, with its offset from UTC."""
        return parse_date(self.first_created or self.version_created or "", self.uri)

    @property
    def updated(self) -> datetime:
        """When this version was made."""
        return parse_date(self.version_created or self.first_created or "", self.uri)

    def associated(self, rel: str) -> list[Story]:
        return [item for item in self.associations if item.rel == rel]

    def _alt_value(self, role: str) -> str:
        for alt in self.alt_ids:
            if alt.role == role and alt.value:
                return alt.value
        return ""

    def media(self) -> list[Rendition]:
        """Every file that the story shows, those of its photos included."""
        found = [r for r in self.renditions if r.href]
        for item in self.associations:
            if item.renditions or item.associations:
                found += item.media()
        return found


def _text(texts: Iterable[Text], role: str | None) -> str:
    for text in texts:
        if text.role == role:
            return text.value
    return ""


_decoder = msgspec.json.Decoder(Story)
_encoder = msgspec.json.Encoder()


def decode(raw: bytes | str) -> Story:
    """Read a ninjs item. Raises ``StoryError`` that says what is wrong and where."""
    try:
        return _decoder.decode(raw)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise StoryError(f"this is not a ninjs 3.1 item: {error}") from error


def encode(story: Story) -> bytes:
    """Write a ninjs item as compact JSON in UTF-8; equal stories give equal bytes."""
    return _encoder.encode(story)


def parse_date(value: str, uri: str) -> datetime:
    """Read an RFC 3339 date with its offset. Raises ``StoryError`` naming the story."""
    try:
        date = datetime.fromisoformat(value)
    except ValueError as error:
        raise StoryError(f"story {uri}: “{value}” is not a date (RFC 3339)") from error
    if date.tzinfo is None:
        raise StoryError(f"story {uri}: the date “{value}” has no offset from UTC (RFC 3339)")
    return date


_NI = re.compile(r"ni:///sha-256;([A-Za-z0-9_-]{43})\Z")


def ni_uri(sha256_hex: str) -> str:
    """Name content by its sha-256: ``ni:///sha-256;…`` (RFC 6920, section 3)."""
    digest = base64.urlsafe_b64encode(bytes.fromhex(sha256_hex)).rstrip(b"=")
    return f"ni:///sha-256;{digest.decode()}"


@lru_cache(maxsize=16_384)
def ni_sha256(uri: str) -> str | None:
    """The hexadecimal sha-256 in an ``ni:`` URI, or None where it is another URI."""
    found = _NI.match(uri)
    return base64.urlsafe_b64decode(found[1] + "=").hex() if found else None
