# SPDX-License-Identifier: AGPL-3.0-or-later
"""The letterbox's pages: whole HTML, in the reader's language, loading nothing."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import html5lib
import pytest

from tamizdat.drop.errors import FieldError
from tamizdat.drop.pages import DONE, FORMS, REFUSALS, TOKENS, Pages, words
from tamizdat.theme.style import csp_hash
from tests.drop.machines import InProcess, in_process, make_folder

LANGUAGES = ("en", "ru", "ar")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    folder = make_folder(
        tmp_path_factory.mktemp("drop"),
        languages=[*LANGUAGES, "uk"],
        privacy_page="https://lamp.example/{language}/privacy/",
    )
    return Pages(folder.settings)


def every_page(pages: Pages, language: str) -> dict[str, bytes]:
    found = {f"form {kind}": pages.form(kind, language) for kind in (*FORMS, *TOKENS)}
    found |= {f"done {kind}": pages.done(kind, language) for kind in DONE}
    found["sure"] = pages.sure(language)
    found |= {code: pages.refusal(code, language) for code in REFUSALS}
    for kind, fields in (
        ("subscribe", ("address", "newsletters", "privacy")),
        ("remind", ("address", "months", "privacy")),
        ("message", ("text", "name", "contact", "story")),
        ("preferences", ("address", "pause_until", "newsletters", "text", "ask")),
    ):
        for field in fields:
            said = {"text": ["<&\"'"], field: ["<&\"'"]}
            wrong = pages.again(kind, language, said, FieldError(field, "is wrong"))
            found[f"wrong {kind} {field}"] = wrong
    return found


@pytest.mark.parametrize("language", [*LANGUAGES, "uk"])
def test_every_page_is_whole_and_loads_nothing(pages: Pages, language: str) -> None:
    for name, page in every_page(pages, language).items():
        parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
        tree = parser.parse(page)
        assert tree.find(".//script") is None, name
        assert tree.find(".//img") is None, name
        assert not [e for e in tree.iter() if e.get("style") or e.get("onclick")], name
        style = tree.find(".//style")
        assert csp_hash(style.text) in pages.policy, name
        ids = [e.get("id") for e in tree.iter() if e.get("id")]
        assert len(ids) == len(set(ids)) or name.startswith("form pref"), (name, ids)
        labelled = {e.get("for") for e in tree.iter("label")}
        for field in (e for e in tree.iter() if e.tag in ("input", "textarea", "select")):
            named = field.get("aria-labelledby") or field.get("id") in labelled
            inside = field in [i for label in tree.iter("label") for i in label.iter()]
            assert field.get("type") == "hidden" or named or inside, (name, field.attrib)


def test_every_language_says_everything() -> None:
    def keys(language: str) -> set[str]:
        found = words(language)
        return {key for key in found if not key.startswith("remind.months.")}

    assert keys("ru") == keys("en") == keys("ar")
    for language in LANGUAGES:
        assert all(words(language).values())
        for value in words(language).values():
            assert set(re.findall(r"\{(\w+)\}", value)) <= {"n"}


def test_arabic_runs_from_right_to_left(pages: Pages) -> None:
    assert b'<html lang="ar" dir="rtl">' in pages.form("message", "ar")


def test_the_newsroom_is_called_as_its_paper_is_in_each_language(tmp_path: Path) -> None:
    with in_process(tmp_path / "drop", names={"en": "The Meridian", "ru": "Меридиан"}) as drop:
        heads = {
            language: re.search(
                r'class="name"><a href="[^"]*">([^<]*)<',
                drop.ask("GET", f"/v1/message?language={language}").text,
            )
            for language in ("en", "ru", "ar")
        }
    assert {language: found and found[1] for language, found in heads.items()} == {
        "en": "The Meridian",
        "ru": "Меридиан",
        "ar": "The Meridian",
    }


def test_a_language_without_words_is_answered_in_english_and_kept(pages: Pages) -> None:
    page = pages.form("message", "uk").decode()
    assert '<html lang="en" dir="ltr">' in page
    assert '<input type="hidden" name="language" value="uk">' in page


@pytest.mark.parametrize(
    ("asked", "accepted", "wanted"),
    [("ru", "ar", "ru"), ("", "fr, ar;q=0.5", "ar"), ("xx", "", "en"), ("", "ru-RU,en", "ru"),
     ("ru-UA", "", "ru"), ("<b>", "*", "en"), ("", "," * 4000, "en")],
)  # fmt: skip
def test_the_readers_language_is_found(
    pages: Pages, asked: str, accepted: str, wanted: str
) -> None:
    assert pages.language(asked, accepted) == wanted


def test_a_message_about_a_page_names_it_escaped(drop: InProcess) -> None:
    reply = drop.ask("GET", "/v1/message?story=/en/%3Cb%3E/&language=en")
    assert "<bdi>/en/&lt;b&gt;/</bdi>" in reply.text


@pytest.mark.parametrize("story", ["Your account is closed", "/en/ call 555-0100", "//\n"])
def test_words_that_are_no_page_are_not_shown(drop: InProcess, story: str) -> None:
    reply = drop.ask("GET", f"/v1/message?story={quote(story)}&language=en")
    assert reply.status == 200
    assert 'name="story"' not in reply.text


def test_without_https_no_browser_is_told_to_insist_on_it(tmp_path: Path) -> None:
    with in_process(tmp_path / "drop", https=False) as drop:
        reply = drop.ask("GET", "/v1/message")
        assert "strict-transport-security" not in reply.headers


def test_without_newsletters_nobody_is_asked_for_an_address(tmp_path: Path) -> None:
    with in_process(tmp_path / "drop", newsletters=[]) as drop:
        page = drop.ask("GET", "/v1/subscribe?language=en").text
        assert "no newsletter at present" in page
        assert "<form" not in page


def test_one_newsletter_needs_no_choice(tmp_path: Path) -> None:
    with in_process(tmp_path / "drop", newsletters=[{"slug": "weekly"}]) as drop:
        page = drop.ask("GET", "/v1/subscribe").text
        assert '<input type="hidden" name="newsletters" value="weekly">' in page
        assert 'type="checkbox" name="newsletters"' not in page
