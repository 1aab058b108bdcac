# SPDX-License-Identifier: AGPL-3.0-or-later
"""A code beside the password: from an app, or from the sheet of recovery codes."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.models import Authenticator

from tamizdat.desk.staff.models import User
from tests.desk.staff.conftest import ACCESS, LOGIN, Browser, code_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def secret(reporter: User, browser: Browser) -> str:
    """Rita's app, set up in ``browser``."""
    browser.password("rita")
    return browser.add_app()


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let half minutes pass."""
    from allauth.mfa.totp.internal import auth

    steps = auth.yield_hotp_counters_from_time

    def pass_by(number: int) -> None:
        monkeypatch.setattr(
            auth, "yield_hotp_counters_from_time", lambda: (step + number for step in steps())
        )

    return pass_by


def _opens(code: str) -> bool:
    elsewhere = Browser()
    assert elsewhere.password("rita")["Location"] == LOGIN + "second/"
    elsewhere.code(code)
    return elsewhere.is_in


def test_a_code_opens_the_desk_after_the_password_and_never_without(
    secret: str, later: Any
) -> None:
    later(1)
    assert not Browser().code(code_of(secret, 1))["Location"].startswith("/desk/account")
    assert _opens(code_of(secret, 1))


def test_a_clock_may_be_wrong_by_half_a_minute_and_no_more(secret: str, later: Any) -> None:
    later(10)
    assert not _opens(code_of(secret, 8))
    assert not _opens(code_of(secret, 12))
    assert _opens(code_of(secret, 9))
    assert _opens(code_of(secret, 11))


def test_a_code_is_taken_once_and_none_older_after_it(secret: str, later: Any) -> None:
    assert not _opens(code_of(secret)), "the code of the set-up"
    later(5)
    assert _opens(code_of(secret, 5))
    assert not _opens(code_of(secret, 5))
    assert not _opens(code_of(secret, 4))
    later(6)
    assert not _opens(code_of(secret, 5)), "also where its time is not over yet"


def test_codes_may_be_typed_with_spaces(secret: str, later: Any) -> None:
    later(2)
    code = code_of(secret, 2)
    assert _opens(f" {code[:3]} {code[3:]} ")


def test_the_secret_lies_sealed_in_the_database(secret: str) -> None:
    assert secret not in str(Authenticator.objects.get(type="totp").data)


def test_recovery_codes_are_shown_once_and_each_opens_once(secret: str, browser: Browser) -> None:
    codes = browser.recovery_codes()
    assert len(set(codes)) == 10
    assert codes[0] not in browser.get(ACCESS + "codes/").content.decode()
    assert _opens(codes[0])
    assert not _opens(codes[0])
    assert _opens(codes[1].replace(" ", ""))
    assert "8 are left" in browser.get(ACCESS).content.decode()


def test_new_recovery_codes_end_the_old_ones(secret: str, browser: Browser) -> None:
    old = browser.recovery_codes()
    new = browser.recovery_codes()
    assert not _opens(old[0])
    assert _opens(new[0])


def test_the_page_with_recovery_codes_is_kept_nowhere(secret: str, browser: Browser) -> None:
    assert "no-store" in browser.post(ACCESS + "codes/")["Cache-Control"]


def test_the_app_is_removed_and_its_codes_with_it(secret: str, browser: Browser) -> None:
    browser.recovery_codes()
    row = Authenticator.objects.get(type="totp")
    browser.post(f"{ACCESS}remove/{row.pk}/")
    assert not Authenticator.objects.exists()
    assert Browser().password("rita")["Location"] == "/desk/"


def test_the_only_factor_cannot_be_removed_where_one_is_demanded(
    secret: str, browser: Browser, demanding: Any
) -> None:
    row = Authenticator.objects.get(type="totp")
    answer = browser.post(f"{ACCESS}remove/{row.pk}/", follow=True)
    assert "your only one" in answer.content.decode()
    assert Authenticator.objects.filter(pk=row.pk).exists()


def test_a_wrong_first_code_keeps_the_secret_that_was_scanned(
    reporter: User, browser: Browser
) -> None:
    browser.password("rita")
    page = browser.get(ACCESS + "app/")
    answer = browser.post(ACCESS + "app/", {"code": "000000"})
    assert answer.context["secret"] == page.context["secret"]
    assert not Authenticator.objects.exists()


def test_somebody_with_an_open_browser_must_prove_who_they_are(
    secret: str, browser: Browser, later: Any
) -> None:
    session = browser.session
    session["entry_proved"] = 0
    session.save()
    for path in ("setup/", "passkey/", "codes/"):
        assert browser.get(ACCESS + path)["Location"].startswith(ACCESS + "prove/")
    row = Authenticator.objects.get(type="totp")
    assert browser.post(f"{ACCESS}remove/{row.pk}/")["Location"].startswith(ACCESS + "prove/")
    assert browser.post(ACCESS + "prove/", {"code": "123456"}).status_code == 200
    later(3)
    answer = browser.post(
        ACCESS + "prove/", {"code": code_of(secret, 3), "next": ACCESS + "codes/"}
    )
    assert answer["Location"] == ACCESS + "codes/"
    assert browser.get(ACCESS + "codes/").status_code == 200
