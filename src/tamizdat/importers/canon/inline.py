# SPDX-License-Identifier: AGPL-3.0-or-later
"""Running text: what stands inside a paragraph, heading, item or cell."""

from __future__ import annotations

import html as _html
import re
from collections.abc import Callable

from lxml.etree import _Element

from tamizdat.importers.canon.pictures import absolute
from tamizdat.importers.words import without_control

KEPT = {
    "em": "em",
    "i": "em",
    "cite": "em",
    "dfn": "em",
    "var": "em",
    "strong": "strong",
    "b": "strong",
    "s": "s",
    "strike": "s",
    "del": "s",
    "sub": "sub",
    "sup": "sup",
    "code": "code",
    "kbd": "code",
    "samp": "code",
    "tt": "code",
}
INLINE = KEPT.keys() | set(
    "a abbr acronym bdi bdo big br data font ins label mark nobr q rp rt ruby small "  # noqa: SIM905
    "span time u wbr".split()
)
DROPPED = frozenset(
    "button canvas dialog form head input link map meta nav noscript option script "  # noqa: SIM905
    "select style svg template textarea title math".split()
)
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_EDGE = re.compile(r"^(?:\s|<br>)+|(?:\s|<br>)+$")
Escape = Callable[[str], str]


def escape(text: str) -> str:
    """Text as HTML source, white space kept."""
    return _html.escape(without_control(text), quote=False)


def flowing(text: str) -> str:
    """Text as HTML source, white space as one space."""
    return _SPACE.sub(" ", escape(text))


def broken(text: str) -> str:
    """Text as HTML source, line ends as ``<br>`` (what older editors meant by them)."""
    lines = [_SPACE.sub(" ", line) for line in escape(text).split("\n")]
    return "<br>".join(lines) if len(lines) > 1 else lines[0]


def tag_of(node: _Element) -> str:
    """The element's name in lower case; empty for comments and the like."""
    return node.tag.lower() if isinstance(node.tag, str) else ""


def css(node: _Element) -> str:
    return " ".join((node.get("class") or "").split())


class Inline:
    """Renders running text. ``base`` is the page's address, for relative links."""

    def __init__(self, base: str) -> None:
        self.base = base

    def inside(self, node: _Element, text: Escape = flowing, depth: int = 0) -> str:
        """All that stands inside the element."""
        parts = [text(node.text or "")]
        for child in node:
            parts.append(self.element(child, text, depth + 1))
            parts.append(text(child.tail or ""))
        return "".join(parts)

    def element(self, node: _Element, text: Escape = flowing, depth: int = 0) -> str:
        tag = tag_of(node)
        if not tag or tag in DROPPED:
            return ""
        if tag in {"br", "wbr"}:
            return "<br>" if tag == "br" else ""
        if depth > 60:
            return escape(" ".join(str(t) for t in node.itertext()))
        inner = self.inside(node, text, depth)
        if tag == "a":
            return self.link(node, inner)
        if tag == "q":
            return f"“{inner}”"
        if tag in KEPT and _EDGE.sub("", inner):
            bare = inner.removeprefix("<br>").removesuffix("<br>")
            return f"<{KEPT[tag]}>{bare}</{KEPT[tag]}>"
        return inner if tag in INLINE or tag in KEPT else f" {inner} "

    def link(self, node: _Element, inner: str) -> str:
        """A link with its words; without a usable address only the words."""
        href = self.address(node.get("href") or "")
        if not href or not inner.strip():
            return inner
        return f'<a href="{_html.escape(href)}">{inner}</a>'

    def address(self, href: str) -> str:
        """The absolute address; empty where it is none a reader can follow from a paper."""
        if not href.strip() or href.strip().startswith("#"):
            return ""
        url = absolute(self.base, href)
        return url if url.lower().startswith(("http://", "https://", "mailto:")) else ""


def trimmed(source: str) -> str:
    """Running text without white space and line breaks at both ends."""
    return _EDGE.sub("", source)
