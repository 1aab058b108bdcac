# SPDX-License-Identifier: AGPL-3.0-or-later
"""The paper in several languages: a story and its translation, a language from right to left."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.conftest import Open, SignIn
from tests.e2e.newsroom import Newsroom
from tests.e2e.paper import Paper
from tests.e2e.people import overflow, save_draft, until, violations, write
from tests.e2e.test_after_publication import published

Headline = Callable[[str], str]


def test_a_story_and_its_translation_lead_to_each_other(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = published(newsroom, headline("The tide tables are wrong"))
    title = headline("Таблицы приливов неверны")
    rita = sign_in("rita")
    rita.goto(f"{newsroom.desk}/desk/newsroom/articles/{story['pk']}/translate/")
    rita.get_by_role("button", name="Start in Русский").or_(
        rita.get_by_role("button", name="Start in Russian")
    ).click()
    rita.wait_for_url("**/edit/**")
    write(rita, "Headline", title)
    save_draft(rita)
    translated = until(lambda: newsroom.do("find", headline=title), "the translation is kept")
    assert translated["language"] == "ru"
    newsroom.do("publish", pk=translated["pk"], by="petra")
    until(lambda: newsroom.do("about", pk=translated["pk"])["state"] == "live", "it goes live")
    path = newsroom.do("about", pk=translated["pk"])["path"]
    assert path.startswith("/ru/")

    paper = Paper(newsroom.paper)
    until(lambda: path in _alternates(paper, story["path"]).values(), "the original links to it")
    both = {"en": story["path"], "ru": path}
    for here in both.values():
        assert _alternates(paper, here).items() >= both.items(), here
    assert path in paper.links(story["path"])
    assert story["path"] in paper.links(path)
    assert path in paper.stories("/ru/")
    assert path in paper.stories("/ru/novosti/")
    assert path not in paper.stories("/en/")
    assert path in paper.feed_links("/ru/feed.xml")
    assert path not in paper.feed_links("/en/feed.xml")
    assert paper.page(path).get("lang") == "ru"


def _alternates(paper: Paper, path: str) -> dict[str, str]:
    links = paper.page(path).xpath("//link[@rel='alternate' and @hreflang]")
    return {link.get("hreflang"): paper.inside(link.get("href")) for link in links}


def test_an_arabic_story_reads_from_right_to_left(
    newsroom: Newsroom, open_browser: Open, headline: Headline
) -> None:
    made = newsroom.do(
        "article",
        headline=headline("عادت العبارات إلى الميناء"),
        language="ar",
        section="akhbar",
        text="<p>وصلت أول عبارة في السادسة صباحا، وعلى متنها تسعة ركاب.</p>",
        publish_by="petra",
    )
    until(lambda: newsroom.do("about", pk=made["pk"])["state"] == "live", "it goes live")
    path = newsroom.do("about", pk=made["pk"])["path"]
    page = open_browser(viewport={"width": 360, "height": 740}).new_page()
    for address in (path, "/ar/", "/ar/akhbar/"):
        page.goto(newsroom.paper + Paper(newsroom.paper).inside(address))
        expect(page.locator("html")).to_have_attribute("dir", "rtl")
        expect(page.locator("html")).to_have_attribute("lang", "ar")
        assert page.evaluate("getComputedStyle(document.querySelector('h1')).direction") == "rtl"
        assert overflow(page) == [], address
        assert violations(page) == [], address


def test_a_reader_changes_the_language_on_the_front_page(
    newsroom: Newsroom, open_browser: Open
) -> None:
    page = open_browser().new_page()
    page.goto(newsroom.paper + "/")
    page.get_by_role("link", name="Русский").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "ru")
    page.get_by_role("link", name="English").first.click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
