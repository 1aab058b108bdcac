# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the sandbox signs its webhooks: HMAC-SHA-256 over the time and the raw body.

``Sandbox-Signature: t=SECONDS,v1=HEX``. The time is that of the world, also where the sandbox's
own clock was moved.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from tamizdat.giving.errors import ForgedEventError

HEADER: Final = "sandbox-signature"
TOLERANCE: Final = 300  # seconds, at both ends of the hour
_HOUR: Final = 3600
_SIGNED: Final = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})\Z")


def sign(body: bytes, secret: str, at: int) -> str:
    """The header's value; ``at`` in unix seconds."""
    return f"t={at},v1={_digest(body, secret, at)}"


def check(body: bytes, header: str, secrets: Sequence[str], *, received: datetime) -> None:
    """That one of these secrets signed this body within the hour of ``received``. Raises
    ``ForgedEventError``."""
    found = _SIGNED.match(header)
    if found is None:
        raise ForgedEventError("this event bears no signature of the sandbox")
    at = int(found[1])
    if not any(hmac.compare_digest(_digest(body, one, at), found[2]) for one in secrets):
        raise ForgedEventError("this event was not signed by the sandbox")
    hour = int(received.timestamp()) // _HOUR * _HOUR
    if not hour - TOLERANCE <= at <= hour + _HOUR + TOLERANCE:
        raise ForgedEventError("this event was signed at another time than it came")


def _digest(body: bytes, secret: str, at: int) -> str:
    return hmac.digest(secret.encode(), f"{at}.".encode() + body, "sha256").hex()
