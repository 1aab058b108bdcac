# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers leave, and through which door: the registry that later issues add to.

A row of ``TRAFFIC`` makes the request of a reader; every canary that it plants begins with the
reader's mark, so what is looked for needs no list. A kind of form that is not here is not tested:
``test_every_kind_of_submission_is_among_the_traffic`` makes that red.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import urlencode

import pyrage

from tamizdat.drop.envelope import seal, submission

MARK = "qzx7vk"


class Person(NamedTuple):
    """A reader. Each of their canaries has the mark that is looked for."""

    number: int

    @property
    def address(self) -> str:
        return f"{MARK}-reader-{self.number:04}@port.example"

    def word(self, what: str) -> str:
        return f"{MARK}-{what}-{self.number:04}"

    @property
    def told(self) -> list[str]:
        """What a browser says of itself, and a proxy of the network."""
        return [
            f"user-agent: {self.word('agent')}",
            f"cookie: {self.word('cookie')}={self.word('cookie')}",
            f"referer: https://paper.example/{self.word('referer')}",
            f"x-forwarded-for: 198.51.{self.number % 250}.{self.number // 250 + 1}",
        ]


Request = tuple[str, bytes, str]
FORM, ANY = "application/x-www-form-urlencoded", "text/plain"


def _form(kind: str, path: str = "", **fields: str) -> Request:
    return f"/v1/{path or kind}", urlencode({"language": "en", **fields}).encode(), FORM


def _subscribe(who: Person) -> Request:
    return _form("subscribe", address=who.address, newsletters="weekly", privacy="1", form="footer")


def _message(who: Person) -> Request:
    return _form("message", text=who.word("text") * 9, name=who.word("name"), contact=who.address)


def _remind(who: Person) -> Request:
    return _form("remind", address=who.address, months="3", privacy="1")


def _tokened(kind: str) -> Callable[[Person], Request]:
    return lambda who: _form(kind, f"{kind}/{who.word('token')}")


def _preferences(who: Person) -> Request:
    return _form("preferences", f"preferences/{who.word('token')}", address=who.address)


def _gift(who: Person) -> Request:
    return _form("gift", f"gift/{who.word('token')}", ask="list")


def _webhook(who: Person) -> Request:
    return "/v1/webhook/piggybank", b'{"payer": "%s"}' % who.address.encode(), ANY


TRAFFIC: dict[str, Callable[[Person], Request]] = {
    "subscribe": _subscribe,
    "message": _message,
    "remind": _remind,
    "confirm": _tokened("confirm"),
    "unsubscribe": _tokened("unsubscribe"),
    "stop-reminding": _tokened("stop-reminding"),
    "preferences": _preferences,
    "gift": _gift,
    "webhook": _webhook,
}


def sealed(who: Person, recipient: str) -> Request:
    """The same as a browser with script sends it: sealed before it leaves."""
    fields = {"text": who.word("text"), "name": who.word("name"), "contact": who.address}
    to = pyrage.x25519.Recipient.from_str(recipient)
    return "/v1/sealed", seal(submission("message", "en", fields), [to]), ANY
