# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the desk's articles to stories: pure reading.

What always holds:

- A story says only what readers may know: no account, no staff note, not that a name is a
  pseudonym. Fields are named one by one; nothing is copied wholesale.
- The body is rendered here, once, with its photos; the edition puts it into pages as it is.
- What belongs to the story and not to the article (first publication, address and former
  addresses) is carried on from its previous version.

What is not done here: writing (``versions``), related stories' choice (``edition``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from django.conf import settings

from tamizdat.desk.newsroom import bodies, photos
from tamizdat.desk.publishing.models import Address
from tamizdat.edition import body, paths
from tamizdat.edition.render import photo as render_photo
from tamizdat.edition.story import (
    AltId,
    InfoSource,
    Point,
    Rendition,
    Story,
    Term,
    Text,
    ni_uri,
)

if TYPE_CHECKING:
    from tamizdat.desk.newsroom.models import Article, Attachment, Photo, PhotoFile
    from tamizdat.edition.views import Card

_HTML = "text/html"


def rfc3339(date: datetime) -> str:
    """In UTC, to the second: an offset would tell where somebody sits."""
    return date.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def next_version(article: Article, previous: Story | None, now: datetime) -> Story:
    """The story of an article as it is now, following ``previous``. Without related stories."""
    first = previous.published if previous else min(article.first_published_at or now, now)
    path = _path(article, previous, first)
    former = [*previous.former_paths, previous.path] if previous else addresses_of(article)
    return story_from_article(
        article,
        version=int(previous.version or 0) + 1 if previous else 1,
        first=first,
        now=now,
        path=path,
        former=[one for one in dict.fromkeys(former) if one and one != path],
    )


def addresses_of(article: Article) -> list[str]:
    """The addresses that an imported article had where it came from."""
    kept = Address.objects.filter(uri=article.story_uri).order_by("pk")
    return list(kept.values_list("path", flat=True))


def next_address(article: Article, previous: Story | None, now: datetime) -> str:
    """The path at which the next version of this article will be."""
    first = previous.published if previous else min(article.first_published_at or now, now)
    return _path(article, previous, first)


def _path(article: Article, previous: Story | None, first: datetime) -> str:
    """The address stays as it was, unless the slug was changed."""
    if previous and previous.path and previous.slugline in (None, article.slug):
        return previous.path
    if previous is None and article.path:
        return article.path
    return free_path(article, first)


def free_path(article: Article, first: datetime) -> str:
    """The address of its slug, with a number where another story has it."""
    zone = settings.NEWSROOM.settings.timezone
    slug = article.slug or "story"
    number = 1
    while True:
        numbered = slug if number == 1 else f"{slug}-{number}"
        path = paths.article_path(article.language, first, numbered, zone)
        owner = Address.objects.filter(path=path).values_list("uri", flat=True).first()
        if owner in (None, article.story_uri):
            return path
        number += 1


def story_from_article(
    article: Article,
    *,
    version: int,
    first: datetime,
    now: datetime,
    path: str,
    former: Sequence[str] = (),
) -> Story:
    """All that readers may know of an article, as a ninjs item. A constant number of queries for
    each kind of thing it names; no writing (but a photo's files, where they were never made)."""
    language = article.language
    pictures = list(_pictures(article))
    html = bodies.html_from_blocks(
        article.body, photo_figure=_figure_in(language), language=language
    )
    bylines = [(b, b.person.name_in(language)) for b in article.bylines.all()]
    return Story(
        uri=article.story_uri,
        type="text",
        representation_type="full",
        version=str(version),
        first_created=rfc3339(first),
        version_created=rfc3339(now),
        pub_status="usable",
        language=language,
        headlines=_texts(("main", article.headline), ("kicker", article.kicker)),
        descriptions=_texts(("standfirst", article.standfirst)),
        bodies=[_body(html)],
        by=", ".join(name for _, name in bylines) or None,
        people=[Term(name=name, rel=b.role, literal=b.person.slug) for b, name in bylines],
        places=[Term(name=p.title, literal=p.slug) for p in article.places.all()],
        subjects=list(_subjects(article)),
        genres=[Term(name="Sensitive", literal="sensitive")] if article.sensitive else [],
        info_sources=[
            InfoSource(name=s.name, role=s.kind, uri=s.link or None, literal=s.supports or None)
            for s in article.sources.all()
        ],
        slugline=article.slug,
        located=article.dateline or None,
        associations=[*pictures, *_files(article), *_corrections(article)],
        alt_ids=[
            AltId(role="path", value=path),
            *(AltId(role="redirect", value=one) for one in former),
            AltId(role="translation-of", value=str(article.translation_key)),
        ],
    )


def prepare(article: Article) -> None:
    """Make the files of its photos, which may take seconds: before any transaction."""
    for photo in [article.lead_photo, *(photo for photo, _, _ in bodies.photos_in(article.body))]:
        if photo:
            photos.renditions_for(photo)


def withdrawn(story: Story, reason: str, now: datetime) -> Story:
    """The tombstone that follows a story: its headline, its addresses, why it is gone."""
    return Story(
        uri=story.uri,
        type=story.type,
        version=str(int(story.version or 0) + 1),
        first_created=story.first_created,
        version_created=rfc3339(now),
        pub_status="canceled",
        language=story.language,
        headlines=story.headlines,
        descriptions=[Text(role="withdrawal", value=reason, content_type="text/plain")],
        subjects=[term for term in story.subjects if term.rel == "section"],
        slugline=story.slugline,
        alt_ids=story.alt_ids,
    )


def with_related(story: Story, cards: Sequence[Card]) -> Story:
    """The same story, with what “Read more” leads to."""
    others = [item for item in story.associations if item.rel != "related"]
    related = [Story(uri=c.uri, rel="related", name=c.headline, type="text") for c in cards]
    return msgspec.structs.replace(story, associations=[*others, *related])


def _texts(*pairs: tuple[str, str]) -> list[Text]:
    return [Text(role=role, value=value.strip()) for role, value in pairs if value.strip()]


def _body(html: str) -> Text:
    return Text(
        role="main", content_type="text/html", value=html, word_count=body.count_words(html)
    )


def _subjects(article: Article) -> Iterator[Term]:
    if article.section:
        yield Term(name=article.section.title, rel="section", literal=article.section.slug)
    for topic in article.topics.all():
        yield Term(name=topic.title, rel="topic", literal=topic.slug)
    if article.series:
        yield Term(name=article.series.title, rel="series", literal=article.series.slug)


def _pictures(article: Article) -> Iterator[Story]:
    lead = article.lead_photo
    if lead:
        caption, alt = article.lead_caption or lead.caption, article.lead_alt or lead.alt_text
        yield photo_item(lead, caption, alt, language=article.language, rel="lead-photo")
    elif article.lead_caption:
        yield _captioned(article)
    for photo, caption, alt in bodies.photos_in(article.body):
        yield photo_item(photo, caption, alt, language=article.language)


def _captioned(article: Article) -> Story:
    """A lead photo of which an import brought the caption and no file: pages show nothing of it."""
    return Story(
        uri=f"{article.story_uri}#lead-photo",
        name="lead-photo",
        rel="lead-photo",
        type="picture",
        descriptions=_texts(("caption", article.lead_caption), ("alt", article.lead_alt)),
    )


def photo_item(photo: Photo, caption: str, alt: str, *, language: str, rel: str = "photo") -> Story:
    """A photo as readers get it: its files by their sha-256, smallest first in each format."""
    return Story(
        uri=photo.uri,
        name=rel,  # The standard wants a name; the photo's title is for the desk alone.
        rel=rel,
        type="picture",
        language=language,
        content_created=photo.taken_on.isoformat() if photo.taken_on else None,
        by=photo.credit or None,
        usage_terms=photo.licence or None,
        descriptions=_texts(("caption", caption), ("alt", alt)),
        genres=[Term(name="File photo", literal="file-photo")] if photo.file_photo else [],
        renditions=[_rendition(file, photo) for file in photos.renditions_for(photo)],
    )


def _rendition(file: PhotoFile, photo: Photo) -> Rendition:
    return Rendition(
        name=f"{file.media_type.partition('/')[2]}-{file.width}",
        href=ni_uri(file.sha256),
        content_type=file.media_type,
        width=file.width,
        height=file.height,
        size_in_bytes=file.size,
        poi=_focus(file, photo),
    )


def _focus(file: PhotoFile, photo: Photo) -> Point | None:
    """The photo's focal point, in pixels of this file."""
    if not photo.has_focal_point() or not photo.width or not photo.height:
        return None
    return Point(
        x=round(photo.focal_point_x * file.width / photo.width),
        y=round(photo.focal_point_y * file.height / photo.height),
    )


def _figure_in(language: str) -> bodies.PhotoFigure:
    def figure(photo: Photo, caption: str, alt: str) -> str:
        item = photo_item(photo, caption, alt, language=language)
        return render_photo.figure(item, sizes=render_photo.IN_TEXT)

    return figure


def _files(article: Article) -> Iterator[Story]:
    for file in bodies.files_in(article.body):
        if file.sha256:
            yield _file_item(file)


def _file_item(file: Attachment) -> Story:
    return Story(
        uri=file.uri,
        name=file.title,
        rel=file.kind,
        type="audio" if file.kind == "audio" else "video" if file.kind == "video" else "text",
        title=file.title,
        by=file.credit or None,
        descriptions=_texts(("caption", file.caption)),
        renditions=[
            Rendition(
                name="original",
                href=ni_uri(file.sha256),
                content_type=file.media_type,
                size_in_bytes=file.file_size,
            )
        ],
    )


def _corrections(article: Article) -> Iterator[Story]:
    for number, note in enumerate(sorted(article.corrections.all(), key=lambda c: c.date), 1):
        yield Story(
            uri=f"{article.story_uri}#correction-{number}",
            name=f"correction-{number}",
            rel="correction",
            type="text",
            version_created=rfc3339(note.date),
            bodies=[Text(value=note.text.strip(), content_type="text/plain")],
        )
