# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every story, version, draft and photo out of the desk, as a folder of ninjs items.

What always holds: published versions go out byte for byte as they were appended; the same desk
gives the same folder; what only staff may know (notes on people, comments, accounts) is not in
it. Memory is flat: stories are read in pieces. The layout is ``importers.ninjs.layout``.

What is not done here: writing to the desk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings

from tamizdat.desk.newsroom import photos
from tamizdat.desk.newsroom.models import Article, Attachment, Photo
from tamizdat.desk.publishing import stories
from tamizdat.desk.publishing.models import StoryHead, StoryVersion
from tamizdat.edition.paths import MEDIA_EXTENSIONS
from tamizdat.edition.story import Story, encode, ni_sha256
from tamizdat.importers.ninjs import ExportWriter
from tamizdat.importers.ninjs.layout import PhotoLine

_CHUNK = 200
Progress = Callable[[int, int, int], None]


@dataclass(slots=True)
class OutReport:
    """What was written. ``files`` counts files that were new or changed."""

    folder: str
    stories: int = 0
    versions: int = 0
    drafts: int = 0
    photos: int = 0
    files: int = 0
    kept: int = 0
    lost: int = 0
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {"ok": not self.lost, **fields, "seconds": round(self.seconds, 2)}

    def sentence(self) -> str:
        lost = f" {self.lost} files of photos are missing on disk!" if self.lost else ""
        return (
            f"{self.stories} stories with {self.versions} versions, {self.drafts} drafts and "
            f"{self.photos} photos are in {self.folder} ({self.files} files written, "
            f"{self.kept} were there). {self.seconds:.1f} s.{lost}"
        )


def write_out(folder: Path, progress: Progress | None = None) -> OutReport:
    """Write the export. ``progress`` is told stories done, stories in all, stories done."""
    started = time.monotonic()
    writer = ExportWriter(folder)
    report = OutReport(str(folder))
    total = StoryHead.objects.count()
    for versions in _stories():
        newest = writer.story(versions)
        report.stories += 1
        report.versions += len(versions)
        _media(newest, writer)
        if progress is not None and report.stories % 50 == 0:
            progress(report.stories, total, report.stories)
    for item in _drafts():
        writer.draft(encode(item))
        report.drafts += 1
        _media(item, writer)
    _photos(writer, report)
    writer.finish()
    report.files, report.kept = writer.written, writer.kept
    report.seconds = time.monotonic() - started
    return report


def _stories() -> Iterator[list[bytes]]:
    """All versions of each story, oldest first."""
    last = 0
    while True:
        heads = list(
            StoryHead.objects.filter(pk__gt=last).order_by("pk").values_list("pk", "uri")[:_CHUNK]
        )
        rows = StoryVersion.objects.filter(uri__in=[uri for _, uri in heads])
        rows = rows.order_by("uri", "version")
        for _, group in groupby(rows.values_list("uri", "item"), key=lambda row: row[0]):
            yield [item.encode() for _, item in group]
        if len(heads) < _CHUNK:
            return
        last = heads[-1][0]


def _drafts() -> Iterator[Story]:
    """What was never published, as it stands. Its versions begin when it is published."""
    last = 0
    while True:
        rows = list(
            Article.objects.filter(pk__gt=last, path="", live=False)
            .select_related("locale", "section", "series", "lead_photo")
            .prefetch_related("bylines__person__texts", "sources", "topics", "places")
            .order_by("pk")[:_CHUNK]
        )
        for article in rows:
            yield _draft(article)
        if len(rows) < _CHUNK:
            return
        last = rows[-1].pk


def _draft(article: Article) -> Story:
    story = stories.story_from_article(
        article,
        version=1,
        first=article.first_published_at or article.created_at,
        now=article.updated_at,
        path="",
        former=stories.addresses_of(article),
    )
    return msgspec.structs.replace(
        story,
        version=None,
        pub_status="withheld",
        alt_ids=[one for one in story.alt_ids if one.value],
    )


def _media(story: Story, writer: ExportWriter) -> None:
    """The files that readers get with this story."""
    for rendition in story.media():
        sha256 = ni_sha256(rendition.href or "")
        path = _file(sha256) if sha256 else None
        if sha256 and path:
            kind = (rendition.content_type or "").split(";")[0]
            writer.media(path, sha256, MEDIA_EXTENSIONS.get(kind, "bin"))


def _file(sha256: str) -> Path | None:
    path = photos.file_path(sha256)
    if path.is_file():
        return path
    attachment = Attachment.objects.filter(sha256=sha256).first()
    found = Path(settings.MEDIA_ROOT) / attachment.file.name if attachment else None
    return found if found is not None and found.is_file() else None


def _photos(writer: ExportWriter, report: OutReport) -> None:
    """Every photo, those that no story shows included."""
    for photo in Photo.objects.order_by("pk").iterator(chunk_size=_CHUNK):
        path = Path(settings.MEDIA_ROOT) / photo.file.name
        there = path.is_file()
        report.lost += not there
        writer.photo(_line(photo), path if there else None)
        report.photos += 1


def _line(photo: Photo) -> PhotoLine:
    focus = None
    if photo.has_focal_point():
        focus = (
            photo.focal_point_x,
            photo.focal_point_y,
            photo.focal_point_width,
            photo.focal_point_height,
        )
    return PhotoLine(
        uri=photo.uri,
        title=photo.title,
        caption=photo.caption,
        credit=photo.credit,
        alt=photo.description,
        taken=photo.taken_on.isoformat() if photo.taken_on else "",
        file_photo=photo.file_photo,
        licence=photo.licence,
        focal_point=focus,
    )
