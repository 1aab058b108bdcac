# SPDX-License-Identifier: AGPL-3.0-or-later
"""Stripe's library, set up so that it says no more than it must.

What always holds: it reports nothing about this machine; a request is tried again twice at most,
under the same idempotency key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

import msgspec
import stripe
import urllib3

from tamizdat.giving import wire
from tamizdat.giving.errors import EventError

stripe.enable_telemetry = False
RETRIES: Final = 2
# The version whose shapes are read here; what the account is set to does not matter to requests.
VERSION: Final = "2026-10-28.endive"


class Wire(stripe.HTTPClient):
    """Stripe's requests over urllib3, without what the library adds about this machine."""

    name = "urllib3"

    def __init__(self) -> None:
        super().__init__()
        self._pool = wire.pool()

    def request(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        said = {name: value for name, value in headers.items() if not name.startswith("X-")}
        said["User-Agent"] = "Tamizdat"
        try:
            answer = self._pool.request(
                method.upper(), url, headers=said, body=post_data, redirect=False
            )
        except urllib3.exceptions.HTTPError:
            raise stripe.APIConnectionError("no answer", should_retry=True) from None
        return answer.data, answer.status, answer.headers

    def close(self) -> None:
        self._pool.clear()


def client(key: str, url: str, http: Wire) -> Any:
    """The services of Stripe's API v1. Raises ``AccountError`` for an address that is not safe."""
    base = wire.base_of(url) if url else "https://api.stripe.com"
    made = stripe.StripeClient(
        key,
        stripe_version=VERSION,
        base_addresses={"api": base},
        http_client=http,
        max_network_retries=RETRIES,
    )
    return made.v1


def shaped(found: Any, shape: Any) -> Any:
    """An object of the library as one of ``shapes``. Raises ``EventError``."""
    body = msgspec.json.encode(found.to_dict(for_json=True))
    try:
        return msgspec.json.decode(body, type=shape, strict=False)
    except msgspec.DecodeError as error:
        raise EventError(f"Stripe lists what cannot be read: {error}") from None


def header(found: Any, name: str) -> str:
    """A header of the answer that an object came in; empty where there is none."""
    answer = found.last_response
    return str(answer.headers.get(name, "")) if answer is not None else ""


def said_at(found: Any) -> int:
    """When Stripe answered, by its own clock, in unix seconds."""
    said = header(found, "Date")
    when = parsedate_to_datetime(said) if said else datetime.now(UTC)
    return int(when.timestamp())
