# SPDX-License-Identifier: AGPL-3.0-or-later
"""Colours, directions, weights: what can be measured of a mail's look."""

from __future__ import annotations

import re
from importlib import resources

import msgspec
import pytest

from tamizdat.mail import layout
from tamizdat.mail.content import Heading
from tamizdat.mail.layout.look import DARK, LIGHT, look
from tamizdat.mail.layout.words import words
from tamizdat.theme.style import contrast
from tests.mail.layout.samples import (
    ARABIC,
    FERRY,
    ISSUE,
    NOTICE,
    assert_harmless,
    changed,
    classed,
    elements,
    full,
    parsed,
    said,
)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read(colours: dict[str, str]) -> None:
    assert contrast(colours["INK"], colours["PAPER"]) >= 7
    assert contrast(colours["SOFT"], colours["PAPER"]) >= 4.5


@pytest.mark.parametrize("accent", ["#ffff00", "#8c1c13", "#000000", "#ffffff"])
def test_any_accent_can_be_read(accent: str) -> None:
    seen = look("en", "ltr", accent, accent)
    (light,) = set(re.findall(r"\.a\{color:(#\w{6})\}", seen.inlined))
    dark = re.findall(r"\.t \.a\{color:(#\w{6}) !important\}", seen.dark)[0]
    assert contrast(light, LIGHT["PAPER"]) >= 4.5
    assert contrast(dark, DARK["PAPER"]) >= 4.5


def test_no_name_is_left_open_in_a_sheet() -> None:
    for direction in ("ltr", "rtl"):
        seen = look("en", direction, "#8c1c13", "#f0907f")
        assert not re.search(r"[A-Z]{3,}", seen.inlined + seen.narrow + seen.dark)


def test_the_dark_outlives_inlining() -> None:
    for html in (layout.issue(ISSUE).html, layout.notice(NOTICE).html):
        sheets = " ".join(said(one) for one in elements(html) if one.tag == "style")
        assert "@media (prefers-color-scheme: dark)" in sheets
        assert "[data-ogsc]" in sheets
        metas = {one.get("name"): one.get("content") for one in elements(html)}
        assert metas["color-scheme"] == "light dark"
        assert "color: #1c1a17" in classed(html, "i")[0].get("style", "") or classed(html, "t")


def test_right_to_left_is_mirrored() -> None:
    html = layout.issue(changed(**ARABIC)).html
    assert parsed(html).get("dir") == "rtl"
    for cell in classed(html, "t"):
        assert cell.get("align") == "right"
    (fix,) = classed(html, "fix")
    assert "border-right: 3px" in fix.get("style", "")
    assert "text-align: left" in classed(html, "signed")[0].get("style", "")
    assert not [one for one in elements(html) if "direction:ltr" in one.get("style", "")]
    assert parsed(layout.notice(msgspec.structs.replace(NOTICE, direction="rtl")).html).get(
        "dir"
    ) == "rtl"  # fmt: skip


def test_a_left_to_right_story_in_an_arabic_issue_runs_its_own_way() -> None:
    item = msgspec.structs.replace(FERRY, language="en")
    html = layout.issue(changed(**ARABIC, headings=(Heading(title="أخبار", items=(item,)),))).html
    (head,) = classed(html, "head")
    assert (head.get("lang"), head.get("dir")) == ("en", "ltr")
    assert "text-align:left" in head.get("style", "").replace(": ", ":")


def _issue_of(count: int, letter: str) -> layout.Weight:
    item = msgspec.structs.replace(
        FERRY, headline=(letter * 8 + " ") * 8, blurb=(letter * 7 + " ") * 32, byline=letter * 20
    )
    thirds = [Heading(title=f"{n}", items=(item,) * (count // 3)) for n in range(3)]
    return layout.weight(layout.issue(changed(headings=tuple(thirds))))


@pytest.mark.parametrize("letter", ["a", "ж"])
def test_a_usual_issue_is_light(letter: str) -> None:
    weight = _issue_of(12, letter)
    assert weight.html < 40_000
    assert weight.cut is None


def test_where_gmail_would_cut_is_known() -> None:
    item = msgspec.structs.replace(FERRY, html="<p>" + "words " * 4_500 + "</p>")
    other = msgspec.structs.replace(item, headline="The <other>")
    content = msgspec.structs.replace(
        ISSUE, text="full", headings=(Heading(title="N", items=(item, item, item, other, other)),)
    )
    weight = layout.weight(layout.issue(content))
    assert weight.cut == layout.GMAIL_CLIPS_AT
    assert (weight.story, weight.headline, weight.unseen) == (4, "The <other>", 1)


def test_every_language_has_the_same_words() -> None:
    folder = resources.files("tamizdat.mail.layout") / "locales"
    codes = [file.name.removesuffix(".json") for file in folder.iterdir()]
    assert {"en", "ru", "ar"} <= set(codes)
    for code in codes:
        assert words(code).keys() == words("en").keys(), code
        for key, own in words(code).items():
            fields = re.findall(r"\{\w+\}", words("en")[key])
            assert re.findall(r"\{\w+\}", own) == fields, (code, key)


@pytest.mark.parametrize(
    ("language", "day"),
    [("en", "Friday, 27 November 2026"), ("ru", "Пятница, 27 ноября 2026"), ("ar", "27 نوفمبر")],
)
def test_the_day_is_in_the_issues_language(language: str, day: str) -> None:
    assert day in layout.issue(changed(language=language)).plain


def test_a_notice_is_one_thing_with_one_button() -> None:
    html = layout.notice(NOTICE).html
    links = [(said(one), one.get("href")) for one in elements(html) if one.tag == "a"]
    assert links == [("Yes, send it to me", NOTICE.url), (NOTICE.url, NOTICE.url)]
    assert_harmless(html)


def test_a_notice_without_an_address_has_no_button() -> None:
    html = layout.notice(msgspec.structs.replace(NOTICE, url="", button="")).html
    assert not [one for one in elements(html) if one.tag == "a"]


def test_an_address_in_a_notices_words_is_a_link() -> None:
    lines = ("Open https://meridian.example/en/. Or write: desk@meridian.example.",)
    html = layout.notice(msgspec.structs.replace(NOTICE, url="", lines=lines)).html
    assert [one.get("href") for one in elements(html) if one.tag == "a"] == [
        "https://meridian.example/en/",
        "mailto:desk@meridian.example",
    ]


def test_whole_articles_stay_in_the_column() -> None:
    html = layout.issue(full()).html
    widths = [one.get("width", "") for one in elements(html)]
    assert not [width for width in widths if width.isdigit() and int(width) > 600]
