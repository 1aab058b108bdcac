# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk works whole under its own policy: no page of it wants a script that may not run."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.e2e.conftest import Open
from tests.e2e.newsroom import Newsroom, fetch
from tests.e2e.people import add_block, add_byline, file_under, start_article, write

LISTEN = """
addEventListener("securitypolicyviolation", (event) => {
  blocked(`${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber} `
    + `${event.sample} on ${location.pathname}`);
});
"""
# What ends something, or is a file.
AWAY = re.compile(
    r"/(logout|delete|download|documents/\d+|media|export)\b|[?&]export=|\.csv|\.xlsx"
)
MOST = 70


def _listen(context: BrowserContext) -> list[str]:
    said: list[str] = []
    context.expose_function("blocked", lambda text: said.append(text))
    context.add_init_script(LISTEN)
    context.on("weberror", lambda error: said.append(str(error.error)))
    return said


def test_nothing_inline_may_run_without_the_sessions_nonce(newsroom: Newsroom) -> None:
    policy = fetch(f"{newsroom.desk}/desk/login/").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    headers = fetch(f"{newsroom.desk}/desk/login/").headers
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "publickey-credentials-get=(self)" in headers["Permissions-Policy"]


def test_the_pages_before_the_desk_keep_to_the_policy(
    newsroom: Newsroom, open_browser: Open
) -> None:
    context = open_browser()
    said = _listen(context)
    page = context.new_page()
    for path in ("login/", "password_reset/", "password_reset/confirm/MQ/no-token/"):
        page.goto(f"{newsroom.desk}/desk/{path}")
    page.goto(f"{newsroom.desk}/nowhere/")
    assert said == []


@pytest.mark.slow
def test_an_inline_script_without_the_nonce_does_not_run(
    sign_in: Callable[..., Page],
) -> None:
    page = sign_in("oleg")
    page.evaluate(
        """document.body.append(Object.assign(document.createElement("script"),
             { textContent: "window.ran = true" }))"""
    )
    assert page.evaluate("window.ran") is None


@pytest.mark.slow
def test_every_page_of_the_desk_keeps_to_the_policy(
    newsroom: Newsroom, sign_in: Callable[..., Page]
) -> None:
    """From the home page along every link, a page of each kind."""
    page = sign_in("oleg")
    said = _listen(page.context)
    seen: set[str] = set()
    waiting = ["/desk/", "/desk/account/access/", "/desk/account/"]
    while waiting and len(seen) < MOST:
        path = waiting.pop(0)
        kind = re.sub(r"\d+", "0", urlsplit(path).path)
        if kind in seen or AWAY.search(path):
            continue
        seen.add(kind)
        page.goto(newsroom.desk + path)
        page.wait_for_load_state("load")
        links = page.eval_on_selector_all("a[href]", "all => all.map((a) => a.href)")
        for link in links:
            if link.startswith(newsroom.desk + "/desk/") and "#" not in link:
                waiting.append(link.removeprefix(newsroom.desk))
    assert len(seen) > 25
    assert said == []


@pytest.mark.slow
def test_the_editor_works_with_its_dialogs_and_rows_that_are_added(
    sign_in: Callable[..., Page], headline: Callable[[str], str]
) -> None:
    page = sign_in("edgar")
    said = _listen(page.context)
    start_article(page)
    write(page, "Headline", headline("The crane stands still"))
    add_block(page, "Text")
    part = page.get_by_role("region", name="Lead photo")
    part.get_by_role("button", name=re.compile("^Choose an? ")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("tab", name="Upload").click()
    expect(dialog.locator("input[type=file]")).to_be_attached()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    add_byline(page, "Mira Valdis")
    page.get_by_role("button", name="Add byline").click()
    page.get_by_role("button", name="Choose person").last.click()
    page.get_by_role("dialog").get_by_role("link", name="Mira Valdis").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    file_under(page, section="News", topic="Harbours")
    assert said == []
