# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fronts and listings: what stands where, and what their times say."""

from __future__ import annotations

import re

import pytest

from tamizdat.edition.story import Term, Text
from tamizdat.edition.views import Card, Front, FrontBlock, Link, Listing, ListingPage, Period

from .newsroom import story
from .paper import paper, renderer

RENDER = renderer()
NEWS = Listing(kind="section", language="en", slug="news", title="News", path="/en/news/")


def card(number: int, when: str = "2026-11-22T10:00:00+00:00", **changes: object) -> Card:
    item = story(
        uri=f"urn:{number}",
        headlines=[Text(role="main", value=f"Story {number}")],
        subjects=[Term(rel="section", name="News", literal="news")],
        first_created=when,
        **changes,
    )
    return RENDER.card(item, f"/en/2026/11/22/s{number}/")


def test_a_card_is_all_a_list_needs() -> None:
    made = card(7)
    assert (made.headline, made.section, made.section_title) == ("Story 7", "news", "News")
    assert made.byline == "Nika Orel and Ivo Lant"
    assert made.corrected
    assert made.minutes == 1
    assert made.photo is not None
    assert made.photo.path.endswith(".webp")
    assert (made.photo.width, made.photo.height) == (640, 427)


def front(*cards: Card, blocks: tuple[FrontBlock, ...] = ()) -> str:
    made = Front(
        language="en", edition=7, updated="2026-11-22T12:00:00+00:00", cards=cards, blocks=blocks
    )
    return RENDER.front(made).decode()


def test_the_front_says_times_today_and_dates_otherwise() -> None:
    html = front(
        card(1), card(2, "2026-11-21T21:30:00+00:00"), card(3, "2026-11-22T00:10:00+02:00")
    )
    words = re.findall(r'class="when dots"><time datetime="[^"]*">([^<]*)', html)
    assert words == ["12:00", "21 November 2026", "00:10"]
    assert "Sunday, 22 November 2026" in html
    assert "Edition 7" in html


def test_a_correction_is_marked_in_lists_too() -> None:
    assert front(card(1)).count(">Corrected<") == 1
    assert ">Corrected<" not in front(card(1, associations=[]))


def test_no_story_stands_twice_on_the_front() -> None:
    cards = [card(n) for n in range(25)]
    blocks = (FrontBlock(listing=NEWS, cards=tuple(cards[9:15])),)
    html = front(*cards, blocks=blocks)
    links = re.findall(r'<h[23]><a href="(/en/2026[^"]*)"|<li><a href="(/en/2026[^"]*)"', html)
    paths = [one or other for one, other in links]
    assert sorted(paths) == sorted(c.path for c in cards)


@pytest.mark.parametrize("path", ["/en/empty-front/", "/en/letters/"])
def test_an_empty_list_says_so(path: str) -> None:
    assert "No stories yet." in paper()[path].decode()
    assert "Материалов пока нет." in paper()[path.replace("/en/", "/ru/")].decode()


def test_a_period_groups_its_stories_by_day() -> None:
    page = ListingPage(
        listing=NEWS,
        cards=(card(1), card(2, "2026-11-22T01:00:00+00:00"), card(3, "2026-11-20T10:00:00Z")),
        period=Period(label="2026-11", path="/en/news/2026/11/", part=2),
        older=Link(path="/en/news/2026/11/1/", title="2026-11"),
        newer=Link(path="/en/news/2027/", title="2027"),
    )
    html = RENDER.listing(page).decode()
    assert re.findall(r'<h2 class="label"[^>]*><time datetime="([^"]*)">([^<]*)', html) == [
        ("2026-11-22", "Sunday, 22 November"),
        ("2026-11-20", "Friday, 20 November"),
    ]
    assert "<h1>November 2026, part 2</h1>" in html
    assert '<a href="/en/news/">News</a>' in html
    assert 'href="/en/news/2026/11/1/" rel="prev">Older: November 2026' in html
    assert 'href="/en/news/2027/" rel="next">Newer: 2027' in html
    assert '<link rel="canonical" href="https://lamp.example/en/news/2026/11/">' in html


def test_a_listing_leads_to_its_periods_and_feeds() -> None:
    page = ListingPage(
        listing=NEWS, cards=(card(1),), periods=(Period(label="2026-11", path="/en/news/2026/11/"),)
    )
    html = RENDER.listing(page).decode()
    assert '<a href="/en/news/2026/11/">November 2026</a>' in html
    assert (
        'type="application/feed+json" title="News · The Harbour Lamp" href="/en/news/feed.json"'
        in html
    )
    assert '<a href="/en/news/" aria-current="true">News</a>' in html


def test_a_former_version_of_a_page_leads_to_the_present_one() -> None:
    present, former = paper()["/en/privacy/"].decode(), paper()["/en/privacy/v1/"].decode()
    assert "Version 2, 5 April 2026" in present
    assert '<a href="/en/privacy/v1/">Version 1</a>' in present
    assert "Version 1, 3 February 2025" in former
    assert '<a href="/en/privacy/">This is a former version.' in former
    assert "former version" not in present


def test_the_latest_list_is_a_fragment_of_its_own() -> None:
    html = RENDER.latest_fragment("en", [card(1)]).decode()
    assert html.startswith("<h2>Latest</h2>")
    assert '<a href="/en/2026/11/22/s1/">Story 1</a>' in html
    assert "<li>" not in RENDER.latest_fragment("en", []).decode()


def test_a_redirect_leads_on_by_itself_and_by_a_link_in_plain_ascii() -> None:
    html = RENDER.redirect("/ru/2026/11/22/паром/", "ru").decode()
    there = "/ru/2026/11/22/%D0%BF%D0%B0%D1%80%D0%BE%D0%BC/"
    assert f'http-equiv="refresh" content="0; url={there}"' in html
    assert f'<link rel="canonical" href="https://lamp.example{there}">' in html
    assert f'<a href="{there}">' in html
    assert "<script" not in html
