# SPDX-License-Identifier: AGPL-3.0-or-later
"""A photo as HTML: every size we have, in three formats, with a place of fixed size.

What always holds: only files of ours are shown (``ni:`` names, under ``/media/``); width and
height are always said, so that nothing jumps; a photo without a file of ours is no picture, and
the page is whole without it.
"""

from __future__ import annotations

from markupsafe import escape

from tamizdat.edition.paths import media_path
from tamizdat.edition.story import Rendition, Story, ni_sha256
from tamizdat.theme.words import Calendar, Words

MODERN = ("image/avif", "image/webp")
EVERYWHERE = ("image/jpeg", "image/png", "image/gif")
IN_TEXT = "(min-width: 42em) 40rem, 100vw"
ACROSS = "(min-width: 62em) 58rem, 100vw"


class Source:
    """One file of a photo: its address from the root, its size in pixels, its media type."""

    __slots__ = ("height", "path", "type", "width")

    def __init__(self, path: str, width: int, height: int, media_type: str) -> None:
        self.path = path
        self.width = width
        self.height = height
        self.type = media_type


def sources(photo: Story, types: tuple[str, ...] = MODERN + EVERYWHERE) -> list[Source]:
    """The photo's files of these types that are ours and have a size, narrowest first."""
    files = (_source(r) for r in photo.renditions if r.content_type in types)
    return sorted((file for file in files if file), key=lambda source: source.width)


def _source(rendition: Rendition) -> Source | None:
    digest = ni_sha256(rendition.href or "")
    kind = rendition.content_type or ""
    if digest is None or not rendition.width or not rendition.height:
        return None
    return Source(media_path(digest, kind), rendition.width, rendition.height, kind)


def nearest(photo: Story, width: int, types: tuple[str, ...]) -> Source | None:
    """The narrowest file at least so wide, else the widest."""
    found = sources(photo, types)
    return next((source for source in found if source.width >= width), found[-1] if found else None)


def figure(photo: Story, *, sizes: str, eager: bool = False, data_photo: bool = True) -> str:
    """The photo with its caption and credit; empty where none of its files is ours.

    ``sizes`` is the HTML attribute: how wide the photo is shown. ``eager`` for what is seen first.
    """
    picture = _picture(photo, sizes, eager)
    if not picture:
        return ""
    named = f' data-photo="{escape(photo.uri)}"' if data_photo else ""
    return f'<figure class="photo"{named}>{picture}{_caption(photo)}</figure>'


def _picture(photo: Story, sizes: str, eager: bool) -> str:
    plain = sources(photo, EVERYWHERE)
    modern = {kind: sources(photo, (kind,)) for kind in MODERN}
    if not plain:
        plain = modern["image/webp"] or modern["image/avif"]
        modern = {}
    if not plain:
        return ""
    default = next((s for s in plain if s.width >= 640), plain[-1])
    wide = escape(sizes)
    better = "".join(
        f'<source type="{kind}" srcset="{_srcset(files)}" sizes="{wide}">'
        for kind, files in modern.items()
        if files
    )
    return (
        f'<picture>{better}<img src="{default.path}" alt="{escape(_description(photo, "alt"))}" '
        f'width="{default.width}" height="{default.height}" '
        f'loading="{"eager" if eager else "lazy"}" decoding="async"></picture>'
    )


def _srcset(files: list[Source]) -> str:
    return ", ".join(f"{file.path} {file.width}w" for file in files)


def _description(photo: Story, role: str) -> str:
    return next((d.value for d in photo.descriptions if d.role == role), "")


def _caption(photo: Story) -> str:
    caption = _description(photo, "caption")
    said = [str(escape(caption))] if caption else []
    if any(genre.literal == "file-photo" for genre in photo.genres):
        said.append(str(escape(_file_photo(photo))))
    if photo.by:
        said.append(f"<small>{escape(photo.by)}</small>")
    return f"<figcaption>{' '.join(said)}</figcaption>" if said else ""


def _file_photo(photo: Story) -> str:
    """“File photo, 3 May 2019.”, with its date where it has one."""
    words = Words(photo.language or "en")
    if not photo.content_created:
        return words["file_photo"] + "."
    calendar = Calendar(words.locale, "UTC")
    day = calendar.day(calendar.local(photo.content_created).date())
    return words.fill("file_photo_dated", date=day) + "."
