# SPDX-License-Identifier: AGPL-3.0-or-later
"""What was found on a page, and how it becomes a story."""

from __future__ import annotations

import html as _html
import re
from dataclasses import dataclass, field

from tamizdat.edition.body import plain
from tamizdat.edition.story import InfoSource, Story, Term, Text
from tamizdat.importers.page.sources import find
from tamizdat.importers.page.vocabulary import LABELS
from tamizdat.importers.port import PhotoFile, Taken
from tamizdat.importers.words import date as read_date
from tamizdat.importers.words import path_of, slug, squeeze

_BYLINE = re.compile(
    r"^\W*(?:by|author|text|words|reported by|автор(?:ы)?|текст|подготовил[аи]?)\b\s*:?\s+"
    r"(?P<names>[^\d.!?]{3,100})$",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"\s*(?:,|;|&|\band\b|\bи\b|/|\|)\s*")
_DATED = re.compile(
    r"^\W*(?:(?:published|updated|posted|last modified|опубликовано|обновлено|дата)\b\W*)?"
    r"(?P<date>[^!?]{6,50})$",
    re.IGNORECASE,
)
_HAS_YEAR = re.compile(r"\b(?:19|20)\d\d\b")


@dataclass(slots=True)
class Article:
    """What is the article on a page. ``blocks`` are canonical HTML, one a block."""

    headline: str = ""
    kicker: str = ""
    standfirst: str = ""
    authors: list[str] = field(default_factory=list)
    published: str = ""
    updated: str = ""
    section: str = ""
    topics: list[str] = field(default_factory=list)
    dateline: str = ""
    language: str = ""
    url: str = ""
    blocks: list[str] = field(default_factory=list)
    image: str = ""
    lead: PhotoFile | None = None
    photos: list[PhotoFile] = field(default_factory=list)
    sources: list[InfoSource] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def paragraphs(self) -> list[str]:
        return [p for b in self.blocks for p in plain(b).split("\n") if p]


def names_in(line: str) -> list[str]:
    """The people of a byline such as ``By Ann Ode and Ben Lark``; none where it is no byline."""
    found = _BYLINE.match(line.strip())
    if not found or len(line.split()) > 14:
        return []
    return people(found["names"])


def people(names: str) -> list[str]:
    """Names divided by commas or “and”."""
    split = (squeeze(n).strip(" .:—–-") for n in _SPLIT.split(names))
    return [n for n in split if n and any(c.isalpha() for c in n)]


def date_in(line: str) -> str:
    """The date that a line of its own tells, RFC 3339; empty where it tells none."""
    if len(line) > 70 or not _HAS_YEAR.search(line):
        return ""
    found = _DATED.match(line.strip())
    return read_date(found["date"].strip(" .")) if found else ""


def is_label(line: str) -> bool:
    return bool(LABELS.match(line))


def paragraph(text: str) -> str:
    return f"<p>{_html.escape(text, quote=False)}</p>"


def story(article: Article, uri: str, key: str) -> Taken:
    """The story of an article that was found."""
    photos = [article.lead, *article.photos] if article.lead else list(article.photos)
    sources = [*article.sources, *find(article.paragraphs())]
    known: dict[tuple[str | None, str], InfoSource] = {}
    for source in sources:
        known.setdefault((source.role, (source.name or "").lower()), source)
    return Taken(
        key=key,
        story=Story(
            uri=uri,
            type="text",
            pub_status="usable",
            language=article.language or None,
            first_created=article.published or None,
            version_created=article.updated or article.published or None,
            headlines=_headlines(article),
            descriptions=[Text(role="standfirst", value=article.standfirst)]
            if article.standfirst
            else [],
            bodies=[Text(role="main", content_type="text/html", value="\n".join(article.blocks))],
            by=", ".join(article.authors) or None,
            people=[Term(name=n, rel="author", literal=slug(n, "author")) for n in article.authors],
            subjects=_subjects(article),
            info_sources=list(known.values()),
            located=article.dateline or None,
            associations=[
                p.association("lead-photo" if p is article.lead else "photo") for p in photos
            ],
        ),
        photos=photos,
        old_paths=[path] if (path := path_of(article.url)) else [],
        notes=article.notes,
        url=article.url,
    )


def _headlines(article: Article) -> list[Text]:
    made = [Text(role="main", value=article.headline)] if article.headline else []
    return [*made, Text(role="kicker", value=article.kicker)] if article.kicker else made


def _subjects(article: Article) -> list[Term]:
    made = []
    if article.section:
        made.append(
            Term(name=article.section, rel="section", literal=slug(article.section, "section"))
        )
    topics = dict.fromkeys(t for t in article.topics if t and t != article.section)
    return made + [Term(name=t, rel="topic", literal=slug(t, "topic")) for t in list(topics)[:12]]
