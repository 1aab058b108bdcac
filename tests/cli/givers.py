# SPDX-License-Identifier: AGPL-3.0-or-later
"""Readers of the demo who give, in a browser: from the support page to the thanks."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, Page, expect

from tests.browsers import CHROMIUM, chromium, let_go

WIDTHS = {"en": 360, "ru": 1280}
# The paper's page where the demo is at the paper's own address, else the letterbox's.
THANKS = re.compile(r"/(support|give)/thanks")


def give_in_a_browser(paper: str) -> None:
    """In both languages, with and without script. Nothing where there is no Chromium."""
    if not CHROMIUM.exists():
        return
    with chromium() as browser:
        for language, width in WIDTHS.items():
            for script in (True, False):
                _give(browser, paper, language, width, script=script)


def _give(browser: Browser, paper: str, language: str, width: int, *, script: bool) -> None:
    """Begin, be declined, come back, find all as it was, pay by a double click, go back."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        java_script_enabled=script,
        service_workers="block",
    )
    try:
        page = context.new_page()
        page.goto(f"{paper}{language}/support/")
        page.locator("form:has(input[name=kind]) button[type=submit]").first.click()
        page.wait_for_url(lambda url: "/support/" not in url)
        if not script:  # One more button, on a page that bears an intent.
            page.wait_for_url("**/v1/give")
            _press(page)
        page.fill("#address", "ada@mail.example")
        page.check("input[value=no-money]")
        page.locator("button").click()
        page.wait_for_selector("[role=alert]")
        page.locator("main a").click()
        page.wait_for_url("**/v1/give?**cause=insufficient_funds")
        expect(page.locator("[role=alert]")).to_be_visible()
        first = page.locator("input[name=intent]").get_attribute("value")
        assert first
        assert f"intent={first}" in page.url
        _press(page)
        page.fill("#address", "ada@mail.example")
        page.locator("button").dblclick()
        page.wait_for_url(THANKS)
        page.go_back()
        page.wait_for_url(THANKS)
    finally:
        let_go(context)


def _press(page: Page) -> None:
    page.locator("form.give button").click()
    page.wait_for_url("**/checkout/**")
