# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whole articles, for readers whose web is blocked."""

from __future__ import annotations

from tamizdat.mail import layout
from tests.mail.layout.samples import (
    FERRY,
    assert_harmless,
    classed,
    full,
    parsed,
    said,
    with_item,
)


def test_the_contents_lead_to_each_story_and_back() -> None:
    html = layout.issue(full()).html
    assert [(said(one), one[0].get("href")) for one in classed(html, "entry")] == [
        (FERRY.headline, "#story-1")
    ]
    ids = {one.get("id") for one in parsed(html).iter() if one.get("id")}
    assert {"story-1", "contents"} <= ids


def test_an_article_is_whole_and_its_pictures_are_words() -> None:
    html = layout.issue(full()).html
    (body,) = classed(html, "body")
    text = said(body)
    for part in ("The first boat left the harbour.", "Two deckhands", "Never again.", "14"):
        assert part in text
    assert "— Tomas Reyl, boatswain" in text
    assert "Picture: The pier. / Lena Orr" in text
    assert not [one for one in body.iter() if one.tag in ("img", "audio", "video", "figure")]


def test_recordings_and_documents_are_whole_links() -> None:
    (body,) = classed(layout.issue(full()).html, "body")
    links = {said(one): one.get("href") for one in body.iter("a")}
    assert links["Recording"] == "https://meridian.example/media/ab/y.mp3"
    assert links["Film"] == "https://meridian.example/media/ab/z.mp4"
    assert links["The agreement"] == "https://meridian.example/media/cc/z.pdf"
    assert links["the harbour"] == "https://meridian.example/en/2026/11/20/harbour/"


def test_plain_text_has_the_whole_article_with_its_links_under_it() -> None:
    plain = layout.issue(full()).plain
    assert "The first boat left the harbour [1]." in plain
    assert "\n[1] https://meridian.example/en/2026/11/20/harbour/\n" in plain
    assert "\n*What was agreed*\n" in plain
    assert "\n    Never again.\n" in plain
    assert "\nCrossings\nPort | 14\n" in plain
    assert "\n1. Ferry crews end their strike\n---" in plain


def test_an_article_is_cleaned_again() -> None:
    evil = (
        '<p onclick="x()">Text<script>alert(1)</script><img src="https://spy.example/p.gif">'
        '<a href="javascript:alert(1)">click</a><iframe src="https://spy.example"></iframe>'
        '<style>p{background:url(https://spy.example)}</style><form action="https://spy.example">'
        '<input></form></p><figure><audio src="javascript:alert(1)"></audio></figure></div></table>'
        '<div style="position:fixed" class="t pull story">end'
    )
    laid = layout.issue(full(evil))
    assert_harmless(laid.html)
    assert "spy.example" not in laid.html
    assert "alert" not in laid.html
    assert len(classed(laid.html, "story")) == 1
    assert classed(laid.html, "foot")


def test_a_summary_has_no_article() -> None:
    html = layout.issue(with_item(html="<p>The whole of it.</p>")).html
    assert "The whole of it." not in html
