# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stories that wait for their time: scheduled ones and those under embargo."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import SignIn
from tests.e2e.newsroom import Newsroom
from tests.e2e.people import live, until

Headline = Callable[[str], str]


def panel(newsroom: Newsroom, page: Page, pk: int) -> None:
    page.goto(f"{newsroom.desk}/desk/publishing/article/{pk}/")


def test_the_worker_publishes_at_the_time_that_was_set(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = newsroom.do("article", headline=headline("The morning paper"))
    petra = sign_in("petra")
    panel(newsroom, petra, story["pk"])
    petra.get_by_label("At a time").check()
    petra.get_by_label("Date and time").fill(newsroom.do("later", seconds=3600)[:16])
    petra.get_by_role("button", name="Continue").click()
    expect(petra.get_by_text("goes out on")).to_be_visible()
    petra.get_by_role("button", name="Schedule it").click()
    expect(petra.get_by_text("Goes out at").first).to_be_visible()
    petra.goto(f"{newsroom.desk}/desk/")
    expect(petra.get_by_role("region", name="Goes out by itself")).to_contain_text(
        "The morning paper"
    )

    newsroom.do("let_time_pass", pk=story["pk"])
    panel(newsroom, petra, story["pk"])
    until(
        lambda: newsroom.do("about", pk=story["pk"])["state"] == "live", "the worker carries it out"
    )
    petra.reload()
    live(petra)
    address = petra.get_by_role("link", name="Read it in the paper").get_attribute("href") or ""
    assert newsroom.read(address.removeprefix(newsroom.paper)).status == 200


def test_a_time_that_was_set_can_be_taken_back(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = newsroom.do("article", headline=headline("Not tomorrow either"))
    petra = sign_in("petra")
    panel(newsroom, petra, story["pk"])
    petra.get_by_label("At a time").check()
    petra.get_by_label("Date and time").fill(newsroom.do("later", seconds=7200)[:16])
    petra.get_by_role("button", name="Continue").click()
    petra.get_by_role("button", name="Schedule it").click()
    expect(petra.get_by_text("Goes out at").first).to_be_visible()
    petra.get_by_role("button", name=re.compile("^(Cancel|Do not|Take|Forget|Unschedule)")).click()
    expect(petra.get_by_text("It will not go out by itself any more.")).to_be_visible()
    assert newsroom.do("about", pk=story["pk"])["state"] == "draft"


def test_a_time_that_has_passed_is_refused_in_words(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = newsroom.do("article", headline=headline("Yesterday's paper"))
    petra = sign_in("petra")
    panel(newsroom, petra, story["pk"])
    petra.get_by_label("At a time").check()
    petra.get_by_label("Date and time").fill("2020-01-01T10:00")
    petra.get_by_role("button", name="Continue").click()
    expect(petra.get_by_text("That time has passed.")).to_be_visible()


def test_nothing_goes_out_before_its_embargo_ends(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = newsroom.do("article", headline=headline("The report of the commission"))
    newsroom.do("embargo", pk=story["pk"], by="rita", hours=5)
    petra = sign_in("petra")
    panel(newsroom, petra, story["pk"])
    expect(petra.get_by_text("Nothing goes out before")).to_be_visible()
    petra.get_by_role("button", name="Continue").click()
    petra.get_by_role("button", name="Publish when the embargo ends").click()
    expect(petra.get_by_text("Goes out at").first).to_be_visible()
    assert not newsroom.do("about", pk=story["pk"])["live"]

    newsroom.do("let_time_pass", pk=story["pk"])
    until(lambda: newsroom.do("about", pk=story["pk"])["state"] == "live", "the embargo ended")
