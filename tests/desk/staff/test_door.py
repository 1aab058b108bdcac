# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who may come in, how often somebody may try, and what a stranger learns: nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.urls import NoReverseMatch, reverse
from wagtail.models import ModelLogEntry

from tamizdat.desk.staff.access.actions import close_account, end_sessions
from tamizdat.desk.staff.access.devices import device_of
from tamizdat.desk.staff.access.throttle import LIMITS, Throttle
from tamizdat.desk.staff.actions import invitation
from tamizdat.desk.staff.models import Session, User
from tests.desk.conftest import PASSWORD
from tests.desk.staff.conftest import ACCESS, LOGIN, Browser
from tests.fakes.passkey import Passkey

pytestmark = pytest.mark.django_db
NEW = "seven tall ships at anchor"


# --- Trying.


def test_after_ten_wrong_passwords_the_page_says_how_long_to_wait(reporter: User) -> None:
    browser = Browser()
    for _ in range(10):
        assert browser.password("rita", "wrong").status_code == 200
    answer = browser.password("rita")
    assert answer.status_code == 429
    assert "Try again in 15 minutes" in answer.content.decode()
    assert 800 < int(answer["Retry-After"]) <= 901
    assert 'value="rita"' in answer.content.decode()
    assert not browser.is_in


def test_an_account_that_does_not_exist_answers_alike(reporter: User) -> None:
    def said(name: str) -> list[tuple[int, str]]:
        answers = [Browser().password(name, "wrong") for _ in range(11)]
        hide = re.compile(rf"{name}|[A-Za-z0-9]{{64}}")
        return [(a.status_code, hide.sub("", a.content.decode())) for a in answers]

    assert said("rita") == said("nora")


def test_the_right_password_takes_as_long_as_a_wrong_one_of_nobody(
    reporter: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed: list[str] = []
    encode = MD5PasswordHasher.encode

    def count(self: MD5PasswordHasher, password: str, salt: str) -> str:
        hashed.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", count)
    empty = User.objects.create(username="empty", password="!")
    User.objects.filter(pk=empty.pk).update(is_active=True)
    done = []
    for name in ("rita", "nora", "empty"):
        hashed.clear()
        Browser().password(name, "wrong")
        done.append(len(hashed))
    assert done == [1, 1, 1]


def test_whoever_tries_many_names_from_one_place_has_to_wait(reporter: User) -> None:
    browser = Browser(REMOTE_ADDR="203.0.113.9")
    for number in range(40):
        browser.password(f"name{number}", "wrong")
    assert browser.password("rita").status_code == 429
    assert Browser(REMOTE_ADDR="203.0.113.10").password("rita").status_code == 302


def test_behind_a_web_server_the_client_is_whom_it_names_last(
    reporter: User, settings: Any
) -> None:
    settings.STAFF_BEHIND_PROXY = True
    for number in range(40):
        Browser(
            REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=f"{number}.0.0.1, 203.0.113.9"
        ).password(f"name{number}", "wrong")
    named = {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert Browser(**named).password("rita").status_code == 429
    named["HTTP_X_FORWARDED_FOR"] = "203.0.113.10"
    assert Browser(**named).password("rita").status_code == 302


def test_five_wrong_codes_are_enough_and_the_passkey_still_opens(
    reporter: User, browser: Browser, passkey: Passkey
) -> None:
    browser.password("rita")
    browser.add_app()
    browser.add_passkey(passkey)
    guesser = Browser()
    guesser.password("rita")
    for _ in range(5):
        assert guesser.code("123456").status_code == 200
    assert guesser.code("123456").status_code == 429
    elsewhere = Browser()
    elsewhere.show_passkey(passkey)
    assert elsewhere.is_in


def test_a_right_password_between_wrong_ones_begins_the_count_anew(reporter: User) -> None:
    browser = Browser()
    for _ in range(3):
        for _ in range(9):
            browser.password("rita", "wrong")
        assert browser.password("rita").status_code == 302


def test_no_address_is_kept_anywhere(
    reporter: User, caplog: pytest.LogCaptureFixture, passkey: Passkey
) -> None:
    caplog.set_level("DEBUG")
    browser = Browser(REMOTE_ADDR="203.0.113.77")
    browser.password("rita", "wrong")
    browser.password("rita")
    browser.add_passkey(passkey)
    browser.show_passkey(passkey)
    rows = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the names are the database's
            rows.append(str(cursor.fetchall()))
    for text in (*rows, caplog.text, str(getattr(cache, "_cache", ""))):
        assert "203.0.113" not in text
        assert "X11" not in text
    for session in Session.objects.all():
        assert "203.0.113" not in str(session.get_decoded())


def test_counters_are_forgotten_and_never_grow_without_end() -> None:
    now = [0.0]
    throttle = Throttle(clock=lambda: now[0])
    limit = LIMITS["password"][0]
    for _ in range(limit.attempts):
        assert throttle.spend(("password", "rita")) == 0
    assert throttle.spend(("password", "rita")) == pytest.approx(limit.seconds)
    now[0] = limit.seconds - 60
    assert throttle.spend(("password", "rita")) == pytest.approx(60)
    now[0] = limit.seconds
    assert throttle.spend(("password", "rita")) == 0
    assert throttle.spend(("client", "")) == 0
    assert not any(b"rita" in key for key in throttle._seen)


# --- Coming in.


def test_the_key_of_a_session_changes_at_each_step(
    reporter: User, browser: Browser, passkey: Passkey
) -> None:
    browser.password("rita")
    browser.add_passkey(passkey)
    thief = Browser()
    thief.get(LOGIN + "passkey/options/")
    planted = thief.session.session_key
    thief.password("rita")
    waiting = thief.session.session_key
    options = thief.get(LOGIN + "passkey/options/?second=1").json()
    thief.post(LOGIN + "second/", {"credential": passkey.show(options)})
    assert len({planted, waiting, thief.session.session_key}) == 3
    for old in (planted, waiting):
        attacker = Browser()
        attacker.cookies["sessionid"] = old
        assert not attacker.is_in


def test_the_second_step_ends_with_its_time_and_with_the_password(
    reporter: User, browser: Browser, monkeypatch: pytest.MonkeyPatch, passkey: Passkey
) -> None:
    browser.password("rita")
    browser.add_passkey(passkey)
    waiting = Browser()
    waiting.password("rita")
    assert waiting.get(LOGIN + "second/").status_code == 200
    reporter.set_password(NEW)
    reporter.save()
    assert waiting.get(LOGIN + "second/")["Location"] == LOGIN
    waiting.password("rita", NEW)
    monkeypatch.setattr("tamizdat.desk.staff.access.entry.PATIENCE", -1)
    assert waiting.get(LOGIN + "second/")["Location"] == LOGIN


@pytest.mark.parametrize(
    "wanted",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil"],
)
def test_nobody_is_sent_to_a_strangers_page(reporter: User, wanted: str) -> None:
    assert Browser().password("rita", next=wanted)["Location"] == "/desk/"


def test_one_is_sent_to_where_one_wanted(reporter: User) -> None:
    assert Browser().password("rita", next="/desk/account/?a=b")["Location"] == "/desk/account/?a=b"


def test_signing_out_needs_a_form(reporter: User, browser: Browser) -> None:
    browser.password("rita")
    assert browser.get("/desk/logout/").status_code == 405
    assert browser.is_in
    browser.post("/desk/logout/")
    assert not browser.is_in
    assert not Session.objects.filter(user=reporter).exists()


def test_a_page_of_the_log_in_from_before_another_log_in_leads_on(reporter: User) -> None:
    browser = Browser(enforce_csrf_checks=True)
    stale = browser.post(
        LOGIN,
        {"username": "rita", "password": PASSWORD, "next": "/desk/account/"},
        headers={"origin": "https://testserver"},
    )
    assert stale.status_code == 302
    assert stale["Location"] == LOGIN + "?next=/desk/account/"


def test_nothing_of_allauth_is_mounted() -> None:
    for name in ("account_login", "account_signup", "mfa_index", "mfa_login_webauthn"):
        with pytest.raises(NoReverseMatch):
            reverse(name)


# --- Beginning.


def test_without_a_second_factor_one_is_led_to_set_it_up_before_anything_else(
    reporter: User, browser: Browser, demanding: Any, passkey: Passkey
) -> None:
    browser.password("rita")
    for path in ("/desk/", "/desk/account/", ACCESS, "/desk/snippets/newsroom/article/add/"):
        assert browser.get(path)["Location"].startswith(ACCESS + "setup/"), path
    assert browser.get("/desk/", headers={"x-requested-with": "XMLHttpRequest"}).status_code == 403
    assert browser.get(ACCESS + "setup/").status_code == 200
    browser.add_passkey(passkey)
    assert browser.is_in


def test_what_was_written_when_a_second_factor_became_due_is_kept(
    reporter: User, browser: Browser, demanding: Any
) -> None:
    browser.password("rita")
    page = browser.post("/desk/snippets/newsroom/article/add/", {"headline": "Ночная смена"})
    assert page.status_code == 428
    assert "Ночная смена" in page.content.decode()
    assert "Protect your account in another tab" in page.content.decode()


def test_an_invitation_leads_from_the_password_to_the_second_factor(
    demanding: Any, browser: Browser, passkey: Passkey, reporter: User
) -> None:
    close_account(acting_user=None, user=reporter)
    link = invitation(user=reporter)
    form = browser.get(link, follow=True)
    assert 'autocomplete="username"' in form.content.decode()
    address = form.redirect_chain[-1][0]
    answer = browser.post(address, {"new_password1": NEW, "new_password2": NEW})
    assert answer["Location"] == ACCESS + "setup/"
    browser.add_passkey(passkey)
    assert browser.is_in
    assert "does not work" in Browser().get(link, follow=True).content.decode()


def test_a_link_for_a_new_password_does_not_step_over_the_second_factor(
    reporter: User, browser: Browser, passkey: Passkey
) -> None:
    browser.password("rita")
    browser.add_passkey(passkey)
    elsewhere = Browser()
    reporter.refresh_from_db()
    address = elsewhere.get(invitation(user=reporter), follow=True).redirect_chain[-1][0]
    answer = elsewhere.post(address, {"new_password1": NEW, "new_password2": NEW})
    assert answer["Location"] == LOGIN
    assert not elsewhere.is_in
    assert elsewhere.password("rita", NEW)["Location"] == LOGIN + "second/"


def test_in_a_newsroom_of_passkeys_a_link_leads_to_the_first_passkey(
    reporter: User, browser: Browser, passkey: Passkey, settings: Any
) -> None:
    settings.STAFF_PASSKEYS_ONLY = True
    close_account(acting_user=None, user=reporter)
    link = invitation(user=reporter)
    address = browser.get(link, follow=True).redirect_chain[-1][0]
    assert browser.post(address)["Location"] == ACCESS + "setup/"
    assert browser.get("/desk/")["Location"].startswith(ACCESS + "setup/")
    assert "does not work" in Browser().get(link, follow=True).content.decode()
    browser.add_passkey(passkey)
    assert browser.is_in


def test_who_lost_everything_begins_anew_by_an_operators_link(
    reporter: User, browser: Browser, passkey: Passkey
) -> None:
    browser.password("rita")
    browser.add_passkey(passkey)
    reporter.refresh_from_db()
    close_account(acting_user=None, user=reporter)
    assert not browser.is_in
    assert Browser().password("rita").status_code == 200
    elsewhere = Browser()
    elsewhere.show_passkey(passkey)
    assert not elsewhere.is_in
    address = elsewhere.get(invitation(user=reporter), follow=True).redirect_chain[-1][0]
    elsewhere.post(address, {"new_password1": NEW, "new_password2": NEW})
    assert elsewhere.is_in
    assert ModelLogEntry.objects.filter(action="staff.recovered").exists()


# --- Sessions.


def test_sessions_are_listed_in_words_and_ended_by_their_owner(
    reporter: User, browser: Browser
) -> None:
    browser.password("rita")
    phone = Browser(agent="Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/1")
    phone.password("rita")
    third = Browser()
    third.password("rita")
    page = browser.get(ACCESS).content.decode()
    assert page.count("Firefox on Linux") == 2
    assert "Safari on an iPhone" in page
    key = next(s.session_key for s in Session.objects.all() if "iPhone" in s.device)
    browser.post(ACCESS + "end/", {"session": key})
    assert not phone.is_in
    assert third.is_in
    browser.post(ACCESS + "end/", {"others": "1"})
    assert not third.is_in
    assert browser.is_in


def test_nobody_ends_a_session_of_somebody_else(
    reporter: User, editor: User, browser: Browser
) -> None:
    browser.password("rita")
    other = Browser()
    other.password("edgar")
    other.post(ACCESS + "end/", {"session": Session.objects.get(user=reporter).session_key})
    assert browser.is_in


def test_a_changed_password_ends_the_others(reporter: User, browser: Browser) -> None:
    browser.password("rita")
    other = Browser()
    other.password("rita")
    page = browser.get("/desk/account/")
    assert 'autocomplete="new-password"' in page.content.decode()
    browser.post(
        "/desk/account/",
        {
            "name_email-first_name": "Rita",
            "name_email-last_name": "Lind",
            "name_email-email": "rita@meridian.example",
            "theme-theme": "system",
            "theme-contrast": "system",
            "theme-density": "default",
            "theme-keyboard_shortcuts": "on",
            "locale-preferred_language": "en",
            "locale-current_time_zone": "Europe/Berlin",
            "password-old_password": PASSWORD,
            "password-new_password1": NEW,
            "password-new_password2": NEW,
        },
    )
    reporter.refresh_from_db()
    assert reporter.check_password(NEW)
    assert browser.is_in
    assert not other.is_in
    assert browser.get(ACCESS).content.decode().count("Firefox on Linux") == 1


def test_an_operator_ends_anybodys_sessions_and_nobody_else_does(
    reporter: User, operator: User, browser: Browser
) -> None:
    browser.password("rita")
    path = f"/desk/staff/{reporter.pk}/sessions/"
    assert browser.get(path).status_code == 302
    browser.post(path)
    assert browser.is_in
    boss = Browser()
    boss.password("oleg")
    assert "Firefox on Linux" in boss.get(path).content.decode()
    boss.post(path)
    assert not browser.is_in
    row = ModelLogEntry.objects.get(action="staff.sessions_ended")
    assert row.user == operator


def test_ending_all_leaves_the_one_that_is_named(reporter: User, browser: Browser) -> None:
    browser.password("rita")
    own = Session.objects.get(user=reporter).session_key
    assert end_sessions(acting_user=reporter, user=reporter, but=own) == 0
    assert browser.is_in


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/142 Safari/537 Edg/142",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Linux; Android 16) Chrome/142 Mobile Safari/537", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) Version/26 Safari/605", "Safari on a Mac"),
        ("Mozilla/5.0 (X11; CrOS x86_64) Chrome/142 Safari/537", "Chrome on a Chromebook"),
        ("curl/8", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_device_is_named_in_words(agent: str, said: str) -> None:
    assert device_of(agent) == said


# --- What the desk tells browsers.


def test_no_page_of_the_desk_lets_inline_scripts_run_but_its_own(
    reporter: User, browser: Browser
) -> None:
    assert "script-src 'self';" in browser.get(LOGIN)["Content-Security-Policy"]
    assert "script-src 'self';" in browser.get("/nowhere/")["Content-Security-Policy"]
    browser.password("rita")
    page = browser.get("/desk/snippets/newsroom/article/add/")
    policy = page["Content-Security-Policy"]
    nonce = re.search(r"script-src 'self' 'nonce-([\w-]{24})';", policy)
    assert nonce
    inline = re.findall(r"<script(?![^>]*\b(?:src|type)=)([^>]*)>", page.content.decode())
    assert inline
    assert {re.sub(r"\s", "", attributes) for attributes in inline} == {f'nonce="{nonce[1]}"'}
    other = Browser()
    other.password("rita")
    assert nonce[1] not in other.get("/desk/account/")["Content-Security-Policy"]


def test_browsers_are_told_to_keep_to_themselves(browser: Browser) -> None:
    answer = browser.get(LOGIN)
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "SAMEORIGIN"
    assert "publickey-credentials-create=(self)" in answer["Permissions-Policy"]
    assert "geolocation=()" in answer["Permissions-Policy"]
