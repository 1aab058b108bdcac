# SPDX-License-Identifier: AGPL-3.0-or-later
"""What people do at the desk, in their words: one function a thing they do."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.e2e.newsroom import PASSWORD


def log_in(page: Page, username: str, password: str = PASSWORD) -> None:
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/login/" not in url)


def until(true: Callable[[], Any], why: str, seconds: float = 20.0) -> Any:
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
    context = {"include": [[within]]} if within else None
    results = Axe().run(page, context=context, options={"resultTypes": ["violations"]})
    return [
        f"{v['id']}: {v['help']}: {', '.join(str(n['target'][0]) for n in v['nodes'][:4])}"
        for v in results.response["violations"]
    ]


def overflow(page: Page, *, allowed: tuple[str, ...] = ()) -> list[str]:
    """What makes a page scroll sideways: the elements that stick out, the innermost."""
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
