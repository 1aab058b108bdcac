# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the stories of users start from: a newsroom that runs, and people who open a browser.

What always holds: each test process has a newsroom of its own; nobody's browser shares cookies
with another's; a test finds its own articles by their headlines, never by what else is there.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests import prepared
from tests.browsers import PATIENCE_MS, chromium, let_go
from tests.e2e import newsroom as houses
from tests.e2e.newsroom import PASSWORD, Newsroom
from tests.e2e.people import log_in

STAFF = {
    "rita": ("Reporter", "Rita Lind"),
    "edgar": ("Editor", "Edgar Moss"),
    "petra": ("Publisher", "Petra Vale"),
    "oleg": ("Operator", "Oleg Tarn"),
}
NOTE = "Her real name is Wilhelmina Sorrow; she lives in Tern Street."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.allow_hosts(["127.0.0.1", "::1"]))
            item.add_marker(pytest.mark.timeout(400))


@pytest.fixture(scope="session")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """A newsroom in three languages, with somebody in each role; desk, worker and paper run."""
    room = houses.make(tmp_path_factory.mktemp("house") / "meridian", ("en", "ru", "ar"))
    try:
        for username, (role, name) in STAFF.items():
            room.do("account", username=username, role=role, password=PASSWORD, name=name)
        _furnish(room)
        room.start("desk", "worker", "paper")
        yield room
    finally:
        room.close()
        shutil.rmtree(room.folder, ignore_errors=True)


def _furnish(room: Newsroom) -> None:
    """Sections, a topic, a place, and people who sign."""
    for language, title, slug, original in [
        ("en", "News", "news", ""),
        ("en", "Culture", "culture", ""),
        ("ru", "Новости", "novosti", "news"),
        ("ar", "أخبار", "akhbar", "news"),
    ]:
        room.do(
            "term", kind="section", language=language, title=title, slug=slug, translates=original
        )
    room.do("term", kind="topic", language="en", title="Harbours", slug="harbours")
    room.do("term", kind="topic", language="ru", title="Порты", slug="porty", translates="harbours")
    room.do("term", kind="place", language="en", title="Westering", slug="westering")
    room.do("person", name="Mira Valdis", slug="mira-valdis", note=NOTE)


@pytest.fixture(scope="session")
def demo_paper(
    tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[tuple[str, Path]]:
    """The demo's paper, built once for all test processes: where it is served, its folder."""
    base = tmp_path_factory.getbasetemp()
    shared = base if worker_id == "master" else base.parent
    folder = shared / "demo"
    with (shared / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "demo.done").exists():
            port = houses.free_port()
            prepared.put_database(folder)
            houses.tamizdat("demo", "--dir", str(folder), "--port", str(port), "--once", "--json")
            (shared / "demo.done").touch()
    paper = Newsroom(folder, houses.free_port(), houses.free_port(), ("en", "ru"))
    try:
        paper.start("paper")
        yield paper.paper, folder / "edition"
    finally:
        paper.close()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. It ends with this folder's tests: Playwright's event loop must not run
    under the tests of others."""
    with chromium() as browser:
        yield browser


Open = Callable[..., BrowserContext]
SignIn = Callable[..., Page]


@pytest.fixture
def open_browser(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Open]:
    """Somebody's browser: fresh, closed after the test; a picture is kept where it failed."""
    opened: list[BrowserContext] = []

    def open_one(**options: Any) -> BrowserContext:
        options = {"viewport": {"width": 1280, "height": 900}, "locale": "en-GB", **options}
        context = browser.new_context(**options)
        context.set_default_timeout(PATIENCE_MS)
        opened.append(context)
        return context

    yield open_one
    try:
        _keep_pictures(opened, request.node.name)
    finally:
        for context in opened:
            let_go(context)


def _keep_pictures(contexts: list[BrowserContext], name: str) -> None:
    """Where ``TAMIZDAT_PICTURES`` names a folder, the last state of every page is kept there."""
    folder = os.environ.get("TAMIZDAT_PICTURES")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    pages = [page for context in contexts for page in context.pages]
    for number, page in enumerate(pages):
        path = Path(folder) / f"{re.sub(r'[^a-z0-9_]+', '-', name)}-{number}.png"
        page.screenshot(path=path, full_page=True)


_signed_in: dict[tuple[str, str], Any] = {}


@pytest.fixture
def sign_in(newsroom: Newsroom, open_browser: Open) -> SignIn:
    """A member of staff at the desk. Everybody logs in by the form, once for all tests."""

    def sign_in(username: str, **options: Any) -> Page:
        key = (newsroom.desk, username)
        context = open_browser(storage_state=_signed_in.get(key), **options)
        page = context.new_page()
        page.goto(f"{newsroom.desk}/desk/")
        if "/login/" in page.url:
            log_in(page, username)
            _signed_in[key] = context.storage_state()
        return page

    return sign_in


_numbers = itertools.count(1)


@pytest.fixture
def headline() -> Callable[[str], str]:
    """A headline that no other test has."""
    tag = f"{os.getpid() % 10_000}"

    def make(words: str) -> str:
        return f"{words} {tag}-{next(_numbers)}"

    return make
