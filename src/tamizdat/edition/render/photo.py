# SPDX-License-Identifier: AGPL-3.0-or-later
"""A photo as HTML: every size we have, in three formats, with a place of fixed size.

What always holds: only files of ours are shown (``ni:`` names, under ``/media/``); width and
height are always said, so that nothing jumps; a photo without a file of ours is no picture but
its caption, and the page is whole without it.
"""

from __future__ import annotations

from functools import cache, lru_cache
from html import escape
from typing import NamedTuple

from tamizdat.edition.paths import media_path
from tamizdat.edition.story import Story, ni_sha256
from tamizdat.theme.words import Calendar, Words

MODERN = ("image/avif", "image/webp")
EVERYWHERE = ("image/jpeg", "image/png", "image/gif")
DEFAULT_WIDTH = 960
IN_TEXT = "(min-width: 40em) 36rem, 94vw"
ACROSS = "(min-width: 62em) 58rem, 94vw"


class File(NamedTuple):
    """One file of a photo: its width and height in pixels, its address from the root."""

    width: int
    height: int
    path: str


@lru_cache(maxsize=16_384)
def _file(href: str, kind: str, width: int, height: int) -> File | None:
    """A file of ours; kept, as a photo is looked at for its card, its page and its feed."""
    digest = ni_sha256(href)
    return File(width, height, media_path(digest, kind)) if digest is not None else None


class Photo:
    """A photo whose files of each type are looked at once, when they are asked for."""

    def __init__(self, item: Story) -> None:
        self.item = item
        self._files: dict[str, list[File]] = {}

    def files(self, kind: str) -> list[File]:
        """The files of a media type, the narrowest first."""
        found = self._files.get(kind)
        if found is None:
            found = self._files[kind] = []
            for r in self.item.renditions:
                if r.content_type == kind and r.width and r.height and r.href:
                    file = _file(r.href, kind, r.width, r.height)
                    if file is not None:
                        found.append(file)
            found.sort()
        return found

    def nearest(self, width: int, types: tuple[str, ...]) -> File | None:
        """The narrowest file of the first of these types at least so wide, else its widest."""
        for kind in types:
            files = self.files(kind)
            if files:
                for file in files:
                    if file.width >= width:
                        return file
                return files[-1]
        return None

    def description(self, role: str) -> str:
        for text in self.item.descriptions:
            if text.role == role:
                return text.value
        return ""

    def figure(self, sizes: str, *, eager: bool, data_photo: bool, language: str) -> str:
        """The photo with its caption and credit. Where none of its files is ours, what it showed
        is said in words; where nothing is known of it either, nothing is."""
        picture = self._picture(sizes, eager)
        if not picture:
            return self._absent(language)
        named = f' data-photo="{escape(self.item.uri)}"' if data_photo else ""
        return f'<figure class="photo"{named}>{picture}{self._caption(language)}</figure>'

    def _absent(self, language: str) -> str:
        if not self.description("caption"):
            return ""
        note = escape(_tongue(language)[0]["photo_absent"], quote=False)
        caption = self._caption(language).replace("<figcaption>", f"<figcaption>{note} ", 1)
        return f'<figure class="photo absent">{caption}</figure>'

    def _picture(self, sizes: str, eager: bool) -> str:
        default = self.nearest(DEFAULT_WIDTH, EVERYWHERE + MODERN[::-1])
        if default is None:
            return ""
        better = ""
        for kind in MODERN:
            files = self.files(kind)
            if files:
                srcset = ", ".join([f"{path} {width}w" for width, _, path in files])
                better += f'<source type="{kind}" srcset="{srcset}" sizes="{escape(sizes)}">'
        return (
            f'<picture>{better}<img src="{default.path}" alt="{escape(self.description("alt"))}" '
            f'width="{default.width}" height="{default.height}" '
            f'loading="{"eager" if eager else "lazy"}" decoding="async"></picture>'
        )

    def _caption(self, language: str) -> str:
        item = self.item
        words = escape(self.description("caption"), quote=False)
        if any(genre.literal == "file-photo" for genre in item.genres):
            note = escape(_file_photo(item.content_created, language), quote=False)
            words = f"{words} {note}" if words else note
        if item.by:
            credit = f"<small>{escape(item.by, quote=False)}</small>"
            words = f"{words} {credit}" if words else credit
        return f"<figcaption>{words}</figcaption>" if words else ""


def figure(
    photo: Story, *, sizes: str = IN_TEXT, eager: bool = False, data_photo: bool = True,
    language: str = "",
) -> str:  # fmt: skip
    """The photo with its caption and credit; its caption alone where none of its files is ours.

    ``sizes`` is the HTML attribute: how wide the photo is shown. ``eager`` for what is seen first.
    ``language`` is that of the page ("File photo" is said in it), else the photo's own.
    """
    language = language or photo.language or "en"
    return Photo(photo).figure(sizes, eager=eager, data_photo=data_photo, language=language)


@cache
def _tongue(language: str) -> tuple[Words, Calendar]:
    words = Words(language)
    return words, Calendar(words.locale, "UTC")


def _file_photo(date: str | None, language: str) -> str:
    """“File photo, 3 May 2019.”, with its date where it has one."""
    words, calendar = _tongue(language)
    if not date:
        return f"{words['file_photo']}."
    day = calendar.day(calendar.local(date).date())
    return f"{words.fill('file_photo_dated', date=day)}."
