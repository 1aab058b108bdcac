# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom's archive that never was: any number of stories over twenty years.

What always holds:

- Equal parameters give equal bytes, and story *i* can be made without the others.
- Memory does not grow with the number of stories.
- A story has 450 words, three topics of 300, one section of 8, one or two bylines of 60 people,
  one place of 120, sources, up to four earlier stories as related ones; half have a photo above
  the text, a fifth one in it; one in twenty belongs to a series; one in 200 was corrected, one
  in 1,000 withdrawn, one in 500 moved. A fifth are Russian, half of those translations.

What is not done here: writing the same for the peer (``hugo_site``).
"""

from __future__ import annotations

import argparse
import hashlib
import io
import random
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import msgspec
from PIL import Image

from bench.words import Words
from tamizdat.edition.site import Language, Page, Profile, Section, Site
from tamizdat.edition.story import (
    AltId,
    InfoSource,
    Rendition,
    Story,
    Term,
    Text,
    encode,
    ni_uri,
)

FIRST = datetime(2006, 11, 22, 6, tzinfo=UTC)
SPAN = timedelta(days=20 * 365.25) - timedelta(hours=12)
WORDS = 450
TOPICS, PLACES, PEOPLE, SERIES, PICTURES = 300, 120, 60, 24, 6
WIDTHS = (400, 800, 1200, 1600)
FORMATS = (("avif", "image/avif"), ("webp", "image/webp"), ("jpg", "image/jpeg"))
SECTIONS = ("news", "politics", "economy", "courts", "regions", "science", "culture", "letters")
SOURCES = ("agency", "official", "document", "recording", "witness", "own-reporting")


class Picture(NamedTuple):
    """One file of a photo: its sha-256, extension, media type and size in pixels."""

    sha256: str
    extension: str
    content_type: str
    width: int
    height: int
    data: bytes

    @property
    def path(self) -> str:
        return f"/media/{self.sha256[:2]}/{self.sha256}.{self.extension}"


class Base(NamedTuple):
    """What others show of a story, known without making it."""

    index: int
    language: str
    uri: str
    path: str
    headline: str
    section: str
    published: datetime


@dataclass(frozen=True)
class Archive:
    """The whole archive. Nothing is made before it is asked for. ``own_pictures`` are used in the
    place of invented ones: ``PICTURES`` photos, each in every format and width."""

    size: int
    seed: int = 1
    languages: tuple[str, ...] = ("en", "ru")
    own_pictures: tuple[tuple[Picture, ...], ...] = ()

    @cached_property
    def _words(self) -> dict[str, Words]:
        return {language: Words.invent(language, self.seed) for language in self.languages}

    @cached_property
    def pictures(self) -> tuple[tuple[Picture, ...], ...]:
        """A few real photos, each in every width and format."""
        return self.own_pictures or tuple(
            tuple(_renditions(number, self.seed)) for number in range(PICTURES)
        )

    def site(self) -> Site:
        return Site(
            address="https://meridian.example",
            organisation="The Meridian",
            contact="desk@meridian.example",
            timezone="UTC",
            languages=tuple(self._language(code) for code in self.languages),
        ).check()

    def _language(self, code: str) -> Language:
        words = self._words[code]
        kinds = (("topic", TOPICS), ("place", PLACES), ("person", PEOPLE), ("series", SERIES))
        return Language(
            code=code,
            name="The Meridian" if code == "en" else "Меридиан",
            tagline=words.phrase(11, 6),
            description=words.text(12, 24),
            sections=tuple(
                Section(slug=slug, title=self.section_title(code, slug)) for slug in SECTIONS
            ),
            pages=tuple(
                Page(slug=slug, title=words.phrase(n, 2), html=f"<p>{words.text(n, 300)}</p>")
                for n, slug in enumerate(("about", "contact", "corrections", "privacy"), 700)
            ),
            profiles=tuple(
                Profile(
                    kind=kind,  # type: ignore[arg-type]  # The names are those of ListingKind.
                    slug=f"{kind}-{n}",
                    title=self.term(code, kind, n),
                    description=words.text(n + 31, 14),
                )
                for kind, count in kinds
                for n in range(count)
            ),
        )

    def section_title(self, language: str, slug: str) -> str:
        return (
            slug.title() if language == "en" else self._words[language].name(SECTIONS.index(slug))
        )

    def term(self, language: str, kind: str, number: int) -> str:
        """The name of a topic, place, person or series."""
        words, place = self._words[language], number * 17 + len(kind) * 1000
        if kind == "person":
            return f"{words.name(place)} {words.name(place + 3)}"
        return words.name(place) if kind == "place" else words.phrase(place, 2)

    def base(self, index: int) -> Base:
        """What others show of story ``index``, counted from the oldest."""
        rng = random.Random(index * 1_000_003 + self.seed)
        language = self.languages[1] if index % 5 == 4 and len(self.languages) > 1 else "en"
        published = FIRST + SPAN * (index / max(self.size - 1, 1))
        published = published.replace(microsecond=0)
        path = f"/{language}/{published:%Y/%m/%d}/story-{index}/"
        headline = self._words[language].phrase(rng.randrange(RUN_PLACES), rng.randint(6, 11))
        section = SECTIONS[min(int(rng.expovariate(0.45)), len(SECTIONS) - 1)]
        uri = f"https://meridian.example/id/{index}"
        return Base(index, language, uri, path, headline, section, published)

    def story(self, index: int, *, version: int = 1) -> Story:
        """Story ``index``, counted from the oldest. A higher version is a correction of it."""
        base = self.base(index)
        rng = random.Random(index * 9_176_263 + self.seed)
        words = self._words[base.language]
        corrected = version > 1 or index % 200 == 77
        withdrawn = index % 1000 == 444
        changed = base.published + timedelta(hours=5 * version if corrected else 0)
        place = rng.randrange(PLACES)
        return Story(
            uri=base.uri,
            type="text",
            representation_type="full",
            version=str(version),
            language=base.language,
            first_created=base.published.isoformat(),
            version_created=changed.isoformat(),
            pub_status="canceled" if withdrawn else "usable",
            headlines=self._headlines(base, words, rng),
            descriptions=self._descriptions(words, rng, withdrawn=withdrawn),
            bodies=[self._body(index, words, rng)],
            slugline=f"story-{index}",
            located=self.term(base.language, "place", place),
            places=[self._term(base.language, "place", place, None)],
            subjects=self._subjects(base, rng),
            **self._bylines(base.language, rng),  # type: ignore[arg-type]  # by and people.
            info_sources=self._sources(words, rng),
            associations=self._associations(base, words, rng, changed if corrected else None),
            alt_ids=self._alt_ids(base),
        )

    def stories(self) -> Iterator[Story]:
        """Every story, the oldest first."""
        return (self.story(index) for index in range(self.size))

    def _headlines(self, base: Base, words: Words, rng: random.Random) -> list[Text]:
        kicker = [Text(role="kicker", value=words.phrase(rng.randrange(RUN_PLACES), 2))]
        return [Text(role="main", value=base.headline), *(kicker if base.index % 3 == 0 else [])]

    def _descriptions(self, words: Words, rng: random.Random, *, withdrawn: bool) -> list[Text]:
        found = [Text(role="standfirst", value=words.text(rng.randrange(RUN_PLACES), 24))]
        if withdrawn:
            found.append(Text(role="withdrawal", value=words.text(rng.randrange(RUN_PLACES), 18)))
        return found

    def _body(self, index: int, words: Words, rng: random.Random) -> Text:
        parts, start = [], rng.randrange(RUN_PLACES)
        for number in range(WORDS // 50):
            parts.append(f"<p>{words.text(start + number * 50, 50)}</p>")
        parts.insert(3, f"<h2>{words.phrase(start + 3, 4)}</h2>")
        if index % 5 == 2:
            parts.insert(6, self._figure(index, words))
        if index % 7 == 3:
            parts.insert(8, self._quote(words, start))
        value = "".join(parts)
        return Text(
            role="main",
            content_type="text/html",
            value=value,
            char_count=len(value),
            word_count=WORDS,
        )

    def _figure(self, index: int, words: Words) -> str:
        """A photo in the text, as the desk renders it when it publishes."""
        sources = "".join(
            f'<source type="{kind}" srcset="{self._srcset(index, ext)}" sizes="100vw">'
            for ext, kind in FORMATS[:2]
        )
        fallback = next(p for p in self.picture(index) if p.extension == "jpg")
        return (
            f'<figure class="photo" data-photo="{self.photo_uri(index)}"><picture>{sources}'
            f'<img src="{fallback.path}" alt="{words.phrase(index, 8)}" width="{fallback.width}" '
            f'height="{fallback.height}" loading="lazy" decoding="async"></picture>'
            f"<figcaption>{words.text(index, 12)} <small>{words.name(index)}</small></figcaption>"
            "</figure>"
        )

    def _quote(self, words: Words, place: int) -> str:
        speaker = f"{words.name(place)}, {words.phrase(place, 2)}"
        return (
            f'<blockquote class="pull"><p>{words.text(place, 15)}</p>'
            f"<cite>{speaker}</cite></blockquote>"
        )

    def _srcset(self, index: int, extension: str) -> str:
        files = [p for p in self.picture(index) if p.extension == extension]
        return ", ".join(f"{p.path} {p.width}w" for p in files)

    def picture(self, index: int) -> tuple[Picture, ...]:
        return self.pictures[index % PICTURES]

    def photo_uri(self, index: int) -> str:
        return f"https://meridian.example/id/photo/{index % PICTURES}"

    def _term(self, language: str, kind: str, number: int, rel: str | None) -> Term:
        return Term(name=self.term(language, kind, number), literal=f"{kind}-{number}", rel=rel)

    def _subjects(self, base: Base, rng: random.Random) -> list[Term]:
        title = self.section_title(base.language, base.section)
        topics = rng.sample(range(TOPICS), 3)
        found = [Term(name=title, literal=base.section, rel="section")]
        found += [self._term(base.language, "topic", topic, "topic") for topic in topics]
        if base.index % 20 == 7:
            found.append(self._term(base.language, "series", rng.randrange(SERIES), "series"))
        return found

    def _bylines(self, language: str, rng: random.Random) -> dict[str, object]:
        chosen = rng.sample(range(PEOPLE), 1 + (rng.random() < 0.2))
        people = [self._term(language, "person", number, "author") for number in chosen]
        return {"people": people, "by": ", ".join(person.name or "" for person in people)}

    def _sources(self, words: Words, rng: random.Random) -> list[InfoSource]:
        place = rng.randrange(RUN_PLACES)
        return [
            InfoSource(
                name=words.phrase(place + number, 2),
                role=SOURCES[(place + number) % len(SOURCES)],
                uri=f"https://source{(place + number) % 40}.example/{place}",
                literal=words.text(place + number, 9),
            )
            for number in range(2)
        ]

    def _associations(
        self, base: Base, words: Words, rng: random.Random, corrected: datetime | None
    ) -> list[Story]:
        found = [self._photo(base.index, words, "lead-photo")] if base.index % 2 == 0 else []
        if base.index % 5 == 2:
            found.append(self._photo(base.index, words, "photo"))
        if corrected:
            text = words.text(rng.randrange(RUN_PLACES), 22)
            found.append(
                Story(
                    uri=f"{base.uri}/correction/1",
                    rel="correction",
                    name="correction-1",
                    type="text",
                    version_created=corrected.isoformat(),
                    bodies=[Text(role="main", content_type="text/plain", value=text)],
                )
            )
        for earlier in self.related(base):
            other = self.base(earlier)
            found.append(Story(uri=other.uri, rel="related", name=other.headline, type="text"))
        return found

    def related(self, base: Base) -> list[int]:
        """Up to four earlier stories of the same language, as a desk would have chosen them."""
        rng, found = random.Random(base.index * 31 + 7), set[int]()
        for _ in range(24):
            reach = max(1, min(base.index, 4000))
            other = base.index - 1 - int(reach * rng.random() ** 3)
            if other >= 0 and self._language_of(other) == base.language and other % 1000 != 444:
                found.add(other)
            if len(found) == 4:
                break
        return sorted(found, reverse=True)

    def _language_of(self, index: int) -> str:
        return self.languages[1] if index % 5 == 4 and len(self.languages) > 1 else "en"

    def _photo(self, index: int, words: Words, rel: str) -> Story:
        return Story(
            uri=self.photo_uri(index),
            rel=rel,
            name="lead" if rel == "lead-photo" else "photo-1",
            type="picture",
            headlines=[Text(role="main", value=words.phrase(index, 4))],
            descriptions=[
                Text(role="caption", value=words.text(index, 12)),
                Text(role="alt", value=words.phrase(index, 8)),
            ],
            by=words.name(index),
            renditions=[
                Rendition(
                    name=f"{p.content_type.partition('/')[2]}-{p.width}",
                    href=ni_uri(p.sha256),
                    content_type=p.content_type,
                    width=p.width,
                    height=p.height,
                    size_in_bytes=len(p.data),
                )
                for p in self.picture(index)
            ],
        )

    def _alt_ids(self, base: Base) -> list[AltId]:
        found = [AltId(role="path", value=base.path)]
        if base.index % 500 == 123:
            found.append(AltId(role="redirect", value=f"{base.path[:-1]}-before/"))
        key = base.index - base.index % 5
        if len(self.languages) > 1 and (base.index % 10 == 0 or base.index % 10 == 4):
            found.append(AltId(role="translation-of", value=f"translation-{key}"))
        return found


RUN_PLACES = 900_000


def _renditions(number: int, seed: int) -> Iterator[Picture]:
    rng = random.Random(f"picture {number} {seed}")
    small = Image.new("RGB", (8, 6))
    small.putdata([tuple(rng.randrange(40, 220) for _ in "rgb") for _ in range(48)])
    for extension, content_type in FORMATS:
        for width in WIDTHS:
            image = small.resize((width, width * 3 // 4), Image.Resampling.BICUBIC)
            out = io.BytesIO()
            image.save(out, {"jpg": "JPEG"}.get(extension, extension.upper()), quality=60)
            digest = hashlib.sha256(out.getvalue()).hexdigest()
            yield Picture(digest, extension, content_type, width, image.height, out.getvalue())


def write(archive: Archive, folder: Path) -> None:
    """Write ``stories.sqlite3``, ``site.json`` and ``media/`` into an existing folder."""
    (folder / "site.json").write_bytes(msgspec.json.encode(archive.site()))
    for picture in (p for renditions in archive.pictures for p in renditions):
        file = folder / picture.path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture.data)
    with sqlite3.connect(folder / "stories.sqlite3") as database:
        database.execute("CREATE TABLE stories (number INTEGER PRIMARY KEY, raw BLOB NOT NULL)")
        rows = ((number, encode(story)) for number, story in enumerate(archive.stories()))
        database.executemany("INSERT INTO stories VALUES (?, ?)", rows)
    database.close()


def read(folder: Path) -> Iterator[bytes]:
    """Every story of a written archive as ninjs, the oldest first."""
    database = sqlite3.connect(f"file:{folder}/stories.sqlite3?mode=ro", uri=True)
    try:
        for (raw,) in database.execute("SELECT raw FROM stories ORDER BY number"):
            yield raw
    finally:
        database.close()


def main() -> int:
    parser = argparse.ArgumentParser(description="Write an invented archive as ninjs.")
    parser.add_argument("--size", type=int, default=1000, help="stories (default 1000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="an existing, empty folder")
    options = parser.parse_args()
    write(Archive(options.size, options.seed), options.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
