# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where readers give comes and goes with what is offered; a message changes its fragment alone."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tamizdat.edition.paper import page_renderer
from tamizdat.edition.serve import make_app
from tamizdat.edition.site import AskFragment, AskVariant, Giving, Letters, Page, Site, Way
from tamizdat.giving.choice import Offer
from tests.edition.papers import SITE, Stories, built, make_story, whole
from tests.edition.test_serve import ask

LETTERS = Letters(
    drops=("https://drop.example",),
    recipient="age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef",
)
GIVING = Giving(
    offers=(Offer("monthly", "USD", (500, 1000), 200, 100_000, 500),),
    ways=(Way(via="stripe", methods=("card",)),),
    checkouts=("https://pay.example",),
)
OFFERED = msgspec.structs.replace(SITE, letters=LETTERS, giving=GIVING)


def asking(*titles: str, site: Site = OFFERED) -> Site:
    """The same paper with these messages, in each place and language."""
    asks = tuple(
        AskFragment(
            slug=f"ask-{number}", place=place, variants=(AskVariant("a", 1, title, "<p>Text.</p>"),)
        )
        for number, title in enumerate(titles)
        for place in ("ribbon", "message", "thanks")
    )
    languages = [msgspec.structs.replace(one, asks=asks) for one in site.languages]
    return msgspec.structs.replace(site, languages=tuple(languages))


def changed(before: dict[str, object], after: dict[str, object]) -> set[str]:
    every = before.keys() | after.keys()
    return {path for path in every if before.get(path) != after.get(path)}


@pytest.mark.parametrize("stories", [1, 40])
def test_changing_a_message_rewrites_its_fragments_and_nothing_else(
    quick: Path, stories: int
) -> None:
    items = [make_story(n) for n in range(1, stories + 1)]
    paper = built(quick, items, asking("One"), renderer=page_renderer)
    before = dict(whole(quick))
    paper.refresh(asking("Two"))
    assert changed(before, dict(whole(quick))) == {
        f"/fragments/{code}/{place}.html"
        for code in ("en", "ru")
        for place in ("ribbon", "message", "thanks")
    }
    assert b"Two" in whole(quick)["/fragments/en/ribbon.html"][3]


def test_a_message_that_is_taken_down_leaves_its_fragment_empty(quick: Path) -> None:
    paper = built(quick, [make_story(1)], asking("One"), renderer=page_renderer)
    paper.refresh(asking())
    assert whole(quick)["/fragments/en/message.html"][3] == b""


def test_the_page_comes_and_goes_with_what_is_offered(quick: Path) -> None:
    stories = [make_story(1), make_story(2, language="ru")]
    paper = built(quick, stories, asking("One"), renderer=page_renderer)
    app = make_app(quick)
    for path in ("/en/support/", "/ru/support/thanks/", "/assets/asks.js", "/assets/support.js"):
        assert ask(app, path).status == 200
    assert b'href="/en/support/"' in ask(app, make_story(1).path).body
    paper.build(Stories(stories), msgspec.structs.replace(SITE, letters=LETTERS))
    for path in ("/en/support/", "/ru/support/thanks/", "/fragments/en/thanks.html"):
        assert ask(app, path).status == 404
    assert b"/en/support/" not in ask(app, make_story(1).path).body


def test_other_amounts_change_the_page_and_no_story(quick: Path) -> None:
    paper = built(quick, [make_story(1)], OFFERED, renderer=page_renderer)
    before = dict(whole(quick))
    dearer = Giving(offers=(Offer("once", "EUR", (700,), 200, 100_000),))
    paper.publish([], msgspec.structs.replace(OFFERED, giving=dearer))
    assert changed(before, dict(whole(quick))) == {"/en/support/", "/ru/support/"}


def test_what_the_newsrooms_own_page_of_that_name_says_stands_on_it(quick: Path) -> None:
    first, *rest = OFFERED.languages
    own = Page(slug="support", title="Keep it lit", html="<p>Oil costs money.</p>")
    site = msgspec.structs.replace(
        OFFERED, languages=(msgspec.structs.replace(first, pages=(*first.pages, own)), *rest)
    )
    built(quick, [make_story(1)], site, renderer=page_renderer)
    page = whole(quick)["/en/support/"][3]
    assert b"Oil costs money." in page
    assert b"/v1/give" in page


def test_only_that_page_may_lead_to_the_provider_by_its_headers_too(quick: Path) -> None:
    built(quick, [make_story(1)], OFFERED, renderer=page_renderer)
    app = make_app(quick)
    for path, may in (("/en/support/", True), ("/en/", False), (make_story(1).path, False)):
        policy = ask(app, path).headers["content-security-policy"]
        goals = next(one for one in policy.split("; ") if one.startswith("form-action"))
        assert ("https://pay.example" in goals) is may
