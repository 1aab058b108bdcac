# SPDX-License-Identifier: AGPL-3.0-or-later
"""From the door to the Publish panel with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.e2e.conftest import Open
from tests.e2e.newsroom import PASSWORD, Newsroom
from tests.e2e.test_desk_for_everyone import press_until


def test_a_publisher_signs_in_and_reaches_the_panel_by_keyboard_alone(
    newsroom: Newsroom, open_browser: Open, headline: Callable[[str], str]
) -> None:
    title = headline("Reached without a mouse")
    newsroom.do("article", headline=title)
    petra = open_browser().new_page()
    petra.goto(f"{newsroom.desk}/desk/")
    # The first field of the door has the focus, once the page is drawn.
    expect(petra.locator("input:focus")).to_be_visible()
    petra.keyboard.type("petra")
    petra.keyboard.press("Tab")
    petra.keyboard.type(PASSWORD)
    petra.keyboard.press("Enter")
    petra.wait_for_url(lambda url: "/login/" not in url)

    press_until(petra, "Articles")
    petra.keyboard.press("Enter")
    petra.wait_for_url("**/article/")
    press_until(petra, title)
    petra.keyboard.press("Enter")
    petra.wait_for_url("**/edit/**")
    press_until(petra, "Publish…", most=200)
    petra.keyboard.press("Enter")
    petra.wait_for_url("**/publishing/article/**")
    expect(petra.get_by_role("heading", name="Where it stands")).to_be_visible()
    press_until(petra, "Back to the editor")
