# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reader gives: from an article, through a letterbox, to the provider's page and back; and asks
to be reminded."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tamizdat import config
from tamizdat.cli.demo_sandbox import child_of, provider_of, with_sandbox
from tamizdat.giving.port import PaymentFact
from tamizdat.giving.registry import DeskSettings, make_provider
from tests.e2e import newsroom as houses
from tests.e2e.conftest import STAFF, Open
from tests.e2e.newsroom import PASSWORD, Newsroom, environment, tamizdat
from tests.e2e.people import overflow, until, violations

pytestmark = pytest.mark.slow
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
THANKS = {"en": "Thank you", "ru": "Спасибо"}


class House:
    """A newsroom with a letterbox and the demo's provider."""

    def __init__(self, base: Path) -> None:
        self.room: Newsroom = houses.make(base / "house", ("en", "ru"))
        self.port = houses.free_port()
        self.drop = base / "pier"
        self.url = f"http://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen[bytes]] = []

    def open(self) -> None:
        settings = self.room.folder / "tamizdat.toml"
        drop = f'\n[[drops]]\nname = "pier"\nurl = "{self.url}"\n'
        mail = '\n[mail]\nsender = "desk@meridian.example"\n'
        settings.write_text(f"demo = true\n{settings.read_text()}{drop}{mail}")
        made = with_sandbox(config.Newsroom(self.room.folder), houses.free_port())
        self.start(child_of(made).arguments, "sandbox")
        until(child_of(made).answers, "the sandbox does not answer", 60)
        for username, (role, name) in STAFF.items():
            self.room.do("account", username=username, role=role, password=PASSWORD, name=name)
        self.room.do("person", name="Mira Valdis", slug="mira-valdis")
        for code, slug in (("en", "news"), ("ru", "novosti")):
            self.room.do("term", kind="section", language=code, title="News", slug=slug)
            self.room.do(
                "article",
                headline=f"Ice {code}",
                language=code,
                section=slug,
                publish_by="petra",
            )
        self.room.do("build")
        where = ("--dir", str(self.room.folder))
        tamizdat(
            "drop", "init", str(self.drop), *where, "--url", self.url,
            "--port", str(self.port), "--json",
        )  # fmt: skip
        self.start([*houses.TAMIZDAT, "drop", "serve", str(self.drop)], "drop")
        until(lambda: houses._answers(self.port), "the letterbox does not answer", 60)
        self.room.start("paper")

    def start(self, arguments: list[str], name: str) -> None:
        with (self.room.folder / "run" / f"test-{name}.log").open("ab") as log:
            self.processes.append(
                subprocess.Popen(
                    arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    env=environment(),
                )
            )

    def close(self) -> None:
        for process in self.processes:
            houses.end(process)
        self.room.close()

    def payments(self) -> list[PaymentFact]:
        """What the provider took, or tried to."""
        newsroom = config.Newsroom(self.room.folder)
        known = provider_of(newsroom)
        assert known is not None
        key = newsroom.secret(known.credentials)
        provider = make_provider(DeskSettings(kind="sandbox", key=key, url=known.url))
        listed = provider.listing(datetime(2020, 1, 1, tzinfo=UTC))
        return [one for one in listed if isinstance(one, PaymentFact)]

    def paid(self) -> list[tuple[int, str]]:
        return sorted((one.amount, one.currency) for one in self.payments() if one.state == "paid")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("giving"))
    try:
        made.open()
        yield made
    finally:
        made.close()


def visit(house: House, open_browser: Open, path: str, **options: Any) -> Page:
    page = open_browser(**{"viewport": PHONE, **options}).new_page()
    page.goto(house.room.paper + path)
    return page


def pay(page: Page, card: str) -> None:
    """On the provider's page, which says that it moves no money."""
    expect(page.locator(".mark")).to_be_visible()
    page.locator(f"[name=card][value={card}]").check()
    page.locator("main form button").first.click()


def press(page: Page, script: bool) -> None:
    """Continue; without script the letterbox asks once more, by one button."""
    page.locator("#give button").click()
    if not script:
        page.wait_for_url("**/v1/give")
        page.locator("main form button").click()
    page.locator(".mark").wait_for()


@pytest.mark.parametrize(
    ("code", "script", "viewport"),
    [("en", True, PHONE), ("ru", True, DESK), ("ru", False, PHONE), ("en", False, DESK)],
)
def test_from_an_article_to_a_gift_every_month(
    house: House, open_browser: Open, code: str, viewport: dict[str, int], *, script: bool
) -> None:
    before = house.paid()
    story = house.room.do("find", headline=f"Ice {code}")["path"]
    page = visit(house, open_browser, story, viewport=viewport, java_script_enabled=script)
    page.locator(".ribbon a").click()
    page.wait_for_url(f"**/{code}/support/")
    page.locator("[name=kind][value=monthly]").check()
    page.locator("[name=amount-monthly][value='20.00 USD']").check()
    press(page, script)
    page.fill("[name=address]", f"ada-{code}-{script}@post.example")
    pay(page, "good")
    expect(page.locator("h1")).to_have_text(THANKS[code])
    page.wait_for_url(f"{house.room.paper}/{code}/support/thanks/")
    assert house.paid() == sorted([*before, (2000, "USD")])


def test_a_decline_keeps_the_choice_and_says_why_and_the_second_try_is_charged_once(
    house: House, open_browser: Open
) -> None:
    before = house.paid()
    page = visit(house, open_browser, "/en/support/#kind=once&amount=33.00&currency=USD")
    expect(page.locator("#own")).to_have_value("33.00")
    press(page, script=True)
    pay(page, "declined")
    expect(page.locator("[role=alert]").first).to_be_visible()
    pay(page, "good")
    expect(page.locator("h1")).to_have_text("Thank you")
    assert house.paid() == sorted([*before, (3300, "USD")])


def test_who_goes_back_from_the_provider_is_charged_once(house: House, open_browser: Open) -> None:
    before = house.paid()
    page = visit(house, open_browser, "/en/support/")
    press(page, script=True)
    first = page.url
    page.go_back()
    page.locator("#give").wait_for()
    press(page, script=True)
    page.wait_for_url(first)
    page.fill("[name=address]", "carol@post.example")
    pay(page, "good")
    page.locator("h1:has-text('Thank you')").wait_for()
    assert len(house.paid()) == len(before) + 1


def test_who_gave_is_not_asked_any_more_and_the_page_is_for_everybody(
    house: House, open_browser: Open
) -> None:
    page = visit(house, open_browser, "/en/support/")
    assert violations(page) == []
    assert overflow(page) == []
    page.goto(f"{house.room.paper}/en/support/thanks/")
    assert violations(page) == []
    page.goto(house.room.paper + house.room.do("find", headline="Ice en")["path"])
    expect(page.locator(".ribbon")).to_have_count(0)


@pytest.mark.parametrize("script", [True, False])
def test_a_reader_asks_to_be_reminded(house: House, open_browser: Open, *, script: bool) -> None:
    page = visit(house, open_browser, "/en/support/#remind", java_script_enabled=script)
    page.locator("#remind [name=months][value='3']").check()
    page.fill("#remind [name=address]", f"bela-{script}@post.example")
    page.locator("#remind form button").click()
    if script:
        expect(page.locator(".sent")).to_contain_text("Now look into your mail")
    else:
        expect(page.locator("h1")).to_have_text("Now look into your mail")
    report = tamizdat("drop", "collect", "--dir", str(house.room.folder), "--json")
    assert report["ok"], report
