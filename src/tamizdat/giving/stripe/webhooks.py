# SPDX-License-Identifier: AGPL-3.0-or-later
"""Webhooks of Stripe: who signed them, for whom, when; then their facts.

What always holds: nothing of a body is read before its signature is proven over the bytes as they
came; an event of the other mode (test, live) or of another account is none of ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
import stripe

from tamizdat.giving.ages import in_its_hour
from tamizdat.giving.errors import EventError, ForgedEventError
from tamizdat.giving.port import Event
from tamizdat.giving.stripe import shapes
from tamizdat.giving.stripe.facts import event_of

HEADER: Final = "stripe-signature"
_TIME: Final = re.compile(r"(?:\A|,)t=([0-9]{1,12})(?:,|\Z)")


def read(
    body: bytes,
    headers: Mapping[str, str],
    *,
    secrets: Sequence[str],
    received: datetime,
    live: bool,
    account: str,
) -> Event:
    """Raises ``ForgedEventError`` and ``EventError``."""
    prove(body, headers.get(HEADER, ""), secrets, received)
    try:
        envelope = msgspec.json.decode(body, type=shapes.Envelope)
    except (msgspec.DecodeError, RecursionError) as error:
        raise EventError(f"what Stripe signed is no event: {error}") from None
    if envelope.livemode is not live:
        raise ForgedEventError("this event is of Stripe's other mode: test and live do not mix")
    if envelope.account and envelope.account != account:
        raise ForgedEventError("this event is for another account")
    return event_of(envelope)


def prove(body: bytes, header: str, secrets: Sequence[str], received: datetime) -> None:
    """That one of the secrets signed these bytes in the hour in which they came. Raises
    ``ForgedEventError``."""
    when = _TIME.search(header)
    # The library falls over signatures that are not ASCII and bodies that are not UTF-8.
    if when is None or not header.isascii():
        raise ForgedEventError("this event bears no signature of Stripe")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ForgedEventError("Stripe did not sign this event") from None
    if not any(_signed(text, header, secret) for secret in secrets if secret):
        raise ForgedEventError("Stripe did not sign this event")
    if not in_its_hour(int(when[1]), received):
        raise ForgedEventError("this event was signed at another time than it came")


def _signed(text: str, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(text, header, secret, tolerance=None)
    except stripe.SignatureVerificationError:
        return False
    return True
