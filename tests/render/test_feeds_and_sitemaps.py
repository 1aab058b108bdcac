# SPDX-License-Identifier: AGPL-3.0-or-later
"""What machines fetch: feeds, sitemaps, robots, the manifest, icons."""

from __future__ import annotations

import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tamizdat.edition.story import Text
from tamizdat.edition.views import Listing, SitemapEntry

from .newsroom import SITE, story
from .paper import renderer

RENDER = renderer()
LISTING = Listing(
    kind="section", language="en", slug="harbour", title="Harbour", path="/en/harbour/"
)
# The protocol of sitemaps.org, version 0.9, as we use it, and Google's of news.
PROTOCOL = b"""<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"
  targetNamespace="http://www.sitemaps.org/schemas/sitemap/0.9" elementFormDefault="qualified"
  xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
  <xs:simpleType name="address"><xs:restriction base="xs:anyURI">
    <xs:minLength value="12"/><xs:maxLength value="2048"/><xs:pattern value="https?://[!-~]+"/>
  </xs:restriction></xs:simpleType>
  <xs:simpleType name="date"><xs:union memberTypes="xs:date xs:dateTime"/></xs:simpleType>
  <xs:element name="urlset"><xs:complexType><xs:sequence>
    <xs:element name="url" minOccurs="0" maxOccurs="50000"><xs:complexType><xs:sequence>
      <xs:element name="loc" type="address"/>
      <xs:element name="lastmod" type="date" minOccurs="0"/>
      <xs:any namespace="##other" processContents="skip" minOccurs="0" maxOccurs="unbounded"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
  <xs:element name="sitemapindex"><xs:complexType><xs:sequence>
    <xs:element name="sitemap" minOccurs="0" maxOccurs="50000"><xs:complexType><xs:sequence>
      <xs:element name="loc" type="address"/>
      <xs:element name="lastmod" type="date" minOccurs="0"/>
    </xs:sequence></xs:complexType></xs:element>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>"""
SCHEMA = etree.XMLSchema(etree.fromstring(PROTOCOL))
NEWS = {"n": "http://www.google.com/schemas/sitemap-news/0.9"}


def feed(headline: str = "A headline", html: str = "<p>Text</p>") -> tuple[bytes, bytes]:
    item = story(
        headlines=[Text(role="main", value=headline)],
        bodies=[Text(role="main", content_type="text/html", value=html)],
    )
    items = [RENDER.feed_item(item, RENDER.card(item, "/en/2026/11/22/ж/"))]
    return RENDER.rss(LISTING, items), RENDER.json_feed(LISTING, items)


def test_a_feed_reader_gets_the_whole_text_with_whole_addresses() -> None:
    feedparser = pytest.importorskip("feedparser")
    rss, _ = feed(
        html='<p>See <a href="/en/about/">us</a> and <a href="https://x.example/">x</a></p>'
    )
    read = feedparser.parse(rss)
    assert not read.bozo
    assert read.feed.title == "Harbour · The Harbour Lamp"
    assert read.feed.language == "en"
    assert {"rel": "self", "type": "application/rss+xml"}.items() <= read.feed.links[1].items()
    assert read.feed.links[1].href == "https://lamp.example/en/harbour/feed.xml"
    entry = read.entries[0]
    assert entry.link == "https://lamp.example/en/2026/11/22/%D0%B6/"
    assert entry.id == "urn:newsroom:story:ferry"
    assert entry.published_parsed[:5] == (2026, 11, 22, 12, 5)
    assert [author.name for author in entry.authors] == ["Nika Orel", "Ivo Lant"]
    assert [tag.term for tag in entry.tags] == ["Harbour", "Shipping", "Public records"]
    html = entry.content[0].value
    assert 'href="https://lamp.example/en/about/"' in html
    assert b'srcset="https://lamp.example/media/' in rss
    assert "https://lamp.example/media/" in html
    assert 'href="https://x.example/"' in html
    assert '="/' not in html
    assert "<blockquote><p>An earlier version gave" in html


def test_a_json_feed_says_the_same() -> None:
    data = json.loads(feed()[1])
    assert data["version"] == "https://jsonfeed.org/version/1.1"
    assert data["feed_url"] == "https://lamp.example/en/harbour/feed.json"
    assert data["home_page_url"] == "https://lamp.example/en/harbour/"
    item = data["items"][0]
    assert item["url"] == "https://lamp.example/en/2026/11/22/%D0%B6/"
    assert item["authors"] == [{"name": "Nika Orel"}, {"name": "Ivo Lant"}]
    assert "<p>Text</p>" in item["content_html"]
    assert item["date_published"] == "2026-11-22T12:05:00+00:00"
    assert item["image"].startswith("https://lamp.example/media/")


@given(
    st.text(
        st.sampled_from("]]>&<\"'\x00\x08😀\ufffe\u202eж")
        | st.characters(exclude_categories=["Cs"])
    )
)
def test_no_text_can_break_a_feed(text: str) -> None:
    rss, as_json = feed(headline=f"x{text}", html=f"<p>{text}]]></p>")
    content = etree.fromstring(rss).find(".//{*}encoded")
    assert content is not None
    assert content.text is not None
    assert content.text.endswith("]]></p>")
    assert json.loads(as_json)["items"][0]["title"] == f"x{text}"


def test_an_empty_feed_is_a_feed() -> None:
    feedparser = pytest.importorskip("feedparser")
    assert not feedparser.parse(RENDER.rss(LISTING, [])).bozo
    assert json.loads(RENDER.json_feed(LISTING, []))["items"] == []


def test_sitemaps_follow_the_protocol() -> None:
    entries = [
        SitemapEntry(
            path="/ru/2026/11/22/паром-и-&/",
            updated="2026-11-22T15:20:00+00:00",
            alternates={"ru": "/ru/2026/11/22/паром-и-&/", "en": "/en/2026/11/22/ferry/"},
        )
    ]
    tree = etree.fromstring(RENDER.sitemap(entries))
    SCHEMA.assertValid(tree)
    SCHEMA.assertValid(etree.fromstring(RENDER.sitemap([])))
    links = tree.findall(".//{http://www.w3.org/1999/xhtml}link")
    assert [link.get("hreflang") for link in links] == ["ru", "en"]
    assert links[1].get("href") == "https://lamp.example/en/2026/11/22/ferry/"
    index = RENDER.sitemap_index([("/sitemaps/2026-11.xml", "2026-11-22T15:20:00+00:00")])
    SCHEMA.assertValid(etree.fromstring(index))
    SCHEMA.assertValid(etree.fromstring(RENDER.sitemap_index([])))


def test_the_news_sitemap_names_paper_language_date_and_title_and_may_be_empty() -> None:
    item = story(headlines=[Text(role="main", value="Bread & <salt>")])
    tree = etree.fromstring(RENDER.news_sitemap([RENDER.card(item, item.path)]))
    SCHEMA.assertValid(tree)
    found = {name: tree.findtext(f".//n:{name}", namespaces=NEWS) for name in ("name", "language")}
    assert found == {"name": "The Harbour Lamp", "language": "en"}
    assert tree.findtext(".//n:title", namespaces=NEWS) == "Bread & <salt>"
    date = tree.findtext(".//n:publication_date", namespaces=NEWS)
    assert date == "2026-11-22T12:05:00+00:00"
    SCHEMA.assertValid(etree.fromstring(RENDER.news_sitemap([])))


def test_robots_may_read_everything_and_find_both_sitemaps() -> None:
    text = RENDER.robots().decode()
    assert "Disallow: /\n" not in text
    assert "Sitemap: https://lamp.example/sitemap.xml" in text
    assert "Sitemap: https://lamp.example/news-sitemap.xml" in text


def test_the_manifest_names_the_paper_and_icons_that_exist() -> None:
    assets = RENDER.assets()
    for language in SITE.languages:
        manifest = json.loads(RENDER.manifest(language.code))
        assert manifest["name"] == language.name
        assert manifest["dir"] == language.direction
        assert manifest["start_url"] == f"/{language.code}/"
        assert all(icon["src"] in assets for icon in manifest["icons"])


@pytest.mark.parametrize("size", [180, 192, 512])
def test_icons_are_pictures_of_their_size(size: int) -> None:
    data = RENDER.assets()[f"/assets/icon-{size}.png"]
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(data[16:20], "big") == int.from_bytes(data[20:24], "big") == size
    start = data.index(b"IDAT")
    length = int.from_bytes(data[start - 4 : start], "big")
    assert len(zlib.decompress(data[start + 4 : start + 4 + length])) == size * (size + 1)
