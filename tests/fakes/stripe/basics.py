# SPDX-License-Identifier: AGPL-3.0-or-later
"""What our Stripe's parts have in common: its people, its cards, its refusals, its calendar."""

from __future__ import annotations

import calendar
import copy
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

NAME = "Wilhelmina Quist"
STREET = "Plover Row 7"
LAST4 = "4242"
DAY = 86_400
# What becomes of a card: its failure code, or nothing.
CARDS = {
    "success": "",
    "declined": "card_declined",
    "funds": "insufficient_funds",
    "expired": "expired_card",
    "blocked": "card_declined",  # By a rule of Radar, because of its country.
    "slow": "",  # Takes days, then comes.
    "slow-fails": "",
}
FEE_PERCENT, FEE_FIXED = 3, 30
DISPUTE_FEE = 1_500


class RefusalError(Exception):
    """What the API answers instead."""

    def __init__(self, status: int, kind: str, code: str = "", message: str = "no") -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "code": code or None, "message": message}}


def envelope(name: str, now: int, kind: str, found: Mapping[str, Any]) -> dict[str, Any]:
    """An event about an object as it is now."""
    return {
        "id": name,
        "object": "event",
        "api_version": "2026-10-28.endive",
        "created": now,
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
        "data": {"object": copy.deepcopy(dict(found))},
    }


def later(anchor: int, now: int, interval: str) -> int:
    """The first day of the same number after ``now``; the last of a month that has none."""
    began, today = datetime.fromtimestamp(anchor, UTC), datetime.fromtimestamp(now, UTC)
    year, month = today.year, today.month
    if interval == "year":
        year, month = year + 1, began.month
    else:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    day = min(began.day, calendar.monthrange(year, month)[1])
    return int(began.replace(year=year, month=month, day=day).timestamp())


def wire(found: Any) -> Any:
    """Without what only we know."""
    if isinstance(found, Mapping):
        return {name: wire(one) for name, one in found.items() if not name.startswith("_")}
    return [wire(one) for one in found] if isinstance(found, list) else found


def encoded(found: Any) -> bytes:
    return json.dumps(wire(found)).encode()
