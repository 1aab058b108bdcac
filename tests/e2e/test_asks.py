# SPDX-License-Identifier: AGPL-3.0-or-later
"""A message to readers, from an empty list at the desk to an article in the paper, by two."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import newsroom as houses
from tests.e2e.conftest import STAFF, Open
from tests.e2e.newsroom import PASSWORD, Newsroom
from tests.e2e.people import log_in, overflow, violations, write_rich

pytestmark = pytest.mark.slow
# Nobody gives here: neither the letterbox nor the provider has to answer.
GIVING = """
[[drops]]
name = "pier"
url = "https://drop.example"

[[giving.providers]]
kind = "stripe"
methods = ["card"]

[[giving.offers]]
kind = "monthly"
currency = "USD"
amounts = ["5", "10", "20"]
recommended = "10"
least = "2"
most = "1000"
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """A newsroom that readers can pay for, with an article in each of its languages."""
    room = houses.make(tmp_path_factory.mktemp("asks") / "house", ("en", "ru"))
    try:
        settings = room.folder / "tamizdat.toml"
        settings.write_text(settings.read_text() + GIVING)
        for username in ("edgar", "petra"):
            role, name = STAFF[username]
            room.do("account", username=username, role=role, password=PASSWORD, name=name)
        room.do("person", name="Mira Valdis", slug="mira-valdis")
        for code, slug, title in (("en", "news", "News"), ("ru", "novosti", "Новости")):
            room.do("term", kind="section", language=code, title=title, slug=slug)
            room.do("article", headline=f"Ice {code}", language=code, section=slug, by="edgar",
                    publish_by="petra")  # fmt: skip
        room.do("build")
        room.start("desk", "paper")
        yield room
    finally:
        room.close()


def at_desk(house: Newsroom, open_browser: Open, username: str, **options: Any) -> Page:
    page = open_browser(**options).new_page()
    page.goto(f"{house.desk}/desk/contributions/messages/")
    log_in(page, username)
    expect(page).to_have_title(re.compile("Messages"))
    return page


def words_in(page: Page, variant: int, language: str) -> Locator:
    """The fields of a variant in a language."""
    return page.locator(f"#variant-{variant}").get_by_role("group", name=language)


def write(page: Page) -> None:
    """Two variants in two languages, by the form's own buttons."""
    page.get_by_label("Title").fill("Winter")
    page.get_by_label("Short name").fill("winter")
    words_in(page, 0, "English").get_by_label("Headline").fill("We stay because you read")
    words_in(page, 0, "Русский").get_by_label("Headline").fill("Мы есть, пока вы читаете")
    expect(words_in(page, 0, "English").locator(".newsroom-count").first).to_have_text("24 of 90")
    expect(words_in(page, 0, "English").get_by_role("textbox", name="Text")).to_be_visible()
    write_rich(page, "From two dollars a month.")
    page.get_by_role("button", name="Add a variant").click()
    expect(page.get_by_role("group", name="Variant 2")).to_be_visible()
    kept = words_in(page, 0, "English")
    expect(kept.get_by_label("Headline")).to_have_value("We stay because you read")
    expect(kept.get_by_role("textbox", name="Text")).to_contain_text("From two dollars a month.")
    words_in(page, 1, "English").get_by_label("Headline").fill("A reporter on the line")
    words_in(page, 1, "Русский").get_by_label("Headline").fill("Журналист на связи")


def test_a_message_in_two_variants_and_languages_from_the_desk_to_the_paper(
    house: Newsroom, open_browser: Open
) -> None:
    edgar = at_desk(house, open_browser, "edgar")
    edgar.get_by_role("link", name="Write the first one").click()
    write(edgar)
    assert violations(edgar, within=".asks-form") == []
    edgar.get_by_role("button", name="Save and preview").click()
    look(edgar)
    edgar.get_by_role("navigation", name="This message").get_by_text("Approve").click()
    expect(edgar.get_by_text("another person has to approve it")).to_be_visible()

    petra = at_desk(house, open_browser, "petra", viewport={"width": 360, "height": 740})
    petra.get_by_role("link", name="Winter").click()
    expect(words_in(petra, 1, "Русский").get_by_role("textbox", name="Text")).to_be_visible()
    assert overflow(petra) == []
    petra.get_by_role("navigation", name="This message").get_by_text("Approve").click()
    expect(petra.get_by_role("button", name="Approve it as it is")).to_be_visible()
    assert violations(petra, within=".asks") == []
    petra.get_by_role("button", name="Approve it as it is").click()
    expect(petra.get_by_text("Approved as version 1.")).to_be_visible()

    house.do("build")
    for code, first, second in (
        ("en", "We stay because you read", "A reporter on the line"),
        ("ru", "Мы есть, пока вы читаете", "Журналист на связи"),
    ):
        fragment = house.read(f"/fragments/{code}/message.html").text
        assert first in fragment
        assert second in fragment
        reader = open_browser().new_page()
        reader.goto(house.paper + house.do("find", headline=f"Ice {code}")["path"])
        message = reader.locator(".message")
        message.scroll_into_view_if_needed()
        expect(message.locator("h2")).to_have_text(re.compile(f"^({first}|{second})$"))


def look(page: Page) -> None:
    """The preview: on a phone and a desktop, in another language and variant, in the dark."""
    page.wait_for_url("**/preview/")
    for title in ("The message on a phone", "The message on a desktop"):
        frame = page.frame_locator(f"iframe[title='{title}']")
        expect(frame.get_by_role("heading", name="We stay because you read")).to_be_visible()
        expect(frame.get_by_text("From two dollars a month.")).to_be_visible()
    assert violations(page, within=".asks") == []
    for link, mark in (("Русский", "language=ru"), ("Variant b", "variant=b"), ("Dark", "dark")):
        page.get_by_role("link", name=link, exact=True).click()
        page.wait_for_url(f"**{mark}**")
    phone = page.frame_locator("iframe[title='The message on a phone']")
    expect(phone.get_by_role("heading", name="Журналист на связи")).to_be_visible()
    dark = re.compile(r"rgb\(\d?\d, \d?\d, \d?\d\)")
    expect(phone.locator("body")).to_have_css("background-color", dark)
