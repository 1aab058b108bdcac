# SPDX-License-Identifier: AGPL-3.0-or-later
"""People who read: one who was here before, and one who has nothing but the single file."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from tamizdat.edition.signed.programs import single_file
from tests.blocking.censor import SIGN_OF_A_BLOCK
from tests.blocking.network import READ, TEXTS, UNREAD, Network
from tests.browsers import ARGUMENTS, CHROMIUM, let_go, let_go_all, open_details, until

PATIENCE_MS = 30_000
_SAYS = "([place, text]) => document.querySelector(place)?.innerText.includes(text)"

# The title is written last of all that is kept of a page.
_IS_KEPT = """async (path) => {
  if (!(await indexedDB.databases()).length) return false;
  const database = await new Promise((done, fail) => {
    const request = indexedDB.open('tamizdat');
    [request.onsuccess, request.onerror] = [() => done(request.result), fail];
  });
  const names = await new Promise((done, fail) => {
    const request = database.transaction('files').objectStore('files').getAllKeys();
    [request.onsuccess, request.onerror] = [() => done(request.result), fail];
  });
  database.close();
  return [`page:${path}`, `title:${path}`, 'state'].every((name) => names.includes(name));
}"""

# Whom a first reader asks first is drawn by lot; here those that are blocked, which come first.
_IN_ORDER = "{ let n = 0; Math.random = () => (n += 1) / 1e6; }"


class Reading(NamedTuple):
    """``seconds`` from navigation to the text; ``line`` is what the reader's programme says of
    it, ``hosts`` are the mirrors named in its details."""

    seconds: float
    line: str
    hosts: tuple[str, ...]


class Returning:
    """Somebody whose browser has the worker, and one article read. Each time that they read, it
    is the first time since: with a copy of their browser's profile."""

    def __init__(self, playwright: Any, network: Network, folder: Path) -> None:
        self._playwright = playwright
        self._network = network
        self._profile = folder / "profile"
        with self._browser(self._profile) as page:
            page.goto(network.address(READ))
            page.wait_for_selector(".proof p")
            page.reload()
            page.wait_for_function(_SAYS, arg=[".proof p", "Verified"])
            page.wait_for_function(_SAYS, arg=["article", TEXTS[READ]])
            path = network.room.path(READ)
            until(page, lambda: page.evaluate(_IS_KEPT, path), "what was read is on the disk")

    def read(self, story: int = UNREAD) -> Reading:
        """Open the address of a story, and wait for its text and the line below it."""
        with self.open() as page:
            began = time.monotonic()
            page.goto(self._network.address(story), wait_until="commit")
            page.wait_for_function(_SAYS, arg=["article", TEXTS[story]])
            seconds = time.monotonic() - began
            page.wait_for_selector(".proof p")
            line = page.inner_text(".proof p")
            open_details(page, ".proof")
            details = page.inner_text(".proof dl")
            assert SIGN_OF_A_BLOCK not in page.inner_text("body")
            return Reading(seconds, line, _hosts(details))

    @contextmanager
    def open(self) -> Iterator[Any]:
        """Their browser, a day later, in the network as it is blocked now."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            profile = Path(folder) / "profile"
            shutil.copytree(self._profile, profile, ignore=shutil.ignore_patterns("Singleton*"))
            with self._browser(profile) as page:
                yield page

    @contextmanager
    def _browser(self, profile: Path) -> Iterator[Any]:
        context = self._playwright.chromium.launch_persistent_context(
            profile,
            executable_path=CHROMIUM,
            args=[*ARGUMENTS, *self._network.arguments],
            locale="en-GB",
        )
        try:
            context.set_default_timeout(PATIENCE_MS)
            yield context.pages[0]
        finally:
            let_go(context)


class First:
    """Somebody who opens the single file from their disk, for the first time each time."""

    def __init__(self, playwright: Any, network: Network, folder: Path) -> None:
        self.playwright = playwright
        self._network = network
        self._file = folder / "reader.html"
        self._file.write_bytes(single_file(network.room.desk.folder.path) or b"")
        self._browser: Any = None
        self._arguments: list[str] = []

    def read(self, story: int = UNREAD) -> Reading:
        with self.open() as page:
            began = time.monotonic()
            page.goto(self.address(story), wait_until="commit")
            page.wait_for_function(_SAYS, arg=["#paper", TEXTS[story]])
            seconds = time.monotonic() - began
            page.wait_for_selector("#proof summary")
            open_details(page, "#proof")
            line = page.inner_text("#proof")
            assert SIGN_OF_A_BLOCK not in page.inner_text("body")
            return Reading(seconds, line, _hosts(line))

    def address(self, story: int) -> str:
        return f"{self._file.as_uri()}#{self._network.room.path(story)}"

    @contextmanager
    def open(self) -> Iterator[Any]:
        """A browser that remembers nothing."""
        if self._arguments != self._network.arguments:  # What it takes names for is for life.
            self.close()
            self._arguments = self._network.arguments
            self._browser = self.playwright.chromium.launch(
                executable_path=CHROMIUM, args=[*ARGUMENTS, *self._arguments]
            )
        context = self._browser.new_context(locale="en-GB")
        try:
            page = context.new_page()
            page.add_init_script(_IN_ORDER)
            page.set_default_timeout(PATIENCE_MS)
            yield page
        finally:
            let_go(context)

    def close(self) -> None:
        if self._browser is not None:
            let_go_all(self._browser)
            self._browser.close()
            self._browser = None


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.findall(r"[a-z]+\.test", text)))
