# SPDX-License-Identifier: AGPL-3.0-or-later
"""What editors arrange: the order of the front page, the newsroom's own pages."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignIn
from tests.e2e.newsroom import Newsroom
from tests.e2e.paper import Paper
from tests.e2e.people import choose_action, until, write_rich
from tests.e2e.test_after_publication import published

Headline = Callable[[str], str]


def test_an_editor_puts_stories_at_the_top_in_an_order(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    made = []
    for word in ("A", "B", "C"):
        made.append(published(newsroom, headline(f"{word} story of the day")))
        time.sleep(1.1)  # Stories have the second of their publication: C shall be the newest.
    first, second, third = made
    newsroom.do("unpin", language="en")
    edgar = sign_in("edgar")
    edgar.goto(f"{newsroom.desk}/desk/newsroom/front/?language=en")
    for story in (first, second, third):
        edgar.get_by_label("Find a published story").fill(story["headline"])
        edgar.get_by_role("button", name=f"Add {story['headline']}").click()
    save(edgar)
    paper = Paper(newsroom.paper)
    order = [story["path"] for story in (first, second, third)]
    until(lambda: paper.stories("/en/")[:3] == order, "the front shows them in order")

    by_keyboard(edgar, third["headline"])
    save(edgar)
    until(lambda: paper.stories("/en/")[0] == third["path"], "the third comes first")

    rows = edgar.get_by_role("list", name="Stories at the top").get_by_role("listitem")
    rows.filter(has_text=second["headline"]).drag_to(
        rows.filter(has_text=third["headline"]), target_position={"x": 20, "y": 2}
    )
    save(edgar)
    until(lambda: paper.stories("/en/")[0] == second["path"], "the dragged one comes first")

    for story in (first, second, third):
        rows.filter(has_text=story["headline"]).get_by_role("button", name="Take out").click()
    save(edgar)
    until(lambda: paper.stories("/en/")[0] == third["path"], "the newest comes first again")


def by_keyboard(edgar: Page, title: str) -> None:
    """Move a story to the top with the keyboard alone."""
    row = edgar.get_by_role("list", name="Stories at the top").get_by_role("listitem")
    up = row.filter(has_text=title).get_by_role("button", name="Move up")
    up.focus()
    edgar.keyboard.press("Enter")
    edgar.keyboard.press("Enter")
    expect(row.first).to_contain_text(title)
    expect(edgar.get_by_role("status").filter(has_text="1 of 3")).to_be_attached()


def save(edgar: Page) -> None:
    edgar.get_by_role("button", name="Save the order").click()
    expect(edgar.locator("[data-changed]")).to_be_hidden()
    edgar.wait_for_load_state()


@pytest.mark.slow
def test_every_version_of_the_privacy_policy_stays_readable(
    newsroom: Newsroom, sign_in: SignIn
) -> None:
    petra = sign_in("petra")
    petra.goto(f"{newsroom.desk}/desk/snippets/newsroom/sitepage/add/?locale=en")
    petra.get_by_role("textbox", name="Title").fill("Privacy")
    petra.get_by_role("combobox", name="Kind").select_option(label="Privacy policy")
    write_rich(petra, "We keep nothing about you.")
    choose_action(petra, "Save and publish")
    expect(petra.get_by_text("published as version 1")).to_be_visible()

    petra.get_by_role("link", name="Privacy").first.click()
    petra.wait_for_url("**/edit/**")
    write_rich(petra, " Still nothing.")
    choose_action(petra, "Save and publish")
    expect(petra.get_by_text("published as version 2")).to_be_visible()

    paper = Paper(newsroom.paper)
    until(lambda: newsroom.read("/en/privacy/v2/").status == 200, "the second version is out")
    assert "Still nothing" not in paper.words("/en/privacy/v1/")
    assert "We keep nothing about you." in paper.words("/en/privacy/v1/")
    assert "Still nothing" in paper.words("/en/privacy/v2/")
    assert "Still nothing" in paper.words("/en/privacy/")
    assert "/en/privacy/v1/" in str(paper.page("/en/privacy/").xpath("//main//a/@href"))
    assert "/en/privacy/" in paper.page("/en/").xpath("//footer//a/@href")
    assert re.search(r"\b2\b", paper.words("/en/privacy/"))
