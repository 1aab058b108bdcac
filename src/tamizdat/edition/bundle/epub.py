# SPDX-License-Identifier: AGPL-3.0-or-later
"""A bundle as an EPUB 3.3 book: a chapter a story, a contents, a cover; no script, no network.

What always holds: a function of what was gathered, and of this program; each file is well-formed
XML; every file of the book stands in its manifest. Pictures are WebP or what the paper has.

Source: EPUB 3.3, W3C Recommendation, https://www.w3.org/TR/epub-33/
"""

from __future__ import annotations

import uuid
from html import escape
from typing import Final

from tamizdat.edition.bundle import words
from tamizdat.edition.bundle.container import MIMETYPE
from tamizdat.edition.bundle.gather import Gathered
from tamizdat.edition.bundle.leaf import Leaf, outside
from tamizdat.edition.bundle.page import style

FOLDER: Final = "EPUB/"
_XML: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
_EXTENSIONS: Final = {
    "image/webp": "webp", "image/png": "png", "image/jpeg": "jpg", "image/gif": "gif",
}  # fmt: skip
_CONTAINER: Final = (
    f'{_XML}<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">'
    f'<rootfiles><rootfile full-path="{FOLDER}book.opf" '
    'media-type="application/oebps-package+xml"/></rootfiles></container>\n'
)


def render(gathered: Gathered) -> dict[str, bytes]:
    """The members of the book, by their names."""
    parts = words.parts(gathered)
    chapters = {leaf.path: f"s{at}.xhtml" for at, leaf in enumerate(gathered.leaves, 1)}
    pictures = {
        path: f"{picture.name.rpartition('/')[2]}.{_EXTENSIONS[picture.media_type]}"
        for path, picture in gathered.pictures.items()
        if picture.media_type in _EXTENSIONS
    }
    book = {
        "book.opf": _package(gathered, parts, chapters, pictures),
        "nav.xhtml": _navigation(parts, chapters),
        "cover.svg": _cover(parts),
        "book.css": style("epub"),
    }
    away = outside(str(gathered.site.get("address", "")))
    for leaf in gathered.leaves:
        book[chapters[leaf.path]] = _chapter(
            leaf,
            leaf.show(
                lambda p: chapters.get(p) or away(p), lambda p: pictures.get(p, ""), form="xml"
            ),
        )
    members = {FOLDER + name: text.encode() for name, text in book.items()}
    members |= {FOLDER + name: gathered.pictures[path].data for path, name in pictures.items()}
    return {
        MIMETYPE: b"application/epub+zip",
        "META-INF/container.xml": _CONTAINER.encode(),
        **members,
    }


def _package(
    gathered: Gathered,
    parts: list[words.Part],
    chapters: dict[str, str],
    pictures: dict[str, str],
) -> str:
    languages = list(dict.fromkeys(part.language for part in parts))
    items = [
        '<item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>',
        '<item id="cover" href="cover.svg" media-type="image/svg+xml" properties="cover-image"/>',
        '<item id="css" href="book.css" media-type="text/css"/>',
    ]
    items += [
        f'<item id="{name[:-6]}" href="{name}" media-type="application/xhtml+xml"/>'
        for name in chapters.values()
    ]
    types = {name: gathered.pictures[path].media_type for path, name in pictures.items()}
    items += [
        f'<item id="p{at}" href="{name}" media-type="{kind}"/>'
        for at, (name, kind) in enumerate(sorted(types.items()))
    ]
    spine = "\n".join(f'<itemref idref="{name[:-6]}"/>' for name in chapters.values())
    direction = parts[0].direction
    creator = escape(str(gathered.site.get("name", "")) or parts[0].paper)
    return (
        f'{_XML}<package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
        f'unique-identifier="id" dir="{direction}" xml:lang="{escape(languages[0])}">\n'
        '<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">\n'
        f'<dc:identifier id="id">urn:uuid:{_identifier(gathered)}</dc:identifier>\n'
        f"<dc:title>{escape(words.title(parts[0]))}</dc:title>\n"
        f"<dc:creator>{creator}</dc:creator>\n"
        + "".join(f"<dc:language>{escape(code)}</dc:language>\n" for code in languages)
        + f'<meta property="dcterms:modified">{gathered.as_of:%Y-%m-%dT%H:%M:%SZ}</meta>\n'
        '<meta name="cover" content="cover"/>\n</metadata>\n'
        "<manifest>\n" + "\n".join(items) + "\n</manifest>\n"
        f'<spine page-progression-direction="{direction}">\n<itemref idref="nav"/>\n{spine}\n'
        "</spine>\n</package>\n"
    )


def _identifier(gathered: Gathered) -> uuid.UUID:
    stories = " ".join(leaf.path for leaf in gathered.leaves)
    address = gathered.site.get("address", "")
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{address} {gathered.number} {stories}")


def _navigation(parts: list[words.Part], chapters: dict[str, str]) -> str:
    lists = "".join(
        f'<li lang="{escape(p.language)}" xml:lang="{escape(p.language)}" dir="{p.direction}">'
        f"<span>{escape(words.title(p))}</span>\n<ol>\n{_items(p.leaves, chapters)}</ol></li>\n"
        for p in parts
    )
    only = parts[0]
    inner = _items(only.leaves, chapters) if len(parts) == 1 else lists
    said = escape(words.words(only.language)["contents"])
    text = f'<nav epub:type="toc" id="toc">\n<h1>{said}</h1>\n<ol>\n{inner}</ol>\n</nav>'
    return _document(only.language, only.direction, words.title(only), text)


def _items(leaves: list[Leaf], chapters: dict[str, str]) -> str:
    return "".join(
        f'<li><a href="{chapters[leaf.path]}">{escape(leaf.headline)}</a></li>\n' for leaf in leaves
    )


def _chapter(leaf: Leaf, text: str) -> str:
    return _document(leaf.language, leaf.direction, leaf.headline, text)


def _document(language: str, direction: str, title: str, text: str) -> str:
    code = escape(language)
    return (
        f'{_XML}<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" '
        f'xmlns:epub="http://www.idpf.org/2007/ops" lang="{code}" xml:lang="{code}" '
        f'dir="{direction}">\n<head><title>{escape(title)}</title>'
        '<link rel="stylesheet" type="text/css" href="book.css"/></head>\n'
        f"<body>\n{text}\n</body>\n</html>\n"
    )


def _cover(parts: list[words.Part]) -> str:
    """The paper's name and the days, in each language."""
    lines = []
    for at, part in enumerate(parts):
        y = 600 + at * 360
        attributes = f'x="600" direction="{part.direction}" xml:lang="{escape(part.language)}"'
        lines.append(
            f'<text {attributes} y="{y}" font-size="{_size(part.paper)}" font-weight="bold">'
            f'{escape(part.paper)}</text>\n<text {attributes} y="{y + 110}" font-size="44">'
            f"{escape(part.days)}</text>"
        )
    return (
        f'{_XML}<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 1800" '
        'width="1200" height="1800">\n<rect width="1200" height="1800" fill="#fbfaf7"/>\n'
        '<path d="M100 380H1100M100 396H1100" stroke="#1c1a17" stroke-width="4"/>\n'
        '<g font-family="serif" fill="#1c1a17" text-anchor="middle">\n'
        + "\n".join(lines)
        + "\n</g>\n</svg>\n"
    )


def _size(name: str) -> int:
    """Pixels, so that the name fits across."""
    return max(40, min(120, 1700 // max(len(name), 1)))
