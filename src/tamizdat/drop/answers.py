# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the drop is asked and what it answers, without sockets.

What always holds: every answer forbids keeping, framing, referring and loading; none sets a
cookie. What is not done here: ASGI (``app``), deciding (``letters``, ``collecting``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from tamizdat.drop.pages import Pages, words

Headers = list[tuple[bytes, bytes]]

HTML = b"text/html; charset=utf-8"
JSON = b"application/json"
ANYBODY: Headers = [(b"access-control-allow-origin", b"*")]
STATUS = {
    "too-large": 413,
    "malformed": 400,
    "busy": 429,
    "full": 503,
    "unknown": 404,
    "method": 405,
}
RETRY_AFTER = {"busy": b"3600", "full": b"900"}
_HSTS = b"max-age=63072000"


class Request(NamedTuple):
    """``path`` in its parts, decoded; header names in lower case; ``network`` of ``limits``."""

    method: str
    path: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    network: bytes
    body: bytearray

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


class Answer(NamedTuple):
    """``private``: the request bore what a reader wrote, so that the connection, and with it the
    memory in which that came, is given up after it."""

    status: int
    body: bytes = b""
    headers: Headers = []
    private: bool = False


def common_headers(policy: str, *, https: bool) -> Headers:
    """What every answer bears."""
    found: Headers = [
        (b"cache-control", b"no-store"),
        (b"referrer-policy", b"no-referrer"),
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-robots-tag", b"noindex"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (
            b"permissions-policy",
            b"camera=(), geolocation=(), interest-cohort=(), microphone=(), payment=(), usb=()",
        ),
    ]
    return [*found, (b"strict-transport-security", _HSTS)] if https else found


def page(status: int, body: bytes, more: Headers | None = None, *, private: bool = False) -> Answer:
    return Answer(status, body, [(b"content-type", HTML), *(more or [])], private)


def told(status: int, said: object, more: Headers | None = None) -> Answer:
    """An object, as JSON."""
    return Answer(status, msgspec.json.encode(said), [(b"content-type", JSON), *(more or [])])


def see_other(kind: str, language: str) -> Answer:
    """After a form: the page that says what happens next."""
    where = f"/v1/done/{kind}?language={language}".encode()
    return Answer(303, b"", [(b"location", where)], private=True)


def refused_page(pages: Pages, code: str, language: str, more: Headers | None = None) -> Answer:
    found = [*(more or []), *_retry(code)]
    return page(STATUS[code], pages.refusal(code, language), found, private=True)


def refused(code: str, language: str, more: Headers | None = None, **said: object) -> Answer:
    """The same for a program."""
    sentence = words(language)[f"{code}.text"]
    found = {"ok": False, "error": code, "say": sentence, **said}
    return told(STATUS[code], found, [*(more or []), *_retry(code)])


def _retry(code: str) -> Headers:
    return [(b"retry-after", RETRY_AFTER[code])] if code in RETRY_AFTER else []
