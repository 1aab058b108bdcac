# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading the paper as machines do: every page by its links, lists, feeds, sitemaps, JSON-LD."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import extruct
import feedparser
import lxml.etree
import lxml.html

from tests.e2e.newsroom import Answer, fetch

_ADDRESSES = ("href", "src", "data-fragment", "poster")


class Paper:
    """A paper that is served, read over HTTP. ``host`` is scheme and authority."""

    def __init__(self, host: str, canonical: str = "") -> None:
        self.host = host
        self.canonical = canonical or host

    @classmethod
    def served_at(cls, host: str) -> Paper:
        """A paper whose own address is another: what its front page calls canonical."""
        (canonical,) = cls(host).page("/en/").xpath("//link[@rel='canonical']/@href")
        return cls(host, canonical.removesuffix("/en/"))

    def get(self, path: str) -> Answer:
        return fetch(self.host + path)

    def page(self, path: str) -> lxml.html.HtmlElement:
        answer = self.get(path)
        assert answer.status == 200, f"{path}: {answer.status}"
        return lxml.html.document_fromstring(answer.text, base_url=self.host + path)

    def links(self, path: str) -> list[str]:
        """Where a page leads, in the order of the page, without what is elsewhere."""
        return [a.get("href") for a in self.page(path).iterfind(".//main//a[@href]")]

    def stories(self, path: str) -> list[str]:
        """The articles that a page leads to, each once, in order."""
        found = (link for link in self.links(path) if is_story(link))
        return list(dict.fromkeys(found))

    def words(self, path: str) -> str:
        return re.sub(r"\s+", " ", self.page(path).text_content())

    def json_ld(self, path: str) -> list[dict[str, Any]]:
        answer = self.get(path)
        found = extruct.extract(
            answer.text, base_url=self.canonical + path, syntaxes=["json-ld"], uniform=True
        )
        items: list[dict[str, Any]] = found["json-ld"]
        return items

    def news_article(self, path: str) -> dict[str, Any]:
        (item,) = (i for i in self.json_ld(path) if i["@type"] == "NewsArticle")
        return item

    def feed(self, path: str) -> Any:
        answer = self.get(path)
        assert answer.status == 200, f"{path}: {answer.status}"
        parsed = feedparser.parse(answer.body)
        assert not parsed.bozo, f"{path}: {parsed.get('bozo_exception')}"
        return parsed

    def feed_links(self, path: str) -> list[str]:
        return [self.inside(entry.link) for entry in self.feed(path).entries]

    def sitemap(self, path: str = "/sitemap.xml") -> set[str]:
        """Every address in a sitemap, through its index."""
        root = lxml.etree.fromstring(self.get(path).body)
        found = {self.inside(str(e.text)) for e in root.iterfind(".//{*}loc")}
        if lxml.etree.QName(root).localname == "sitemapindex":
            return set().union(*(self.sitemap(each) for each in found))
        return found

    def news_sitemaps(self) -> set[str]:
        """Addresses in every news sitemap that robots.txt names."""
        named = re.findall(r"(?mi)^sitemap:\s*(\S+)", self.get("/robots.txt").text)
        found: set[str] = set()
        for address in named:
            if "news" in address:
                found |= self.sitemap(self.inside(address))
        return found

    def inside(self, address: str) -> str:
        """The path of an address of the paper."""
        for base in (self.canonical, self.host):
            if address.startswith(base):
                return address.removeprefix(base)
        assert address.startswith("/"), f"{address} is no address of this paper"
        return address

    def crawl(self, *starts: str) -> dict[str, Answer]:
        """Everything that can be reached by links from these addresses, by path."""
        waiting, seen = list(starts or ("/", "/robots.txt", "/sitemap.xml")), {}
        while waiting:
            path = waiting.pop()
            if path not in seen:
                seen[path] = answer = self.get(path)
                waiting += [link for link in self._leads_to(path, answer) if link not in seen]
        return seen

    def _leads_to(self, path: str, answer: Answer) -> Iterator[str]:
        kind = answer.headers.get_content_type()
        if answer.headers.get("Location"):
            yield self.inside(urljoin(self.host + path, answer.headers["Location"]))
        if kind == "text/html" and answer.body:
            yield from self._links_of(path, answer.text)
        elif kind.endswith("xml"):
            root = lxml.etree.fromstring(answer.body)
            if "sitemap" in lxml.etree.QName(root).localname or root.tag.endswith("urlset"):
                yield from (self.inside(str(e.text)) for e in root.iterfind(".//{*}loc"))
        elif path == "/robots.txt":
            yield from map(self.inside, re.findall(r"(?mi)^sitemap:\s*(\S+)", answer.text))

    def _links_of(self, path: str, html: str) -> Iterator[str]:
        for element in lxml.html.document_fromstring(html).iter():
            for address in _addresses(element):
                whole = urldefrag(urljoin(self.host + path, address)).url
                for base in (self.host, self.canonical):
                    if whole == base or whole.startswith(base + "/"):
                        yield whole.removeprefix(base) or "/"
                        break


def _addresses(element: Any) -> Iterator[str]:
    for name in _ADDRESSES:
        if element.get(name):
            yield element.get(name)
    for candidate in (element.get("srcset") or "").split(","):
        if candidate.strip():
            yield candidate.split()[0]
    if element.get("http-equiv", "").lower() == "refresh":
        yield element.get("content").partition("url=")[2]


def is_story(link: str) -> bool:
    return re.match(r"/[a-z]{2}/\d{4}/\d{2}/\d{2}/[^/]+/$", urlsplit(link).path) is not None


class Crawl:
    """What a reader who follows every link has seen."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.answers = paper.crawl()

    @cached_property
    def html(self) -> dict[str, str]:
        """Whole pages (fragments are no pages)."""
        return {
            path: answer.text
            for path, answer in self.answers.items()
            if answer.headers.get_content_type() == "text/html"
            and answer.text.lstrip().lower().startswith("<!doctype")
        }

    def of_kind(self, content_type: str) -> dict[str, Answer]:
        return {
            path: answer
            for path, answer in self.answers.items()
            if answer.headers.get_content_type() == content_type
        }
