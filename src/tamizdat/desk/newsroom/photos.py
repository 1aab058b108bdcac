# SPDX-License-Identifier: AGPL-3.0-or-later
"""Photos on their way in and out: cleaned when they come, made into files for readers once.

What always holds:

- Whatever came is cleaned (``photo_cleaning``) before it is kept; the bytes as they came are not
  kept at all.
- A file for readers lies at ``media/renditions/ab/<sha-256>``, is complete as soon as it is
  there, and never changes. Making files again, or in two processes at once, gives the same rows.
- No file is wider than the photo.

What is not done here: markup (``edition.render.photo``), addresses (``edition.paths``).
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from PIL import Image

from tamizdat.desk.newsroom.models import Photo, PhotoFile

WIDTHS = (400, 800, 1200, 1600)
FORMATS = {
    "image/avif": ("AVIF", {"quality": 52, "speed": 8}),
    "image/webp": ("WEBP", {"quality": 76, "method": 4}),
    "image/jpeg": ("JPEG", {"quality": 80, "optimize": True, "progressive": True}),
}


def renditions_folder() -> Path:
    return Path(settings.MEDIA_ROOT) / "renditions"


def file_path(sha256: str) -> Path:
    """Where the bytes of a ``PhotoFile`` lie."""
    return renditions_folder() / sha256[:2] / sha256


def widths_for(width: int) -> list[int]:
    """The widths that a photo of this width is made into, the smallest first."""
    largest = min(width, WIDTHS[-1])
    return [w for w in WIDTHS if w < largest] + [largest]


def renditions_for(photo: Photo) -> list[PhotoFile]:
    """The photo's files for readers, made now where they are missing. By format, then width.

    Raises ``OSError`` where the photo's own file is gone or the disk is full. Making takes about a
    second: call it outside a transaction where you can.
    """
    wanted = [(media_type, w) for media_type in FORMATS for w in widths_for(photo.width)]
    rows = {(f.media_type, f.width): f for f in photo.files.all()}
    missing = [key for key in wanted if key not in rows or not _whole(rows[key])]
    if missing:
        _store(photo, list(_make(photo, missing)))
        rows = {(f.media_type, f.width): f for f in PhotoFile.objects.filter(photo=photo)}
    return [rows[key] for key in wanted]


def forget_renditions(photo: Photo) -> None:
    """The photo's own file was replaced: new files have to be made. Old bytes stay, as published
    stories name them."""
    PhotoFile.objects.filter(photo=photo).delete()


def _whole(file: PhotoFile) -> bool:
    try:
        return file_path(file.sha256).stat().st_size == file.size
    except OSError:
        return False


def _make(photo: Photo, wanted: list[tuple[str, int]]) -> Iterator[PhotoFile]:
    """Encode and write the files that are wanted; rows are not saved yet."""
    with photo.open_file() as source, Image.open(source) as original:
        full = original.convert("RGBA" if original.mode in ("RGBA", "LA", "P") else "RGB")
    sized: dict[int, Image.Image] = {}
    for media_type, width in wanted:
        if width not in sized:
            height = max(1, round(full.height * width / full.width))
            sized[width] = full.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3)
        data = _encode(sized[width], media_type)
        yield PhotoFile(
            photo=photo,
            media_type=media_type,
            width=width,
            height=sized[width].height,
            size=len(data),
            sha256=keep(data),
        )


def _encode(image: Image.Image, media_type: str) -> bytes:
    kind, options = FORMATS[media_type]
    if kind == "JPEG" and image.mode == "RGBA":
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def keep(data: bytes) -> str:
    """Keep bytes under their sha-256, which is returned. Whole or not at all."""
    sha256 = hashlib.sha256(data).hexdigest()
    path = file_path(sha256)
    if path.exists() and path.stat().st_size == len(data):
        return sha256
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return sha256


def _store(photo: Photo, files: list[PhotoFile]) -> None:
    """Save rows; where another process was faster with the same, its rows are replaced by equal
    ones."""
    PhotoFile.objects.bulk_create(
        files,
        update_conflicts=True,
        unique_fields=["photo", "media_type", "width"],
        update_fields=["height", "size", "sha256"],
    )
