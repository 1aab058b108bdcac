# SPDX-License-Identifier: AGPL-3.0-or-later
"""The theme's words in each language, its dates, its colours."""

# ruff: noqa: E501 - tables of words.
from __future__ import annotations

import json
import re
import string
from datetime import date
from importlib import resources
from pathlib import Path

import pytest
from babel import Locale
from babel.dates import format_date
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.theme.style import PAPER, PAPER_DARK, contrast, minify, readable
from tamizdat.theme.words import Calendar, Words, endonym, writer

LOCALES = Path(str(resources.files("tamizdat.theme"))) / "locales"
ENGLISH = json.loads((LOCALES / "en.json").read_text())


def holes(words: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(words) if name}


@pytest.mark.parametrize("code", sorted(path.stem for path in LOCALES.glob("*.json")))
def test_a_language_has_every_word_with_the_same_holes_and_every_plural(code: str) -> None:
    words = json.loads((LOCALES / f"{code}.json").read_text())
    assert set(words) == set(ENGLISH)
    for key, value in ENGLISH.items():
        assert type(words[key]) is type(value), key
        if isinstance(value, str):
            assert words[key], key
            assert holes(words[key]) == holes(value), key
        else:
            assert set(words[key]) == set(Locale.parse(code).plural_form.tags) | {"other"}, key


def test_every_word_that_templates_and_code_ask_for_exists_and_none_is_idle() -> None:
    theme = Path(str(resources.files("tamizdat.theme")))
    render = Path(str(resources.files("tamizdat.edition.render")))
    source = "".join(p.read_text() for p in (theme / "templates").glob("*.html"))
    asked = set(re.findall(r"\bt\.(\w+)", source))
    code = "".join(p.read_text() for p in render.glob("*.py"))
    quoted = set(re.findall(r"[\"']([a-z_]+)[\"']", code))
    assert asked <= set(ENGLISH)
    made = {k for k in ENGLISH if re.match(r"(kind|index|by|source)_", k)}
    assert set(ENGLISH) - asked - quoted - made == set()


def test_counts_take_the_form_of_the_language() -> None:
    russian = Words("ru")
    assert [russian.count("minutes", n) for n in (1, 2, 5, 21)] == [
        "1 минута чтения", "2 минуты чтения", "5 минут чтения", "21 минута чтения",
    ]  # fmt: skip
    assert Words("en").count("minutes", 1) == "1 minute to read"
    assert Words("ar").count("minutes", 3) == "3 دقائق قراءة"


@pytest.mark.parametrize(
    ("code", "day", "weekday", "label", "month"),
    [
        ("en", "2 November 2026", "Monday, 2 November 2026", "Monday, 2 November", "November 2026"),
        ("ru", "2 ноября 2026", "Понедельник, 2 ноября 2026", "Понедельник, 2 ноября", "Ноябрь 2026"),
        ("ar", "2 نوفمبر 2026", "الاثنين، 2 نوفمبر 2026", "الاثنين، 2 نوفمبر", "نوفمبر 2026"),
        ("de", "2. November 2026", "Montag, 2. November 2026", "Montag, 2. November", "November 2026"),
    ],
)  # fmt: skip
def test_dates_are_those_of_the_language(
    code: str, day: str, weekday: str, label: str, month: str
) -> None:
    calendar = Calendar(Words(code).locale, "Europe/Vilnius")
    second = date(2026, 11, 2)
    assert calendar.day(second) == day
    assert calendar.weekday(second) == weekday
    assert calendar.day_label(second) == label
    assert calendar.month(2026, 11) == month
    assert calendar.month(2026, 0) == "2026"


@pytest.mark.parametrize(
    "code", ["en_GB", "ru", "ar", "uk", "be", "ka", "hy", "fa", "zh", "th", "gez"]
)
@pytest.mark.parametrize("form", ["long", "full"])
def test_dates_are_written_as_babel_writes_them(code: str, form: str) -> None:
    locale = Locale.parse(code)
    write = writer(locale.date_formats[form].pattern, locale)
    days = [date(2024, month, 3 * month) for month in range(1, 8)] + [date(1999, 12, 31)]
    assert list(map(write, days)) == [format_date(day, form, locale=locale) for day in days]


def test_an_unknown_language_speaks_english() -> None:
    assert Words("tlh")["read_more"] == "Read more"
    assert Words("pt-BR")["read_more"] == "Read more"
    assert endonym("pt-BR").startswith("Português")
    assert endonym("ru") == "Русский"
    assert endonym("tlh") == "tlh"


@pytest.mark.parametrize(
    ("code", "joined"), [("en", "A, B and C"), ("ru", "A, B и C"), ("ar", "A وB وC")]
)
def test_names_are_joined_as_the_language_does(code: str, joined: str) -> None:
    words = Words(code)
    assert words.join(["A", "B", "C"]) == joined
    assert words.join(["A"]) == "A"
    assert words.join([]) == ""


@given(st.integers(0, 0xFFFFFF), st.sampled_from([PAPER, PAPER_DARK]))
def test_any_accent_becomes_readable_on_the_page(colour: int, page: str) -> None:
    assert contrast(readable(f"#{colour:06x}", page), page) >= 4.5


def test_a_readable_accent_is_left_alone() -> None:
    assert readable("#8c1c13", PAPER) == "#8c1c13"
    assert readable("#f0907f", PAPER_DARK) == "#f0907f"
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def canonical(css: str) -> str:
    tinycss2 = pytest.importorskip("tinycss2")
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    assert not [rule for rule in rules if rule.type == "error"]
    text = re.sub(r"/\*.*?\*/", "", "".join(rule.serialize() for rule in rules), flags=re.DOTALL)
    return re.sub(r"\s", "", text).replace(";}", "}")


@pytest.mark.parametrize("sheet", ["base", "article", "list"])
def test_small_css_is_the_same_css(sheet: str) -> None:
    css = (LOCALES.parent / "css" / f"{sheet}.css").read_text()
    assert canonical(minify(css)) == canonical(css)
    assert len(minify(css)) < len(css)
