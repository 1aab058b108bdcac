# SPDX-License-Identifier: AGPL-3.0-or-later
"""How people get in."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Open
from tests.e2e.newsroom import Newsroom
from tests.e2e.people import log_in


def test_the_first_account_chooses_its_password_with_the_link_that_init_printed(
    newsroom: Newsroom, open_browser: Open
) -> None:
    page = open_browser().new_page()
    page.goto(newsroom.first_link)
    page.locator("#id_new_password1").fill("seven tall ships at anchor")
    page.locator("#id_new_password2").fill("seven tall ships at anchor")
    page.get_by_role("button", name="Save and go on").click()
    page.get_by_role("link", name="Not now: go to the desk").click()
    expect(page.get_by_role("navigation").first).to_be_visible()

    later = open_browser().new_page()
    later.goto(f"{newsroom.desk}/desk/")
    log_in(later, "operator", "seven tall ships at anchor")
    expect(later.get_by_role("navigation").first).to_be_visible()

    again = open_browser().new_page()
    again.goto(newsroom.first_link)
    expect(again.locator("#id_new_password1")).to_have_count(0)


def test_a_wrong_password_says_so_and_keeps_the_name(
    newsroom: Newsroom, open_browser: Open
) -> None:
    page = open_browser().new_page()
    page.goto(f"{newsroom.desk}/desk/")
    page.locator("#id_username").fill("rita")
    page.locator("#id_password").fill("not this one, surely")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("didn't match")).to_be_visible()
    expect(page.locator("#id_username")).to_have_value("rita")


def test_everybody_sees_the_desk_after_logging_in(sign_in: Callable[..., Page]) -> None:
    for username in ("rita", "edgar", "petra", "oleg"):
        page = sign_in(username)
        expect(page.get_by_role("link", name="Articles").first).to_be_visible()
