# SPDX-License-Identifier: AGPL-3.0-or-later
"""A photo small enough to travel inside every mail.

What always holds: it is a JPEG (every mail program shows it), ``WIDTH`` wide at most and
``MOST`` bytes at most; the same photo gives the same bytes; it is made of what readers of the
paper get, never of what a photographer sent.
"""

from __future__ import annotations

import io
from functools import lru_cache
from typing import NamedTuple

from PIL import Image

from tamizdat.desk.newsroom.models import Photo
from tamizdat.desk.newsroom.photos import file_path, renditions_for

WIDTH = 600  # pixels
MOST = 60_000  # bytes
_QUALITIES = (80, 72, 64, 56, 48, 40)


class Small(NamedTuple):
    """Sizes in pixels."""

    data: bytes
    width: int
    height: int


def small(photo: Photo) -> Small:
    """The photo for a mail. Raises ``OSError`` where its own file is gone."""
    jpegs = [file for file in renditions_for(photo) if file.media_type == "image/jpeg"]
    wide = [file for file in jpegs if file.width >= WIDTH]
    return _made((wide or jpegs[-1:])[0].sha256)


@lru_cache(maxsize=16)
def _made(sha256: str) -> Small:
    with Image.open(file_path(sha256)) as original:
        image = original.convert("RGB")
    width = min(WIDTH, image.width)
    while True:
        height = max(1, round(image.height * width / image.width))
        sized = image.resize((width, height), Image.Resampling.LANCZOS)
        for quality in _QUALITIES:
            data = _encoded(sized, quality)
            if len(data) <= MOST:
                return Small(data, width, height)
        width = width * 3 // 4


def _encoded(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()
