# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers see of newsletters: the box under articles, pages to sign up on, issues."""

from __future__ import annotations

import json
import re

import brotli
import msgspec
import pytest
from lxml import html

from tamizdat.drop.kinds import KINDS, fields_of
from tamizdat.edition.render import PageRenderer
from tamizdat.edition.site import Letters, Site
from tamizdat.edition.story import Text
from tamizdat.edition.views import ArticleFacts

from .newsroom import SITE
from .paper import invented, issue, paper

CODES = [language.code for language in SITE.languages]
ONE_CONNECTION = 14_000  # bytes: some networks freeze a connection after about 16 kB
MOST_BOX = 1_000


def article(site: Site, code: str, *, sensitive: bool = False) -> bytes:
    story = invented(code, 3)
    if sensitive:
        from tamizdat.edition.story import Term

        story.genres = [Term(literal="sensitive", name="Sensitive")]
    render = PageRenderer(site)
    card = render.card(story, f"/{code}/2026/11/22/s3/")
    return render.article(story, card, ArticleFacts())


def without() -> Site:
    bare = [msgspec.structs.replace(one, newsletters=()) for one in SITE.languages]
    return msgspec.structs.replace(SITE, languages=tuple(bare))


@pytest.mark.parametrize("code", CODES)
def test_the_box_costs_an_article_next_to_nothing_and_asks_for_nothing(code: str) -> None:
    with_box, bare = article(SITE, code), article(without(), code)
    cost = len(brotli.compress(with_box, quality=5)) - len(brotli.compress(bare, quality=5))
    assert 0 < cost <= MOST_BOX
    asked = [re.findall(rb'(?:src|data-fragment)="([^"]*)"', page) for page in (with_box, bare)]
    assert asked[0] == asked[1]
    assert b"<form" not in with_box


@pytest.mark.parametrize("code", CODES)
def test_the_box_stands_after_the_story_and_before_the_message(code: str) -> None:
    page = paper()[f"/{code}/2026/11/22/s3/"].decode()
    assert page.index('class="more"') < page.index('class="bymail"') < page.index('class="message"')


def test_a_story_that_asks_for_nothing_has_no_box() -> None:
    assert b'class="bymail"' in article(SITE, "en")
    assert b'class="bymail"' not in article(SITE, "en", sensitive=True)


def test_one_newsletter_is_led_to_itself_several_to_the_choice() -> None:
    assert b'class="act" href="/ru/newsletter/weekly/"' in article(SITE, "ru")
    assert b'class="act" href="/en/newsletter/"' in article(SITE, "en")
    assert b'href="/en/newsletter/courts/"' in article(SITE, "en")


def test_a_paper_without_drops_or_newsletters_shows_nothing() -> None:
    closed = msgspec.structs.replace(SITE, letters=Letters())
    for site in (without(), closed):
        render = PageRenderer(site)
        assert b"newsletter" not in article(site, "ru").split(b"<body")[1]
        assert b"newsletter" not in render.not_found("ru").split(b"<body")[1]


def test_what_the_box_says_changes_every_page_and_the_policy_does_not() -> None:
    def changed(**changes: object) -> str:
        first, *rest = SITE.languages
        letters = (msgspec.structs.replace(first.newsletters[0], **changes),)
        language = msgspec.structs.replace(first, newsletters=letters)
        return PageRenderer(msgspec.structs.replace(SITE, languages=(language, *rest))).fingerprint

    assert changed(privacy=1) == changed()
    assert changed(often="Daily.") != changed()
    assert changed(title="Other") != changed()


@pytest.mark.parametrize("path", [f"/{code}/newsletter/weekly/" for code in CODES])
def test_the_form_is_one_that_a_drop_understands_without_script(path: str) -> None:
    [form] = html.fromstring(paper()[path]).forms
    assert (form.method, form.action) == ("POST", "https://drop.lamp.example/v1/subscribe")
    sent = dict(form.form_values())
    assert sent.pop("language") == path.split("/")[1]
    assert not sent.pop("website", "")
    sent["address"] = "reader@post.example"
    assert fields_of(KINDS["subscribe"], sent) == {
        "address": "reader@post.example",
        "newsletters": ["weekly"],
        "privacy": 2,
        "form": "paper",
    }
    shown = [f for f in form.inputs if f.get("type") not in ("hidden",) and f.name != "website"]
    assert [field.name for field in shown] == ["address"]


def test_where_there_are_several_none_is_ticked_and_each_says_what_it_is() -> None:
    page = html.fromstring(paper()["/en/newsletter/"])
    boxes = page.xpath("//input[@type='checkbox']")
    assert [box.get("value") for box in boxes] == ["weekly", "courts"]
    for box in boxes:
        assert box.get("checked") is None
        assert page.xpath(f"//label[@for='{box.get('id')}']")
        assert page.get_element_by_id(box.get("aria-describedby")).text_content().strip()
    assert page.xpath("//a[@href='/en/newsletter/weekly/12/']")


@pytest.mark.parametrize("code", CODES)
def test_the_reader_is_told_what_they_agree_to_in_which_version(code: str) -> None:
    page = html.fromstring(paper()[f"/{code}/newsletter/weekly/"])
    [link] = page.xpath("//p[@class='agree']/a")
    assert link.get("href") == f"/{code}/privacy/v2/"
    assert "2" in link.text_content()


@pytest.mark.parametrize("code", CODES)
def test_the_latest_issue_is_shown_first_then_those_before_it(code: str) -> None:
    page = html.fromstring(paper()[f"/{code}/newsletter/weekly/"])
    links = page.xpath("//section[@class='issues']//a/@href")
    assert links == [f"/{code}/newsletter/weekly/{n}/" for n in range(12, 3, -1)]
    assert page.xpath("//h2[@id='latest']")
    assert page.xpath(f"//link[@href='/{code}/newsletter/weekly/feed.xml']")


def test_before_the_first_issue_the_page_says_so() -> None:
    page = paper()["/en/newsletter/courts/"].decode()
    assert "No issue has been sent yet." in page
    assert 'id="latest"' in page


@pytest.mark.parametrize("code", CODES)
def test_an_issue_says_what_was_sent_under_its_headings(code: str) -> None:
    page = html.fromstring(paper()[f"/{code}/newsletter/weekly/12/"])
    [outer] = page.xpath("//article[contains(@class, 'issue')]")
    assert len(outer.xpath(".//section[@class='picks']")) == 2
    assert len(outer.xpath(".//article")) == 6
    assert len(outer.xpath(".//article//h3/a")) == 5
    assert outer.xpath(".//figure[@class='photo']//img")
    assert outer.xpath(".//p[@class='signed']")[0].text == "Nika Orel"
    facts = json.loads(page.xpath("//script[@type='application/ld+json']")[0].text)
    assert (facts["@type"], facts["issueNumber"]) == ("PublicationIssue", 12)
    assert facts["isPartOf"]["name"] == SITE.language(code).newsletters[0].title
    assert "<table" not in paper()[f"/{code}/newsletter/weekly/12/"].decode()


@pytest.mark.parametrize("name", ["", "weekly/", "weekly/12/"])
@pytest.mark.parametrize("code", CODES)
def test_each_page_comes_through_a_connection_that_freezes(code: str, name: str) -> None:
    page = paper()[f"/{code}/newsletter/{name}"]
    assert len(brotli.compress(page, quality=5)) < ONE_CONNECTION


@pytest.mark.parametrize(
    ("code", "heading", "says"),
    [
        ("en", "This issue was withdrawn", ("no. 12 of the newsletter “", "sent on 20 November")),
        ("ru", "Выпуск отозван", ("№ 12 рассылки «", "отправлен 20 ноября")),
        ("ar", "سُحب هذا العدد", ("العدد 12 من النشرة البريدية «", "وأُرسل في")),
    ],
)
def test_a_withdrawn_issue_says_that_it_was_one_of_which_newsletter_and_why(
    code: str, heading: str, says: tuple[str, ...]
) -> None:
    language = next(one for one in SITE.languages if one.code == code)
    gone = issue(language, 12, ())
    gone.pub_status = "canceled"
    gone.descriptions = [Text(role="withdrawal", value="It named <somebody>.")]
    render = PageRenderer(SITE)
    page = render.tombstone(gone, render.card(gone, gone.path)).decode()
    told = page.partition("<main")[2].partition("</main>")[0]
    assert f"<h1>{heading}</h1>" in told
    for words in (*says, language.newsletters[0].title, gone.headline, "&lt;somebody&gt;"):
        assert words in told
    assert "Dear readers" not in page
    for of_a_story in ("story was", "Материал отозван", "هذه المادة"):
        assert of_a_story not in page
