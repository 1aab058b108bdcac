# SPDX-License-Identifier: AGPL-3.0-or-later
"""Something is given back: asked for by one publisher, approved by another, done by the worker."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from playwright.sync_api import Page, expect

from tamizdat import config
from tamizdat.cli.demo_sandbox import child_of, provider_of, with_sandbox
from tamizdat.giving.choice import Choice
from tamizdat.giving.sandbox.client import HttpCalls
from tests.e2e import newsroom as houses
from tests.e2e.conftest import Open
from tests.e2e.newsroom import PASSWORD, Newsroom, environment
from tests.e2e.people import log_in, overflow, until, violations
from tests.ports import free_port

pytestmark = pytest.mark.slow
PEOPLE = {"petra": "Petra Vale", "paul": "Paul Orr"}
WIDTHS, COLOURS = (1280, 360), ("light", "dark")


class House:
    """A newsroom with the demo's provider, a desk and a worker."""

    def __init__(self, base: Path) -> None:
        self.room: Newsroom = houses.make(base / "house", ("en", "ru"))
        self.sandbox: subprocess.Popen[bytes] | None = None

    def open(self) -> None:
        settings = self.room.folder / "tamizdat.toml"
        mail = '\n[mail]\nsender = "desk@meridian.example"\n'
        settings.write_text(f"demo = true\n{settings.read_text()}{mail}")
        child = child_of(with_sandbox(config.Newsroom(self.room.folder), free_port()))
        self.sandbox = subprocess.Popen(
            child.arguments, stdin=subprocess.DEVNULL, env=environment()
        )
        until(child.answers, "the sandbox does not answer", 60)
        for username, name in PEOPLE.items():
            self.room.do(
                "account", username=username, role="Publisher", password=PASSWORD, name=name
            )
        self.room.start("desk")

    def checkout(self, amount: int) -> str:
        """A checkout is opened, as a letterbox does; where it is paid."""
        newsroom = config.Newsroom(self.room.folder)
        known = provider_of(newsroom)
        assert known is not None
        choice = Choice(
            kind="once",
            amount=amount,
            currency="USD",
            language="en",
            intent=f"{amount:022d}",
            message="autumn",
            variant="plain",
        )
        calls = HttpCalls(known.url, newsroom.secret(known.till))
        back = {"done": f"{known.url}/clock", "gave_up": known.url}
        said = {"choice": msgspec.to_builtins(choice), "paper": "The Meridian", "refused": []}
        url: str = calls("POST", "/api/checkouts", {**said, **back})["url"]
        calls.close()
        return url

    def close(self) -> None:
        if self.sandbox is not None:
            houses.end(self.sandbox)
        self.room.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    try:
        made.open()
        yield made
    finally:
        made.close()


def at_the_desk(house: House, open_browser: Open, username: str) -> Page:
    page = open_browser().new_page()
    page.goto(f"{house.room.desk}/desk/")
    log_in(page, username)
    return page


def pay(page: Page, where: str) -> None:
    """On the provider's page, with a card that works."""
    page.goto(where)
    page.locator("[name=card][value=good]").check()
    page.locator("main form button").first.click()
    page.wait_for_url("**/clock")


def comes(page: Page, words: str) -> None:
    """Load the page again until it says so: what the worker does shows nowhere else."""
    until(
        lambda: (page.reload(), words in page.locator("main").inner_text())[1],
        f"“{words}” does not come",
        60,
    )


def looked_at(page: Page, name: str) -> None:
    """Everybody can use the page as it is, on a phone too, in light and in dark."""
    folder = os.environ.get("TAMIZDAT_PICTURES")
    for colour in COLOURS:
        page.emulate_media(color_scheme=colour)  # type: ignore[arg-type] # one of the two
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            nothing(lambda: overflow(page) + cut(page))
            if folder:
                Path(folder).mkdir(parents=True, exist_ok=True)
                path = Path(folder) / f"gifts-{name}-{colour}-{width}.png"
                page.screenshot(path=path, full_page=True)
        nothing(lambda: violations(page, within=".gifts"))
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})


def cut(page: Page) -> list[str]:
    """What sticks out to the right: the desk's frame hides it, and nothing scrolls."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll(".gifts *")]
             .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
             .slice(0, 5).map((e) => e.outerHTML.slice(0, 120))"""
    )
    return found


def nothing(found: Callable[[], list[str]]) -> None:
    """Nothing is found once the page is at rest: the desk's own menu and colours move a moment."""
    last: list[str] = []

    def at_rest() -> bool:
        last[:] = found()
        return not last

    try:
        until(at_rest, "something is found", 10)
    except AssertionError:
        assert last == []
        raise


def asks(page: Page, amount: str, why: str) -> None:
    """From the list of payments, as a publisher does it."""
    page.get_by_role("link", name="Payments", exact=True).click()
    page.get_by_label("Find", exact=True).fill("25")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator(".gifts-payments th a")).to_have_count(1)
    page.locator(".gifts-payments th a").click()
    page.get_by_role("link", name="Give back…").click()
    page.get_by_label("How much, in USD").fill(amount)
    page.get_by_label("Why").fill(why)
    page.get_by_role("button", name="Ask for it to be given back").click()


def test_one_asks_another_decides_and_the_worker_gives_back(
    house: House, open_browser: Open
) -> None:
    petra = at_the_desk(house, open_browser, "petra")
    for amount in (2500, 1000):
        pay(petra, house.checkout(amount))
    house.room.start("worker")
    petra.goto(f"{house.room.desk}/desk/contributions/gifts/")
    comes(petra, "25.00 USD")
    comes(petra, "10.00 USD")
    looked_at(petra, "payments")
    asks(petra, "10.001", "They gave twice")
    expect(petra.get_by_text("USD has no more than 2 digits behind the point")).to_be_visible()
    expect(petra.get_by_label("Why")).to_have_value("They gave twice")
    looked_at(petra, "ask")
    petra.get_by_label("How much, in USD").fill("10")
    petra.get_by_role("button", name="Ask for it to be given back").click()
    expect(petra.get_by_text("Another person has to approve it; nothing is")).to_be_visible()
    looked_at(petra, "refunds")

    paul = at_the_desk(house, open_browser, "paul")
    paul.get_by_role("link", name="Approve a refund: 10.00 USD").click()
    expect(paul.get_by_text("They gave twice")).to_be_visible()
    looked_at(paul, "refund")
    paul.get_by_role("button", name="Approve: give 10.00 USD back").focus()
    paul.keyboard.press("Enter")
    expect(paul.get_by_text("this page then says what it said")).to_be_visible()
    comes(paul, "Given back on")
    looked_at(paul, "given-back")

    asks(petra, "15", "They want the rest too")
    expect(petra.get_by_text("Asked for 15.00 USD to be given back")).to_be_visible()
    paul.goto(f"{house.room.desk}/desk/")
    paul.get_by_role("link", name="Approve a refund: 15.00 USD").click()
    paul.get_by_label("Why not").fill("They wrote again and let us keep it")
    paul.get_by_role("button", name="Decline it").click()
    expect(paul.get_by_text("Not given back: They wrote again")).to_be_visible()
    petra.reload()
    expect(petra.get_by_text("Not given back: They wrote again")).to_be_visible()
    petra.get_by_role("link", name="Payments", exact=True).click()
    expect(petra.get_by_text("Paid; 10.00 USD of it given back")).to_be_visible()
    petra.locator(".gifts-payments tr", has_text="25.00 USD").locator("th a").click()
    looked_at(petra, "gift")
    for tab in ("Disputes", "Asked by givers", "Providers"):
        link = petra.get_by_role("navigation", name="Gifts").get_by_role(
            "link", name=tab, exact=True
        )
        link.click()
        expect(link).to_have_attribute("aria-current", "page")
        looked_at(petra, tab.split()[0].lower())
