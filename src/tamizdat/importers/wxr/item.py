# SPDX-License-Identifier: AGPL-3.0-or-later
"""One item of a WXR file, typed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lxml import etree
from lxml.etree import _Element

from tamizdat.importers.wxr.stream import Raw

_ROOT = re.compile(rb"<rss[^>]*>")
_NS = re.compile(rb"\sxmlns:([A-Za-z_][\w.-]*)\s*=\s*[\"'][^\"'<>]*[\"']")
_KNOWN = {
    b"wp": b"http://wordpress.org/export/1.2/",
    b"excerpt": b"http://wordpress.org/export/1.2/excerpt/",
    b"content": b"http://purl.org/rss/1.0/modules/content/",
    b"dc": b"http://purl.org/dc/elements/1.1/",
    b"wfw": b"http://wellformedweb.org/CommentAPI/",
}


@dataclass(frozen=True, slots=True)
class Category:
    """A category, tag or other term that an item carries."""

    domain: str
    slug: str
    name: str


@dataclass(slots=True)
class Item:
    """A post, page, attachment or whatever else WordPress calls a post."""

    line: int
    values: dict[str, str]
    meta: dict[str, str]
    categories: list[Category]
    comments: int
    repaired: bool = False
    notes: list[str] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def id(self) -> str:
        return self["wp:post_id"].strip()

    @property
    def type(self) -> str:
        return self["wp:post_type"].strip() or "post"

    @property
    def what(self) -> str:
        """How a report names it: type, number, title, line."""
        title = " ".join(self["title"].split())[:80]
        named = f" “{title}”" if title else ""
        return f"{self.type} {self.id or '?'}{named} (line {self.line})"


def wrapper(header: bytes) -> tuple[bytes, bytes]:
    """What to put around an item so that it can be parsed alone."""
    root = _ROOT.search(header)
    found = {m[1]: m[0] for m in _NS.finditer(root[0])} if root else {}
    for name, uri in _KNOWN.items():
        found.setdefault(name, b' xmlns:%s="%s"' % (name, uri))
    return b"<rss" + b"".join(found.values()) + b"><channel>", b"</channel></rss>"


def parse(xml: bytes, *, recover: bool = False) -> _Element | None:
    """Parse XML without entities, document type and network. None where nothing is left."""
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=recover,
        remove_comments=True,
        remove_pis=True,
    )
    return etree.fromstring(xml, parser)


def read(raw: Raw, around: tuple[bytes, bytes]) -> Item | str:
    """Type the item; where its XML is broken, repair it or say what is wrong."""
    if raw.broken:
        return raw.broken
    xml = around[0] + raw.xml + around[1]
    repaired = False
    try:
        root = parse(xml)
    except etree.XMLSyntaxError as error:
        root, repaired = _repair(xml), True
        if root is None:
            return f"line {raw.line}: its XML is broken: {error.msg}"
    found = root.find("channel/item") if root is not None else None
    if found is None or not len(found):
        return f"line {raw.line}: its XML is broken beyond repair"
    item = _typed(found, raw.line)
    item.repaired = repaired
    if repaired and not item.id and not item["title"]:
        return f"line {raw.line}: its XML is broken beyond repair"
    return item


def _repair(xml: bytes) -> _Element | None:
    try:
        return parse(xml.decode("utf-8", "replace").encode(), recover=True)
    except etree.XMLSyntaxError:
        return None


def _typed(node: _Element, line: int) -> Item:
    values: dict[str, str] = {}
    meta: dict[str, str] = {}
    categories: list[Category] = []
    comments = 0
    for child in node:
        name = name_of(child)
        if name == "category":
            text = " ".join((child.text or "").split())
            categories.append(
                Category(child.get("domain", "category"), child.get("nicename", ""), text)
            )
        elif name == "wp:postmeta":
            pair = {name_of(c): c.text or "" for c in child}
            meta.setdefault(pair.get("wp:meta_key", ""), pair.get("wp:meta_value", ""))
        elif name == "wp:comment":
            comments += 1
        elif name:
            values.setdefault(name, child.text or "")
    return Item(line, values, meta, categories, comments)


def name_of(node: _Element) -> str:
    """The element's name with the prefix that everybody uses, whatever the file calls it."""
    tag: object = node.tag  # A function where lxml has no element: an unresolved entity.
    if not isinstance(tag, str):
        return ""
    uri, _, local = tag.rpartition("}")
    if not uri:
        return local
    if "/excerpt" in uri:
        return f"excerpt:{local}"
    if "modules/content" in uri:
        return f"content:{local}"
    if "/export" in uri:
        return f"wp:{local}"
    return f"dc:{local}" if "/dc/" in uri else local
