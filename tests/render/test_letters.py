# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page on which readers write to the desk."""

from __future__ import annotations

import re

import brotli
import msgspec
import pytest
from lxml import html

from tamizdat.drop.kinds import KINDS
from tamizdat.edition.errors import SiteError
from tamizdat.edition.render import PageRenderer
from tamizdat.edition.site import Letters, Page, Section, Site

from .newsroom import SITE
from .paper import paper

CODES = [language.code for language in SITE.languages]
ONE_CONNECTION = 14_000  # bytes: some networks freeze a connection after about 16 kB


def policy(page: bytes) -> dict[str, set[str]]:
    found = re.search(rb'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert found is not None
    rules = (rule.split() for rule in found[1].decode().split(";"))
    return {name: set(to) for name, *to in rules}


def field_names(page: bytes) -> set[str]:
    form = html.fromstring(page).forms[0]
    return {field.get("name") for field in form.xpath(".//input|.//textarea") if field.get("name")}


@pytest.mark.parametrize("code", CODES)
def test_the_form_is_one_that_a_drop_understands_without_script(code: str) -> None:
    page = paper()[f"/{code}/write/"]
    form = html.fromstring(page).forms[0]
    assert (form.method, form.action) == ("POST", "https://drop.lamp.example/v1/message")
    assert field_names(page) == {*KINDS["message"].fields, "language", "website"}
    assert form.fields["language"] == code
    assert form.xpath(".//button[not(@type) or @type='submit']")


@pytest.mark.parametrize("code", CODES)
def test_what_the_page_allows_in_a_field_is_what_the_kind_allows(code: str) -> None:
    form = html.fromstring(paper()[f"/{code}/write/"]).forms[0]
    longest = {f.get("name"): int(f.get("maxlength")) for f in form.xpath(".//*[@maxlength]")}
    assert longest == {"text": 10_000, "contact": 254, "name": 200, "story": 500}
    for name, most in longest.items():
        check = KINDS["message"].fields[name].check
        assert check("x" * most) == "x" * most
        with pytest.raises(ValueError, match="longer"):
            check("x" * (most + 1))


@pytest.mark.parametrize("code", CODES)
def test_every_field_has_a_label_and_its_hint_is_read_out(code: str) -> None:
    page = html.fromstring(paper()[f"/{code}/write/"])
    for field in page.xpath("//form//*[@maxlength]"):
        assert page.xpath(f"//label[@for='{field.get('id')}']")
        for hint in (field.get("aria-describedby") or "").split():
            assert page.get_element_by_id(hint).text_content()


@pytest.mark.parametrize("code", CODES)
def test_the_reader_is_told_what_is_not_hidden_before_the_form(code: str) -> None:
    page = paper()[f"/{code}/write/"].decode()
    assert page.index('class="before"') < page.index("<form")
    assert page.count("<dt>") == 3
    assert "Tor" in page or "تور" in page


def test_only_a_page_with_a_form_may_send_anything_to_anybody_and_to_the_drops_alone() -> None:
    drops = {"https://drop.lamp.example", "https://letters.friends.example"}
    for path, page in paper().items():
        if not path.endswith("/") or "moved" in path:
            continue
        forms = ("/write/", "/newsletter/", "/newsletter/weekly/", "/newsletter/courts/")
        if path.endswith("/support/"):
            continue  # From there a letterbox leads on: test_giving.
        allowed = {"'self'"} | (drops if path.endswith(forms) else set())
        assert policy(page)["form-action"] == allowed, path
        assert policy(page)["connect-src"] == allowed, path


@pytest.mark.parametrize("code", CODES)
def test_the_page_and_its_script_come_through_a_connection_that_freezes(code: str) -> None:
    assert len(brotli.compress(paper()[f"/{code}/write/"], quality=5)) < ONE_CONNECTION
    assert len(brotli.compress(paper()["/assets/forms.js"])) < 10_000


def test_every_page_leads_to_it_where_there_are_drops_else_to_the_mail_address() -> None:
    about = paper()["/ru/about/"].decode()
    assert '<a href="/ru/write/" data-write>' in about
    assert "mailto:" not in about
    without = msgspec.structs.replace(SITE, letters=Letters())
    assert 'href="mailto:desk@lamp.example"' in PageRenderer(without).not_found("ru").decode()
    assert "/assets/forms.js" not in PageRenderer(without).assets()


def test_another_drop_changes_no_other_page_the_first_one_all_of_them() -> None:
    other = msgspec.structs.replace(
        SITE, letters=msgspec.structs.replace(SITE.letters, drops=("https://third.example",))
    )
    without = msgspec.structs.replace(SITE, letters=Letters())
    assert PageRenderer(other).fingerprint == PageRenderer(SITE).fingerprint
    assert PageRenderer(without).fingerprint != PageRenderer(SITE).fingerprint


@pytest.mark.parametrize(
    ("letters", "says"),
    [
        (Letters(drops=("drop.example",), recipient=SITE.letters.recipient), "https://drop"),
        (Letters(drops=("https://a/b",), recipient=SITE.letters.recipient), "https://drop"),
        (Letters(drops=("https://a; script-src *",)), "https://drop"),
        (Letters(drops=("https://a.example",), recipient="age1x"), "no age recipient"),
        (Letters(drops=("https://a.example",)), "no age recipient"),
    ],
)
def test_letterboxes_that_cannot_be_are_refused(letters: Letters, says: str) -> None:
    with pytest.raises(SiteError, match=says):
        msgspec.structs.replace(SITE, letters=letters).check()


@pytest.mark.parametrize("what", ["sections", "pages"])
def test_a_page_of_the_newsroom_keeps_its_address_until_there_is_a_letterbox(what: str) -> None:
    one = Section(slug="write", title="Write")
    own = (Page(slug="write", title="Write", html="<p>How.</p>"),) if what == "pages" else (one,)
    language = msgspec.structs.replace(SITE.languages[0], newsletters=(), **{what: own})
    site: Site = msgspec.structs.replace(SITE, languages=(language,))
    assert msgspec.structs.replace(site, letters=Letters()).check()
    with pytest.raises(SiteError, match="write to the desk"):
        site.check()
