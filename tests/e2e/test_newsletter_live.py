# SPDX-License-Identifier: AGPL-3.0-or-later
"""An issue's page while others act; stories moved by a finger; a list of subscribers handed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import SignIn
from tests.e2e.newsroom import PASSWORD, Newsroom
from tests.e2e.people import overflow, until, violations
from tests.e2e.test_newsletter_desk import begin, heading, kept, picture, publish, settled

Headline = Callable[[str], str]
LOOK = 11_000  # Milliseconds after which an open page has asked again.
NORA = {"username": "nora-quill", "role": "Readers' desk", "name": "Nora Quill"}


@pytest.mark.slow
def test_buttons_follow_what_others_do_and_the_keyboard_stays_where_it_was(
    newsroom: Newsroom, sign_in: SignIn
) -> None:
    petra = sign_in("petra")
    petra.clock.install()
    pk = begin(petra, newsroom, "weekly-live")
    newsroom.do("put_issue", slug="weekly-live", state="scheduled")
    petra.goto(f"{newsroom.desk}/desk/newsletters/issues/{pk}/sending/")
    expect(petra.get_by_role("button", name="Do not send it by itself")).to_be_visible()
    petra.get_by_role("button", name="Do not send it by itself").focus()
    # It begins by itself, and somebody pauses it.
    newsroom.do("put_issue", slug="weekly-live", state="paused")
    petra.clock.fast_forward(LOOK)
    go_on = petra.get_by_role("button", name="Go on")
    expect(go_on).to_be_visible()
    expect(petra.get_by_role("heading", name="How it goes")).to_be_focused()
    expect(petra.get_by_role("button", name="Do not send it by itself")).not_to_be_visible()
    expect(petra.get_by_role("heading", name="Before it goes out")).not_to_be_visible()
    assert violations(petra, within=".nl") == []
    picture(petra, "live-paused")
    # What is still there keeps the keyboard.
    petra.get_by_role("link", name="Cancel for good…").focus()
    petra.clock.fast_forward(LOOK)
    expect(petra.get_by_role("link", name="Cancel for good…")).to_be_focused()
    # It ends: the button that had the keyboard is gone, and no other one gets it.
    go_on.focus()
    newsroom.do("put_issue", slug="weekly-live", state="sent")
    petra.clock.fast_forward(LOOK)
    # Its look before may have come so late that the next one is ten seconds off.
    expect(petra.get_by_role("button", name="Send to the rest")).to_be_visible(timeout=60_000)
    expect(petra.get_by_role("heading", name="What can be done")).to_be_focused()
    expect(go_on).not_to_be_visible()
    expect(petra.get_by_role("status").filter(has_text="This issue: sent.")).to_be_attached()


def finger(page: Page, *places: tuple[float, float], steps: int = 8) -> None:
    """One finger: put down, moved along, lifted."""
    told = page.context.new_cdp_session(page)

    def touch(kind: str, *at: tuple[float, float]) -> None:
        points = [{"x": x, "y": y} for x, y in at]
        told.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    (x, y), *others = places
    touch("touchStart", (x, y))
    for there in others:
        for step in range(1, steps + 1):
            part = step / steps
            touch("touchMove", (x + (there[0] - x) * part, y + (there[1] - y) * part))
        x, y = there
    touch("touchEnd")
    told.detach()


def middle(what: Locator) -> tuple[float, float]:
    box = what.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def under(what: Locator) -> tuple[float, float]:
    """A place in a list where a story can be dropped."""
    box = what.bounding_box()
    assert box
    return box["x"] + 60, box["y"] + 8


@pytest.mark.slow
def test_a_finger_picks_a_story_and_moves_it(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = headline("Moved by a finger")
    publish(newsroom, story)
    edgar = sign_in("edgar", viewport={"width": 1280, "height": 1400}, has_touch=True)
    begin(edgar, newsroom, "weekly-touch")
    found = edgar.locator("[data-pick]", has_text=story).locator("[data-grip]")
    found.evaluate("(e) => e.scrollIntoView({ block: 'center' })")
    finger(edgar, middle(found), under(heading(edgar, "News")))
    kept(newsroom, "weekly-touch", lambda i: i["stories"]["News"] == [story])
    settled(edgar)
    row = heading(edgar, "News").get_by_role("listitem").filter(has_text=story)
    finger(edgar, middle(row.locator("[data-grip]")), under(heading(edgar, "Features")))
    kept(newsroom, "weekly-touch", lambda i: i["stories"]["Features"] == [story])
    settled(edgar)
    expect(edgar.locator(".nl-ghost")).to_have_count(0)


@pytest.mark.slow
def test_on_a_phone_a_finger_drags_by_the_grip_and_scrolls_beside_it(
    newsroom: Newsroom, sign_in: SignIn, headline: Headline
) -> None:
    story = headline("On a phone")
    publish(newsroom, story)
    size = {"width": 390, "height": 844}
    edgar = sign_in("edgar", viewport=size, has_touch=True, is_mobile=True)
    begin(edgar, newsroom, "weekly-thumb")
    edgar.get_by_label(f"Add “{story}” to a heading").select_option(label="News")
    kept(newsroom, "weekly-thumb", lambda i: i["stories"]["News"] == [story])
    settled(edgar)
    row = heading(edgar, "News").get_by_role("listitem").filter(has_text=story)
    row.evaluate("(e) => e.scrollIntoView({ block: 'center' })")
    before, words = middle(row)[1], middle(row.locator("small"))
    finger(edgar, words, (words[0], words[1] - 120))
    until(lambda: middle(row)[1] < before - 60, "the page scrolls under the finger")
    expect(edgar.locator(".nl-ghost")).to_have_count(0)
    row.evaluate("(e) => e.scrollIntoView({ block: 'center' })")
    finger(edgar, middle(row.locator("[data-grip]")), under(heading(edgar, "Features")))
    kept(newsroom, "weekly-thumb", lambda i: i["stories"]["Features"] == [story])
    kept(newsroom, "weekly-thumb", lambda i: i["stories"]["News"] == [])
    settled(edgar)


@pytest.mark.slow
@pytest.mark.parametrize(("colour", "width"), [("light", 1280), ("dark", 360)])
def test_a_list_is_handed_in_looked_at_and_taken_in(
    newsroom: Newsroom, sign_in: SignIn, colour: str, width: int
) -> None:
    slug = f"weekly-list-{width}"
    newsroom.do("weekly", slug=slug, title=f"The List {width}")
    if not newsroom.do("has_account", username=NORA["username"]):
        newsroom.do("account", **NORA, password=PASSWORD)
    nora = sign_in(NORA["username"], viewport={"width": width, "height": 900}, color_scheme=colour)
    nora.goto(f"{newsroom.desk}/desk/newsletters/subscribers/")
    nora.get_by_role("link", name="Bring subscribers in…").click()
    nora.get_by_label("Newsletter", exact=True).select_option(label=f"The List {width} (en)")
    nora.get_by_label("File", exact=True).set_input_files(
        {"name": "list.csv", "mimeType": "text/csv", "buffer": b"name,city\nAda,Velm\n"}
    )
    look = nora.get_by_role("button", name="Look at it")
    look.click()
    expect(nora.get_by_text("No column is called email")).to_be_visible()
    assert violations(nora, within=".nl") == []
    assert overflow(nora) == []
    picture(nora, f"lists-{colour}-{width}")
    people = "".join(f"reader{n}@post.example\n" for n in range(30))
    nora.get_by_label("How and when these readers agreed").fill("Sign-up sheets, May 2026")
    nora.get_by_label("File", exact=True).set_input_files(
        {
            "name": "list.csv",
            "mimeType": "text/csv",
            "buffer": f"email\n{people}nobody\nreader3@post.example\n".encode(),
        }
    )
    look.click()
    nora.wait_for_url(re.compile(r"/files/\d+/$"))
    expect(nora.get_by_role("heading", name="What would happen")).to_be_visible()
    expect(nora.get_by_text("row 32")).to_be_visible()
    assert violations(nora, within=".nl") == []
    assert overflow(nora) == []
    picture(nora, f"list-{colour}-{width}")
    nora.get_by_role("button", name="Take them in").click()
    expect(nora.get_by_role("heading", name="What was done")).to_be_visible()
    rows: list[Any] = newsroom.do("subscriptions")
    assert sum(1 for row in rows if row[:2] == [slug, "active"]) == 30
