# SPDX-License-Identifier: AGPL-3.0-or-later
"""Asks the sandbox by HTTP, and says what went wrong in words of ours.

What always holds: it is asked on this machine alone; every answer that is no success becomes a
``ProviderError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import msgspec
import urllib3

from tamizdat.giving.errors import (
    AccountError,
    NotFoundError,
    ProviderError,
    RefusedError,
    UnreachableError,
)

LOCAL: Final = ("127.0.0.1", "localhost", "::1")
PATIENCE: Final = 20.0  # seconds
_WRONG: Final[Mapping[int, type[ProviderError]]] = {
    401: AccountError,
    403: AccountError,
    404: NotFoundError,
}


class Calls(Protocol):
    """One call of the sandbox's API; ``said`` is sent as JSON, and what comes back was JSON.
    Raises ``ProviderError``."""

    def __call__(
        self, method: str, path: str, said: Mapping[str, Any] | None = None
    ) -> dict[str, Any]: ...


class HttpCalls:
    """``Calls`` by HTTP. Raises ``AccountError`` where ``url`` is not on this machine."""

    def __init__(self, url: str, key: str) -> None:
        if urlsplit(url).hostname not in LOCAL:
            raise AccountError(
                "the sandbox moves no money: it is for a demo, and on this machine alone"
            )
        self._url = url.rstrip("/")
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
        self._pool = urllib3.PoolManager(
            timeout=urllib3.Timeout(PATIENCE), retries=False, maxsize=8
        )

    def __call__(
        self, method: str, path: str, said: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        body = None if said is None else msgspec.json.encode(said)
        try:
            answer = self._pool.request(
                method, f"{self._url}{path}", body=body, headers=self._headers
            )
        except urllib3.exceptions.HTTPError:
            raise UnreachableError("the sandbox does not answer") from None
        return told(answer.status, answer.data)

    def close(self) -> None:
        self._pool.clear()


def told(status: int, body: bytes) -> dict[str, Any]:
    """What an answer says. Raises ``ProviderError`` where it is a refusal."""
    try:
        found = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UnreachableError("the sandbox answered nothing that can be read") from None
    if status < 300:
        return found
    kind = _WRONG.get(status, UnreachableError if status >= 500 else RefusedError)
    raise kind(str(found.get("say", "it said no")))
