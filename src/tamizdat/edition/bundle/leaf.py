# SPDX-License-Identifier: AGPL-3.0-or-later
"""A verified article page as it is shown in a bundle: its text, without the frame around it.

What always holds: what is shown is a function of the page's bytes alone; nothing in it runs, and
nothing but the pictures that it is given is loaded; links lead to another story of the bundle or
to the paper's own address.

What is not done here: verifying the page.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, Literal, NamedTuple
from unicodedata import normalize
from urllib.parse import quote, unquote, urlsplit

from lxml import etree, html
from lxml.html import HtmlElement

from tamizdat.edition.bundle.errors import BundleError

WIDTH: Final = 400  # pixels: pictures are the narrowest at least so wide, else the widest
_ATTRIBUTES: Final = {
    "*": ("class", "lang", "dir"),
    "a": ("href",),
    "img": ("src", "alt", "width", "height"),
    "time": ("datetime",),
    "td": ("colspan", "rowspan"),
    "th": ("colspan", "rowspan", "scope"),
    "ol": ("start",),
}
_TAGS: Final = frozenset(
    "article header section p h1 h2 h3 h4 h5 a em strong s sub sup code br span small cite ul ol "  # noqa: SIM905
    "li dl dt dd div figure figcaption table caption thead tbody tr th td blockquote aside time "
    "img bdi".split()
)
_SHOWN_TYPES: Final = ("image/webp", "image/png", "image/jpeg", "image/gif")
_UNSHOWN: Final = ("section", "script", "style", "template", "noscript")
_XML_LANG: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_SHOWN: Final = "data-shown"  # the path of the file that is shown of a picture
_JUNK = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Link = Callable[[str], str]
Picture = Callable[[str], str]


class Source(NamedTuple):
    """One file of a picture: its path in the paper, width in pixels (0: not said)."""

    path: str
    width: int


class Leaf:
    """An article's page, taken apart. Raises ``BundleError`` where it is not one of ours."""

    def __init__(self, path: str, data: bytes) -> None:
        self.path = path
        text = _JUNK.sub("", data.decode("utf-8", "replace"))
        page = html.document_fromstring(text)
        found = page.find(".//article")
        if found is None or found.find(".//h1") is None:
            raise BundleError(f"{path} is not an article's page")
        self._article: HtmlElement = found
        self.language = page.get("lang") or path.split("/")[1]
        self.direction: Literal["ltr", "rtl"] = "rtl" if page.get("dir") == "rtl" else "ltr"
        self.headline = _words(found.find(".//h1"))
        self.standfirst = _words(found.find(".//p[@class='standfirst']"))
        time = found.find(".//header//time")
        self.date = _date(time.get("datetime", "") if time is not None else "")
        self.day = _words(time)
        for element in list(found.iter(*_UNSHOWN)):
            about = element.tag != "section" or element.get("class") == "about"
            if about and isinstance(element, HtmlElement):
                element.drop_tree()
        self._pictures: list[str] = []
        for picture in self._all_pictures():
            if (best := _best(picture)) is not None:
                picture.set(_SHOWN, best.path)
                self._pictures.append(best.path)

    def pictures(self) -> list[str]:
        """The paths of the pictures that are shown, one file of each."""
        return list(dict.fromkeys(self._pictures))

    def _all_pictures(self) -> Iterator[HtmlElement]:
        yield from (e for e in list(self._article.iter("picture", "img")) if not _in_picture(e))

    def show(
        self, link: Link, picture: Picture, *, lower: int = 0, form: Literal["html", "xml"] = "html"
    ) -> str:
        """The article as HTML or XHTML. ``link(path)`` is where a path of the paper leads, empty
        for nowhere; ``picture(path)`` what stands in ``src``, empty for no picture. Headings are
        ``lower`` levels below those of the page."""
        made = _Copy(link, picture, lower).of(self._article)
        if form == "xml":
            for element in made.iter():
                if language := element.attrib.pop("lang", ""):
                    element.set(_XML_LANG, language)
        return str(etree.tostring(made, method=form, encoding="unicode", with_tail=False))


class _Copy:
    """Copies elements, only what is known and harmless."""

    def __init__(self, link: Link, picture: Picture, lower: int) -> None:
        self._link, self._picture, self._lower = link, picture, lower

    def of(self, element: HtmlElement) -> etree._Element:
        tag = element.tag
        if len(tag) == 2 and tag[0] == "h" and tag[1] in "123":
            tag = f"h{min(int(tag[1]) + self._lower, 6)}"
        made = etree.Element(tag)
        for name in (*_ATTRIBUTES["*"], *_ATTRIBUTES.get(element.tag, ())):
            if (value := element.get(name)) is not None:
                made.set(name, value)
        if element.tag == "a":
            self._lead(made)
        self._fill(made, element)
        return made

    def _fill(self, made: etree._Element, element: HtmlElement) -> None:
        _add(made, element.text)
        for child in element:
            if not isinstance(child.tag, str):
                pass  # A comment.
            elif child.tag in ("picture", "img"):
                if (shown := self._shown(child)) is not None:
                    made.append(shown)
            elif child.tag in ("audio", "video"):
                self._record(made, child)
            elif child.tag in _TAGS:
                made.append(self.of(child))
            else:
                self._fill(made, child)
            _add(made, child.tail)

    def _shown(self, element: HtmlElement) -> etree._Element | None:
        path = element.get(_SHOWN, "")
        src = self._picture(path) if path else ""
        if not src:
            return None
        image = element if element.tag == "img" else element.find(".//img")
        alt = image.get("alt", "") if image is not None else ""
        return etree.Element("img", {"src": src, "alt": alt})

    def _record(self, made: etree._Element, element: HtmlElement) -> None:
        """A recording is not carried along: a link to it is."""
        found = element.get("src") or next((s.get("src") for s in element.iter("source")), "")
        path = _path(found or "")
        if path and (href := self._link(path)):
            link = etree.SubElement(made, "a", {"href": href})
            link.text = href

    def _lead(self, made: etree._Element) -> None:
        href = str(made.attrib.pop("href", ""))
        path = _path(href)
        if path is not None:
            href = self._link(path)
        elif not href.lower().startswith(("http://", "https://", "mailto:")):
            href = ""
        if href:
            made.set("href", href)


def outside(address: str) -> Link:
    """Links to the paper's own address, where it is known."""
    return lambda path: f"{address.rstrip('/')}{quote(path)}" if address else ""


def _path(href: str) -> str | None:
    """The path in the paper that a link names, as the index has it; None where it leads away."""
    if not href.startswith("/") or href.startswith("//"):
        return None
    return normalize("NFC", unquote(urlsplit(href).path))


def _in_picture(element: HtmlElement) -> bool:
    return element.tag == "img" and any(True for _ in element.iterancestors("picture"))


def _best(element: HtmlElement) -> Source | None:
    """The file of a picture that is shown: the first type that all browsers know, small."""
    for kind in _SHOWN_TYPES:
        for source in element.iter("source"):
            if source.get("type") == kind:
                return _narrow([_source(part) for part in source.get("srcset", "").split(",")])
    image = element if element.tag == "img" else element.find(".//img")
    path = _path(image.get("src", "")) if image is not None else None
    return Source(path, 0) if path and not path.endswith((".avif", ".svg")) else None


def _source(part: str) -> Source:
    name, _, width = part.strip().partition(" ")
    return Source(_path(name) or "", int(width[:-1]) if width[:-1].isdecimal() else 0)


def _narrow(sources: list[Source]) -> Source | None:
    known = sorted((s for s in sources if s.path), key=lambda s: s.width)
    return next((s for s in known if s.width >= WIDTH), known[-1] if known else None)


def _add(made: etree._Element, text: str | None) -> None:
    if not text:
        return
    if len(made):
        made[-1].tail = (made[-1].tail or "") + text
    else:
        made.text = (made.text or "") + text


def _words(element: HtmlElement | None) -> str:
    return " ".join(element.text_content().split()) if element is not None else ""


def _date(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None
