# SPDX-License-Identifier: AGPL-3.0-or-later
"""An article's page: what a reader finds on it, and in which order."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from tamizdat.edition.errors import StoryError
from tamizdat.edition.render import PageRenderer
from tamizdat.edition.render.photo import figure
from tamizdat.edition.site import Giving, Page
from tamizdat.edition.story import InfoSource, Story, Term, Text
from tamizdat.edition.views import ArticleFacts, Card, Link

from .newsroom import SITE, correction, photo, story
from .paper import renderer

RENDER = renderer()


def page(item: Story | None = None, **facts: object) -> str:
    item = item or story()
    card = RENDER.card(item, item.path)
    return RENDER.article(item, card, ArticleFacts(**facts)).decode()  # type: ignore[arg-type]


def related() -> tuple[Card, ...]:
    other = story(uri="urn:other", headlines=[Text(role="main", value="Another <story>")])
    return (RENDER.card(other, "/en/2026/11/20/other/"),)


def test_everything_stands_in_the_order_of_a_newspaper() -> None:
    html = page(
        related=related(),
        translations=(Link(path="/ru/2026/11/22/parom/", title="Паром", language="ru"),),
    )
    marks = [
        'class="kicker', "<h1>", 'class="standfirst"', 'class="byline', 'class="dateline"',
        "<time", "minute to read", 'href="/ru/2026/11/22/parom/" hreflang="ru" lang="ru" rel',
        'class="corrections"', 'class="photo"', 'class="body"', 'id="sources"', 'id="more"',
        'data-fragment="/fragments/en/message.html"', 'data-fragment="/fragments/en/latest.html"',
    ]  # fmt: skip
    places = [html.index(mark, html.index("<main")) for mark in marks]
    assert places == sorted(places)


def test_the_ribbon_is_a_plain_link_where_there_is_a_page_about_support() -> None:
    english = SITE.languages[0]
    support = Page(slug="support", title="Keep it lit", html="<p>Thank you.</p>")
    own = (structs.replace(english, pages=(*english.pages, support)), *SITE.languages[1:])
    item, found = story(), []
    for site in (
        structs.replace(SITE, giving=Giving()),
        structs.replace(SITE, giving=Giving(), languages=own),
        SITE,
        structs.replace(SITE, languages=own),
    ):
        render = PageRenderer(site)
        html = render.article(item, render.card(item, item.path), ArticleFacts()).decode()
        found.append(html.partition('ribbon.html">')[2].partition("\n")[0])
    assert found == [
        "</div>",
        '<p><a href="/en/support/">Keep it lit</a></p></aside>',
        '<p><a href="/en/support/">Support us</a></p></aside>',
        '<p><a href="/en/support/">Keep it lit</a></p></aside>',
    ]


def test_people_topics_places_and_series_lead_to_their_pages() -> None:
    html = page()
    for path in ("people/nika-orel", "people/tamar-wick", "topics/shipping", "series/selva"):
        assert f'href="/en/{path}/"' in html
    assert 'href="/en/places/port-selva/"' in html
    assert "By <a" in html
    assert "</a> and <a" in html
    assert "Photographs by <a" in html


def test_people_without_a_page_and_a_bare_byline_are_printed_without_a_link() -> None:
    nameless = page(story(people=[Term(rel="author", name="“Heron”")]))
    assert "<span>By “Heron”</span>" in nameless
    assert '<p class="byline dots">An agency</p>' in page(story(people=[], by="An agency"))


def test_times_are_those_of_the_paper_and_updates_are_said() -> None:
    html = page()
    assert '<time datetime="2026-11-22T14:05:00+02:00">22 November 2026, 14:05</time>' in html
    assert "Updated 22 November 2026, 17:20" in html
    same = page(story(version_created="2026-11-22T12:10:00+00:00"))
    assert "Updated" not in same


def test_a_correction_stands_above_the_text_with_its_date() -> None:
    html = page(story(associations=[correction("2026-11-23", "It was 41.\n<b>Not 44.</b>")]))
    assert '<time datetime="2026-11-23T09:30:00+02:00">23 November 2026</time>' in html
    assert "<p>It was 41.</p><p>&lt;b&gt;Not 44.&lt;/b&gt;</p>" in html
    assert html.index("It was 41.</p>") < html.index('class="body"')


def test_sources_say_who_reported_what_and_link_only_to_the_web() -> None:
    html = page(
        story(
            info_sources=[
                InfoSource(name="Northwind", role="agency", uri="https://n.example/?a=1&b=2"),
                InfoSource(
                    name="A clerk", role="witness", uri="javascript:alert(1)", literal="All"
                ),
                InfoSource(literal="Minutes of the council", role="unheard-of"),
            ]
        )
    )
    assert 'href="https://n.example/?a=1&amp;b=2" rel="external noopener noreferrer"' in html
    assert "<strong>A clerk</strong> <small>Witness</small> <span>All</span>" in html
    assert "<strong>Minutes of the council</strong></li>" in html
    assert "javascript" not in html


def test_a_page_without_anything_optional_is_whole() -> None:
    bare = Story(
        uri="urn:bare",
        language="ru",
        headlines=[Text(value="Только заголовок")],
        first_created="2026-01-02T03:04:05Z",
    )
    card = RENDER.card(bare, "/ru/2026/01/02/x/")
    html = RENDER.article(bare, card, ArticleFacts()).decode()
    for absent in ('class="byline', 'id="sources"', 'id="more"', "<figure", 'class="standfirst"'):
        assert absent not in html
    assert "None" not in html


def test_a_sensitive_story_asks_for_nothing() -> None:
    assert "message.html" not in page(story(genres=[Term(literal="sensitive")]))


def test_a_photo_in_the_short_form_is_filled_in_and_an_unknown_one_is_an_error() -> None:
    text = '<p>a</p>\n<figure class="photo" data-photo="urn:p&amp;1"></figure>'
    bodies = [Text(role="main", content_type="text/html", value=text)]
    shown = photo("urn:p&1", "photo", "Caption & all", "A <dog>", "Ivo")
    html = page(story(bodies=bodies, associations=[shown]))
    assert '<figure class="photo" data-photo="urn:p&amp;1"><picture>' in html
    assert "<figcaption>Caption &amp; all <small>Ivo</small></figcaption>" in html
    assert 'alt="A &lt;dog&gt;"' in html
    with pytest.raises(StoryError, match=r"Ferry owners.*urn:p&1"):
        page(story(bodies=bodies, associations=[]))


def test_a_photo_offers_modern_formats_and_one_for_everybody_each_with_its_size() -> None:
    html = figure(photo("urn:p", "photo", "C", "A", "Ivo"), sizes="100vw", eager=True)
    assert re.findall(r'type="(image/\w+)"', html) == ["image/avif", "image/webp"]
    assert re.search(r'<img src="/media/\w\w/\w{64}\.jpg" alt="A" width="960" height="640"', html)
    assert html.count(" 320w, ") == 2
    assert 'loading="eager"' in html


def test_a_photo_whose_files_are_not_ours_is_left_out() -> None:
    foreign = Story(uri="urn:p", rel="lead-photo", descriptions=[Text(role="alt", value="x")])
    assert figure(foreign, sizes="100vw") == ""
    assert "<figure" not in page(story(associations=[foreign]))


def test_a_photo_that_is_lost_still_says_what_it_showed() -> None:
    lost = photo("urn:p", "lead-photo", "The pier in 1971.", "A pier", "Ivo")
    lost.renditions = []
    html = page(story(associations=[lost]))
    assert "not in our archive): The pier in 1971. <small>Ivo</small></figcaption>" in html
    assert "<img" not in html.split("</header>")[-1].split("</figure>")[0]


@pytest.mark.parametrize(
    ("language", "words"),
    [("en", "File photo, 3 May 2019."), ("ru", "Архивное фото, 3 мая 2019."), ("xx", "File photo")],
)
def test_a_file_photo_says_so_with_its_date(language: str, words: str) -> None:
    old = photo("urn:p", "photo", "The pier.", "A pier", "Ivo")
    old.genres = [Term(literal="file-photo")]
    old.content_created = "2019-05-03T10:00:00Z"
    assert f"The pier. {words}" in figure(old, sizes="100vw", language=language)
    old.content_created = None
    assert "File photo. <small>" in figure(old, sizes="100vw", language="en")


def test_a_withdrawn_story_says_so_with_the_date_and_the_reason() -> None:
    gone = story(
        pub_status="canceled", descriptions=[Text(role="withdrawal", value="It was <forged>.")]
    )
    card = RENDER.card(gone, gone.path)
    html = RENDER.tombstone(gone, card).decode()
    assert "This story was withdrawn" in html
    assert "22 November 2026, 17:20" in html
    assert "It was &lt;forged&gt;." in html
    assert 'href="/en/corrections/"' in html
    assert '<meta name="robots" content="noindex">' in html
    assert "two pages long" not in html
    with pytest.raises(StoryError, match="Ferry owners"):
        RENDER.tombstone(story(pub_status="canceled", descriptions=[]), card)


def test_what_cannot_be_a_story_is_refused_by_name() -> None:
    with pytest.raises(StoryError, match="urn:x has no headline"):
        RENDER.card(Story(uri="urn:x", language="en"), "/x/")
    with pytest.raises(StoryError, match="does not say its language"):
        RENDER.card(story(language=None), "/x/")


def linked_data(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def test_machines_read_a_news_article() -> None:
    extruct = pytest.importorskip("extruct")
    data = extruct.extract(page(), syntaxes=["json-ld"])["json-ld"]
    article = next(item for item in data if item["@type"] == "NewsArticle")
    assert article["headline"].startswith("Ferry owners")
    assert article["datePublished"] == "2026-11-22T12:05:00+00:00"
    assert article["dateModified"] == "2026-11-22T15:20:00+00:00"
    assert [a["name"] for a in article["author"]] == ["Nika Orel", "Ivo Lant"]
    assert article["author"][0]["url"] == "https://lamp.example/en/people/nika-orel/"
    assert article["articleSection"] == "Harbour"
    assert article["inLanguage"] == "en"
    assert article["isAccessibleForFree"] is True
    assert article["publisher"]["@type"] == "NewsMediaOrganization"
    assert article["publisher"]["correctionsPolicy"] == "https://lamp.example/en/corrections/"
    assert article["correction"][0]["@type"] == "CorrectionComment"
    assert article["correction"][0]["text"].startswith("An earlier version")
    assert article["image"][0].startswith("https://lamp.example/media/")


_AWKWARD = st.text(
    st.sampled_from("</script>]]&\"'<!--😀\u200f\u202e\u2028 абв\\{}%\x7f\u0301")
    | st.characters(exclude_categories=["Cs", "Cc"]),
    min_size=1,
    max_size=40,
)


@given(_AWKWARD, _AWKWARD)
def test_no_headline_or_name_can_break_out_of_its_place(headline: str, name: str) -> None:
    item = story(
        headlines=[Text(role="main", value=f"x</script>{headline}")],
        descriptions=[Text(role="standfirst", value=headline)],
        people=[Term(rel="author", name=f"y{name}", literal="y")],
        associations=[],
        located=name,
    )
    html = page(item)
    data = linked_data(html)
    assert data["headline"] == f"x</script>{headline}"
    assert data["author"][0]["name"] == f"y{name}"  # type: ignore[index]
    assert html.count("</script>") == 2
    assert html.count("<h1>") == html.count("</h1>") == 1
