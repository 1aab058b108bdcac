# SPDX-License-Identifier: AGPL-3.0-or-later
"""HTML that a newsroom wrote, for a mail: letters of editors, and whole articles.

What always holds: what comes out has only the tags below, links that ``addresses`` allows, and
nothing that is fetched. Photos, recordings and films are reduced to their captions and links.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import lxml.html
import nh3
from lxml.html import HtmlElement
from markupsafe import Markup

from tamizdat.mail.layout.addresses import absolute

_INLINE = {"a", "strong", "em", "b", "i", "s", "sub", "sup", "code", "br"}
_LETTER = _INLINE | {"p", "ul", "ol", "li"}
_TABLE = {"table", "caption", "thead", "tbody", "tr", "th", "td"}
_BODY = _LETTER | _TABLE | {"blockquote", "h4", "h5"}
_READ = _BODY | {
    "h2",
    "h3",
    "figure",
    "figcaption",
    "audio",
    "video",
    "aside",
    "div",
    "small",
    "span",
}
_READ |= {"cite"}
_GONE = {"script", "style", "iframe", "object", "svg", "math", "form", "template", "noscript"}
_ATTRIBUTES = {"a": {"href"}, "audio": {"src"}, "video": {"src"}, "figure": {"class"}}
_ATTRIBUTES |= {"p": {"class"}, "blockquote": {"class"}, "aside": {"class"}}


def letter(html: str, base: str) -> Markup:
    """A note or message: paragraphs, lists and links."""
    tree = _tree(html, _LETTER | {"div", "h2", "h3"})
    _link(tree, base)
    return _out(tree, _LETTER)


def article(html: str, base: str, words: Mapping[str, str]) -> Markup:
    """The body of a story (docs/format/body.md). ``base`` is its address."""
    tree = _tree(html, _READ)
    for element in [*tree.iter("figure")]:
        _reduce(element, base, words)
    for aside in tree.iter("span", "small"):
        aside.text = f"· {aside.text or ''}"
    for element in [*tree.iter("h2", "h3", "cite", "aside")]:
        _rename(element)
    _link(tree, base)
    return _out(tree, _BODY)


def in_text(html: str, links: list[str]) -> Markup:
    """The same for plain text: a link is followed by its number in ``links``, to which it is added;
    a heading stands between stars, a table's row on a line of its own."""
    tree = _tree(html, _BODY)
    for link in tree.iter("a"):
        href = link.get("href") or ""
        if href and href != _said(link):
            if href not in links:
                links.append(href)
            _append(link, f" [{links.index(href) + 1}]")
    for heading in [*tree.iter("h4", "h5")]:
        heading.tag, said, tail = "p", _said(heading), heading.tail
        heading.clear()
        heading.text, heading.tail = f"*{said}*", tail
    for table in [*tree.iter("table")]:
        _flatten(table)
    return _out(tree, _BODY - _TABLE - {"a"})


def _flatten(table: HtmlElement) -> None:
    caption = [_said(one) for one in table.iter("caption")]
    rows = [" | ".join(_said(cell) for cell in row) for row in table.iter("tr")]
    tail = table.tail
    table.clear()
    table.tag, table.tail = "p", tail
    for at, line in enumerate([*caption, *rows]):
        if at:
            table.append(lxml.html.Element("br"))
        _append(table, line)


def _said(element: HtmlElement) -> str:
    return " ".join("".join(element.itertext()).split())


def _tree(html: str, tags: set[str]) -> HtmlElement:
    safe = nh3.clean(
        html, tags=tags, clean_content_tags=_GONE, attributes=_ATTRIBUTES, link_rel=None
    )
    return lxml.html.fragment_fromstring(safe, create_parent="div")


def _out(tree: HtmlElement, tags: set[str]) -> Markup:
    html = lxml.html.tostring(tree, encoding="unicode")
    safe = nh3.clean(
        html,
        tags=tags,
        attributes={"a": {"href"}},
        allowed_classes={"p": {"cap"}, "blockquote": {"pull"}},
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
    )
    return Markup(safe.strip())  # noqa: S704 - it was cleaned one line above.


def _link(tree: HtmlElement, base: str) -> None:
    for link in [*tree.iter("a")]:
        whole = absolute(base, link.get("href") or "")
        if whole:
            link.set("href", whole)
        else:
            link.drop_tag()


def _reduce(figure: HtmlElement, base: str, words: Mapping[str, str]) -> None:
    """A figure becomes a line: what it is, and where it can be had. A table stays."""
    if next(figure.iter("table"), None) is not None:
        figure.drop_tag()
        return
    caption = next(figure.iter("figcaption"), None)
    said = _caption(caption) if caption is not None else ""
    media = next(figure.iter("audio", "video"), None)
    tail = figure.tail
    kind = "picture" if media is None else "listen" if media.tag == "audio" else "watch"
    source = "" if media is None else absolute(base, media.get("src") or "")
    figure.clear()
    figure.tail = tail
    if not said and not source:
        figure.drop_tree()
        return
    figure.tag = "p"
    figure.set("class", "cap")
    for part in _line(words[kind], said, source):
        _append(figure, part)


def _caption(caption: HtmlElement) -> str:
    """“What it shows. / Who took it”."""
    credit = " / ".join(_said(small) for small in caption.iter("small"))
    for small in [*caption.iter("small")]:
        small.drop_tree()
    return " / ".join(part for part in (_said(caption), credit) if part)


def _line(kind: str, said: str, source: str) -> Iterator[str | HtmlElement]:
    if source:
        link = lxml.html.Element("a", {"href": source})
        link.text = kind
        yield link
    else:
        yield kind
    if said:
        yield f": {said}"


def _rename(element: HtmlElement) -> None:
    """Headings stand under the story's own; a speaker and a box are paragraphs of their own."""
    names = {"h2": "h4", "h3": "h5", "cite": "p", "aside": "p"}
    blocks = any(isinstance(child.tag, str) and child.tag in _BODY - _INLINE for child in element)
    if element.tag == "aside" and blocks:
        element.drop_tag()
        return
    if element.tag == "cite":
        element.set("class", "cap")
        element.text = f"— {element.text or ''}"
    element.tag = names[str(element.tag)]


def _append(element: HtmlElement, part: str | HtmlElement) -> None:
    if not isinstance(part, str):
        element.append(part)
    elif len(element):
        element[-1].tail = (element[-1].tail or "") + part
    else:
        element.text = (element.text or "") + part
