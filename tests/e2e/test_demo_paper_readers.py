# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's paper as people read it, in a browser: with and without script, eyes, light, width."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Request, expect

from tests.e2e.conftest import Open
from tests.e2e.paper import Paper, is_story
from tests.e2e.people import overflow, violations

pytestmark = pytest.mark.slow


def kinds_of_page(paper: Paper, language: str) -> dict[str, str]:
    """One address for each kind of page in a language."""
    front = paper.links(f"/{language}/")
    everything = {f"/{language}/", *front}
    for link in front:
        if link.startswith(f"/{language}/") and not is_story(link):
            everything |= set(paper.links(link))
    everything |= set(paper.page(f"/{language}/").xpath("//nav//a/@href | //footer//a/@href"))
    story = paper.stories(f"/{language}/")[0]
    everything |= set(paper.links(story))
    found = {"front": f"/{language}/", "story": story, "not found": f"/{language}/nothing-here/"}
    for name in ("topics", "places", "people", "series"):
        found |= _first(everything, f"/{language}/{name}/", name)
    pages = paper.page(f"/{language}/").xpath("//footer//a/@href")
    ours = (p for p in pages if p.startswith(f"/{language}/") and p.endswith("/"))
    found |= {f"page {n}": p for n, p in enumerate(ours)}
    nav = paper.page(f"/{language}/").xpath("//nav//a/@href")
    sections = [p for p in nav if p.startswith(f"/{language}/") and p != f"/{language}/"]
    return {**found, "section": sections[0], **_corrected(paper, language)}


def _first(links: set[str], start: str, name: str) -> dict[str, str]:
    inside = sorted(link for link in links if link.startswith(start) and link != start)
    return {name: start, f"one of {name}": inside[0]} if inside else {}


def _corrected(paper: Paper, language: str) -> dict[str, str]:
    """A story that was corrected and one that was withdrawn, where the demo has them."""
    found = {}
    for path in sorted(paper.sitemap()):
        if is_story(path) and path.startswith(f"/{language}/"):
            page = paper.page(path)
            if page.find_class("corrections"):
                found["corrected story"] = path
            if page.xpath("//figure[contains(@class, 'photo')]"):
                found["story with photo"] = path
            if page.find_class("gallery"):
                found["story with gallery"] = path
            if page.xpath("//table"):
                found["story with table"] = path
    return found


@pytest.fixture(params=["en", "ru"])
def kinds(request: pytest.FixtureRequest, demo_paper: tuple[str, Path]) -> dict[str, str]:
    return kinds_of_page(Paper.served_at(demo_paper[0]), request.param)


def test_nobody_is_kept_out_of_any_kind_of_page(
    demo_paper: tuple[str, Path], kinds: dict[str, str], open_browser: Open
) -> None:
    found = []
    for scheme in ("light", "dark"):
        page = open_browser(color_scheme=scheme).new_page()
        for kind, path in kinds.items():
            page.goto(demo_paper[0] + path)
            found += [f"{kind} ({path}, {scheme}): {v}" for v in violations(page)]
    assert not found


def test_a_page_asks_nobody_else_for_anything_and_sets_no_cookie(
    demo_paper: tuple[str, Path], kinds: dict[str, str], open_browser: Open
) -> None:
    context = open_browser()
    asked: list[str] = []
    by_worker: list[str] = []

    def note(request: Request) -> None:
        (by_worker if request.service_worker else asked).append(request.url)

    context.on("request", note)
    page = context.new_page()
    for path in kinds.values():
        page.goto(demo_paper[0] + path, wait_until="networkidle")
        assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0], path
    here = urlsplit(demo_paper[0]).netloc
    assert not [url for url in asked if urlsplit(url).netloc not in ("", here)]
    signed = ("/metadata/", "/targets/", "/shards/", "/objects/", "/sw.js", "/ed25519.js")
    assert all(urlsplit(url).path.startswith(signed) for url in by_worker), "mirrors, by the worker"
    assert context.cookies() == []
    assert len(asked) > len(kinds)


def test_nothing_is_wider_than_a_small_phone(
    demo_paper: tuple[str, Path], kinds: dict[str, str], open_browser: Open
) -> None:
    page = open_browser(viewport={"width": 360, "height": 740}).new_page()
    too_wide = []
    for kind, path in kinds.items():
        page.goto(demo_paper[0] + path)
        too_wide += [f"{kind} ({path}): {wide}" for wide in overflow(page)]
    assert not too_wide


def test_without_script_the_paper_is_whole(
    demo_paper: tuple[str, Path], kinds: dict[str, str], open_browser: Open
) -> None:
    page = open_browser(java_script_enabled=False).new_page()
    for kind, path in kinds.items():
        page.goto(demo_paper[0] + path)
        expect(page.get_by_role("banner")).to_be_visible()
        expect(page.get_by_role("main")).to_be_visible()
        expect(page.get_by_role("heading", level=1)).to_have_count(1)
        # The ribbon stands for nothing until there is news for it.
        for place in page.locator("[data-fragment]:not(.ribbon)").all():
            link = place.get_by_role("link").first
            expect(link, f"{kind} has no link in place of a fragment").to_be_visible()


def test_with_script_fragments_are_pulled_in(
    demo_paper: tuple[str, Path], kinds: dict[str, str], open_browser: Open
) -> None:
    page = open_browser().new_page()
    answers: list[tuple[str, int]] = []
    page.on("response", lambda r: answers.append((urlsplit(r.url).path, r.status)))
    page.goto(demo_paper[0] + kinds["story"])
    for place in page.locator("[data-fragment]").all():
        place.scroll_into_view_if_needed()
    latest = page.locator("[data-fragment*=latest]").first
    expect(latest.get_by_role("link").nth(2)).to_be_visible()
    assert not [a for a in answers if a[1] >= 400 and "fragment" in a[0]]


def test_a_reader_goes_from_front_to_story_to_section_by_keyboard(
    demo_paper: tuple[str, Path], open_browser: Open
) -> None:
    page = open_browser().new_page()
    page.goto(f"{demo_paper[0]}/en/")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_attribute("href", "#content")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    first = page.locator(":focus")
    assert is_story(first.get_attribute("href") or "")
    page.keyboard.press("Enter")
    expect(page.locator("article h1")).to_be_visible()


def test_dates_and_words_are_those_of_the_language(
    demo_paper: tuple[str, Path], open_browser: Open
) -> None:
    page = open_browser().new_page()
    for language, word in (("en", "Sources for this story"), ("ru", "Источники")):
        paper = Paper.served_at(demo_paper[0])
        page.goto(demo_paper[0] + paper.stories(f"/{language}/")[0])
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.get_by_role("heading", name=word).first).to_be_visible()
