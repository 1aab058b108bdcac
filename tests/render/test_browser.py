# SPDX-License-Identifier: AGPL-3.0-or-later
"""The paper in a real browser: what axe finds, what fits a phone, what works without script."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from tests.browsers import let_go, until

from .newsroom import SITE
from .paper import pages, paper, picture

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
TYPES = {"js": "text/javascript", "svg": "image/svg+xml", "png": "image/png"}
TYPES |= {"html": "text/html; charset=utf-8", "webmanifest": "application/manifest+json"}
TYPES |= {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("render-browser"),
]


class Reader:
    """A page of the browser that reads the invented paper; ``asked`` is what it asked for."""

    def __init__(
        self, browser: Any, changes: dict[str, bytes] | None = None, **options: Any
    ) -> None:
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.files = paper() | (changes or {})
        # The script of a worker is not asked for by way of the page: it has tests of its own.
        self.context.add_init_script("delete Navigator.prototype.serviceWorker")
        self.page.route("**/*", self._answer)
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _answer(self, route: Any) -> None:
        address = urlsplit(route.request.url)
        self.asked.append(route.request.url)
        path = unquote(address.path)
        name = "html" if path.endswith("/") else path.rpartition(".")[2]
        if path.startswith("/media/"):
            route.fulfill(body=picture(path), content_type=TYPES[name])
        elif path in self.files:
            route.fulfill(body=self.files[path], content_type=TYPES[name])
        else:
            route.fulfill(status=404, body="")

    def open(self, path: str) -> Any:
        self.page.goto(SITE.address + path, wait_until="load")
        return self.page

    def leave(self) -> None:
        let_go(self.context)


READABLE = [path for path in pages() if not path.endswith(("/moved/", "/s1/", "/s3/"))]


@pytest.mark.parametrize(
    ("scheme", "code"),
    [
        ("light", "en"),
        pytest.param("light", "ru", marks=pytest.mark.slow),
        pytest.param("light", "ar", marks=pytest.mark.slow),
        pytest.param("dark", "en", marks=pytest.mark.slow),
    ],
)
def test_axe_finds_nothing_on_any_type_of_page(browser: Any, scheme: str, code: str) -> None:
    reader = Reader(browser, color_scheme=scheme, viewport={"width": 360, "height": 760})
    found = {}
    for path in READABLE:
        if path.startswith(f"/{code}/"):
            violations = axe.Axe().run(reader.open(path)).response["violations"]
            found[path] = [(v["id"], [n["target"] for n in v["nodes"]]) for v in violations]
    reader.leave()
    assert {path: violations for path, violations in found.items() if violations} == {}


@pytest.mark.parametrize("width", [320, pytest.param(768, marks=pytest.mark.slow), 1280])
def test_no_page_is_wider_than_its_screen_and_none_complains(browser: Any, width: int) -> None:
    reader = Reader(browser, viewport={"width": width, "height": 760})
    for path in READABLE:
        page = reader.open(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    assert reader.complaints == []
    assert all(address.startswith(SITE.address) for address in reader.asked)
    reader.leave()


def test_links_of_the_furniture_are_large_enough_for_a_thumb(browser: Any) -> None:
    reader = Reader(browser, viewport={"width": 360, "height": 760})
    for path in ("/en/2026/11/22/s0/", "/en/", "/ar/", "/ru/topics/", "/en/gone/"):
        page = reader.open(path)
        boxes = page.locator("nav a, .ways a, .message a, .about a").evaluate_all(
            "links => links.map(a => [a.textContent, a.getBoundingClientRect().height])"
        )
        assert [box for box in boxes if box[1] < 44] == [], path
    reader.leave()


def test_the_first_stop_of_the_keyboard_skips_to_the_text(browser: Any) -> None:
    reader = Reader(browser)
    page = reader.open("/en/2026/11/22/s0/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    until(page, lambda: page.evaluate("document.activeElement.id === 'content'"), "it is there")
    reader.leave()


def test_without_script_everything_stands_there_and_a_plain_link_for_each_fragment(
    browser: Any,
) -> None:
    reader = Reader(browser, java_script_enabled=False)
    page = reader.open("/en/2026/11/22/s0/")
    assert page.locator(".message a").get_attribute("href") == "/en/support/"
    assert page.locator(".latest a").get_attribute("href") == "/en/"
    assert not [address for address in reader.asked if "/fragments/" in address]
    reader.leave()


def test_with_script_fragments_are_pulled_in_and_empty_ones_leave_the_link(browser: Any) -> None:
    reader = Reader(browser, {"/fragments/en/ribbon.html": b"<p>Storm warning</p>"})
    page = reader.open("/en/2026/11/22/s0/")
    page.locator(".latest").scroll_into_view_if_needed()
    page.locator(".latest li").first.wait_for()
    sync_api.expect(page.locator(".ribbon")).to_have_text("Storm warning")
    assert page.locator(".message a").get_attribute("href") == "/en/support/"
    reader.leave()


def test_a_fragment_cannot_run_script(browser: Any) -> None:
    hostile = (
        b'<img src="/none.png" onerror="document.title = 1"><script>document.title = 2</script>'
    )
    reader = Reader(browser, {"/fragments/en/ribbon.html": hostile})
    page = reader.open("/en/2026/11/22/s0/")
    page.locator(".ribbon img").wait_for(state="attached")
    complete = "document.querySelector('.ribbon img').complete"
    until(page, lambda: page.evaluate(complete), "the picture was tried")
    assert page.title().startswith("Ferry owners")
    reader.leave()


def test_a_photo_does_not_move_the_text_when_it_comes(browser: Any) -> None:
    reader = Reader(browser, viewport={"width": 360, "height": 760})
    page = reader.open("/en/2026/11/22/s0/")
    for box in page.locator(".photo img").evaluate_all(
        "images => images.map(i => [i.clientWidth / i.clientHeight, i.width, i.height])"
    ):
        assert box[0] == pytest.approx(1.5, abs=0.02)
    reader.leave()


def test_a_moved_page_leads_on_without_script(browser: Any) -> None:
    reader = Reader(browser, java_script_enabled=False)
    page = reader.open("/en/moved/")
    page.wait_for_url(f"{SITE.address}/en/")
    reader.leave()
