# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reader signs up for a newsletter: from an article, through a letterbox, to the desk."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import newsroom as houses
from tests.e2e.conftest import STAFF, Open
from tests.e2e.newsroom import PASSWORD, Newsroom, environment, tamizdat
from tests.e2e.people import overflow, until, violations

pytestmark = pytest.mark.slow
PHONE = {"width": 360, "height": 740}
WORDS = {
    "en": ("Sign up", "Now look into your mail", "This is not a mail address."),
    "ru": ("Подписаться", "Теперь загляните в почту", "Это не похоже на адрес"),
}


class House:
    """A newsroom with a letterbox, a newsletter in Russian and two in English."""

    def __init__(self, base: Path) -> None:
        self.room: Newsroom = houses.make(base / "house", ("en", "ru"))
        self.port = houses.free_port()
        self.drop = base / "pier"
        self.url = f"http://127.0.0.1:{self.port}"
        self._serving: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        settings = self.room.folder / "tamizdat.toml"
        drop = f'\n[[drops]]\nname = "pier"\nurl = "{self.url}"\n'
        mail = '\n[mail]\nsender = "desk@meridian.example"\n'
        settings.write_text(settings.read_text() + drop + mail)
        for username, (role, name) in STAFF.items():
            self.room.do("account", username=username, role=role, password=PASSWORD, name=name)
        self.room.do("term", kind="section", language="en", title="News", slug="news")
        self.room.do("term", kind="section", language="ru", title="Новости", slug="novosti")
        self.room.do("person", name="Mira Valdis", slug="mira-valdis")
        self.room.do("newsletter", slug="week", language="en", title="The week")
        self.room.do("newsletter", slug="courts", language="en", title="Court calendar")
        self.room.do("newsletter", slug="nedelya", language="ru", title="Неделя")
        self.story = {
            code: self.room.do(
                "article",
                headline=f"Ice {code}",
                language=code,
                section=section,
                publish_by="petra",
            )
            for code, section in (("en", "news"), ("ru", "novosti"))
        }
        self.room.do("build")
        where = ("--dir", str(self.room.folder))
        tamizdat(
            "drop", "init", str(self.drop), *where, "--url", self.url,
            "--port", str(self.port), "--json",
        )  # fmt: skip
        self.serve()
        self.room.start("paper")

    def serve(self) -> None:
        log = (self.room.folder / "run" / "test-drop.log").open("ab")
        with log:
            self._serving = subprocess.Popen(
                [*houses.TAMIZDAT, "drop", "serve", str(self.drop)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment(),
            )
        until(lambda: houses._answers(self.port), "the letterbox does not answer", 60)

    def stop_drop(self) -> None:
        if self._serving is not None:
            houses.end(self._serving)
            self._serving = None

    def close(self) -> None:
        self.stop_drop()
        self.room.close()

    def collect(self) -> None:
        report = tamizdat("drop", "collect", "--dir", str(self.room.folder), "--json")
        assert report["ok"], report

    def subscriptions(self) -> list[tuple[str, ...]]:
        return [tuple(row) for row in self.room.do("subscriptions")]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("letters"))
    try:
        made.open()
        yield made
    finally:
        made.close()


def visit(open_browser: Open, address: str, **options: Any) -> Page:
    page = open_browser(viewport=PHONE, **options).new_page()
    page.goto(address)
    return page


def posts(page: Page) -> list[Any]:
    sent: list[Any] = []
    page.on("request", lambda request: sent.append(request) if request.method == "POST" else None)
    return sent


@pytest.mark.parametrize("script", [True, False])
def test_from_a_story_to_a_subscription_that_waits_to_be_confirmed(
    house: House, open_browser: Open, script: bool
) -> None:
    before = house.subscriptions()
    page = visit(open_browser, house.room.paper + _path(house, "ru"), java_script_enabled=script)
    sent = posts(page)
    page.locator(".bymail .act").click()
    page.wait_for_url("**/ru/newsletter/nedelya/")
    page.fill("[name=address]", f"ada-{script}@post.example")
    page.click(f"button:has-text('{WORDS['ru'][0]}')")
    if script:
        expect(page.locator(".sent")).to_contain_text(WORDS["ru"][1])
        [request] = sent
        assert request.post_data_buffer.startswith(b"age-encryption.org/v1\n-> X25519 ")
    else:
        page.wait_for_url(f"{house.url}/v1/done/subscribe**")
    house.collect()
    found = house.subscriptions()
    assert len(found) == len(before) + 1
    assert (
        found.count(("nedelya", "pending", "ru"))
        == len([one for one in before if one[0] == "nedelya"]) + 1
    )


def _path(house: House, code: str) -> str:
    found: str = house.room.do("find", headline=f"Ice {code}")["path"]
    return found


@pytest.mark.parametrize("script", [True, False])
def test_where_there_are_several_a_reader_picks(
    house: House, open_browser: Open, script: bool
) -> None:
    page = visit(open_browser, house.room.paper + _path(house, "en"), java_script_enabled=script)
    page.locator(".bymail .act").click()
    page.wait_for_url("**/en/newsletter/")
    page.fill("[name=address]", f"eve-{script}@post.example")
    if script:
        page.click("button:has-text('Sign up')")
        expect(page.locator(".wrong")).to_have_text("Please choose at least one.")
        assert page.evaluate("document.activeElement.type") == "checkbox"
        assert page.input_value("[name=address]") == "eve-True@post.example"
    page.check("text=Court calendar")
    page.click("button:has-text('Sign up')")
    if script:
        expect(page.locator(".sent")).to_contain_text(WORDS["en"][1])
    else:
        page.wait_for_url(f"{house.url}/v1/done/subscribe**")
    house.collect()
    assert ("courts", "pending", "en") in house.subscriptions()
    assert "week" not in {one[0] for one in house.subscriptions()}


def test_what_is_wrong_is_said_beside_the_field_and_the_words_stay(
    house: House, open_browser: Open
) -> None:
    page = visit(open_browser, f"{house.room.paper}/ru/newsletter/nedelya/")
    sent = posts(page)
    page.fill("[name=address]", "ada at home")
    page.keyboard.press("Enter")
    wrong = page.locator(".wrong")
    expect(wrong).to_be_visible()
    field = page.locator("[name=address]")
    assert field.get_attribute("aria-invalid") == "true"
    assert (wrong.get_attribute("id") or "") in (field.get_attribute("aria-describedby") or "")
    assert field.input_value() == "ada at home"
    assert violations(page) == []
    assert sent == []


def test_a_drop_that_is_away_loses_nothing_and_a_double_click_sends_once(
    house: House, open_browser: Open
) -> None:
    page = visit(open_browser, f"{house.room.paper}/en/newsletter/week/")
    page.fill("[name=address]", "twice@post.example")
    page.context.set_offline(True)
    page.click("button:has-text('Sign up')")
    expect(page.locator("[data-said]")).to_contain_text("not connected")
    assert page.input_value("[name=address]") == "twice@post.example"
    page.context.set_offline(False)
    sent = posts(page)
    page.dblclick("button:has-text('Sign up')")
    expect(page.locator(".sent")).to_contain_text(WORDS["en"][1])
    assert len(sent) == 1
    house.collect()
    assert house.subscriptions().count(("week", "pending", "en")) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/en/newsletter/", "/en/newsletter/week/", "/ru/newsletter/nedelya/"]
)
def test_a_phone_shows_it_whole_and_axe_has_nothing_to_say(
    house: House, open_browser: Open, path: str, scheme: str
) -> None:
    page = visit(open_browser, house.room.paper + path, color_scheme=scheme)
    assert violations(page) == []
    assert overflow(page) == []


def test_it_is_filled_in_with_the_keyboard_alone(house: House, open_browser: Open) -> None:
    page = visit(open_browser, f"{house.room.paper}/en/newsletter/")
    page.focus("[name=newsletters]")
    order = []
    for _ in range(7):
        order.append(
            page.evaluate("document.activeElement.name || document.activeElement.textContent")
        )
        page.keyboard.press("Tab")
    assert [one for one in order if one in ("newsletters", "address", "Sign up")] == [
        "newsletters", "newsletters", "address", "Sign up",
    ]  # fmt: skip
