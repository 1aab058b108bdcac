# SPDX-License-Identifier: AGPL-3.0-or-later
"""The walk over a document: each element to the block that a paper has for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from lxml import etree
from lxml.etree import _Element

from tamizdat.edition.body import clean
from tamizdat.importers.canon import media
from tamizdat.importers.canon.inline import (
    DROPPED,
    INLINE,
    KEPT,
    Inline,
    broken,
    css,
    flowing,
    tag_of,
    trimmed,
)
from tamizdat.importers.canon.pictures import NoPictures, Pictures
from tamizdat.importers.port import PhotoFile
from tamizdat.importers.words import without_control

MAX_DEPTH = 80
_BLANK = re.compile(r"\n[ \t\r]*\n")
_MEDIA = frozenset("img picture figure video audio iframe embed object table".split())  # noqa: SIM905
_BLOCKS = _MEDIA | set(
    "address article aside blockquote center dd details div dl dt fieldset figcaption footer "  # noqa: SIM905
    "h1 h2 h3 h4 h5 h6 header hr li main ol p pre section ul".split()
)
_HEADINGS = {"h1": "h2", "h2": "h2", "h3": "h3", "h4": "h3", "h5": "h3", "h6": "h3"}
_PULL = re.compile(r"pull-?quote|\bpull\b|kg-blockquote-alt", re.IGNORECASE)
_INDENT = re.compile(r"^ +", re.MULTILINE)
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*>")


@dataclass(slots=True)
class Body:
    """A canonical body, the photos in it in their order, and what was changed on the way."""

    html: str = ""
    photos: list[PhotoFile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def canonical(
    html: str, pictures: Pictures | None = None, *, base: str = "", by_lines: bool = False
) -> Body:
    """Make a canonical body of any HTML.

    ``by_lines``: blank lines divide paragraphs and line ends are kept, as in WordPress before 5.0.
    """
    writer = Writer(pictures or NoPictures(base), Inline(base), by_lines=by_lines)
    root = parse(html)
    if root is not None:
        writer.flow(root)
        writer.close()
    return Body(clean("\n".join(writer.blocks)), writer.photos, writer.notes)


def parse(html: str) -> _Element | None:
    """The document's root element, or None where there is nothing in it."""
    text = _DECLARATION.sub("", without_control(html)).strip()
    if not text:
        return None
    parser = etree.HTMLParser(no_network=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(f"<div>{text}</div>", parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


class Writer:
    """Collects blocks. ``line`` is the paragraph being written."""

    def __init__(self, pictures: Pictures, inline: Inline, *, by_lines: bool = False) -> None:
        self.pictures = pictures
        self.inline = inline
        self.by_lines = by_lines
        self.blocks: list[str] = []
        self.line: list[str] = []
        self.photos: list[PhotoFile] = []
        self.notes: list[str] = []
        self.depth = 0

    def note(self, what: str) -> None:
        if what not in self.notes:
            self.notes.append(what)

    def close(self) -> None:
        """End the paragraph being written."""
        source = trimmed("".join(self.line))
        self.line.clear()
        if source:
            self.blocks.append(f"<p>{source}</p>")

    def add(self, block: str) -> None:
        """End the paragraph and add a finished block."""
        self.close()
        if block:
            self.blocks.append(block)

    def nested(self) -> Writer:
        """A writer for the inside of a block; photos and notes are shared."""
        inner = Writer(self.pictures, self.inline, by_lines=self.by_lines)
        inner.photos, inner.notes, inner.depth = self.photos, self.notes, self.depth
        return inner

    def text(self, text: str) -> None:
        """Loose text: running text, or paragraphs by blank lines."""
        if not self.by_lines:
            self.line.append(flowing(text))
            return
        for index, piece in enumerate(_BLANK.split(text.replace("\r\n", "\n"))):
            if index:
                self.close()
            self.line.append(broken(piece))

    def flow(self, node: _Element) -> None:
        """Write all that stands inside the element."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.text(" ".join(str(t) for t in node.itertext()))
            self.note("nesting deeper than any text needs was flattened")
        else:
            self.text(node.text or "")
            for child in node:
                self.element(child)
                self.text(child.tail or "")
        self.depth -= 1

    def element(self, node: _Element) -> None:
        tag = tag_of(node)
        if not tag:
            return
        if tag in DROPPED:
            self._drop(tag)
        elif tag in INLINE or tag in KEPT:
            self._inline(node)
        elif handler := _HANDLERS.get(tag):
            handler(self, node)
        else:
            self._container(node)

    def _drop(self, tag: str) -> None:
        if tag in {"form", "input", "button", "select", "textarea"}:
            self.note("forms and buttons were removed")
        elif tag in {"script", "noscript", "canvas", "svg"}:
            self.note("script and drawings made by script were removed")

    def _inline(self, node: _Element) -> None:
        divided = self.by_lines and any(_BLANK.search(str(t)) for t in node.itertext())
        if divided or any(tag_of(child) in _BLOCKS for child in node.iterdescendants()):
            self.flow(node)
        else:
            text = broken if self.by_lines else flowing
            self.line.append(self.inline.element(node, text))

    def _container(self, node: _Element) -> None:
        self.close()
        if not media.special(self, node):
            self.flow(node)
        self.close()

    def _heading(self, node: _Element) -> None:
        self.close()
        pictures = list(node.iterdescendants("img"))
        tag = _HEADINGS[tag_of(node)]
        words = trimmed(self.inline.inside(node))
        self.add(f"<{tag}>{words}</{tag}>" if words else "")
        for picture in pictures:
            media.photo(self, picture)

    def _list(self, node: _Element) -> None:
        self.close()
        after: list[_Element] = []
        self.add(self._items(node, after))
        for left in after:
            self.element(left)

    def _items(self, node: _Element, after: list[_Element]) -> str:
        items: list[str] = []
        for child in node:
            tag = tag_of(child)
            if tag in {"ul", "ol"}:
                items.append(f"<li>{self._items(child, after)}</li>")
            elif tag:
                items.append(f"<li>{self._item(child, after)}</li>")
        name = "ol" if tag_of(node) == "ol" else "ul"
        return f"<{name}>{''.join(items)}</{name}>"

    def _item(self, node: _Element, after: list[_Element], depth: int = 0) -> str:
        parts = [flowing(node.text or "")]
        for child in node:
            tag = tag_of(child)
            if tag in {"ul", "ol"} and depth < 20:
                parts.append(self._items(child, after))
            elif tag in _MEDIA:
                after.append(child)
            elif tag in _BLOCKS and depth < 20:
                parts.append(f" {self._item(child, after, depth + 1)} ")
            elif any(tag_of(n) in _MEDIA for n in child.iterdescendants()) and depth < 20:
                parts.append(self._item(child, after, depth + 1))
            else:
                parts.append(self.inline.element(child))
            parts.append(flowing(child.tail or ""))
        return trimmed("".join(parts))

    def _quote(self, node: _Element) -> None:
        self.close()
        if media.special(self, node):
            return
        pull = bool(_PULL.search(css(node)))
        self.add_quote(node, pull=pull)

    def add_quote(self, node: _Element, *, pull: bool) -> None:
        """A quotation; what is no paragraph in it follows it."""
        cite = next(node.iterdescendants("cite", "footer"), None) if pull else None
        words = trimmed(self.inline.inside(cite)) if cite is not None else ""
        if cite is not None and (parent := cite.getparent()) is not None:
            parent.remove(cite)
        inner = self.nested()
        inner.flow(node)
        inner.close()
        quoted = [
            re.sub(r"^<h[23]>(.*)</h[23]>$", r"<p><strong>\1</strong></p>", b, flags=re.S)
            for b in inner.blocks
        ]
        paragraphs = [b for b in quoted if b.startswith(("<p>", "<ul>", "<ol>"))]
        if paragraphs:
            start = '<blockquote class="pull">' if pull else "<blockquote>"
            end = f"<cite>{words}</cite>" if words else ""
            self.add(f"{start}{''.join(paragraphs)}{end}</blockquote>")
        for other in quoted:
            if other not in paragraphs:
                self.add(other)

    def _preformatted(self, node: _Element) -> None:
        self.close()
        if "verse" in css(node):
            self.add(f"<p>{trimmed(self.inline.inside(node, broken))}</p>")
            return
        lines = "".join(str(t) for t in node.itertext()).expandtabs(4).strip("\n")
        words = trimmed(broken(_INDENT.sub(lambda m: "\u00a0" * len(m[0]), lines)))
        self.add(f"<p><code>{words}</code></p>" if words else "")

    def _term(self, node: _Element) -> None:
        self.close()
        words = trimmed(self.inline.inside(node))
        self.add(f"<p><strong>{words}</strong></p>" if words else "")

    def _rule(self, node: _Element) -> None:
        self.close()
        self.note("dividing lines were removed")

    def _details(self, node: _Element) -> None:
        self.close()
        self.note("text that folded away now stands open")
        self.flow(node)
        self.close()


_HANDLERS: dict[str, Callable[[Writer, _Element], None]] = {
    **dict.fromkeys(_HEADINGS, Writer._heading),
    **dict.fromkeys(("ul", "ol", "menu", "dir"), Writer._list),
    "blockquote": Writer._quote,
    "pre": Writer._preformatted,
    "dt": Writer._term,
    "summary": Writer._term,
    "hr": Writer._rule,
    "details": Writer._details,
    "img": media.photo,
    "picture": media.picture,
    "figure": media.figure,
    "table": media.table,
    "iframe": media.frame,
    "embed": media.frame,
    "object": media.frame,
    "video": media.recording,
    "audio": media.recording,
}
