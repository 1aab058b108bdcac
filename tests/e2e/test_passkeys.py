# SPDX-License-Identifier: AGPL-3.0-or-later
"""Staff come in with what they have in their pocket, in a newsroom where a password is not enough.

Chromium's virtual authenticator stands in for phone and security key.
"""

from __future__ import annotations

import base64
import hmac
import re
import shutil
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.browsers import lead_away
from tests.e2e import newsroom as houses
from tests.e2e.conftest import Open
from tests.e2e.newsroom import Newsroom, tamizdat
from tests.e2e.people import log_in, overflow, violations

WORD = "seven tall ships at anchor"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    """A newsroom that demands a second factor. Browsers take passkeys of names, not of numbers."""
    room = houses.make(
        tmp_path_factory.mktemp("guarded") / "meridian", ("en", "ru"), second_factor="required"
    )
    try:
        room.start("desk")
        yield room
    finally:
        room.close()
        shutil.rmtree(room.folder, ignore_errors=True)


def _at_name(room: Newsroom, link: str) -> str:
    return re.sub(r"^https?://[^/]+", f"http://localhost:{room.desk_port}", link)


def _link(room: Newsroom, *words: str) -> str:
    return _at_name(
        room, tamizdat("desk", "--dir", str(room.folder), "user", *words, "--json")["link"]
    )


class Pocket:
    """What somebody carries: a virtual authenticator in this page's browser."""

    def __init__(self, page: Page, **options: Any) -> None:
        self.cdp: CDPSession = page.context.new_cdp_session(page)
        self.cdp.send("WebAuthn.enable")
        built = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        added = self.cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {**built, **options}})
        self.id = added["authenticatorId"]

    @property
    def credentials(self) -> list[dict[str, Any]]:
        found = self.cdp.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])

    def put(self, credential: dict[str, Any]) -> None:
        self.cdp.send(
            "WebAuthn.addCredential", {"authenticatorId": self.id, "credential": credential}
        )

    def knows_its_person(self, verified: bool) -> None:
        self.cdp.send(
            "WebAuthn.setUserVerified", {"authenticatorId": self.id, "isUserVerified": verified}
        )


def _choose_password(page: Page, link: str) -> None:
    page.goto(link)
    page.locator("#id_new_password1").fill(WORD)
    page.locator("#id_new_password2").fill(WORD)
    page.get_by_role("button", name="Save and go on").click()
    expect(page.get_by_role("heading", name="Protect your account")).to_be_visible()


def _make_passkey(page: Page, name: str = "My phone") -> None:
    page.get_by_role("textbox", name="What to call it").fill(name)
    page.get_by_role("button", name="Set up a passkey").click()


def _sign_out(page: Page, room: Newsroom) -> None:
    lead_away(page)  # What it still asks for must not bring a cookie back.
    page.context.clear_cookies()
    page.goto(_at_name(room, f"{room.desk}/desk/"))


def _is_in(page: Page) -> None:
    expect(page.get_by_role("link", name="Articles").first).to_be_visible()


def _well_made(page: Page) -> None:
    assert violations(page) == []
    assert overflow(page) == []


def test_from_an_invitation_to_a_passkey_and_in_again_without_a_name(
    guarded: Newsroom, open_browser: Open
) -> None:
    page = open_browser().new_page()
    pocket = Pocket(page)
    _choose_password(page, _link(guarded, "add", "anna", "--role", "Editor"))
    page.goto(_at_name(guarded, f"{guarded.desk}/desk/account/"))
    expect(page.get_by_role("heading", name="Protect your account")).to_be_visible()
    _well_made(page)
    _make_passkey(page)
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.get_by_role("button", name="Make and show recovery codes").click()
    expect(page.locator(".staff-door__codes li")).to_have_count(10)
    _well_made(page)
    page.get_by_role("link", name="I have them").click()
    _is_in(page)

    _sign_out(page, guarded)
    _well_made(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    _is_in(page)
    assert pocket.credentials[0]["isResidentCredential"]

    # Beside the password it does as well.
    _sign_out(page, guarded)
    log_in_at_first(page, "anna")
    _well_made(page)
    page.get_by_role("button", name="Use a passkey").click()
    _is_in(page)


def log_in_at_first(page: Page, name: str) -> None:
    page.locator("#id_username").fill(name)
    page.locator("#id_password").fill(WORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("heading", name="Second step")).to_be_visible()


@pytest.mark.slow
def test_a_passkey_that_cannot_know_its_person_opens_nothing_and_the_page_says_what_to_do(
    guarded: Newsroom, open_browser: Open
) -> None:
    page = open_browser().new_page()
    pocket = Pocket(page)
    _choose_password(page, _link(guarded, "add", "boris", "--role", "Editor"))
    pocket.knows_its_person(False)
    _make_passkey(page)
    expect(page.get_by_role("alert")).to_have_text("No passkey was used. Try again when you like.")
    pocket.knows_its_person(True)
    _make_passkey(page)
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    _sign_out(page, guarded)
    pocket.knows_its_person(False)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert "/login/" in page.url


@pytest.mark.slow
def test_a_copy_of_a_passkey_is_refused(guarded: Newsroom, open_browser: Open) -> None:
    page = open_browser().new_page()
    pocket = Pocket(page)
    _choose_password(page, _link(guarded, "add", "cara", "--role", "Editor"))
    _make_passkey(page)
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    copied = pocket.credentials[0]
    _sign_out(page, guarded)
    page.get_by_role("button", name="Sign in with a passkey").click()
    _is_in(page)

    thief = open_browser().new_page()
    Pocket(thief).put({k: v for k, v in copied.items() if v is not None})
    thief.goto(_at_name(guarded, f"{guarded.desk}/desk/"))
    thief.get_by_role("button", name="Sign in with a passkey").click()
    expect(thief.get_by_text("seems to have a copy")).to_be_visible()
    assert "/login/" in thief.url


def test_where_passkeys_cannot_work_the_page_says_so(guarded: Newsroom, open_browser: Open) -> None:
    page = open_browser().new_page()
    Pocket(page)
    page.goto(f"{guarded.desk}/desk/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("Passkeys do not work here")


@pytest.mark.slow
def test_an_app_with_codes_and_then_the_sheet_of_paper(
    guarded: Newsroom, open_browser: Open
) -> None:
    page = open_browser(viewport={"width": 360, "height": 740}).new_page()
    _choose_password(page, _link(guarded, "add", "dora", "--role", "Reporter"))
    page.get_by_role("link", name="Set up an app").click()
    expect(page.get_by_role("img", name=re.compile("The secret as a QR code"))).to_be_visible()
    page.get_by_text("Or type the secret").click()
    _well_made(page)
    secret = page.locator(".staff-door__secret").inner_text().replace(" ", "")
    page.get_by_role("textbox", name="Code").fill(_code(secret))
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("button", name="Make and show recovery codes").click()
    expect(page.locator(".staff-door__codes code")).to_have_count(10)
    paper = page.locator(".staff-door__codes code").all_inner_texts()
    page.get_by_role("link", name="I have them").click()
    page.wait_for_url("**/desk/")

    _sign_out(page, guarded)
    log_in_at_first(page, "dora")
    page.get_by_role("textbox", name="Code").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("This code is not right")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill(paper[0])
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/")

    _sign_out(page, guarded)
    log_in_at_first(page, "dora")
    page.get_by_role("textbox", name="Code").fill(paper[0])
    page.keyboard.press("Enter")
    expect(page.get_by_text("This code is not right")).to_be_visible()


def _code(secret: str) -> str:
    """What an app shows now (RFC 6238), worked out without the desk's own library."""
    step = struct.pack(">Q", int(time.time()) // 30)
    mac = hmac.digest(base64.b32decode(secret), step, "sha1")
    start = mac[-1] & 15
    return f"{(int.from_bytes(mac[start : start + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


@pytest.mark.slow
def test_who_lost_everything_begins_anew_and_ends_what_is_open_elsewhere(
    guarded: Newsroom, open_browser: Open
) -> None:
    page = open_browser().new_page()
    Pocket(page)
    _choose_password(page, _link(guarded, "add", "elsa", "--role", "Editor"))
    _make_passkey(page)
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()

    link = _link(guarded, "recover", "elsa")
    page.goto(_at_name(guarded, f"{guarded.desk}/desk/"))
    page.wait_for_url("**/login/**")

    new = open_browser().new_page()
    Pocket(new)
    _choose_password(new, link)
    _make_passkey(new, "New phone")
    expect(new.get_by_role("heading", name="Recovery codes")).to_be_visible()
    new.goto(_at_name(guarded, f"{guarded.desk}/desk/account/access/"))
    expect(new.get_by_text("New phone")).to_be_visible()
    expect(new.get_by_text("Chrome on Linux")).to_have_count(1)
    _well_made(new)
    accounts = tamizdat("desk", "--dir", str(guarded.folder), "user", "list", "--json")["accounts"]
    elsa = next(account for account in accounts if account["name"] == "elsa")
    assert elsa["roles"] == ["Editor"]
    assert elsa["opened_by"] == ["password", "1 passkey"]
    new.get_by_role("link", name="Remove New phone").click()
    new.get_by_role("button", name="Remove it").click()
    expect(new.get_by_text("This is your only one")).to_be_visible()


def test_the_log_in_is_usable_by_keyboard_and_by_password_managers(
    guarded: Newsroom, open_browser: Open
) -> None:
    page = open_browser().new_page()
    page.goto(_at_name(guarded, f"{guarded.desk}/desk/"))
    assert page.locator("#id_username").get_attribute("autocomplete") == "username"
    assert page.locator("#id_password").get_attribute("autocomplete") == "current-password"
    expect(page.locator("#id_username")).to_be_focused()
    order = []
    for _ in range(5):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.innerText"))
    assert order == [
        "id_password",
        "id_remember",
        "Sign in",
        "Sign in with a passkey",
        "I cannot get in",
    ]


@pytest.mark.slow
def test_two_tabs_of_the_log_in_do_not_trip_over_each_other(
    newsroom: Newsroom, open_browser: Open
) -> None:
    context = open_browser()
    first, second = context.new_page(), context.new_page()
    for page in (first, second):
        page.goto(f"{newsroom.desk}/desk/login/?next=/desk/account/")
    log_in(first, "rita")
    second.locator("#id_username").fill("rita")
    second.locator("#id_password").fill("whatever is typed here")
    second.get_by_role("button", name="Sign in", exact=True).click()
    second.wait_for_url("**/desk/account/")
