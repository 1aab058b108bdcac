# SPDX-License-Identifier: AGPL-3.0-or-later
"""Photos, galleries, tables, and what was embedded from elsewhere.

Nothing of a third party is ever loaded: what was embedded becomes a card that links to it.
"""

from __future__ import annotations

import html as _html
import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import msgspec
from lxml.etree import _Element

from tamizdat.importers.canon.inline import css, tag_of, trimmed
from tamizdat.importers.port import PhotoFile
from tamizdat.importers.words import host, squeeze

if TYPE_CHECKING:
    from tamizdat.importers.canon.blocks import Writer

_GALLERY = re.compile(r"gallery(?!-(?:caption|item|icon))|wp-block-jetpack-tiled|kg-gallery-card")
_CARD = re.compile(r"bookmark-card|wp-block-embed|embed-card|\bembed\b|twitter-tweet|instagram-")
_CREDIT = re.compile(r"(?:photo ?credit|credit|byline|copyright)", re.IGNORECASE)
_REF = re.compile(r"wp-image-(\d+)")
_LAZY = ("data-src", "data-lazy-src", "data-original", "data-orig-file")
_URL = re.compile(r"https?://[^\s<>\"']+")


class Words(msgspec.Struct):
    """What stands under a photo."""

    caption: str = ""
    credit: str = ""


def photo(writer: Writer, node: _Element) -> None:
    """A photo in the text."""
    writer.add(_photo(writer, node, Words()))


def picture(writer: Writer, node: _Element) -> None:
    found = next(node.iter("img"), None)
    if found is not None:
        photo(writer, found)


def _photo(writer: Writer, node: _Element, words: Words) -> str:
    """The short form of a photo; empty where there is none to show."""
    if node.get("width") in {"0", "1"} or node.get("height") in {"0", "1"}:
        return ""
    source = next((v for name in _LAZY if (v := node.get(name))), None) or node.get("src") or ""
    reference = _REF.search(css(node))
    ref = node.get("data-id") or (reference[1] if reference else "")
    found = writer.pictures.find(source, ref) if source or ref else None
    if found is None:
        if source:
            writer.note("a picture without an address of its own was left out")
        return ""
    known = remember(writer.photos, _described(found, node, words))
    return f'<figure class="photo" data-photo="{_html.escape(known.uri)}"></figure>'


def _described(found: PhotoFile, node: _Element, words: Words) -> PhotoFile:
    """What stands beside the picture in the text goes before what the archive says of it."""
    return replace(
        found,
        caption=words.caption or found.caption,
        credit=words.credit or found.credit,
        alt=squeeze(node.get("alt") or "") or found.alt,
    )


def remember(photos: list[PhotoFile], new: PhotoFile) -> PhotoFile:
    """Add the photo, or, where it is there already, keep its first words and fill the gaps."""
    for index, old in enumerate(photos):
        if old.uri == new.uri:
            photos[index] = replace(
                old,
                path=old.path or new.path,
                url=old.url or new.url,
                caption=old.caption or new.caption,
                credit=old.credit or new.credit,
                alt=old.alt or new.alt,
            )
            return photos[index]
    photos.append(new)
    return new


def figure(writer: Writer, node: _Element) -> None:
    """A figure: gallery, photo, table, embedded thing, quotation or whatever else is in it."""
    writer.close()
    if special(writer, node):
        return
    images = list(node.iter("img"))
    if len(images) > 1 and next(node.iter("table"), None) is None:
        gallery(writer, node, images)
    elif (found := next(node.iter("table"), None)) is not None:
        table(writer, found, caption_of(node).caption)
    elif images:
        writer.add(_photo(writer, images[0], caption_of(node)))
    elif next(node.iter("blockquote"), None) is not None:
        _quote(writer, node)
    else:
        writer.flow(node)
        writer.close()


def _quote(writer: Writer, node: _Element) -> None:
    pull = "pull" in css(node)
    for quote in node.iter("blockquote"):
        writer.add_quote(quote, pull=pull or "pull" in css(quote))


def special(writer: Writer, node: _Element) -> bool:
    """Handle what its class says: galleries and embedded things. Returns whether it did."""
    names = css(node)
    if not names:
        return False
    if _GALLERY.search(names):
        images = list(node.iter("img"))
        if images:
            gallery(writer, node, images)
            return True
    if _CARD.search(names) and next(node.iter("img", "video", "audio"), None) is None:
        return _embedded(writer, node)
    if "bookmark-card" in names:
        return _embedded(writer, node)
    return False


def gallery(writer: Writer, node: _Element, images: list[_Element]) -> None:
    """A gallery: each picture with the caption of its own figure, then that of the whole."""
    made = []
    for image in images:
        frame = next((a for a in image.iterancestors("figure", "dl", "li") if a is not node), None)
        inside = frame is not None and node in frame.iterancestors()
        words = caption_of(frame) if inside and frame is not None else Words()
        made.append(_photo(writer, image, words))
    whole = _own_caption(node)
    end = f'<p class="caption">{_html.escape(whole, quote=False)}</p>' if whole else ""
    shown = "".join(dict.fromkeys(made))
    writer.add(f'<div class="gallery">{shown}{end}</div>' if shown else "")


def _own_caption(node: _Element) -> str:
    for child in node.iter("figcaption"):
        if next(
            (a for a in child.iterancestors("figure", "ul") if a is not node), None
        ) is None or (
            child.getparent() is node or "gallery-caption" in css(child).replace("__", "-")
        ):
            return squeeze(" ".join(str(t) for t in child.itertext()))
    return ""


def caption_of(node: _Element) -> Words:
    """The words under a photo; a credit in an element of its own is told apart."""
    caption = next(node.iter("figcaption"), None)
    if caption is None:
        caption = next((n for n in node.iter() if "caption" in css(n) and n is not node), None)
    if caption is None:
        return Words()
    credit = ""
    for part in list(caption.iter()):
        if part is not caption and (_CREDIT.search(css(part)) or tag_of(part) == "small"):
            credit = squeeze(" ".join(str(t) for t in part.itertext()))
            for child in list(part):
                part.remove(child)
            part.text = ""
    return Words(squeeze("".join(str(t) for t in caption.itertext())), credit)


def table(writer: Writer, node: _Element, caption: str = "") -> None:
    """A table of running text; merged cells are told apart and noted."""
    writer.close()
    own = next(node.iter("caption"), None)
    title = caption or (
        squeeze(" ".join(str(t) for t in own.itertext())) if own is not None else ""
    )
    head: list[str] = []
    body: list[str] = []
    for row in node.iter("tr"):
        if next(row.iterancestors("table")) is not node:
            continue
        cells = "".join(_cell(writer, c) for c in row if tag_of(c) in {"td", "th"})
        in_head = any(tag_of(a) == "thead" for a in row.iterancestors())
        (head if in_head and not body else body).append(f"<tr>{cells}</tr>")
    if not head and not body:
        return
    parts = [f"<caption>{_html.escape(title, quote=False)}</caption>" if title else ""]
    parts.append(f"<thead>{''.join(head)}</thead>" if head else "")
    parts.append(f"<tbody>{''.join(body)}</tbody>" if body else "")
    writer.add(f'<figure class="table"><table>{"".join(parts)}</table></figure>')


def _cell(writer: Writer, node: _Element) -> str:
    if node.get("colspan", "1") != "1" or node.get("rowspan", "1") != "1":
        writer.note("merged cells of a table stand apart now")
    inner = trimmed(writer.inline.inside(node))
    if tag_of(node) == "td":
        return f"<td>{inner}</td>"
    in_head = any(tag_of(a) == "thead" for a in node.iterancestors())
    return f'<th scope="{"col" if in_head else "row"}">{inner}</th>'


def frame(writer: Writer, node: _Element) -> None:
    """Something of another site in a frame: a card that links to it."""
    source = node.get("src") or node.get("data-src") or node.get("data") or ""
    card(writer, source, squeeze(node.get("title") or ""))


def recording(writer: Writer, node: _Element) -> None:
    """Audio or video: a card that links to it; its bytes are not fetched."""
    inner = next((n.get("src") for n in node.iter("source") if n.get("src")), None)
    source = node.get("src") or inner or ""
    what = "Video" if tag_of(node) == "video" else "Audio"
    name = urlsplit(source).path.rsplit("/", 1)[-1] if source else ""
    card(writer, source, name, what)
    writer.note("recordings are linked, not copied")


def _embedded(writer: Writer, node: _Element) -> bool:
    """An embedded thing known by its class. Returns whether an address was found in it."""
    source = next((n.get("src") for n in node.iter("iframe", "embed") if n.get("src")), None)
    links = [n.get("href") or "" for n in node.iter("a")]
    text = " ".join(str(t) for t in node.itertext())
    bare = _URL.search(text)
    tweet = links[-1] if links and "tweet" in css(node) else ""
    url = tweet or source or (bare[0] if bare else "") or (links[0] if links else "")
    if not url:
        return False
    title = next((n for n in node.iter() if "bookmark-title" in css(n)), None)
    words = squeeze(" ".join(str(t) for t in title.itertext())) if title is not None else ""
    about = next((n for n in node.iter() if "bookmark-description" in css(n)), None)
    what = squeeze(" ".join(str(t) for t in about.itertext())) if about is not None else ""
    card(writer, url, words, what)
    caption = next(node.iter("figcaption"), None)
    if caption is not None and (said := trimmed(writer.inline.inside(caption))):
        writer.add(f"<p>{said}</p>")
    return True


def card(writer: Writer, source: str, title: str = "", what: str = "") -> None:
    """An external link card."""
    url = _watchable(writer.inline.address(source))
    if not url.startswith(("http://", "https://")):
        writer.note("something embedded without an address was left out")
        return
    writer.note(f"what was embedded from {host(url)} is a link now: nothing of others is loaded")
    words = title or what or url.split("://", 1)[1].rstrip("/")[:120]
    about = f" <span>{_html.escape(what, quote=False)}</span>" if what and what != words else ""
    writer.add(
        f'<aside class="link"><a href="{_html.escape(url)}" rel="external noopener noreferrer">'
        f"<strong>{_html.escape(words, quote=False)}</strong>{about} "
        f"<small>{_html.escape(host(url), quote=False)}</small></a></aside>"
    )


def _watchable(url: str) -> str:
    """The address where people watch, instead of the one made for frames."""
    try:
        parts = urlsplit(url)
        name = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    last = parts.path.rstrip("/").rsplit("/", 1)[-1]
    if name in {"youtube.com", "youtube-nocookie.com"} and "/embed/" in parts.path:
        listed = parse_qs(parts.query).get("list", [""])[0]
        return f"https://www.youtube.com/watch?v={last}" + (f"&list={listed}" if listed else "")
    if name == "player.vimeo.com":
        return f"https://vimeo.com/{last}"
    return url
