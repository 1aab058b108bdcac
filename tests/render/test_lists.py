# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fronts and listings: what stands where, and what their times say."""

from __future__ import annotations

import random
import re

import brotli
import msgspec
import pytest

from tamizdat.edition.render.lists import FULL
from tamizdat.edition.story import Term, Text
from tamizdat.edition.views import Card, Front, FrontBlock, Link, Listing, ListingPage, Period
from tamizdat.edition.volumes import LONGEST, WHOLE

from .newsroom import story
from .paper import paper, renderer

RENDER = renderer()
LIGHT = 14_000  # bytes, compressed: some networks freeze a connection after about 16 kB
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


SITE_LIST = Listing(kind="site", language="en", slug="", title="The Harbour Lamp", path="/en/")


def test_a_month_groups_its_stories_by_day() -> None:
    page = ListingPage(
        listing=SITE_LIST,
        cards=(card(1), card(2, "2026-11-22T01:00:00+00:00"), card(3, "2026-11-20T10:00:00Z")),
        period=Period(label="2026-11", path="/en/2026/11/", part=2),
        older=Link(path="/en/2026/11/1/", title="2026-11"),
        newer=Link(path="/en/2026/12/", title="2026-12"),
    )
    html = RENDER.listing(page).decode()
    assert re.findall(r'<h2 class="label"[^>]*><time datetime="([^"]*)">([^<]*)', html) == [
        ("2026-11-22", "Sunday, 22 November"),
        ("2026-11-20", "Friday, 20 November"),
    ]
    assert "<h1>November 2026, part 2</h1>" in html
    assert '<a href="/en/">The Harbour Lamp</a>' in html
    assert 'href="/en/2026/11/1/" rel="prev">Older: November 2026' in html
    assert 'href="/en/2026/12/" rel="next">Newer: December 2026' in html
    assert '<link rel="canonical" href="https://lamp.example/en/2026/11/">' in html


def volume(first: str, last: str, *cards: Card, code: str = "en") -> str:
    listing = msgspec.structs.replace(NEWS, language=code, path=f"/{code}/news/")
    page = ListingPage(
        listing=listing,
        cards=cards or (card(1),),
        period=Period(label=f"{first}/{last}", path=f"/{code}/news/2026-10/"),
        older=Link(path=f"/{code}/news/2026-02/", title=""),
        newer=Link(path=f"/{code}/news/", title=""),
    )
    return RENDER.listing(page).decode()


def test_a_volume_groups_its_stories_by_month() -> None:
    cards = (card(1), card(2, "2026-11-02T01:00:00+00:00"), card(3, "2026-10-20T10:00:00Z"))
    html = volume("2026-10-20", "2026-11-22", *cards)
    assert re.findall(r'<h2 class="label"[^>]*><time datetime="([^"]*)">([^<]*)', html) == [
        ("2026-11", "November 2026"),
        ("2026-10", "October 2026"),
    ]
    assert re.findall(r"<li>.*?<time [^>]*>([^<]*)", html)[-3:] == [
        "Sunday, 22 November", "Monday, 2 November", "Tuesday, 20 October",
    ]  # fmt: skip
    assert '<a href="/en/news/">News</a>' in html
    assert 'href="/en/news/2026-02/" rel="prev">Older stories<' in html
    assert 'href="/en/news/" rel="next">Newer stories<' in html
    assert '<link rel="canonical" href="https://lamp.example/en/news/2026-10/">' in html


@pytest.mark.parametrize(
    ("code", "first", "last", "words"),
    [
        ("en", "2019-03-14", "2020-06-02", "March 2019 – June 2020"),
        ("en", "2019-03-02", "2019-03-19", "2 March 2019 – 19 March 2019"),
        ("en", "2019-03-02", "2019-03-02", "2 March 2019"),
        ("ru", "2019-03-14", "2020-06-02", "Март 2019 – июнь 2020"),
        ("ru", "2019-03-02", "2019-03-19", "2 марта 2019 – 19 марта 2019"),
        ("ar", "2019-03-14", "2020-06-02", "مارس 2019 – يونيو 2020"),
    ],
)
def test_a_volume_says_which_days_it_holds(code: str, first: str, last: str, words: str) -> None:
    html = volume(first, last, code=code)
    assert f"<h1>{words}</h1>" in html.replace("\u00a0", " ")


def test_the_first_stories_of_a_long_list_are_shown_whole_and_all_are_shown() -> None:
    cards = tuple(card(n) for n in range(FULL + 30))
    html = RENDER.listing(ListingPage(listing=NEWS, cards=cards)).decode()
    assert html.count("<article>") == FULL
    assert [html.count(f'href="{c.path}">Story') for c in cards] == [1] * len(cards)


@pytest.mark.parametrize("code", ["en", "ru", "ar"])
def test_a_page_of_a_list_weighs_little(code: str) -> None:
    """As many stories as a page can hold, whose words do not repeat."""
    letters = "абвгдежзиклмнопрстуфхцч" if code == "ru" else "abcdefghiklmnoprstuvwyz"
    rng = random.Random(7)

    def words(count: int) -> str:
        return " ".join("".join(rng.choices(letters, k=rng.randint(3, 9))) for _ in range(count))

    cards = tuple(
        msgspec.structs.replace(
            card(n, f"2026-{n % 9 + 1:02}-{n % 28 + 1:02}T0{n % 10}:{n % 60:02}:00+00:00"),
            headline=words(8), standfirst=words(22), kicker=words(1), path=f"/{code}/2026/x-{n}/",
        )
        for n in range(WHOLE - 1)
    )  # fmt: skip
    listing = msgspec.structs.replace(NEWS, language=code)
    pages = [
        ListingPage(listing=listing, cards=cards),
        ListingPage(
            listing=listing,
            cards=cards[: LONGEST - 1],
            period=Period(label="2026-01-01/2026-09-28", path=f"/{code}/news/2026-01/"),
        ),
    ]
    for page in pages:
        assert len(brotli.compress(RENDER.listing(page), quality=5)) <= LIGHT


def test_a_listing_leads_to_its_volumes_and_feeds() -> None:
    page = ListingPage(
        listing=NEWS,
        cards=(card(1),),
        older=Link(path="/en/news/2020-06/", title=""),
        periods=(
            Period(label="2020-06-02/2026-01-04", path="/en/news/2020-06/"),
            Period(label="2019", path="/en/news/2019-03/"),
        ),
    )
    html = RENDER.listing(page).decode().replace("\u00a0", " ")
    assert '<a href="/en/news/2020-06/">June 2020 – January 2026</a>' in html
    assert '<a href="/en/news/2019-03/">2019</a>' in html
    assert 'href="/en/news/2020-06/" rel="prev">Older stories<' in html
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
