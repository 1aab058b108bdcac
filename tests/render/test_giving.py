# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where readers give, and the messages that ask: what they say, weigh and need."""

from __future__ import annotations

import re
from typing import Any

import brotli
import html5lib
import msgspec
import pytest

from tamizdat.edition.errors import SiteError
from tamizdat.edition.render import PageRenderer
from tamizdat.edition.site import (
    AskFragment,
    AskPlace,
    AskVariant,
    Giving,
    Letters,
    Page,
    Section,
    Site,
)
from tamizdat.edition.story import Term
from tamizdat.edition.views import ArticleFacts
from tamizdat.giving.form import choice_of
from tamizdat.theme.words import giving_words

from .newsroom import SITE, story
from .paper import paper

CODES = ("en", "ru", "ar")
LIGHT, FIRST_LOAD = 10_000, 2_000  # bytes, compressed
TEXT = (
    "<p>The harbour froze on Tuesday, and we told you why on Wednesday. Nobody pays for that but "
    "readers: from <strong>$2 a month</strong>, and it is quick to set up.</p>"
)
TITLES = {
    "en": "We stay because you read", "ru": "Мы есть, пока вы читаете", "ar": "نبقى لأنكم تقرؤون"
}  # fmt: skip


def ask(place: AskPlace, code: str = "en", **more: Any) -> AskFragment:
    variants = (
        AskVariant(slug="plain", weight=2, title=TITLES[code], html=TEXT),
        AskVariant(slug="short", weight=1, title=TITLES[code], html="", button="OK"),
    )
    facts: dict[str, Any] = {"slug": "autumn", "place": place, "variants": variants, **more}
    return AskFragment(**facts)


def asking(*asks: AskFragment, site: Site = SITE) -> Site:
    languages = [msgspec.structs.replace(one, asks=asks) for one in site.languages]
    return msgspec.structs.replace(site, languages=tuple(languages))


def fragment(place: AskPlace, *asks: AskFragment, code: str = "en") -> str:
    return PageRenderer(asking(*(asks or (ask(place, code),)))).ask(code, place).decode()


def support(code: str = "en", site: Site = SITE) -> str:
    return PageRenderer(site).support(code).decode()


# The page


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("path", ["support/", "support/thanks/"])
def test_it_weighs_less_than_a_frozen_connection_lets_through(code: str, path: str) -> None:
    page = paper()[f"/{code}/{path}"]
    assert len(brotli.compress(page, quality=5)) <= LIGHT


@pytest.mark.parametrize("code", CODES)
def test_the_warning_stands_before_anything_is_asked(code: str) -> None:
    page = support(code)
    assert page.index('class="warning"') < page.index("<form")
    assert giving_words(code)["support"]["warning_friend"].replace("'", "&#x27;") in page


def test_without_script_the_form_holds_every_kind_and_goes_to_a_letterbox() -> None:
    tree = html5lib.parse(support(), namespaceHTMLElements=False)
    form = next(one for one in tree.iter("form") if one.get("id") == "give")
    assert form.get("action") == "https://drop.lamp.example/v1/give"
    assert form.get("method") == "post"
    sent: dict[str, list[str]] = {}
    for one in form.iter("input"):
        if one.get("type") in ("radio", "checkbox") and one.get("checked") is None:
            continue
        sent.setdefault(one.get("name"), []).append(one.get("value") or "")
    choice = choice_of(sent, "en")
    assert (choice.kind, choice.amount, choice.currency) == ("monthly", 500, "USD")
    assert (choice.back, choice.intent, choice.behalf) == ("https://lamp.example", "", False)
    for kind, amount in (("once", 5000), ("annual", 6000)):
        assert choice_of({**sent, "kind": [kind]}, "en").amount == amount


def test_nothing_is_ticked_for_the_reader_and_one_amount_is_recommended_a_kind() -> None:
    page = support()
    assert not re.search(r'type="checkbox"[^>]*checked', page)
    assert page.count("recommended</small>") == 6  # Two currencies.
    assert page.count('value="5.00 USD"') == 1


def test_the_page_may_lead_to_the_provider_and_no_other_page_may() -> None:
    assert "form-action 'self' https://drop.lamp.example" in support()
    assert "https://pay.example" in support().split("form-action")[1][:200]
    assert "https://pay.example" not in paper()["/en/2026/11/22/s0/"].decode()


def test_what_the_newsroom_wrote_of_it_stands_on_the_page() -> None:
    own = Page(slug="support", title="Keep the lamp lit", html="<p>Oil costs money.</p>")
    first, *rest = SITE.languages
    site = msgspec.structs.replace(
        SITE, languages=(msgspec.structs.replace(first, pages=(*first.pages, own)), *rest)
    )
    assert "<p>Oil costs money.</p>" in support(site=site)
    front = PageRenderer(site).not_found("en").decode()
    assert '<a href="/en/support/">Keep the lamp lit</a>' in front


def test_asking_to_be_reminded_agrees_to_the_policy_as_it_is_now() -> None:
    page = support()
    assert '<a href="/en/privacy/v2/">privacy policy, version 2</a>' in page
    assert '<input type="hidden" name="privacy" value="2">' in page
    assert 'action="https://drop.lamp.example/v1/remind"' in page


def test_amounts_are_written_as_the_language_writes_them() -> None:
    assert "$5<" in support("en")
    assert "5\xa0$<" in support("ru")


@pytest.mark.parametrize("field", ["letters", "giving"])
def test_where_nobody_takes_it_nothing_is_offered(field: str) -> None:
    empty = {"letters": Letters(), "giving": Giving()}[field]
    site = msgspec.structs.replace(SITE, **{field: empty})
    assert not site.gives
    assert b"/support/" not in PageRenderer(site).not_found("en")
    assert PageRenderer(asking(ask("ribbon"), site=site)).ask("en", "ribbon") == b""
    assert PageRenderer(site).fingerprint != PageRenderer(SITE).fingerprint


def test_a_section_cannot_stand_where_readers_give() -> None:
    first, *rest = SITE.languages
    taken = msgspec.structs.replace(first, sections=(Section(slug="support", title="Support"),))
    with pytest.raises(SiteError, match="where readers give"):
        msgspec.structs.replace(SITE, languages=(taken, *rest)).check()
    assert SITE.reserves(first, "support")


def test_a_sensitive_page_asks_for_nothing() -> None:
    item = story(genres=[Term(literal="sensitive", name="Sensitive")])
    render = PageRenderer(SITE)
    page = render.article(item, render.card(item, "/en/2026/11/22/x/"), ArticleFacts()).decode()
    assert "ribbon.html" not in page
    assert "message.html" not in page
    assert 'data-fragment="/fragments/en/latest.html"' in page


def test_the_page_where_readers_give_does_not_ask_once_more() -> None:
    assert "ribbon.html" not in support()


# Messages


@pytest.mark.parametrize("code", CODES)
def test_ribbon_and_message_add_two_kilobytes_at_most(code: str) -> None:
    """To the first load of a page: what they are, and the script that shows them."""
    site = asking(ask("ribbon", code), ask("message", code, goal=1_000_000, currency="USD"))
    render = PageRenderer(site)
    parts = (
        render.ask(code, "ribbon"),
        render.ask(code, "message"),
        render.assets()["/assets/asks.js"],
    )
    costs = [len(brotli.compress(one)) for one in parts]
    assert sum(costs) <= FIRST_LOAD, costs


def test_a_message_leads_to_the_page_with_its_choice_kept() -> None:
    html = fragment("message")
    assert (
        "/en/support/#kind=monthly&amp;amount=5.00&amp;currency=USD&amp;message=autumn&amp;variant=plain"
        in html
    )
    assert "/en/support/#remind&amp;message=autumn&amp;variant=short" in html


def test_a_message_says_whom_when_and_how_often() -> None:
    html = fragment(
        "message",
        ask("message", begins="2026-11-01T00:00:00Z", sections=("news", "courts"), most=3, days=30),
    )
    assert 'data-begins="2026-11-01T00:00:00Z"' in html
    assert 'data-sections="news courts"' in html
    assert 'data-most="3" data-days="30"' in html
    assert "data-ends" not in html
    assert 'data-again="90"' in html


def test_the_thermometer_says_in_words_how_far_it_is() -> None:
    html = fragment("message", ask("message", goal=1_000_000, reached=420_000, currency="USD"))
    assert html.count('<progress max="100" value="42" aria-label="42% of $10,000">') == 2


def test_what_is_written_in_a_message_runs_nothing() -> None:
    bad = AskVariant(
        slug="x", weight=1, title="<b>", html='<p onclick="x()">a<script>b</script></p>'
    )
    html = fragment("message", ask("message", variants=(bad,)))
    assert "onclick" not in html
    assert "<script" not in html
    assert "<h2>&lt;b&gt;</h2>" in html


def test_variants_may_have_cards_of_their_own() -> None:
    own = msgspec.structs.replace(SITE.giving.offers[0], amounts=(700,), recommended=700)
    variant = AskVariant(slug="x", weight=1, title="T", html="", offers=(own,))
    html = fragment("message", ask("message", variants=(variant,)))
    assert re.findall(r"amount=([0-9.]+)", html) == ["7.00"]


@pytest.mark.parametrize("wrong", ["No Slug", "", "x" * 61])
def test_a_message_with_a_bad_name_is_refused(wrong: str) -> None:
    with pytest.raises(SiteError, match="bad name"):
        asking(ask("ribbon", slug=wrong)).check()


def test_changing_a_message_changes_no_page() -> None:
    before, after = PageRenderer(asking(ask("ribbon"))), PageRenderer(asking(ask("message")))
    assert before.fingerprint == after.fingerprint
    assert before.support("en") == after.support("en")


@pytest.mark.parametrize("code", ["ru", "ar"])
def test_every_language_has_the_same_words(code: str) -> None:
    english, other = giving_words("en"), giving_words(code)
    assert {k: set(v) for k, v in english.items()} == {k: set(v) for k, v in other.items()}
    for part, said in english.items():
        for name, text in said.items():
            fields = set(re.findall(r"\{\w+\}", text))
            assert set(re.findall(r"\{\w+\}", other[part][name])) == fields, name
