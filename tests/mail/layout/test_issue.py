# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers see of an issue."""

from __future__ import annotations

import html5lib
import msgspec
import pytest

from tamizdat.mail import layout
from tamizdat.mail.content import PREFERENCES, UNSUBSCRIBE, File, Heading, Item
from tamizdat.mail.errors import LayoutError
from tests.mail.layout.samples import (
    FERRY,
    FOOT,
    ISSUE,
    assert_harmless,
    changed,
    classed,
    elements,
    full,
    parsed,
    said,
    with_item,
)


def outline(html: str) -> list[tuple[str, str]]:
    return [(one.tag, said(one)) for one in elements(html) if one.tag in ("h1", "h2", "h3")]


def test_an_issue_is_its_name_its_headings_and_their_stories_in_order() -> None:
    assert outline(layout.issue(ISSUE).html) == [
        ("h1", "The Friday Letter"),
        ("h2", "News"),
        ("h3", "Ferry crews end their strike"),
        ("h2", "Inquiry"),
        ("h3", "The pier that was paid for twice"),
    ]


def test_the_head_names_paper_number_and_day() -> None:
    html = layout.issue(ISSUE).html
    assert [said(one) for one in classed(html, "name")] == ["The Meridian"]
    assert [said(one) for one in classed(html, "strip")] == ["No. 47 · Friday, 27 November 2026"]


def test_a_story_has_one_link_its_headline() -> None:
    links = list(parsed(layout.issue(ISSUE).html).iter("a"))
    assert [said(one) for one in links if one.get("href") == FERRY.url] == [FERRY.headline]


def test_a_story_says_who_wrote_it_how_long_it_is_and_what_was_corrected() -> None:
    html = layout.issue(ISSUE).html
    assert [said(one) for one in classed(html, "meta")] == [
        "Jon Tal · 6 minutes to read",
        "Ana Beridze · 11 minutes to read",
    ]
    assert [said(one) for one in classed(html, "fix")] == [
        "Corrected: The pier is forty metres long, not sixty."
    ]


def test_the_note_is_a_letter_and_signed() -> None:
    html = layout.issue(ISSUE).html
    assert [said(one) for one in classed(html, "note")] == ["Dear readers,see the pier."]
    assert [said(one) for one in classed(html, "signed")] == ["Mira Valdis"]
    links = [one.get("href") for one in elements(html) if one.tag == "a"]
    assert "https://meridian.example/en/2026/11/23/pier/" in links


def test_the_picture_travels_along_with_its_words() -> None:
    html = layout.issue(ISSUE).html
    (picture,) = parsed(html).iter("img")
    assert picture.get("src") == "cid:picture@issue"
    assert picture.get("alt") == "Three boats in fog"
    assert (picture.get("width"), picture.get("height")) == ("560", "373")
    assert said(classed(html, "caption")[0]) == "The first morning. / Lena Orr"


def test_a_picture_is_fetched_only_where_the_newsroom_chose_so() -> None:
    assert ISSUE.picture
    src = "https://meridian.example/media/aa/b.jpg"
    picture = msgspec.structs.replace(ISSUE.picture, cid="", src=src)
    assert_harmless(layout.issue(changed(picture=picture)).html, remote=src)
    nowhere = msgspec.structs.replace(picture, src="")
    assert "<img" not in layout.issue(changed(picture=nowhere)).html


def test_an_issue_fetches_nothing_and_runs_nothing() -> None:
    assert_harmless(layout.issue(ISSUE).html)
    assert_harmless(layout.issue(full()).html)


def test_placeholders_come_out_whole() -> None:
    laid = layout.issue(ISSUE)
    for text in (laid.html, laid.plain):
        assert text.count(UNSUBSCRIBE) == 1
        assert text.count(PREFERENCES) == 1
    links = [one.get("href") for one in elements(laid.html) if one.tag == "a"]
    assert FOOT.unsubscribe in links
    assert FOOT.preferences in links


def test_the_foot_says_why_and_leads_out() -> None:
    html = layout.issue(ISSUE).html
    (foot,) = classed(html, "foot")
    links = {said(one): one.get("href") for one in foot.iter("a")}
    assert links["Unsubscribe"] == FOOT.unsubscribe
    assert links["Change what you get"] == FOOT.preferences
    assert links["Privacy policy"] == FOOT.privacy
    assert links["Write to us"] == "mailto:desk@meridian.example"
    assert [links[entry] for entry in FOOT.entries] == list(FOOT.entries)
    assert "because you signed up for it" in said(foot)
    assert "293a4b5c 6d7e8f90 12ab34cd 56ef7890" in said(foot)
    assert FOOT.postal in said(foot)


def test_an_attached_reader_is_explained_and_a_picture_is_not_called_one() -> None:
    reader = File(name="reader.html", media_type="text/html", sha256="00")
    picture = msgspec.structs.replace(reader, cid="picture@issue")
    assert "Attached is the reader" in layout.issue(changed(files=(reader,))).html
    assert "Attached is the reader" in layout.issue(changed(files=(reader,))).plain
    assert "Attached is the reader" not in layout.issue(changed(files=(picture,))).html


def test_the_preheader_is_hidden_and_comes_first() -> None:
    html = layout.issue(ISSUE).html
    (hidden,) = classed(html, "pre")
    assert said(hidden).startswith("Nine days without ferries.")
    assert "display: none" in hidden.get("style", "").replace("display:none", "display: none")
    assert html.index("Nine days") < html.index("The Meridian</a>")
    assert not classed(layout.issue(changed(preheader="")).html, "pre")


def test_what_is_not_there_leaves_nothing_behind() -> None:
    bare = changed(
        note="",
        signed="",
        preheader="",
        picture=None,
        contribution="",
        headings=(Heading(title="News", items=(Item(headline="Rain", url=""),)),),
        foot=msgspec.structs.replace(FOOT, entries=(), fingerprint="", postal="", contact=""),
    )
    laid = layout.issue(bare)
    for name in ("note", "signed", "photo", "ask", "meta", "kicker", "blurb", "fix", "key", "pre"):
        assert not classed(laid.html, name), name
    assert not [p for p in parsed(laid.html).iter("p") if not said(p)]
    assert "\n\n\n" not in laid.plain


def test_the_same_content_gives_the_same_mail() -> None:
    assert layout.issue(ISSUE) == layout.issue(msgspec.structs.replace(ISSUE))


def test_the_plain_text_alone_is_that_of_the_mail() -> None:
    assert layout.plain(ISSUE) == layout.issue(ISSUE).plain


def test_html5_parsers_have_nothing_to_mend() -> None:
    for content in (ISSUE, full()):
        html5lib.HTMLParser(strict=True).parse(layout.issue(content).html)


def test_a_day_that_is_none_is_refused_in_words() -> None:
    with pytest.raises(LayoutError, match="next Friday"):
        layout.issue(changed(day="next Friday"))


def test_a_colour_that_is_none_is_refused_in_words() -> None:
    with pytest.raises(LayoutError, match="#8c1c13"):
        layout.issue(changed(accent="red;} body{display:none"))


def test_a_language_without_words_speaks_english() -> None:
    html = layout.issue(changed(language="fi")).html
    assert "Unsubscribe" in html
    assert parsed(html).get("lang") == "fi"


def test_a_story_in_another_language_says_so() -> None:
    html = layout.issue(with_item(language="ru", headline="Паромы")).html
    assert [one.get("lang") for one in classed(html, "head")] == ["ru"]
