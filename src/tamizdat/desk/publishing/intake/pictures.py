# SPDX-License-Identifier: AGPL-3.0-or-later
"""Photos and own files that stories bring with them.

What always holds: a photo is taken once, found again by ``Photo.import_key``; its bytes go through
the same cleaning as an upload, but for those of our own export that are clean already (nothing
but pixels in the file), which stay the same to the byte.
"""

from __future__ import annotations

import datetime
import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.files.base import ContentFile
from django.db import transaction
from PIL import Image
from wagtail.log_actions import log

from tamizdat.desk.newsroom import actions, photos
from tamizdat.desk.newsroom.errors import FileError
from tamizdat.desk.newsroom.models import Attachment, Photo, PhotoFile
from tamizdat.desk.newsroom.photo_cleaning import MAX_BYTES
from tamizdat.edition.story import Story, ni_sha256, ni_uri
from tamizdat.importers import PhotoFile as SourcePhoto
from tamizdat.importers import Taken

_JPEG_PARTS = frozenset([0xC0, 0xC1, 0xC2, 0xC4, 0xDB, 0xDD, 0xE0])
_PNG_PARTS = frozenset([b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS"])
NOT_GIVEN = "photos of it were not given and are left out (give their folder with --media)"
_FILE_RELS = ("audio", "video", "document")


@dataclass(slots=True)
class Media:
    """What a story shows, by the names that its body uses. ``missing`` were not given."""

    photos: dict[str, Photo] = field(default_factory=dict)
    files: dict[str, Attachment] = field(default_factory=dict)
    missing: list[SourcePhoto] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    new: int = 0


def key_of(uri: str) -> str:
    """The import key of a photo; long addresses by their sha-256."""
    if len(uri) <= 240:
        return f"photo:{uri}"
    return f"photo:sha-256:{hashlib.sha256(uri.encode()).hexdigest()}"


def take(taken: Taken, *, renditions: bool) -> Media:
    """Take in what a story shows. ``renditions`` makes the files for readers now."""
    media = Media()
    for source in taken.photos:
        photo = _photo(source, media, own=taken.own)
        if photo is not None:
            media.photos[source.uri] = photo
            _restore_files(photo, taken)
            if renditions:
                photos.renditions_for(photo)
    for item in taken.story.associations:
        if item.rel in _FILE_RELS:
            _attachment(item, taken, media)
    return media


def _photo(source: SourcePhoto, media: Media, *, own: bool) -> Photo | None:
    key = key_of(source.uri)
    known = Photo.objects.filter(import_key=key).first()
    if known is None and own:
        known = Photo.objects.filter(uri=source.uri).first()
    if known is not None:
        return known
    if source.path is None:
        media.missing.append(source)
        return None
    try:
        photo = _add(source, key, own=own)
    except (FileError, OSError) as error:
        media.refused.append(f"{source.path.name}: {error}")
        return None
    media.new += 1
    return photo


def _add(source: SourcePhoto, key: str, *, own: bool) -> Photo:
    assert source.path is not None  # noqa: S101 - the caller looked
    with source.path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    fields: dict[str, Any] = {
        "import_key": key,
        "caption": source.caption,
        "credit": source.credit[:255],
        "description": source.alt[:255],
        "taken_on": _day(source.taken),
        "file_photo": source.file_photo,
        "licence": source.licence[:255],
    }
    if source.focal_point:
        names = ("focal_point_x", "focal_point_y", "focal_point_width", "focal_point_height")
        fields |= dict(zip(names, source.focal_point, strict=True))
    title = source.title or source.caption[:120] or source.alt[:120] or source.path.stem
    if own and is_clean(data):
        return _add_as_it_is(data, title=title, uri=source.uri, **fields)
    if own:
        fields["uri"] = source.uri
    return actions.add_photo(data=data, title=title, **fields)


@transaction.atomic
def _add_as_it_is(data: bytes, *, title: str, **fields: Any) -> Photo:
    """Take in a photo of our own export whose bytes are clean already."""
    sha256 = hashlib.sha256(data).hexdigest()
    extension = "png" if data.startswith(b"\x89PNG") else "jpg"
    photo = Photo(title=title[:255], source_sha256=sha256, **fields)
    photo.file = ContentFile(data, f"photo-{sha256[:12]}.{extension}")
    photo._set_image_file_metadata()
    photo.save()
    log(instance=photo, action="wagtail.create")
    return photo


def is_clean(data: bytes) -> bool:
    """Whether a JPEG or PNG holds pixels and nothing else, and decodes whole."""
    parts = _png_is_bare if data.startswith(b"\x89PNG\r\n\x1a\n") else _jpeg_is_bare
    if not parts(data):
        return False
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
            image.load()
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return False
    return True


def _jpeg_is_bare(data: bytes) -> bool:
    """Only tables, frame and scan; the JFIF header without a thumbnail; nothing after the end."""
    if not data.startswith(b"\xff\xd8") or not data.endswith(b"\xff\xd9"):
        return False
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        kind, length = data[at + 1], int.from_bytes(data[at + 2 : at + 4], "big")
        if kind == 0xDA:
            return b"\xff\xd8" not in data[at:] and data.find(b"\xff\xd9", at) == len(data) - 2
        if kind not in _JPEG_PARTS or (kind == 0xE0 and length > 16):
            return False
        at += 2 + length
    return False


def _png_is_bare(data: bytes) -> bool:
    at = 8
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        if kind not in _PNG_PARTS:
            return False
        at += 12 + int.from_bytes(data[at : at + 4], "big")
        if kind == b"IEND":
            return at == len(data)
    return False


def _day(value: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(value[:10])
    except ValueError:
        return None


def _restore_files(photo: Photo, taken: Taken) -> None:
    """Put the sizes that readers get in place, as the story names them by their sha-256."""
    item = next((i for i in taken.story.associations if i.uri == photo.uri), None)
    rows = []
    for rendition in item.renditions if item else ():
        sha256 = ni_sha256(rendition.href or "")
        path = taken.media.get(sha256 or "")
        if sha256 is None or path is None or not rendition.width or not rendition.height:
            continue
        if not _keep(path, sha256):
            continue
        rows.append(
            PhotoFile(
                photo=photo,
                media_type=rendition.content_type or "",
                width=rendition.width,
                height=rendition.height,
                size=rendition.size_in_bytes or path.stat().st_size,
                sha256=sha256,
            )
        )
    PhotoFile.objects.bulk_create(rows, ignore_conflicts=True)


def _keep(path: Path, sha256: str) -> bool:
    """Copy a file to where readers' files lie. False where it is not what its name says."""
    target = photos.file_path(sha256)
    if target.exists():
        return True
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        return False
    photos.keep(data)
    return True


def _attachment(item: Story, taken: Taken, media: Media) -> None:
    """A recording, film or document of our own export."""
    sha256 = next((s for r in item.renditions if (s := ni_sha256(r.href or ""))), None)
    if sha256 is None:
        return
    known = Attachment.objects.filter(uri=item.uri).first()
    path = taken.media.get(sha256)
    if known is None and path is None:
        media.refused.append(f"{item.title or item.uri}: its file is not in the export")
        return
    if known is None and path is not None:
        caption = next((d.value for d in item.descriptions if d.role == "caption"), "")
        fields: dict[str, Any] = {"uri": item.uri, "caption": caption, "credit": item.by or ""}
        try:
            with path.open("rb") as file:
                known = actions.add_attachment(
                    file=file, name=path.name, title=item.title or path.stem, **fields
                )
        except (FileError, OSError) as error:
            media.refused.append(f"{item.title or path.name}: {error}")
            return
    if known is not None:
        media.files[ni_uri(sha256)] = known


def missing_words(found: Iterable[SourcePhoto]) -> list[str]:
    """One sentence for an article's photos that were not given."""
    return [NOT_GIVEN] if any(True for _ in found) else []
