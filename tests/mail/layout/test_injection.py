# SPDX-License-Identifier: AGPL-3.0-or-later
"""Nothing that is written in an issue breaks out of its place."""

from __future__ import annotations

import re

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tamizdat.mail import layout
from tamizdat.mail.content import PREFERENCES, UNSUBSCRIBE, Heading, Item
from tests.mail.layout.samples import (
    FERRY,
    FOOT,
    ISSUE,
    NOTICE,
    assert_harmless,
    changed,
    classed,
    full,
    said,
    with_item,
)

NASTY = st.sampled_from(
    [
        "</h3><script>alert(1)</script>",
        "<!--", "-->", "<![endif]-->", "<!--[if mso]>", "]]>", "{{ 7*7 }}", "{% raw %}", "{#",
        '"><img src=x onerror=alert(1)>', "' onmouseover='x", "</td></tr></table>", "</style>",
        "</title><style>*{display:none}", "<mj-raw>", "&lt;b&gt;", "&#x3c;", "\ue000", "\x00\x1b[2",
        "\u202eoverride", "\ud800", "javascript:alert(1)", "=?utf-8?q?x?=", "\r\nBcc: x", "<a>",
    ]
)  # fmt: skip
TEXT = st.lists(st.one_of(NASTY, st.text(max_size=30)), max_size=5).map("".join)
_FEW = settings(max_examples=15, deadline=None)


def _spaceless(text: str) -> str:
    """Text as it is compared: without spaces, controls and what XML may not hold."""
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\ud800-\udfff\ue000-\ue002\ufffe\uffff]", "", text)


@_FEW
@given(TEXT, TEXT, TEXT)
@example("<b>bold</b>", "{{ c }}", "a\nb")
def test_words_of_a_story_are_only_words(headline: str, blurb: str, corrected: str) -> None:
    laid = layout.issue(
        with_item(headline=headline, blurb=blurb, corrected=corrected, byline=blurb)
    )
    assert_harmless(laid.html)
    (head,) = classed(laid.html, "head")
    assert _spaceless(said(head)) == _spaceless(headline)
    assert _spaceless("".join(said(one) for one in classed(laid.html, "blurb"))) == _spaceless(
        blurb
    )
    assert len(classed(laid.html, "story")) == 1
    assert UNSUBSCRIBE in laid.plain


@_FEW
@given(TEXT, TEXT)
def test_words_of_an_issue_are_only_words(one: str, other: str) -> None:
    content = changed(
        newsletter=one,
        paper=other,
        subject=one,
        preheader=other,
        signed=one,
        headings=(Heading(title=other, items=(FERRY,)),),
        foot=msgspec.structs.replace(FOOT, postal=one),
    )
    laid = layout.issue(content)
    assert_harmless(laid.html)
    assert _spaceless(said(classed(laid.html, "title")[0])) == _spaceless(one)
    for text in (laid.html, laid.plain):
        assert text.count(UNSUBSCRIBE) == 1
        assert text.count(PREFERENCES) == 1


@_FEW
@given(TEXT)
def test_html_of_a_newsroom_is_tamed(html: str) -> None:
    laid = layout.issue(changed(note=html, contribution=html))
    assert_harmless(laid.html)
    assert len(classed(laid.html, "story")) == 2
    assert_harmless(layout.issue(full(html)).html)


@_FEW
@given(st.one_of(TEXT, TEXT.map("javascript:".__add__), TEXT.map("https://x.example/".__add__)))
@example("data:text/html,<script>alert(1)</script>")
@example("//meridian.example/en/")
def test_an_address_is_a_link_only_where_it_may_be_one(url: str) -> None:
    foot = msgspec.structs.replace(FOOT, web=url, privacy=url, contact=url, entries=(url,))
    content = changed(
        address=url, foot=foot, headings=(Heading(title="N", items=(Item(headline="H", url=url),)),)
    )
    assert_harmless(layout.issue(content).html)


@_FEW
@given(TEXT, TEXT)
def test_words_of_a_notice_are_only_words(one: str, other: str) -> None:
    notice = msgspec.structs.replace(
        NOTICE, subject=one, lines=(one, other), after=(other,), button=one, paper=other
    )
    laid = layout.notice(notice)
    assert_harmless(laid.html)
    assert _spaceless(said(classed(laid.html, "say")[0])) == _spaceless(one)
    assert laid.plain.count(PREFERENCES) == 1


@_FEW
@given(st.text(max_size=400), st.integers(1, 3))
def test_plain_text_stays_within_its_columns(text: str, times: int) -> None:
    words = " ".join([text] * times)
    plain = layout.issue(changed(note=f"<p>{words.replace('<', '')}</p>", signed=text[:60])).plain
    for line in plain.splitlines():
        assert len(line) <= 72 or " " not in line.strip("\u200f ").partition("] ")[2]


def test_a_placeholder_in_somebodys_words_is_not_mistaken() -> None:
    """Only addresses of the foot hold them: sending replaces what was counted here."""
    assert layout.issue(ISSUE).html.count("TOKEN-") == 2


_TAGS = st.sampled_from(
    "p h2 h3 ul ol li blockquote figure figcaption table caption tr td th aside div cite small "  # noqa: SIM905
    "span a em audio video picture img iframe script style pre section".split()
)
_ATTRIBUTES = st.sampled_from(
    [
        "", ' href="/en/"', ' href="javascript:x"', ' src="/media/a.mp3"', ' src="//spy.example"',
        ' class="pull"', ' class="photo"', ' style="position:fixed"', ' onclick="x()"',
    ]
)  # fmt: skip


def _element(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    parts = st.tuples(_TAGS, _ATTRIBUTES, st.lists(inside, max_size=3), st.booleans())
    return parts.map(
        lambda e: f"<{e[0]}{e[1]}>{''.join(e[2])}" + (f"</{e[0]}>" if e[3] else "") + "tail"
    )


_TREES = st.recursive(st.sampled_from(["words", "", "two words"]), _element, max_leaves=12)


@_FEW
@given(_TREES)
@example("<figure class='photo'><figcaption>a<figure><audio src='/m'></audio></figure></figure>")
@example("<table><tr><td><table><tr><td>x</td></tr></table></td></tr></table>")
@example("<aside><aside><p>x</p></aside><cite><cite>y</cite></cite></aside>")
def test_any_tree_of_tags_is_laid_out(html: str) -> None:
    laid = layout.issue(full(html))
    assert_harmless(laid.html)
    assert len(classed(laid.html, "story")) == 1
    assert len(classed(laid.html, "foot")) == 1
    assert layout.issue(changed(note=html)).plain.count(UNSUBSCRIBE) == 1
