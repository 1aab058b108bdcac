# SPDX-License-Identifier: AGPL-3.0-or-later
"""The browser of all tests that need one: how it is started, and how it is let go.

What always holds: nothing is closed while one of its pages is on the way to another. Chromium hangs
in that (a form just sent), about one time in ten on a busy machine, also where a test has failed.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

# The same browser without its windows takes half the time of the processor; Debian has it in a
# package of its own. Where it is not there, the whole one does as well.
BROWSERS = (Path("/usr/bin/chromium-headless-shell"), Path("/usr/bin/chromium"))
CHROMIUM = next((path for path in BROWSERS if path.exists()), BROWSERS[-1])
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]
PATIENCE_MS = 30_000  # Longer than anything takes on a machine with other work.


def demand() -> None:
    """Skip the test where there is no Chromium; in CI there must be one."""
    if not CHROMIUM.exists():
        say = "There is no Chromium: apt-get install -y chromium"
        if os.environ.get("CI"):
            pytest.fail(say)
        pytest.skip(say)


@contextlib.contextmanager
def playing() -> Iterator[Any]:
    """Playwright, whose ``expect`` waits as long as a busy machine needs."""
    sync_api = pytest.importorskip("playwright.sync_api")
    demand()
    sync_api.expect.set_options(timeout=PATIENCE_MS)
    with sync_api.sync_playwright() as playwright:
        yield playwright


@contextlib.contextmanager
def chromium() -> Iterator[Any]:
    """Debian's Chromium. Keep it no longer than the tests of a folder: Playwright's event loop
    must not run under those of others."""
    with playing() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield browser
        finally:
            let_go_all(browser)
            browser.close()


@contextlib.contextmanager
def for_one_test(browser: Any) -> Iterator[Any]:
    """The same browser; what a test opened in it is let go after it, however that ended."""
    try:
        yield browser
    finally:
        let_go_all(browser)


def let_go_all(browser: Any) -> None:
    """Close every context of a browser."""
    for context in browser.contexts:
        let_go(context)


def let_go(context: Any) -> None:
    """Close a context: every page of it is led away first."""
    for page in context.pages:
        lead_away(page)
    context.close()


def lead_away(page: Any) -> None:
    """Leave a page for an empty one, as far as it lets us."""
    from playwright.sync_api import Error

    with contextlib.suppress(Error):
        page.goto("about:blank", timeout=5_000)


def until(page: Any, true: Callable[[], Any], why: str, seconds: float = 60.0) -> Any:
    """Wait until something holds, and return it. The page goes on meanwhile: for what Playwright's
    own waits cannot see, as what a promise of a script brings, or a file of a server; and for its
    ``wait_for_function`` with an expression, which a policy forbids from the second try on."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s: {why}"
        page.wait_for_timeout(50)
    return found


def open_details(page: Any, place: str) -> None:
    """Open what stands behind the line about the page. The line is drawn anew when more is known:
    where that is between the press and the release of a button, nothing opens, and people press
    again."""

    def opened() -> bool:
        shown = page.locator(f"{place} dl")
        if not shown.is_visible():
            page.click(f"{place} summary")
        return bool(shown.is_visible())

    until(page, opened, f"the details of {place} open")
