# SPDX-License-Identifier: AGPL-3.0-or-later
"""The port between the formats and whoever takes the stories in.

What always holds:

- An importer yields, for each item of its source, exactly one ``Taken``, ``Part`` or ``Left``;
  what lies inside an item and is left out (comments) is a ``Left`` with ``inside=True``. So
  taken + parts + left = items.
- ``Taken.key`` names the item in its source and never changes between two runs; ``fingerprint``
  changes only when what would be taken changes.
- Iterating twice gives the same results; memory does not grow with the source, but where the
  importer says so.

What is not done here: writing anywhere, network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from tamizdat.edition.story import Rendition, Story, Text, encode

PHOTO_TYPES = frozenset("jpg jpeg png gif webp avif heic tif tiff bmp".split())  # noqa: SIM905


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoFile:
    """A photo of a story. ``path`` is None where its bytes were not given; ``url`` is where it
    was on the old site and is never fetched. What follows ``alt`` only our own export tells:
    ``focal_point`` is x, y, width, height in pixels."""

    uri: str
    path: Path | None = None
    url: str = ""
    caption: str = ""
    credit: str = ""
    alt: str = ""
    title: str = ""
    taken: str = ""
    file_photo: bool = False
    licence: str = ""
    focal_point: tuple[int, int, int, int] | None = None

    def association(self, rel: str = "photo") -> Story:
        """The photo as an item in ``associations``."""
        descriptions = [Text(role="caption", value=self.caption)] if self.caption else []
        if self.alt:
            descriptions.append(Text(role="alt", value=self.alt))
        renditions = [Rendition(name="original", href=self.url)] if self.url else []
        return Story(
            uri=self.uri,
            name=rel,
            rel=rel,
            type="picture",
            by=self.credit or None,
            descriptions=descriptions,
            renditions=renditions,
        )


@dataclass(slots=True, kw_only=True)
class Taken:
    """An item that becomes a story (or a page of the newsroom's own: ``kind``).

    ``versions`` holds every version as it lies in our own export, oldest first, byte for byte;
    empty for what others wrote. ``old_paths`` are addresses from the root of the old site, ``url``
    is where it was there. ``own``: it comes from our own export, so the names in it (uris,
    addresses of people and sections) are the desk's. ``media`` are the files in it, by sha-256.
    """

    key: str
    story: Story
    kind: Literal["story", "page"] = "story"
    draft: bool = False
    photos: list[PhotoFile] = field(default_factory=list)
    old_paths: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    versions: list[bytes] = field(default_factory=list)
    media: dict[str, Path] = field(default_factory=dict)
    url: str = ""
    own: bool = False

    @property
    def fingerprint(self) -> str:
        """A sha-256 of all that would be taken, hexadecimal. A photo's file counts by name."""
        digest = hashlib.sha256(encode(self.story))
        for photo in self.photos:
            digest.update(f"\0{photo.uri}\0{photo.path.name if photo.path else ''}".encode())
        digest.update("\0".join([self.kind, str(self.draft), *self.old_paths]).encode())
        for raw in self.versions:
            digest.update(raw)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Part:
    """An item that was taken as a part of a story: an attachment shown as its photo."""

    what: str


@dataclass(frozen=True, slots=True)
class Left:
    """What was left out and why. ``count`` items of a kind may be told together."""

    what: str
    why: str
    count: int = 1
    inside: bool = False
    failed: bool = False


Result = Taken | Part | Left


class Importer(Protocol):
    """Reads one source. ``total`` and ``done`` are bytes, for progress; 0 where unknown."""

    format: str
    total: int
    done: int

    def __iter__(self) -> Iterator[Result]: ...
