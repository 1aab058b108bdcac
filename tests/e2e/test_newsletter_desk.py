# SPDX-License-Identifier: AGPL-3.0-or-later
"""An issue of the newsletter, from an empty page to its hour: by mouse, by keyboard, by two."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browsers import until as on_page
from tests.e2e.conftest import SignIn
from tests.e2e.newsroom import Newsroom
from tests.e2e.people import overflow, until, violations, write_rich

Headline = Callable[[str], str]


def open_issue(page: Page, newsroom: Newsroom, pk: int) -> None:
    page.goto(f"{newsroom.desk}/desk/newsletters/issues/{pk}/")
    expect(page.get_by_role("heading", name="The issue")).to_be_visible()


def begin(page: Page, newsroom: Newsroom, slug: str) -> int:
    """A new issue of a newsletter, by the button of the list."""
    page.goto(f"{newsroom.desk}/desk/newsletters/?newsletter={newsroom.do('weekly', slug=slug)}")
    page.get_by_role("button", name="New issue").click()
    page.wait_for_url(re.compile(r"/issues/\d+/$"))
    found = re.search(r"/issues/(\d+)/", page.url)
    assert found
    return int(found[1])


def labelled(page: Page) -> None:
    """Wait until the note's editor is there and has its name."""
    expect(page.get_by_role("textbox", name="Note from the editor")).to_be_visible()


def heading(page: Page, title: str) -> Locator:
    return page.get_by_role("list", name=f"Stories under {title}")


def drag(page: Page, what: Locator, to: Locator) -> None:
    """As a hand does: press, move in steps, let go. Not from an edge: there the page moves."""
    what.evaluate("(e) => e.scrollIntoView({ block: 'center' })")
    start = what.bounding_box()
    assert start
    page.mouse.move(start["x"] + start["width"] / 2, start["y"] + start["height"] / 2)
    page.mouse.down()
    page.mouse.move(start["x"] + 20, start["y"] + 20, steps=3)
    drop(page, to)


def drop(page: Page, on: Locator) -> None:
    """Bring what is held over a list, and let go where the page shows that it would fall there."""

    def over() -> bool:
        place = on.bounding_box()
        assert place
        page.mouse.move(place["x"] + 60, place["y"] + 8, steps=8)
        return on.locator(".nl-marker").count() == 1

    on_page(page, over, "it would fall into this list")
    page.mouse.up()


def settled(page: Page) -> None:
    """Wait until the page has heard that all was kept: until then it draws its list anew."""
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()


def kept(newsroom: Newsroom, slug: str, true: Callable[[dict[str, Any]], Any]) -> None:
    seen: list[Any] = []

    def look() -> Any:
        seen.append(newsroom.do("issue_of", slug=slug))
        return true(seen[-1])

    try:
        until(look, "it is kept")
    except AssertionError as error:
        raise AssertionError(f"{error}; there is: {seen[-1]}") from None


def publish(newsroom: Newsroom, *titles: str) -> list[int]:
    return [newsroom.do("article", headline=one, publish_by="petra")["pk"] for one in titles]


def test_an_issue_is_composed_by_drag_and_by_keyboard_approved_by_another_and_scheduled(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    boats, quay, fog = headline("Boats run again"), headline("The quay is sold"), headline("Fog")
    publish(newsroom, boats, quay, fog)
    edgar = sign_in("edgar")
    pk = begin(edgar, newsroom, "weekly-drag")
    compose(newsroom, edgar, boats, quay, fog)
    look_at_the_preview(edgar)
    until(lambda: newsroom.do("waiting") == 0, "the stories that it leads to are in the paper")
    petra = sign_in("petra")
    approve_and_schedule(newsroom, petra, pk)
    # A change takes the approval away, not the hour.
    open_issue(edgar, newsroom, pk)
    edgar.get_by_role("textbox", name="Subject").fill("The boats run again, and how")
    kept(newsroom, "weekly-drag", lambda i: "and how" in i["subject"])
    settled(edgar)
    petra.reload()
    expect(petra.get_by_text("It was changed after Petra Vale approved it")).to_be_visible()


def compose(newsroom: Newsroom, edgar: Page, boats: str, quay: str, fog: str) -> None:
    edgar.get_by_role("textbox", name="Subject").fill("The boats run again")
    edgar.get_by_role("textbox", name="Preheader").fill("And who paid for it.")
    write_rich(edgar, "Dear readers, it was a long week.")
    row = edgar.locator("[data-pick]", has_text=boats)
    drag(edgar, row.locator("[data-grip]"), heading(edgar, "News"))
    expect(heading(edgar, "News").get_by_role("link", name=boats)).to_be_visible()
    # By keyboard alone: the menu of a story, then its buttons.
    settled(edgar)
    menu = edgar.get_by_label(f"Add “{quay}” to a heading")
    menu.focus()
    menu.select_option(label="News")
    edgar.get_by_role("button", name=f"Move up: {quay}").press("Enter")
    edgar.get_by_label(f"Add “{fog}” to a heading").select_option(label="Features")
    kept(newsroom, "weekly-drag", lambda i: i["stories"]["News"] == [quay, boats])
    settled(edgar)
    # Dragged between headings, and taken back.
    moving = heading(edgar, "News").get_by_role("listitem").filter(has_text=boats)
    drag(edgar, moving.locator("[data-grip]"), heading(edgar, "Features"))
    kept(newsroom, "weekly-drag", lambda i: boats in i["stories"]["Features"])
    settled(edgar)
    edgar.get_by_role("button", name=re.compile("^Undo: moving")).click()
    kept(newsroom, "weekly-drag", lambda i: i["stories"]["News"] == [quay, boats])
    settled(edgar)
    edgar.get_by_role("button", name=f"Take out: {fog}").click()
    kept(newsroom, "weekly-drag", lambda i: i["stories"]["Features"] == [])
    settled(edgar)
    edgar.get_by_role("button", name=re.compile("^Undo: taking out")).click()
    kept(newsroom, "weekly-drag", lambda i: i["stories"]["Features"] == [fog])
    settled(edgar)
    own = heading(edgar, "Features").get_by_role("listitem").filter(has_text=fog)
    own.get_by_text("Own words").click()
    own.get_by_label("Headline here").fill("What the fog hid")
    kept(newsroom, "weekly-drag", lambda i: "long week" in i["note"])
    settled(edgar)
    assert violations(edgar, within=".nl") == []


def look_at_the_preview(edgar: Page) -> None:
    edgar.reload()
    expect(heading(edgar, "Features").get_by_text("What the fog hid")).to_be_visible()
    edgar.get_by_role("link", name="Preview and check").last.click()
    phone = edgar.frame_locator("iframe.nl-phone")
    expect(phone.get_by_text("What the fog hid").first).to_be_visible()
    expect(phone.get_by_text("it was a long week").first).to_be_visible()
    expect(edgar.locator("pre")).to_contain_text("boats")
    edgar.get_by_role("link", name="Dark", exact=True).click()
    edgar.wait_for_url("**light=dark**")
    body = edgar.frame_locator("iframe.nl-phone").locator("body")
    expect(body).to_have_css("background-color", re.compile(r"rgb\(\d?\d, \d?\d, \d?\d\)"))
    assert violations(edgar, within=".nl-under") == []


def approve_and_schedule(newsroom: Newsroom, petra: Page, pk: int) -> None:
    petra.goto(f"{newsroom.desk}/desk/newsletters/issues/{pk}/sending/")
    petra.get_by_role("button", name="Approve it as it is").click()
    expect(petra.get_by_text("Petra Vale approved it as it is now.")).to_be_visible()
    assert violations(petra, within=".nl") == []
    petra.get_by_label("Date and time").fill("2031-07-04T17:00")
    petra.get_by_role("button", name="Schedule it").click()
    expect(petra.get_by_text("It goes out on Friday, 4 July 2031, 17:00").last).to_be_visible()
    kept(newsroom, "weekly-drag", lambda i: i["state"] == "scheduled")


@pytest.mark.slow
def test_what_is_held_at_the_edge_brings_up_headings_that_lie_below(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = headline("Far from its place")
    publish(newsroom, story)
    edgar = sign_in("edgar", viewport={"width": 1280, "height": 700})
    begin(edgar, newsroom, "weekly-far")
    grip = edgar.locator("[data-pick]", has_text=story).locator("[data-grip]")
    last = heading(edgar, "Analysis")
    expect(last).not_to_be_in_viewport()
    grip.evaluate("(e) => e.scrollIntoView({ block: 'center' })")
    start = grip.bounding_box()
    assert start
    edgar.mouse.move(start["x"] + 10, start["y"] + 10)
    edgar.mouse.down()
    edgar.mouse.move(900, 680, steps=4)
    # The hand rests at the lower edge.
    expect(last).to_be_in_viewport()
    edgar.mouse.move(900, 400)
    drop(edgar, last)
    kept(newsroom, "weekly-far", lambda i: i["stories"]["Analysis"] == [story])
    settled(edgar)


@pytest.mark.slow
def test_two_people_at_one_issue_lose_nothing(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = headline("Picked by Petra")
    publish(newsroom, story)
    edgar, petra = sign_in("edgar"), sign_in("petra")
    pk = begin(edgar, newsroom, "weekly-two")
    open_issue(petra, newsroom, pk)
    petra.get_by_role("textbox", name="Subject").fill("By Petra")
    petra.get_by_label(f"Add “{story}” to a heading").select_option(label="News")
    kept(newsroom, "weekly-two", lambda i: i["subject"] == "By Petra" and i["stories"]["News"])
    settled(petra)
    edgar.get_by_role("textbox", name="Signed by").fill("The night desk")
    # What others did comes in with the next save, without a word.
    expect(heading(edgar, "News").get_by_role("link", name=story)).to_be_visible()
    expect(edgar.get_by_role("textbox", name="Subject")).to_have_value("By Petra")

    # A reporter looks at it, and has nothing to press.
    rita = sign_in("rita")
    open_issue(rita, newsroom, pk)
    expect(heading(rita, "News").get_by_role("link", name=story)).to_be_visible()
    expect(rita.get_by_role("button", name=re.compile("^(Take out|Suggest|Undo)"))).to_have_count(0)

    # Every ten seconds her page asks what others did: not just now, or there is no quarrel.
    petra.route("**/parts/", _asks_nothing)
    edgar.get_by_role("textbox", name="Subject").fill("By Edgar")
    kept(newsroom, "weekly-two", lambda i: i["subject"] == "By Edgar")
    petra.get_by_role("textbox", name="Subject").fill("By Petra again")
    asked = petra.get_by_text("Edgar Moss changed the subject while you did.")
    expect(asked).to_be_visible()
    # No longer: what is routed waits while we look elsewhere.
    petra.unroute("**/parts/", _asks_nothing)
    expect(petra.locator("[data-conflicts]")).to_contain_text("By Edgar")
    assert newsroom.do("issue_of", slug="weekly-two")["subject"] == "By Edgar"
    petra.get_by_role("button", name="Keep mine").click()
    expect(asked).to_be_hidden()
    kept(newsroom, "weekly-two", lambda i: i["subject"] == "By Petra again")
    settled(petra)
    settled(edgar)


def _asks_nothing(route: Route) -> None:
    if route.request.method == "GET":
        route.abort()
    else:
        route.fallback()


@pytest.mark.slow
def test_suggestions_and_a_phone(newsroom: Newsroom, sign_in: SignIn, headline: Headline) -> None:
    story = headline("A story of this week")
    publish(newsroom, story)
    edgar = sign_in("edgar", viewport={"width": 360, "height": 740}, has_touch=True)
    pk = begin(edgar, newsroom, "weekly-phone")
    edgar.get_by_role("button", name="Suggest stories").click()
    expect(edgar.locator("[data-story]").first).to_be_visible()
    kept(newsroom, "weekly-phone", lambda i: any(i["stories"].values()))
    settled(edgar)
    assert overflow(edgar) == []
    edgar.get_by_role("button", name="Undo: the suggestions").click()
    kept(newsroom, "weekly-phone", lambda i: not any(i["stories"].values()))
    settled(edgar)
    edgar.get_by_label(f"Add “{story}” to a heading").select_option(label="Analysis")
    kept(newsroom, "weekly-phone", lambda i: i["stories"]["Analysis"] == [story])
    settled(edgar)
    for page in ("preview", "sending"):
        edgar.goto(f"{newsroom.desk}/desk/newsletters/issues/{pk}/{page}/")
        assert overflow(edgar) == []


def picture(page: Page, name: str) -> None:
    """Kept where ``TAMIZDAT_PICTURES`` names a folder, for people to look at."""
    folder = os.environ.get("TAMIZDAT_PICTURES")
    if folder:
        page.screenshot(path=Path(folder) / f"newsletter-{name}.png", full_page=True)


@pytest.mark.slow
@pytest.mark.parametrize("colour", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_can_be_read_by_everybody_in_light_and_dark(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline, colour: str, width: int
) -> None:
    publish(newsroom, headline("Fit to be seen"), headline("Boats run again"))
    petra = sign_in("petra", color_scheme=colour, viewport={"width": width, "height": 900})
    pk = begin(petra, newsroom, f"weekly-{colour}-{width}")
    petra.get_by_role("button", name="Suggest stories").click()
    expect(petra.locator("[data-story]").first).to_be_visible()
    petra.get_by_role("textbox", name="Subject").fill("The boats run again")
    settled(petra)
    found = []
    for page in (f"issues/{pk}/", f"issues/{pk}/preview/", f"issues/{pk}/sending/", ""):
        petra.goto(f"{newsroom.desk}/desk/newsletters/{page}")
        expect(petra.locator(".nl").first).to_be_visible()
        if page == f"issues/{pk}/":
            labelled(petra)
        picture(petra, f"{page.strip('/').rpartition('/')[2] or 'list'}-{colour}-{width}")
        found += [f"{page}: {one}" for one in violations(petra, within=".nl")]
        found += [f"{page}: {one}" for one in overflow(petra)]
    assert not found, "\n".join(found)
