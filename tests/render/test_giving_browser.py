# SPDX-License-Identifier: AGPL-3.0-or-later
"""Giving in a real browser: who is asked, what is kept of a choice, one wish however often it is
sent, reminders without an address; and all of it without script as far as that goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

import msgspec
import pytest

from tamizdat.edition.render import PageRenderer
from tamizdat.edition.site import AskFragment, AskVariant, Letters
from tamizdat.giving.form import choice_of
from tests.browsers import PATIENCE_MS, let_go, until

from .newsroom import SITE
from .test_browser import TYPES, Reader
from .test_giving import ask, asking

sync_api = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("render-browser"),
]
expect = sync_api.expect
STORY, OTHER, SUPPORT = "/en/2026/11/22/s0/", "/en/2026/11/22/s3/", "/en/support/"
DROPS = SITE.letters.drops


class _Answers(BaseHTTPRequestHandler):
    leads_to = ""
    files: Mapping[str, bytes] = {}

    def do_GET(self) -> None:
        body = self.files.get(self.path, b"")
        name = "html" if self.path.endswith("/") else self.path.rpartition(".")[2]
        self.send_response(200)
        self.send_header("access-control-allow-origin", "*")
        self.send_header("content-type", TYPES.get(name, "text/html"))
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(303)
        self.send_header("location", self.leads_to)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is told."""


@contextmanager
def served(leads_to: str = "", files: Mapping[str, bytes] | None = None) -> Iterator[str]:
    """A server of this machine that has these files and leads forms on; its address."""
    facts = {"leads_to": leads_to, "files": {} if files is None else files}
    handler = type("Answers", (_Answers,), facts)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def fragments(*asks: AskFragment, code: str = "en") -> dict[str, bytes]:
    asks = asks or (ask("ribbon", code), ask("message", code, goal=1_000_000, currency="USD"))
    render = PageRenderer(asking(*asks))
    places = ("ribbon", "message", "thanks")
    return {f"/fragments/{code}/{place}.html": render.ask(code, place) for place in places}


class Giver(Reader):
    """A reader whose letterboxes answer; ``gave`` are the forms that reached one."""

    def __init__(self, browser: Any, *asks: AskFragment, **options: Any) -> None:
        super().__init__(browser, fragments(*asks), **options)
        self.gave: list[tuple[str, dict[str, list[str]]]] = []
        self.dead: set[str] = set()
        self.leads_to = "https://pay.example/checkout"
        self.page.set_default_timeout(PATIENCE_MS)

    def _answer(self, route: Any) -> None:
        if route.request.url.startswith(SITE.address):
            super()._answer(route)
        else:
            self._elsewhere(route)

    def _elsewhere(self, route: Any) -> None:
        request = route.request
        self.asked.append(request.url)
        drop = next((one for one in DROPS if request.url.startswith(f"{one}/")), "")
        if drop in self.dead:
            route.abort()
        elif request.url.endswith("/v1/health"):
            headers = {"access-control-allow-origin": "*"}
            route.fulfill(status=200, body="{}", headers=headers)
        elif drop and request.method == "POST":
            self.gave.append((request.url, parse_qs(request.post_data or "", True)))
            led = f'<meta http-equiv="refresh" content="0;url={self.leads_to}">'
            route.fulfill(body=led, content_type="text/html")
        else:
            route.fulfill(body="<h1>Pay</h1>", content_type="text/html")

    def message(self, path: str = STORY) -> Any:
        """The message of an article, once it is shown."""
        page = self.open(path)
        page.locator(".message, .latest").first.scroll_into_view_if_needed()
        page.locator(".message [data-ask]").wait_for()
        return page.locator(".message")

    def offered(self, path: str) -> Any:
        """Open a page; its messages in sight have been shown or passed over then."""
        with self.page.expect_request_finished(lambda one: one.url.endswith("/assets/asks.js")):
            self.open(path)
        # Who asked for the script before has it, and has used it, before we have.
        self.page.evaluate("import('/assets/asks.js').then(() => 1)")
        return self.page

    def give(self, page: Any) -> dict[str, list[str]]:
        """Press the button, be led to the provider; what was sent."""
        page.locator("#give button").click()
        page.wait_for_url("https://pay.example/**")
        return self.gave[-1][1]

    def kept(self, name: str) -> Any:
        return self.page.evaluate(f"localStorage.getItem('tamizdat.{name}')")


@pytest.fixture
def giver(browser: Any) -> Iterator[Giver]:
    made = Giver(browser, viewport={"width": 360, "height": 760})
    yield made
    made.leave()


# Asking


def test_one_variant_is_shown_and_its_amounts_lead_to_the_page_with_the_choice_kept(
    giver: Giver,
) -> None:
    message = giver.message()
    assert message.locator("h2").count() == 1
    message.get_by_role("link", name="$15").click()
    page = giver.page
    page.wait_for_url("**/support/**")
    expect(page.locator("[name=kind]:checked")).to_have_value("monthly")
    expect(page.locator("[name=amount-monthly]:checked")).to_have_value("15.00 USD")
    sent = giver.give(page)
    choice = choice_of(sent, "en")
    assert (choice.kind, choice.amount, choice.message) == ("monthly", 1500, "autumn")
    assert choice.variant in ("plain", "short")
    assert choice.back == SITE.address


def test_who_closes_it_is_left_alone_and_asks_for_no_fragment(giver: Giver) -> None:
    giver.message().get_by_role("button", name="Close").click()
    page = giver.page
    expect(page.locator("[data-ask]")).to_have_count(0)
    giver.asked.clear()
    giver.open(OTHER)
    page.locator(".latest").scroll_into_view_if_needed()
    page.locator(".latest li").first.wait_for()
    assert page.locator(".ribbon, .message").count() == 0
    assert not [url for url in giver.asked if "ribbon" in url or "message" in url]


def test_who_reads_without_a_trace_leaves_none_by_closing_it(giver: Giver) -> None:
    giver.open(STORY)
    giver.page.evaluate("sessionStorage.setItem('read-without-a-trace', '1')")
    giver.message().get_by_role("button", name="Close").click()
    assert giver.page.evaluate("localStorage.length") == 0


def test_a_message_for_some_sections_is_not_shown_in_others(browser: Any) -> None:
    giver = Giver(browser, ask("ribbon", sections=("courts",)))
    page = giver.offered(STORY)
    assert page.locator(".ribbon").inner_text() == "Support us"
    giver.leave()
    giver = Giver(browser, ask("ribbon", sections=("news",)))
    giver.open(STORY).locator(".ribbon [data-ask]").wait_for()
    giver.leave()


@pytest.mark.parametrize(
    ("bounds", "shown"),
    [
        ({"ends": "2026-11-21T00:00:00Z"}, False),
        ({"begins": "2026-11-24T00:00:00Z"}, False),
        ({"begins": "2026-11-22T14:30:00+02:00"}, False),
        ({"begins": "2026-11-22T13:30:00+02:00"}, True),
        ({"begins": "2026-11-21T00:00:00Z", "ends": "2026-11-24T00:00:00Z"}, True),
    ],
)
def test_a_message_has_its_time(browser: Any, bounds: dict[str, str], *, shown: bool) -> None:
    giver = Giver(browser, ask("ribbon", **bounds))
    giver.page.clock.set_fixed_time("2026-11-22T12:00:00Z")
    page = giver.offered(STORY)
    assert page.locator(".ribbon [data-ask]").count() == int(shown)
    giver.leave()


def test_nobody_is_asked_more_often_than_the_message_says(browser: Any) -> None:
    giver = Giver(browser, ask("ribbon", most=2, days=30))
    seen = []
    for path in (STORY, OTHER, STORY, OTHER):
        page = giver.offered(path)
        seen.append(page.locator(".ribbon [data-ask]").count())
    assert seen == [1, 1, 0, 0]
    giver.leave()


def test_variants_are_drawn_by_weight(browser: Any) -> None:
    variants = tuple(
        AskVariant(slug=slug, weight=weight, title=slug, html="")
        for slug, weight in (("never", 0), ("always", 5))
    )
    giver = Giver(browser, ask("ribbon", variants=variants))
    for _ in range(4):
        giver.open(STORY).locator(".ribbon [data-ask]").wait_for()
        assert "always" in giver.page.locator(".ribbon").inner_text()
    giver.leave()


def test_nothing_goes_to_anybody_but_the_paper_while_a_reader_is_asked(giver: Giver) -> None:
    giver.message()
    assert all(url.startswith(SITE.address) for url in giver.asked)
    assert giver.complaints == []


# Giving


def test_a_double_click_is_one_form(giver: Giver) -> None:
    page = giver.open(SUPPORT)
    page.locator("#give button").dblclick()
    page.wait_for_url("https://pay.example/**")
    assert len(giver.gave) == 1


def test_reload_back_and_a_second_tab_are_the_same_wish(giver: Giver) -> None:
    first = giver.give(giver.open(SUPPORT))
    giver.page.go_back()
    second = giver.give(giver.page)
    third = giver.give(giver.open(SUPPORT))
    assert first["intent"] == second["intent"] == third["intent"]
    assert len(first["intent"][0]) == 22


def test_another_amount_is_another_wish(giver: Giver) -> None:
    first = giver.give(giver.open(SUPPORT))
    page = giver.open(SUPPORT)
    page.locator("#own").fill("7.50")
    second = giver.give(page)
    assert first["intent"] != second["intent"]
    assert choice_of(second, "en").amount == 750


def test_who_was_thanked_may_give_again_and_is_not_asked(giver: Giver) -> None:
    first = giver.give(giver.open(SUPPORT))
    page = giver.open("/en/support/thanks/")
    expect(page.locator("[data-quiet]")).to_be_visible()
    assert giver.kept("intent") is None
    giver.open(STORY)
    assert giver.page.locator(".ribbon, .message").count() == 0
    assert giver.give(giver.open(SUPPORT))["intent"] != first["intent"]


def test_the_letterbox_that_answers_takes_it(giver: Giver) -> None:
    giver.dead.add(DROPS[0])
    giver.give(giver.open(SUPPORT))
    assert giver.gave[-1][0] == f"{DROPS[1]}/v1/give"


def test_where_no_letterbox_answers_the_choice_stays_and_nothing_is_charged(giver: Giver) -> None:
    giver.dead.update(DROPS)
    page = giver.open(SUPPORT)
    page.locator("#own").fill("33")
    page.locator("#give button").click()
    page.get_by_text("No letterbox of ours answered").wait_for()
    assert page.locator("#own").input_value() == "33"
    giver.dead.clear()
    assert choice_of(giver.give(page), "en").amount == 3300


@pytest.mark.parametrize("allowed", [True, False])
def test_a_form_is_led_to_the_provider_and_nowhere_else(browser: Any, *, allowed: bool) -> None:
    """With real servers: browsers hold the policy against where a form is led, too."""
    files: dict[str, bytes] = {}
    with (
        served() as pay,
        served(leads_to=f"{pay}/checkout") as drop,
        served(files=files) as paper,
    ):
        site = msgspec.structs.replace(
            SITE,
            address=paper,
            letters=Letters(drops=(drop,), recipient=SITE.letters.recipient),
            giving=msgspec.structs.replace(SITE.giving, checkouts=(pay,) if allowed else ()),
        )
        render = PageRenderer(site)
        context = browser.new_context()
        page = context.new_page()
        files |= {SUPPORT: render.support("en"), **render.assets()}
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(paper + SUPPORT, wait_until="load")
        page.locator("#give button").click()
        until(
            page,
            lambda: page.url.startswith(pay) or any("form-action" in one for one in said),
            "it is led there, or not",
        )
        assert page.url.startswith(f"{pay}/" if allowed else f"{paper}/"), said
        let_go(context)


def test_another_currency_shows_its_own_cards(giver: Giver) -> None:
    page = giver.open(SUPPORT)
    expect(page.locator(".cards.monthly label:visible")).to_have_count(3)
    page.locator("#currency").select_option("EUR")
    expect(page.locator("[name=amount-monthly]:checked")).to_have_value("5.00 EUR")
    sent = giver.give(page)
    assert choice_of(sent, "en").money == (500, "EUR")


@pytest.mark.parametrize("code", ["en", "ru"])
def test_without_script_the_form_is_an_ordinary_one(browser: Any, code: str) -> None:
    giver = Giver(browser, java_script_enabled=False, viewport={"width": 360, "height": 760})
    page = giver.open(f"/{code}/support/")
    page.locator("[name=kind][value=annual]").check()
    expect(page.locator(".cards.monthly")).to_be_hidden()
    page.locator(".cards.annual label").nth(2).click()
    sent = giver.give(page)
    choice = choice_of(sent, code)
    assert (choice.kind, choice.money, choice.intent) == ("annual", (12000, "USD"), "")
    assert sent["language"] == [code]
    giver.leave()


# Reminding


def test_in_this_browser_the_eleventh_article_asks_again(giver: Giver) -> None:
    page = giver.open(f"{SUPPORT}#remind&message=autumn&variant=plain")
    expect(page.locator("#letter-remind [name=message]")).to_have_value("autumn")
    page.locator("[data-browser]").click()
    page.get_by_text("The eleventh does").wait_for()
    for number in range(10):
        giver.open((STORY, OTHER)[number % 2])
        assert page.locator(".message").count() == 0, number
    giver.open("/en/")
    assert page.locator(".ribbon").count() == 0  # A front is no article.
    giver.message()


@pytest.mark.parametrize(
    ("today", "months", "day"),
    [
        ("2027-01-31T12:00:00Z", 1, "20270228"),
        ("2027-11-30T12:00:00Z", 3, "20280229"),
        ("2026-12-22T12:00:00Z", 1, "20270122"),
    ],
)
def test_a_calendar_file_falls_on_the_same_day_and_names_nobody(
    browser: Any, today: str, months: int, day: str
) -> None:
    giver = Giver(browser, timezone_id="UTC")
    giver.page.clock.set_fixed_time(today)
    page = giver.open(SUPPORT)
    page.locator(f"#remind [name=months][value='{months}']").check()
    with page.expect_download() as download:
        page.locator("[data-calendar]").click()
    text = download.value.path().read_text("utf-8")
    assert f"DTSTART;VALUE=DATE:{day}" in text
    assert "SUMMARY:A reminder" in text
    assert SITE.languages[0].name not in text
    assert (
        text.startswith("BEGIN:VCALENDAR\n")
        or "\r\n" in download.value.path().read_bytes().decode()
    )
    giver.leave()


# For everybody


@pytest.mark.parametrize(
    ("code", "width"),
    [("en", 360), pytest.param("ru", 1280, marks=pytest.mark.slow),
     pytest.param("ar", 360, marks=pytest.mark.slow)],
)  # fmt: skip
def test_axe_finds_nothing_while_a_message_is_shown(browser: Any, code: str, width: int) -> None:
    asks = (ask("ribbon", code), ask("message", code, goal=1_000_000, currency="USD"))
    giver = Giver(browser, viewport={"width": width, "height": 760})
    giver.files |= fragments(*asks, code=code)
    giver.message(f"/{code}/2026/11/22/s0/")
    page = giver.page
    found = axe.Axe().run(page).response["violations"]
    assert [(v["id"], [n["target"] for n in v["nodes"]]) for v in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.locator(".message a, .message button, .ribbon a, .ribbon button").evaluate_all(
        "all => all.map(a => [a.textContent, a.getBoundingClientRect().height])"
    )
    assert [one for one in small if one[1] < 44] == []
    giver.leave()


def test_a_message_of_its_own_thanks_who_gave(browser: Any) -> None:
    thanks = msgspec.structs.replace(
        ask("thanks"), variants=(AskVariant("a", 1, "You did it", ""),)
    )
    giver = Giver(browser, thanks)
    page = giver.open("/en/support/thanks/")
    page.get_by_role("heading", name="You did it").wait_for()
    expect(page.locator(".thanks a")).to_have_count(0)
    giver.leave()


LIES: dict[str, bytes] = {
    "a whole page": b"<!doctype html><html><body class='front'><main><h1>Other</h1></main></body>",
    "open marks": b"<div><table><select><textarea><!-- <p>Unfinished",
    "ends of marks": b"</div></main></body></html></script></template>" * 200,
    "no variant": b'<section data-ask="autumn" data-again="60"></section>',
    "numbers that are none": b'<section data-ask="a" data-again="x" data-most="x" data-days="-1" '
    b'data-begins="never" data-ends="\xff"><div data-weight="NaN"><p>Say</p></div></section>',
    "names of the language": b'<section data-ask="__proto__" data-most="1" data-days="9">'
    b'<div data-variant="constructor" data-weight="-1"><p>Say</p></div></section>',
    "names of the page": b'<form name="body"><input name="className"></form>'
    b'<img name="querySelectorAll"><a id="location"></a><p data-ask>',
    "another place": b'<base href="https://evil.example/"><link rel="stylesheet" '
    b'href="https://evil.example/a.css"><style>body{display:none}</style>'
    b'<iframe src="https://evil.example/"></iframe><p>Say',
    "JSON": b'{"data-ask": [null, 1e999], "html": "<p>',
    "no text": bytes(range(256)) * 4,
    "deep": b"<b>" * 3000,
}


@pytest.mark.slow
def test_a_mirror_that_lies_in_a_fragment_spoils_no_page(browser: Any) -> None:
    """Without a worker that proves it: the article, its links and the form to give still stand."""
    reader = Giver(browser)
    names = [f"/fragments/en/{place}.html" for place in ("ribbon", "message", "latest")]
    for lie, said in LIES.items():
        reader.files.update(dict.fromkeys(names, said))
        reader.asked.clear()
        page = reader.open(STORY)
        page.locator(".latest").scroll_into_view_if_needed()
        seen = {f"{SITE.address}{name}" for name in names}
        until(page, lambda seen=seen: seen <= set(reader.asked), f"its fragments: {lie}")
        page.wait_for_load_state("networkidle")
        expect(page.locator("article h1").first, lie).to_be_visible()
        expect(page.locator("article p").first, lie).to_be_visible()
        assert page.url == SITE.address + STORY, lie
        assert not [one for one in reader.asked if "evil.example" in one], lie
        page.locator(".foot a[href='/en/support/']").first.click()
        expect(page.locator("#give button").first, lie).to_be_visible()
    assert not [one for one in reader.complaints if "Uncaught" in one or "Error: " in one]
    reader.leave()
