# SPDX-License-Identifier: AGPL-3.0-or-later
"""Asks a BTCPay Server by its Greenfield API, and says what went wrong in our words.

What always holds: every answer that is no success becomes a ``ProviderError``, and what the server
said is not repeated, as it may name a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlencode

import msgspec
import urllib3

from tamizdat.giving import wire
from tamizdat.giving.errors import (
    AccountError,
    NotFoundError,
    ProviderError,
    RefusedError,
    UnreachableError,
)

WRONG: Final[Mapping[int, tuple[type[ProviderError], str]]] = {
    400: (RefusedError, "BTCPay refused"),
    401: (AccountError, "BTCPay does not accept the key"),
    403: (AccountError, "the key lacks a right at BTCPay: see docs/operating/giving"),
    404: (NotFoundError, "BTCPay does not know it, or the shop is another one"),
    422: (RefusedError, "BTCPay refused"),
    429: (UnreachableError, "BTCPay says “later”"),
}
_Shape = TypeVar("_Shape")


class Client:
    """``store`` is what BTCPay calls the newsroom's shop. Raises ``AccountError`` for an address
    that is not safe, or without a shop."""

    def __init__(self, url: str, key: str, store: str) -> None:
        if not store:
            raise AccountError("account must name the shop as BTCPay calls it (Store ID)")
        self._base = f"{wire.base_of(url)}/api/v1"
        self._store = quote(store, safe="")
        self._headers = {"Authorization": f"token {key}", "Content-Type": "application/json"}
        self._pool = wire.pool()

    def get(self, path: str, shape: type[_Shape], query: Mapping[str, Any] | None = None) -> _Shape:
        """``path`` is one of the shop's, without a leading slash."""
        asked = f"?{urlencode(query)}" if query else ""
        return self._said("GET", f"/stores/{self._store}/{path}{asked}", None, shape)

    def post(self, path: str, said: Mapping[str, Any], shape: type[_Shape]) -> _Shape:
        body = msgspec.json.encode(said)
        return self._said("POST", f"/stores/{self._store}/{path}", body, shape)

    def of_key(self, shape: type[_Shape]) -> _Shape:
        """What the server says of our key."""
        return self._said("GET", "/api-keys/current", None, shape)

    def close(self) -> None:
        self._pool.clear()

    def _said(self, method: str, path: str, body: bytes | None, shape: type[_Shape]) -> _Shape:
        try:
            answer = self._pool.request(
                method, self._base + path, body=body, headers=self._headers, redirect=False
            )
        except urllib3.exceptions.HTTPError:
            raise UnreachableError("BTCPay does not answer") from None
        if answer.status != 200:
            raise refusal(answer.status)
        try:
            return msgspec.json.decode(answer.data, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise UnreachableError("BTCPay answered nothing that can be read") from None


def refusal(status: int) -> ProviderError:
    """What an answer other than 200 means."""
    kind, words = WRONG.get(
        status,
        (UnreachableError, "BTCPay is out of order")
        if status >= 500
        else (RefusedError, "BTCPay refused"),
    )
    return kind(f"{words} ({status})")
