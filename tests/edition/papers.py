# SPDX-License-Identifier: AGPL-3.0-or-later
"""Invented stories and papers for the tests of the edition."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tamizdat.edition import Edition
from tamizdat.edition.index import Index
from tamizdat.edition.reader import Reader
from tamizdat.edition.site import Language, Page, Section, Site
from tamizdat.edition.store import Store
from tamizdat.edition.story import AltId, Rendition, Story, Term, Text, encode, ni_uri
from tests.fakes.rendering import PlainRenderer

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECTIONS = (Section(slug="harbour", title="Harbour"), Section(slug="court", title="Court"))
SITE = Site(
    address="https://lantern.example",
    timezone="Europe/Berlin",
    languages=(
        Language(
            code="en",
            name="The Lantern",
            sections=SECTIONS,
            pages=(
                Page(slug="about", title="About", html="<p>Who we are.</p>"),
                Page(slug="privacy", title="Privacy", html="<p>Old.</p>", version=1),
                Page(slug="privacy", title="Privacy", html="<p>New.</p>", version=2),
            ),
        ),
        Language(code="ru", name="Фонарь", sections=(Section(slug="gavan", title="Гавань"),)),
    ),
)


def make_story(
    number: int,
    *,
    language: str = "en",
    published: datetime | None = None,
    slug: str = "",
    section: str = "harbour",
    headline: str = "",
    version: int = 1,
    topics: Sequence[str] = ("ferries",),
    people: Sequence[str] = ("anna-brandt",),
    places: Sequence[str] = (),
    series: Sequence[str] = (),
    related: Iterable[str] = (),
    former: Iterable[str] = (),
    translation: str = "",
    photos: Iterable[str] = (),
    withdrawn: bool = False,
    body: str = "",
) -> Story:
    """A story named by its number: one an hour, newest with the highest number."""
    published = published or NOW - timedelta(days=400) + timedelta(hours=number)
    slug = slug or f"story-{number}"
    subjects = [Term(rel="section", literal=section, name=section.title())]
    subjects += [Term(rel="topic", literal=t, name=t.title()) for t in topics]
    subjects += [Term(rel="series", literal=s, name=s.title()) for s in series]
    alt_ids = [AltId(role="path", value=address(number, language, published, slug))]
    alt_ids += [AltId(role="redirect", value=path) for path in former]
    if translation:
        alt_ids.append(AltId(role="translation-of", value=translation))
    associations = [Story(uri=uri, name="x", rel="related") for uri in related]
    associations += [photo(sha256) for sha256 in photos]
    return Story(
        uri=uri_of(number),
        version=str(version),
        language=language,
        first_created=published.isoformat(),
        version_created=(published + timedelta(minutes=version)).isoformat(),
        pub_status="canceled" if withdrawn else "usable",
        headlines=[Text(value=headline or f"Headline {number}", role="main")],
        bodies=[
            Text(value=body or f"<p>Text of {number}.</p>", role="main", content_type="text/html")
        ],
        descriptions=[Text(value="It was not so.", role="withdrawal")] if withdrawn else [],
        subjects=subjects,
        people=[Term(rel="author", literal=p, name=p.title()) for p in people],
        places=[Term(literal=p, name=p.title()) for p in places],
        associations=associations,
        alt_ids=alt_ids,
    )


def address(number: int, language: str, published: datetime, slug: str) -> str:
    from tamizdat.edition import article_path

    return article_path(language, published, slug, SITE.timezone)


def uri_of(number: int) -> str:
    return f"urn:lantern:{number}"


def photo(sha256: str) -> Story:
    rendition = Rendition(name="web", href=ni_uri(sha256), content_type="image/avif")
    return Story(uri=f"urn:photo:{sha256[:8]}", rel="photo", renditions=[rendition])


class Stories:
    """A ``StorySource`` of stories at hand."""

    def __init__(self, stories: Iterable[Story]) -> None:
        self._raw = [encode(story) for story in stories]

    def count(self) -> int:
        return len(self._raw)

    def raw_stories(self) -> Iterator[bytes]:
        yield from self._raw


class Files:
    """A ``MediaSource`` of files in a folder, named by their sha-256."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder

    def add(self, data: bytes) -> str:
        sha256 = hashlib.sha256(data).hexdigest()
        (self.folder / sha256).write_bytes(data)
        return sha256

    def file(self, sha256: str) -> Path | None:
        path = self.folder / sha256
        return path if path.exists() else None


def edition(folder: Path, **options: Any) -> Edition:
    options.setdefault("renderer", PlainRenderer)
    options.setdefault("clock", lambda: NOW)
    options.setdefault("tree", False)
    return Edition(folder, **options)


def built(folder: Path, stories: Iterable[Story], site: Site = SITE, **options: Any) -> Edition:
    paper = edition(folder, **options)
    paper.build(Stories(stories), site)
    return paper


def whole(folder: Path) -> dict[str, tuple[int, str, str, bytes]]:
    """Every path of a paper as readers find it: status, target, media type, bytes."""
    store = Store(folder)
    pointer = Reader(folder).pointer()
    if pointer is None:
        return {}
    found = {}
    for entry in Index(store).walk(pointer.root):
        data = store.get(entry.sha256)
        assert hashlib.sha256(data).hexdigest() == entry.sha256, entry.path
        assert len(data) == entry.length
        found[entry.path] = (entry.status, entry.location, entry.media_type, data)
    assert len(found) == pointer.files
    return found


def tree_of(folder: Path) -> dict[str, bytes]:
    """The plain tree's files by their name in it."""
    base = folder / "tree"
    return {str(f.relative_to(base)): f.read_bytes() for f in base.rglob("*") if f.is_file()}
