# SPDX-License-Identifier: AGPL-3.0-or-later
"""Readers write to the desk, in a real browser, to real drops: with and without script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pyrage
import pytest
from playwright.sync_api import expect

from tamizdat.drop.envelope import Submission
from tamizdat.edition.paper import page_renderer
from tamizdat.edition.render.letters import form_words
from tamizdat.edition.render.templates import environment
from tamizdat.edition.signed import ceremony
from tamizdat.edition.signed.told import Mirror, site_json
from tamizdat.edition.site import Letters
from tests.browsers import let_go, until
from tests.drop.machines import IDENTITY, Server, opened, running
from tests.edition.papers import Stories, built, make_story
from tests.reader.copies import PAPER, Copy, Room
from tests.reader.copies import running as copies

pytestmark = [
    pytest.mark.browser,
    pytest.mark.allow_hosts(["127.0.0.1", "::1"]),
    pytest.mark.xdist_group("reader-browser"),
]
RECIPIENT = str(IDENTITY.to_public())
TEXT = "The quay was closed.\nNobody said why: «почему?»"
WORDS = {
    "en": ("Seal and send", "Your letter lies in our letterbox", "Please fill this in."),
    "ru": ("Запечатать и отправить", "Ваше письмо лежит", "Заполните, пожалуйста"),
    "ar": ("اختم وأرسل", "رسالتك في صندوق بريدنا", "يُرجى ملء هذا الحقل"),
}
NOBODY = "http://localhost:9"  # The port of a service that takes everything and says nothing.

Drops = Callable[..., Server]
Open = Callable[..., Any]


@pytest.fixture
def drops(tmp_path: Path) -> Iterator[Drops]:
    """Starts a drop, as its operator does."""
    with ExitStack() as stack:
        count = iter(range(9))

        def start(**changes: Any) -> Server:
            folder = tmp_path / f"drop-{next(count)}"
            return stack.enter_context(running(folder, https=False, **changes))

        yield start


@pytest.fixture(scope="module")
def letterbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A drop for all who only look at what comes in: starting one takes seconds."""
    with running(tmp_path_factory.mktemp("drop"), https=False) as found:
        yield found


class Box:
    """A drop, and what came into it since the test began."""

    def __init__(self, server: Server) -> None:
        self.url = url(server)
        self._server = server
        self._before = self._ids()

    def _ids(self) -> set[str]:
        return {one.id for one in opened(self._server.folder)}

    def letters(self) -> list[Submission]:
        return [one for one in opened(self._server.folder) if one.id not in self._before]


@pytest.fixture
def drop(letterbox: Server) -> Box:
    return Box(letterbox)


@pytest.fixture
def copy() -> Iterator[Copy]:
    with copies(1) as [one]:
        yield one


@pytest.fixture
def paper(copy: Copy, tmp_path: Path) -> Callable[..., str]:
    """Publishes a paper whose letters go to these drops; its address."""

    def publish(*urls: str) -> str:
        letters = Letters(drops=urls, recipient=RECIPIENT)
        site = msgspec.structs.replace(PAPER, letters=letters)
        stories = [make_story(1), make_story(2, language="ru")]
        built(tmp_path / "edition", stories, site, renderer=page_renderer)
        copy.serve(tmp_path / "edition")
        return copy.url

    return publish


@pytest.fixture
def visit(browser: Any) -> Iterator[Open]:
    """Opens a page on a phone."""
    with ExitStack() as stack:

        def visit(address: str, **options: Any) -> Any:
            options.setdefault("viewport", {"width": 360, "height": 740})
            context = browser.new_context(**options)
            stack.callback(let_go, context)
            page = context.new_page()
            page.goto(address)
            return page

        yield visit


def url(server: Server) -> str:
    return f"http://localhost:{server.port}"


def fill_in(page: Any) -> None:
    page.fill("[name=text]", TEXT)
    page.fill("[name=contact]", "ada@post.example")


def posts(page: Any) -> list[Any]:
    """The forms that leave this page from now on."""
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    return sent


def said(page: Any) -> str:
    """What stands under the form once it is over."""
    page.wait_for_selector("form:not([aria-busy=true])")
    return str(page.inner_text("[data-said]"))


@pytest.mark.parametrize("code", WORDS)
def test_a_letter_is_sealed_in_the_browser_and_reaches_the_desk_alone(
    drop: Box, paper: Callable[..., str], visit: Open, code: str
) -> None:
    page = visit(f"{paper(drop.url)}{code}/write/")
    sent = posts(page)
    fill_in(page)
    page.click(f"text={WORDS[code][0]}")
    page.wait_for_selector(f"text={WORDS[code][1]}")
    assert page.evaluate("document.activeElement.className") == "sent"
    [found] = drop.letters()
    assert (found.kind, found.language) == ("message", code)
    assert found.fields == {"text": TEXT, "contact": "ada@post.example"}
    [request] = sent
    assert request.post_data_buffer.startswith(b"age-encryption.org/v1\n-> X25519 ")
    assert "referer" not in request.all_headers()
    assert "cookie" not in request.all_headers()
    assert len(request.post_data_buffer) == 2_048 + 200
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]


@pytest.mark.parametrize("code", WORDS)
def test_the_same_form_works_without_script(
    drop: Box, paper: Callable[..., str], visit: Open, code: str
) -> None:
    page = visit(f"{paper(drop.url)}{code}/write/", java_script_enabled=False)
    fill_in(page)
    page.click("button")
    page.wait_for_url(f"{drop.url}/v1/done/message**")
    [found] = drop.letters()
    assert (found.kind, found.language) == ("message", code)
    assert found.fields == {"text": TEXT, "contact": "ada@post.example"}


@pytest.mark.parametrize("code", WORDS)
def test_what_is_missing_is_said_where_it_is_missing_and_nothing_is_sent(
    drop: Box, paper: Callable[..., str], visit: Open, code: str
) -> None:
    page = visit(f"{paper(drop.url)}{code}/write/")
    page.fill("[name=contact]", "ada@post.example")
    page.click("button")
    wrong = page.locator(".wrong")
    expect(wrong).to_contain_text(WORDS[code][2])
    field = page.locator("[name=text]")
    assert field.get_attribute("aria-invalid") == "true"
    assert wrong.get_attribute("id") in field.get_attribute("aria-describedby").split()
    assert page.evaluate("document.activeElement.name") == "text"
    page.keyboard.type("So.")
    expect(wrong).to_have_count(0)
    assert field.get_attribute("aria-invalid") is None
    page.evaluate("document.querySelector('[name=contact]').value = 'x'.repeat(255)")
    page.click("button")
    expect(wrong).to_contain_text("254")
    assert page.get_attribute("[name=contact]", "aria-describedby").endswith("contact-hint")
    assert drop.letters() == []


def test_words_stay_in_the_form_where_no_drop_answers_and_go_once_one_does(
    drops: Drops, paper: Callable[..., str], visit: Open
) -> None:
    drop = drops()
    page = visit(f"{paper(NOBODY, url(drop))}en/write/")
    drop.stop()
    fill_in(page)
    page.click("button")
    page.wait_for_selector(".say.warn")
    assert "no letterbox of ours answered" in said(page)
    assert page.input_value("[name=text]") == TEXT
    drop.start()
    page.click("button")
    page.wait_for_selector(".sent")
    assert len(opened(drop.folder)) == 1
    page.click(".sent button")
    expect(page.locator("[name=text]")).to_have_value("")
    assert page.evaluate("document.activeElement.name") == "text"


def test_a_device_without_a_network_says_so(
    drop: Box, paper: Callable[..., str], visit: Open
) -> None:
    page = visit(f"{paper(drop.url)}en/write/")
    page.context.set_offline(True)
    fill_in(page)
    page.click("button")
    page.wait_for_selector(".say.warn")
    assert "not connected" in said(page)
    assert page.input_value("[name=text]") == TEXT


def test_a_double_click_sends_one_letter(drop: Box, paper: Callable[..., str], visit: Open) -> None:
    page = visit(f"{paper(drop.url)}en/write/")
    posted = posts(page)
    fill_in(page)
    page.dblclick("button")
    page.wait_for_selector(".sent")
    page.wait_for_timeout(300)  # What came now would be one too many.
    assert len(posted) == 1
    assert len(drop.letters()) == 1
    # Where the answer is faster than the second click, that meets the button for another letter.
    page.dispatch_event(".sent button", "click", {"detail": 2})
    assert page.is_visible(".sent")


def test_what_was_taken_but_never_answered_is_one_letter_wherever_it_goes_next(
    drops: Drops, paper: Callable[..., str], visit: Open
) -> None:
    one, two = drops(), drops()
    page = visit(f"{paper(url(one), url(two))}en/write/")

    def lose(route: Any) -> None:
        route.fetch()
        route.abort()

    page.route(f"{url(one)}/**", lose)
    fill_in(page)
    page.click("button")
    page.wait_for_selector(".sent")
    [here], [there] = opened(one.folder), opened(two.folder)
    assert here == there


def test_work_that_a_busy_drop_asks_for_is_done_while_the_page_lives(
    drops: Drops, paper: Callable[..., str], visit: Open
) -> None:
    drop = drops(limits={"all_free": 0, "work": 20_000})
    page = visit(f"{paper(url(drop))}en/write/")
    fill_in(page)
    asked = posts(page)
    page.evaluate(
        "() => { let last = window.began = performance.now(); window.longest = 0;"
        "const beat = () => { const now = performance.now();"
        "window.longest = Math.max(longest, now - last); last = now; setTimeout(beat, 5); };"
        "beat(); }"
    )
    page.click("button")
    page.wait_for_selector(".sent")
    assert len(opened(drop.folder)) == 1
    assert "?proof=" in asked[-1].url
    longest, whole = page.evaluate("[longest, performance.now() - began]")
    assert longest < max(500, whole / 4), "a machine that is this busy has all of it take longer"


def test_a_browser_without_x25519_seals_all_the_same(
    drop: Box, paper: Callable[..., str], browser: Any, visit: Open
) -> None:
    page = visit("about:blank")
    page.add_init_script(
        "const known = crypto.subtle.importKey.bind(crypto.subtle);"
        "crypto.subtle.importKey = (form, key, how, ...rest) => how === 'X25519'"
        "? Promise.reject(new DOMException('', 'NotSupportedError'))"
        ": known(form, key, how, ...rest);"
    )
    page.goto(f"{paper(drop.url)}en/write/")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    fill_in(page)
    page.click("button")
    page.wait_for_selector(".sent")
    assert any(address.endswith("/assets/x25519.js") for address in asked)
    assert [found.fields["text"] for found in drop.letters()] == [TEXT]


def test_a_robot_is_thanked_and_forgotten(
    drop: Box, paper: Callable[..., str], visit: Open
) -> None:
    page = visit(f"{paper(drop.url)}en/write/")
    fill_in(page)
    page.evaluate("document.querySelector('[name=website]').value = 'https://spam.example'")
    page.click("button")
    page.wait_for_selector(".sent")
    assert drop.letters() == []


def test_who_comes_from_a_story_need_not_say_which(
    drop: Box, paper: Callable[..., str], visit: Open
) -> None:
    page = visit(f"{paper(drop.url)}{make_story(1).path[1:]}")
    page.click(".foot [data-write]")
    expect(page.locator("[name=story]")).to_have_value(make_story(1).path)


@pytest.mark.parametrize("code", WORDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_all_can_be_reached_by_keyboard(
    paper: Callable[..., str], visit: Open, code: str, scheme: str
) -> None:
    page = visit(f"{paper(NOBODY)}{code}/write/", color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    sizes = page.evaluate(
        "[...document.querySelectorAll('form :is(input:not([type=hidden],[name=website]),"
        "textarea,button), .otherwise a')].map((e) => e.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 44
    page.focus("[name=text]")
    order = []
    for _ in range(5):
        order.append(page.evaluate("document.activeElement.name || document.activeElement.type"))
        page.keyboard.press("Tab")
    assert order == ["text", "contact", "name", "story", "submit"]


SUBSCRIBE = """{% from "_letter.html" import letter, field %}<!doctype html>
<html lang="en"><title>Weekly</title><script src="/assets/forms.js" defer></script>
{% call letter("subscribe", letters, "en", words, lists="newsletters") -%}
{{ field("subscribe", "address", "Your address", 254, needed=true, type="email") }}
{% for slug in ("weekly", "daily", "monthly") %}<label><input type="checkbox" name="newsletters"
value="{{ slug }}"{% if slug != "daily" %} checked{% endif %}> {{ slug }}</label>{% endfor %}
<input type="hidden" name="privacy" value="3"><input type="hidden" name="form" value="article">
{%- endcall %}</html>"""


def test_any_other_form_is_made_of_the_same_parts(
    drop: Box, copy: Copy, paper: Callable[..., str], visit: Open
) -> None:
    """As the sign-up for a newsletter will be: lists, hidden fields, an address that is checked."""
    words = form_words("en", done="Nearly there", done_text="Look into your mail.", again="")
    letters = Letters(drops=(drop.url,), recipient=RECIPIENT)
    form = environment.from_string(SUBSCRIBE).render(letters=letters, words=words)
    copy.change = lambda path, data: form.encode() if path == "/en/write/" else data
    page = visit(f"{paper(drop.url)}en/write/")
    page.fill("[name=address]", "ada")
    page.click("button")
    expect(page.locator(".wrong")).to_contain_text("not a mail address")
    page.fill("[name=address]", "ada@post.example")
    page.click("button")
    page.wait_for_selector(".sent")
    assert "Nearly there" in page.inner_text(".sent")
    assert page.locator(".sent button").count() == 0
    assert [found.fields for found in drop.letters()] == [
        {
            "address": "ada@post.example",
            "newsletters": ["weekly", "monthly"],
            "privacy": 3,
            "form": "article",
        }
    ]


class Signed(Room):
    """A signed paper whose page names another recipient for letters than its holders signed."""

    def open_with(self, page: Letters, recipient: str) -> Signed:
        self.site = msgspec.structs.replace(PAPER, letters=page)
        seeds = [Mirror.at(address) for address in self.seeds]
        said = site_json("The Lantern", PAPER, [], seeds, recipient)
        self.root = ceremony.found(self.desk, self.holders, said, self.now)
        self.stories[1] = make_story(1, published=self.now)
        report = self.paper.build(Stories(self.stories.values()), self.site)
        assert not report.problems, report.problems
        return self


def with_worker(page: Any, address: str) -> None:
    page.goto(address)
    page.wait_for_selector(".proof")  # The worker is there.
    page.reload()
    page.wait_for_selector(".proof")


def test_where_the_worker_is_letters_are_sealed_to_the_key_that_the_holders_signed(
    drop: Box, copy: Copy, tmp_path: Path, visit: Open
) -> None:
    thief = str(pyrage.x25519.Identity.generate().to_public())
    room = Signed(tmp_path, [copy.url])
    room.open_with(Letters(drops=(drop.url,), recipient=thief), RECIPIENT)
    copy.serve(tmp_path / "edition")
    page = visit("about:blank")
    with_worker(page, f"{copy.url}en/write/")
    fill_in(page)
    page.click("button")
    page.wait_for_selector(".sent")
    assert [found.fields["text"] for found in drop.letters()] == [TEXT]


def test_a_paper_without_keys_has_a_worker_that_says_so_at_once(
    drop: Box, paper: Callable[..., str], visit: Open
) -> None:
    page = visit(f"{paper(drop.url)}en/write/")
    page.evaluate("navigator.serviceWorker.ready.then(() => 1)")
    page.reload()
    controlled = "Boolean(navigator.serviceWorker.controller)"
    until(page, lambda: page.evaluate(controlled), "the page is the worker's")
    fill_in(page)
    page.click("button")
    page.wait_for_selector(".sent")
    assert len(drop.letters()) == 1


def test_where_the_holders_signed_no_key_yet_the_pages_own_counts(
    drop: Box, copy: Copy, tmp_path: Path, visit: Open
) -> None:
    room = Signed(tmp_path, [copy.url])
    room.open_with(Letters(drops=(drop.url,), recipient=RECIPIENT), "")
    copy.serve(tmp_path / "edition")
    page = visit("about:blank")
    with_worker(page, f"{copy.url}en/write/")
    fill_in(page)
    page.click("button")
    page.wait_for_selector(".sent")
    assert len(drop.letters()) == 1


def test_where_the_worker_cannot_tell_the_key_nothing_is_sent(
    drop: Box, copy: Copy, tmp_path: Path, visit: Open
) -> None:
    room = Signed(tmp_path, [copy.url])
    room.open_with(Letters(drops=(drop.url,), recipient=RECIPIENT), RECIPIENT)
    copy.serve(tmp_path / "edition")
    copy.change = lambda path, data: b"" if "site.json" in path else data
    page = visit("about:blank")
    with_worker(page, f"{copy.url}en/write/")
    fill_in(page)
    page.click("button")
    page.wait_for_selector(".say.warn")
    assert "could not be checked" in said(page)
    assert page.input_value("[name=text]") == TEXT
    assert drop.letters() == []
    copy.change = lambda _path, data: data
    page.click("button")
    page.wait_for_selector(".sent")
    assert len(drop.letters()) == 1
