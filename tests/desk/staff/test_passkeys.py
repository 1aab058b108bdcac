# SPDX-License-Identifier: AGPL-3.0-or-later
"""A passkey opens the desk by itself, and nothing that only looks like one does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from wagtail.models import ModelLogEntry

from tamizdat.desk.staff.models import Session, User
from tests.desk.staff.conftest import ACCESS, LOGIN, Browser
from tests.fakes.passkey import Passkey

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(reporter: User, browser: Browser, passkey: Passkey) -> User:
    """Rita, who set up her passkey in ``browser``."""
    browser.password("rita")
    browser.add_passkey(passkey)
    assert Authenticator.objects.filter(user=reporter, type="webauthn").exists()
    return reporter


def test_a_passkey_opens_the_desk_without_name_or_password(owner: User, passkey: Passkey) -> None:
    elsewhere = Browser()
    answer = elsewhere.show_passkey(passkey, next="/desk/account/")
    assert answer.status_code == 302
    assert answer["Location"] == "/desk/account/"
    assert elsewhere.is_in


def test_a_passkey_stands_beside_the_password(owner: User, passkey: Passkey) -> None:
    elsewhere = Browser()
    assert elsewhere.password("rita")["Location"] == LOGIN + "second/"
    assert not elsewhere.is_in
    options = elsewhere.get(LOGIN + "passkey/options/?second=1").json()
    assert len(options["publicKey"]["allowCredentials"]) == 1
    answer = elsewhere.post(LOGIN + "second/", {"credential": passkey.show(options)})
    assert answer.status_code == 302
    assert elsewhere.is_in


def test_a_passkey_is_asked_to_lie_on_the_device_and_to_know_its_person(
    reporter: User, browser: Browser
) -> None:
    browser.password("rita")
    asked = browser.get(ACCESS + "passkey/").json()["publicKey"]
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["user"]["name"] == "rita"
    assert asked["rp"] == {"id": "testserver", "name": "The Meridian"}
    asked = Browser().get(LOGIN + "passkey/options/").json()["publicKey"]
    assert asked["userVerification"] == "required"
    assert not asked.get("allowCredentials")


def _refused(passkey: Passkey) -> bool:
    elsewhere = Browser()
    answer = elsewhere.show_passkey(passkey)
    return answer["Location"].startswith(LOGIN) and not elsewhere.is_in


def test_a_passkey_that_did_not_ask_for_finger_face_or_pin_is_refused(
    owner: User, passkey: Passkey
) -> None:
    passkey.verifies = False
    assert _refused(passkey)


@pytest.mark.parametrize(
    "origin",
    ["https://testserver.example", "https://evil.testserver", "http://testserver", "null"],
)
def test_a_passkey_shown_to_another_page_is_refused(
    owner: User, passkey: Passkey, origin: str
) -> None:
    passkey.origin = origin
    assert _refused(passkey)


def test_a_passkey_for_another_desk_is_refused(owner: User, passkey: Passkey) -> None:
    passkey.rp = "other.example"
    assert _refused(passkey)


def test_an_answer_is_taken_once(owner: User, passkey: Passkey) -> None:
    thief = Browser()
    options = thief.get(LOGIN + "passkey/options/").json()
    answer = passkey.show(options)
    assert thief.post(LOGIN + "passkey/", {"credential": answer}).status_code == 302
    assert thief.is_in
    thief.post("/desk/logout/")
    again = thief.post(LOGIN + "passkey/", {"credential": answer})
    assert again["Location"].startswith(LOGIN)
    other = Browser()
    other.get(LOGIN + "passkey/options/")
    other.post(LOGIN + "passkey/", {"credential": answer})
    assert not other.is_in


def test_a_copied_passkey_is_noticed_by_its_counter(owner: User, passkey: Passkey) -> None:
    passkey.count = 5
    assert not _refused(passkey)
    copy = Passkey(**{**vars(passkey), "count": 5})
    assert _refused(copy)
    copy.count = 4
    assert _refused(copy)
    assert ModelLogEntry.objects.filter(action="staff.passkey_copied").count() == 2
    passkey.count = 6
    assert not _refused(passkey)


def test_a_passkey_that_never_counts_is_fine(owner: User, passkey: Passkey) -> None:
    assert not _refused(passkey)
    assert not _refused(passkey)


def test_a_strangers_key_opens_nothing(owner: User, passkey: Passkey) -> None:
    stranger = Passkey(origin=passkey.origin, rp=passkey.rp, handle=passkey.handle, id=passkey.id)
    assert _refused(stranger)


def test_who_left_does_not_come_in(owner: User, passkey: Passkey) -> None:
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert _refused(passkey)


@given(
    st.one_of(
        st.text(max_size=60),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=12),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["id", "rawId", "response", "type", "clientDataJSON"]), inner
                )
            ),
            max_leaves=8,
        ).map(json.dumps),
    )
)
@hypothesis_settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_sent_instead_of_a_passkey_is_refused_politely(
    browser: Browser, answer: str
) -> None:
    browser.get(LOGIN + "passkey/options/")
    said = browser.post(LOGIN + "passkey/", {"credential": answer})
    assert said.status_code == 302


def test_a_page_left_open_shows_no_passkey_of_somebody_else(owner: User) -> None:
    asked = Browser().get(LOGIN + "passkey/options/").json()["publicKey"]
    assert not asked.get("allowCredentials")


def test_setting_up_the_first_ends_sessions_that_a_password_alone_opened(
    reporter: User, browser: Browser, passkey: Passkey
) -> None:
    older = Browser()
    older.password("rita")
    browser.password("rita")
    browser.add_passkey(passkey)
    assert browser.is_in
    assert not older.is_in


def test_removing_one_ends_the_other_sessions(
    owner: User, browser: Browser, passkey: Passkey
) -> None:
    elsewhere = Browser()
    elsewhere.show_passkey(passkey)
    row = Authenticator.objects.get(user=owner, type="webauthn")
    assert browser.get(f"{ACCESS}remove/{row.pk}/").status_code == 200
    browser.post(f"{ACCESS}remove/{row.pk}/")
    assert not Authenticator.objects.filter(user=owner).exists()
    assert browser.is_in
    assert not elsewhere.is_in
    assert _refused(passkey)


def test_nobody_removes_what_is_somebody_elses(owner: User, editor: User, browser: Browser) -> None:
    row = Authenticator.objects.get(user=owner, type="webauthn")
    other = Browser()
    other.password("edgar")
    assert other.post(f"{ACCESS}remove/{row.pk}/").status_code == 404
    assert Authenticator.objects.filter(pk=row.pk).exists()


def test_the_database_alone_knows_no_key_of_a_session(owner: User, browser: Browser) -> None:
    key = browser.session.session_key
    assert not Session.objects.filter(session_key=key).exists()
    row = Session.objects.get(user=owner)
    assert key not in str(vars(row))
    assert row.device == "Firefox on Linux"


def test_in_a_newsroom_of_passkeys_nothing_else_opens_the_desk(
    owner: User, editor: User, browser: Browser, passkey: Passkey, settings: Any
) -> None:
    elsewhere = Browser()
    elsewhere.password("edgar")
    settings.STAFF_PASSKEYS_ONLY = True
    assert Browser().password("rita").status_code == 403
    assert "id_password" not in Browser().get(LOGIN).content.decode()
    assert not _refused(passkey)
    # Edgar, who has none yet, is led to make his.
    assert elsewhere.get("/desk/account/")["Location"].startswith(ACCESS + "setup/")


def test_in_a_newsroom_of_passkeys_sessions_that_were_opened_otherwise_end(
    owner: User, passkey: Passkey, settings: Any
) -> None:
    browser = Browser()
    browser.force_login(owner)
    assert browser.is_in
    settings.STAFF_PASSKEYS_ONLY = True
    assert browser.get("/desk/account/")["Location"].startswith(LOGIN)
    settings.STAFF_PASSKEYS_ONLY = False
    assert not browser.is_in
