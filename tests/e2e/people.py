# SPDX-License-Identifier: AGPL-3.0-or-later
"""What people do at the desk, in their words: one function a thing they do."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.e2e.newsroom import PASSWORD


def log_in(page: Page, username: str, password: str = PASSWORD) -> None:
    page.locator("#id_username").fill(username)
    page.locator("#id_password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "/login/" not in url)


def until(true: Callable[[], Any], why: str, seconds: float = 60.0) -> Any:
    """Wait until something holds, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s: {why}")
        time.sleep(0.1)


def violations(page: Page, *, within: str = "") -> list[str]:
    """What axe-core finds: a sentence for each rule, with where."""
    page.wait_for_load_state()
    context = {"include": [[within]]} if within else None
    results = Axe().run(page, context=context, options={"resultTypes": ["violations"]})
    return [
        f"{v['id']}: {v['help']}: {', '.join(str(n['target'][0]) for n in v['nodes'][:4])}"
        for v in results.response["violations"]
    ]


def overflow(page: Page, *, allowed: tuple[str, ...] = ()) -> list[str]:
    """What makes a page scroll sideways: the elements that stick out, the innermost."""
    page.wait_for_load_state()
    found: list[str] = page.evaluate(
        """(allowed) => {
          const width = document.documentElement.clientWidth;
          if (document.documentElement.scrollWidth <= width) return [];
          const out = [...document.body.querySelectorAll("*")].filter((e) => {
            const box = e.getBoundingClientRect();
            return box.width && (box.right > width + 1 || box.left < -1)
              && !allowed.some((a) => e.closest(a));
          });
          return out.filter((e) => !out.some((o) => o !== e && e.contains(o)))
            .slice(0, 5).map((e) => e.outerHTML.slice(0, 120));
        }""",
        list(allowed),
    )
    return found


# --- Writing.


def start_article(page: Page, language: str = "en") -> None:
    """From the home page, as every day: New article."""
    if language == "en":
        page.get_by_role("main").get_by_role("link", name="New article").click()
    else:
        page.goto(
            re.sub(r"/desk/.*", f"/desk/snippets/newsroom/article/add/?locale={language}", page.url)
        )
    expect(page.get_by_role("textbox", name="Headline")).to_be_visible()
    page.wait_for_load_state()  # Its scripts hear what is typed now.


def write(page: Page, field: str, text: str) -> None:
    """Fill a field by the name that stands above it."""
    box = page.get_by_role("textbox", name=re.compile(rf"^{field}\*?$"))
    box.fill(text)
    box.press("End")  # The desk saves by itself when keys were used.


def add_block(page: Page, kind: str) -> Locator:
    """Put a block at the end of the text; the block."""
    body = page.locator("#panel-child-write-body-content")
    body.get_by_role("button", name="Insert a block").last.click()
    page.get_by_role("option", name=kind, exact=True).click()
    block = body.get_by_role("region", name=re.compile(rf"^{kind}\b")).last
    expect(block).to_be_visible()
    return block


def write_into(block: Locator, text: str) -> None:
    """Type into a block's rich text."""
    field = block.locator("[contenteditable=true]").last
    field.click()
    field.press_sequentially(text)
    _taken_over(block.page, text)


def upload_lead_photo(page: Page, photo: bytes, **words: str) -> None:
    """Choose a photo from one's own machine and say what it shows."""
    part = page.get_by_role("region", name="Lead photo")
    part.get_by_role("button", name=re.compile("^Choose an? ")).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("tab", name="Upload").click()
    file = {"name": "IMG_2231.jpg", "mimeType": "image/jpeg", "buffer": photo}
    dialog.locator("input[type=file]").set_input_files([file])  # type: ignore[list-item]  # a dict is a FilePayload
    for label, text in words.items():
        dialog.get_by_role("textbox", name=label.replace("_", " ")).fill(text)
    dialog.get_by_role("button", name="Upload").click()
    expect(dialog).to_be_hidden(timeout=60_000)


def add_byline(page: Page, person: str) -> None:
    page.get_by_role("tab", name="People & sources").click()
    page.get_by_role("button", name="Add byline").click()
    page.get_by_role("button", name="Choose person").last.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("link", name=person).click()
    expect(dialog).to_be_hidden()


def add_source(page: Page, *, name: str, kind: str, link: str, supports: str) -> None:
    page.get_by_role("tab", name="People & sources").click()
    page.get_by_role("button", name="Add source").click()
    source = page.get_by_role("region", name=re.compile(r"^Source \d")).last
    source.get_by_role("textbox", name="Name").fill(name)
    source.get_by_role("combobox", name="Kind").select_option(label=kind)
    source.get_by_role("textbox", name="Link").fill(link)
    source.get_by_role("textbox", name="Supports").fill(supports)


def file_under(page: Page, *, section: str, topic: str = "", place: str = "") -> None:
    page.get_by_role("tab", name="Filing").click()
    page.get_by_role("combobox", name="Section").select_option(label=section)
    for kind, term in (("topic", topic), ("place", place)):
        if term:
            field = page.get_by_role("combobox", name=f"Add a {kind}")
            field.fill(term[:4])
            page.get_by_role("option", name=term).click()
            expect(page.get_by_role("button", name=f"Take out {term}")).to_be_visible()


def saved(page: Page) -> None:
    """Wait until the desk says that it has kept everything. It is taken at its word."""
    word = page.locator("#w-autosave-indicator").get_by_text(re.compile(r"^\s*Saved\s*$"))
    expect(word).to_be_visible()


def choose_action(page: Page, name: str | re.Pattern[str]) -> None:
    """One of the buttons at the foot of the editor."""
    foot = page.get_by_role("navigation", name="Actions (footer)")
    expect(foot).to_be_visible()
    page.wait_for_load_state()
    button = foot.get_by_role("button", name=name).or_(foot.get_by_role("link", name=name))
    if not button.first.is_visible():
        foot.get_by_role("button", name="More actions").click()
    button.first.click()


def save_draft(page: Page) -> None:
    """By hand, until the page is there that answers: its address alone may be autosave's."""
    with page.expect_event("load", timeout=60_000):
        choose_action(page, "Save draft")


def offered(page: Page) -> set[str]:
    """The names of the actions at the foot of the editor."""
    foot = page.get_by_role("navigation", name="Actions (footer)")
    more = foot.get_by_role("button", name="More actions")
    if more.count():
        more.click()
        expect(foot.get_by_role("tooltip")).to_be_visible()
    names = {b.inner_text().strip() for b in foot.get_by_role("button").all()}
    names |= {a.inner_text().strip() for a in foot.get_by_role("link").all()}
    if more.count():
        more.click()
        expect(foot.get_by_role("tooltip")).to_be_hidden()
    return names


def open_comments(page: Page) -> Locator:
    """The panel with the comments, at the side of the editor."""
    panel = page.locator("[data-side-panel=newsroom-comments]")
    if not panel.is_visible():
        page.locator("[data-side-panel-toggle=newsroom-comments]").click()
    expect(panel.get_by_role("textbox", name="New comment")).to_be_visible()
    return panel


# --- Publishing.


def open_panel(page: Page) -> None:
    """From the editor to the publish panel."""
    choose_action(page, "Publish…")
    page.wait_for_url("**/publishing/article/**")


def publish_now(page: Page) -> None:
    """From the panel through the confirmation."""
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Publish now").click()
    page.wait_for_url(lambda url: "/confirm/" not in url)


def live(page: Page) -> None:
    """Wait, on a page of the publish panel, until readers have it."""
    expect(page.get_by_text(re.compile("(Live|Withdrawn) in edition"))).to_be_visible(
        timeout=60_000
    )


def write_rich(page: Page, text: str) -> None:
    """Type at the end of the only rich text on a page."""
    field = page.locator("[contenteditable=true]").first
    field.click()
    page.keyboard.press("Control+End")
    field.press_sequentially(text)
    _taken_over(page, text)


def _taken_over(page: Page, text: str) -> None:
    """Wait until the form has what was typed: rich text comes into it a moment later."""
    page.wait_for_function(
        """(text) => [...document.querySelectorAll("input[type=hidden]")]
             .some((field) => field.value.includes(text))""",
        arg=text.strip(),
    )
