# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a page says of itself: JSON-LD, Open Graph, meta elements, then trafilatura's guesses."""

from __future__ import annotations

import html as _html
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import trafilatura
from lxml import etree
from lxml.etree import _Element

from tamizdat.importers.canon.inline import tag_of
from tamizdat.importers.page.article import Article, people
from tamizdat.importers.words import date, squeeze

_ARTICLE = re.compile(
    r"(?:News|Blog|Report|Opinion|Analysis|Review)?(?:Article|Posting|NewsArticle)\Z"
)
_TITLE_END = re.compile(r"\s+[|—–·»-]\s+[^|—–·»]{2,40}$")


def read(root: _Element) -> Article:
    """An article with everything but its text."""
    meta = _metas(root)
    data = next(_articles(root), {})
    guess = _guess(root)
    article = Article(language=(root.get("lang") or _html_lang(root)).split("-")[0].lower())
    article.url = _first(
        _url(data), _canonical(root), meta.get("og:url"), meta.get("twitter:url"), guess.get("url")
    )
    article.headline = _first(
        _text(data.get("headline")), _main_heading(root), meta.get("og:title"), guess.get("title")
    )
    article.headline = _html.unescape(_TITLE_END.sub("", article.headline))
    article.standfirst = _first(
        _text(data.get("description")), meta.get("og:description"), meta.get("description")
    )
    if article.standfirst.endswith(("…", "...")):
        article.standfirst = ""
    article.authors = _authors(data, meta, guess)
    article.published = _first(
        date(_text(data.get("datePublished"))),
        date(meta.get("article:published_time", "")),
        date(_time(root)),
        date(str(guess.get("date") or "")),
    )
    article.updated = _first(
        date(_text(data.get("dateModified"))), date(meta.get("article:modified_time", ""))
    )
    article.section = _first(_text(data.get("articleSection")), meta.get("article:section"))
    words = data.get("keywords") or meta.get("news_keywords") or ""
    listed = words if isinstance(words, list) else str(words).split(",")
    article.topics = [squeeze(str(w)) for w in listed if squeeze(str(w))]
    article.image = _first(_image(data.get("image")), meta.get("og:image"))
    return article


def _first(*values: Any) -> str:
    return next((squeeze(str(v)) for v in values if v and squeeze(str(v))), "")


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    if isinstance(value, dict):
        value = value.get("name") or value.get("@value") or ""
    return squeeze(_html.unescape(str(value))) if value else ""


def _metas(root: _Element) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in root.iter("meta"):
        name = (node.get("property") or node.get("name") or "").lower()
        found.setdefault(name, node.get("content") or "")
    return found


def _articles(root: _Element) -> Iterator[dict[str, Any]]:
    """Every JSON-LD object that is an article. Broken JSON is passed over."""
    for node in root.iter("script"):
        if (node.get("type") or "").lower() != "application/ld+json":
            continue
        try:
            data = msgspec.json.decode("".join(str(t) for t in node.itertext()).strip().encode())
        except (msgspec.DecodeError, RecursionError):
            continue
        for item in _objects(data):
            kinds = item.get("@type")
            if any(
                isinstance(k, str) and _ARTICLE.match(k)
                for k in (kinds if isinstance(kinds, list) else [kinds])
            ):
                yield item


def _objects(data: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    if depth > 4:
        return
    if isinstance(data, list):
        for item in data[:200]:
            yield from _objects(item, depth + 1)
    elif isinstance(data, dict):
        yield data
        yield from _objects(data.get("@graph", []), depth + 1)
        yield from _objects(data.get("mainEntity", []), depth + 1)


def _url(data: dict[str, Any]) -> str:
    page = data.get("mainEntityOfPage") or data.get("url") or ""
    url = page.get("@id", "") if isinstance(page, dict) else str(page)
    return url if url.startswith(("http://", "https://")) else ""


def _canonical(root: _Element) -> str:
    for node in root.iter("link"):
        if (node.get("rel") or "").lower() == "canonical":
            return node.get("href") or ""
    return ""


def _html_lang(root: _Element) -> str:
    return next((n.get("lang") or "" for n in root.iter() if tag_of(n) == "html"), "")


def _main_heading(root: _Element) -> str:
    headings = [" ".join(str(t) for t in n.itertext()) for n in root.iter("h1")]
    return squeeze(headings[0]) if len(headings) == 1 else ""


def _time(root: _Element) -> str:
    return next((n.get("datetime") or "" for n in root.iter("time") if n.get("datetime")), "")


def _image(value: Any) -> str:
    if isinstance(value, list):
        value = value[0] if value else ""
    return str(value.get("url", "")) if isinstance(value, dict) else str(value or "")


def _authors(data: dict[str, Any], meta: dict[str, str], guess: dict[str, Any]) -> list[str]:
    listed = data.get("author")
    named = [_text(a) for a in (listed if isinstance(listed, list) else [listed]) if a]
    if not named:
        named = people(meta.get("author", "") or str(guess.get("author") or ""))
    return list(dict.fromkeys(n for n in named if n and not n.startswith("http")))


def _guess(root: _Element) -> dict[str, Any]:
    """What trafilatura finds in the page's markup."""
    page = etree.tostring(root, encoding="unicode", method="html")
    found = trafilatura.extract_metadata(page)
    return dict(found.as_dict()) if found is not None else {}
