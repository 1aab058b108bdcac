# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk for who works by keyboard, by ear or on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignIn
from tests.e2e.newsroom import Newsroom
from tests.e2e.people import overflow, until, violations
from tests.e2e.test_after_publication import published

Headline = Callable[[str], str]
# Wagtail's own: its tables of lists scroll inside a box of their own, its footer is fixed.
WAGTAILS = ("table", ".w-sticky", "footer.footer")


@pytest.fixture
def our_pages(newsroom: Newsroom, headline: Headline) -> dict[str, str]:
    """Every kind of page of the desk that is ours, with the part that we made."""
    draft = newsroom.do("article", headline=headline("A draft to look at"))["pk"]
    live = published(newsroom, headline("A story to look at"))["pk"]
    publishing, pages = "/desk/publishing/article", newsroom.desk
    return {
        f"{pages}/desk/": ".desk-home",
        f"{pages}{publishing}/{draft}/": ".pub",
        f"{pages}{publishing}/{draft}/confirm/?when=now": ".pub",
        f"{pages}{publishing}/{live}/": ".pub",
        f"{pages}{publishing}/{live}/correct/": ".pub",
        f"{pages}{publishing}/{live}/withdraw/": ".pub",
        f"{pages}{publishing}/{live}/address/": ".pub",
        f"{pages}/desk/newsroom/front/?language=en": ".newsroom-front",
        f"{pages}/desk/newsroom/articles/{live}/translate/": "main",
    }


def test_nobody_is_kept_out_of_our_pages_of_the_desk(
    newsroom: Newsroom, sign_in: SignIn, our_pages: dict[str, str]
) -> None:
    petra = sign_in("petra")
    found = []
    for address, part in our_pages.items():
        petra.goto(address)
        expect(petra.locator(part).first).to_be_visible()
        found += [f"{address}: {v}" for v in violations(petra, within=part)]
    assert not found


@pytest.mark.slow
def test_the_desk_fits_a_phone(
    newsroom: Newsroom, sign_in: SignIn, our_pages: dict[str, str]
) -> None:
    petra = sign_in("petra", viewport={"width": 360, "height": 740})
    draft = next(a for a in our_pages if "/publishing/article/" in a).split("/")[-2]
    articles = f"{newsroom.desk}/desk/snippets/newsroom/article/"
    too_wide = []
    for address in (*our_pages, articles, f"{articles}edit/{draft}/"):
        petra.goto(address)
        too_wide += [f"{address}: {wide}" for wide in overflow(petra, allowed=WAGTAILS)]
    assert not too_wide


def test_a_reporter_works_by_keyboard_alone(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    title = headline("Typed without a mouse")
    rita = sign_in("rita")
    rita.goto(f"{newsroom.desk}/desk/")
    press_until(rita, "Articles")
    rita.keyboard.press("Enter")
    rita.wait_for_url("**/article/")
    press_until(rita, "Add article")
    rita.keyboard.press("Enter")
    rita.wait_for_url("**/add/**")
    press_until(rita, "Headline")
    rita.keyboard.type(title)
    press_until(rita, "Save draft")
    with rita.expect_event("load"):  # The address alone may be autosave's, with the form under way.
        rita.keyboard.press("Enter")
    rita.wait_for_url("**/edit/**")
    story = until(lambda: newsroom.do("find", headline=title), "the draft is kept")

    rita.goto(f"{newsroom.desk}/desk/snippets/newsroom/article/edit/{story['pk']}/")
    press_until(rita, "More actions")
    rita.keyboard.press("Enter")
    foot = rita.get_by_role("navigation", name="Actions (footer)")
    expect(foot.get_by_role("tooltip")).to_be_visible()
    press_until(rita, "to review", "Submit to")
    rita.keyboard.press("Enter")
    expect(rita.get_by_text(f"“{title}” has been sent to review")).to_be_visible()
    assert newsroom.do("about", pk=story["pk"])["in_review"]


def press_until(page: Page, *names: str, most: int = 120) -> None:
    """Press Tab until what has the focus is called one of these names."""
    for _ in range(most):
        page.keyboard.press("Tab")
        called: str = page.evaluate(
            """() => {
              const at = document.activeElement;
              const label = at.labels?.[0]?.innerText || "";
              const by = (at.getAttribute("aria-labelledby") || "").split(" ")
                .map((id) => document.getElementById(id)?.innerText || "").join(" ");
              return [at.getAttribute("aria-label"), label, by, at.innerText].join(" ");
            }"""
        )
        if any(name in called for name in names):
            return
    raise AssertionError(f"Tab never reached {names}")
