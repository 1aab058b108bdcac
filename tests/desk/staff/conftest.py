# SPDX-License-Identifier: AGPL-3.0-or-later
"""People at the door, each with a browser of their own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth as totp
from django.test import Client

from tamizdat.desk.staff.access.throttle import throttle
from tests.desk.conftest import PASSWORD
from tests.fakes.passkey import Passkey

ACCESS = "/desk/account/access/"
LOGIN = "/desk/login/"
# “testserver” is no host of which a browser would take a passkey: HTTPS is.
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ORIGIN = "https://testserver"


@pytest.fixture(autouse=True)
def nobody_failed_yet() -> Iterator[None]:
    throttle.forget()
    yield
    throttle.forget()


@pytest.fixture
def demanding(settings: Any) -> Any:
    """A newsroom that demands a second factor."""
    settings.STAFF_SECOND_FACTOR = "required"
    return settings


class Browser(Client):
    """A browser over HTTPS, with words for what people do."""

    def __init__(self, *, agent: str = FIREFOX, **options: Any) -> None:
        super().__init__(headers={"user-agent": agent}, **options)

    def generic(self, *args: Any, **kwargs: Any) -> Any:
        return super().generic(*args, **kwargs | {"secure": True})

    def password(self, name: str, word: str = PASSWORD, **more: str) -> Any:
        return self.post(LOGIN, {"username": name, "password": word, **more})

    def code(self, code: str) -> Any:
        return self.post(LOGIN + "second/", {"code": code})

    def add_passkey(self, passkey: Passkey, name: str = "My phone") -> Any:
        options = self.get(ACCESS + "passkey/").json()
        return self.post(ACCESS + "passkey/", {"credential": passkey.make(options), "name": name})

    def show_passkey(self, passkey: Passkey, **more: str) -> Any:
        options = self.get(LOGIN + "passkey/options/").json()
        return self.post(LOGIN + "passkey/", {"credential": passkey.show(options), **more})

    def add_app(self) -> str:
        """Set up an app; its secret."""
        self.get(ACCESS + "app/")
        secret: str = self.session[totp.SECRET_SESSION_KEY]
        answer = self.post(ACCESS + "app/", {"code": code_of(secret)})
        assert answer.status_code == 302, answer.content.decode()
        return secret

    def recovery_codes(self) -> list[str]:
        return list(self.post(ACCESS + "codes/").context["codes"])

    @property
    def is_in(self) -> bool:
        return self.get("/desk/account/").status_code == 200


def code_of(secret: str, steps: int = 0) -> str:
    """What an app shows, ``steps`` half minutes from now."""
    counter = int(time.time()) // totp.app_settings.TOTP_PERIOD + steps
    return totp.format_hotp_value(totp.hotp_value(secret, counter))


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def passkey() -> Passkey:
    return Passkey(origin=ORIGIN, rp="testserver")
