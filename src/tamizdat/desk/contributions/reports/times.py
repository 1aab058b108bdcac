# SPDX-License-Identifier: AGPL-3.0-or-later
"""Months as numbers and as they are written, and how long one payment reaches.

What always holds: months are counted from year 0 (``number``), so that the next one is one more.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

from tamizdat.desk.contributions.calendar import months_later

Again = Literal["monthly", "annual"]
STEP: dict[str, int] = {"monthly": 1, "annual": 12}
# A renewal that fails is tried again for about so long by the providers.
GRACE = timedelta(days=14)


def number(day: date) -> int:
    return day.year * 12 + day.month - 1


def name(month: int) -> str:
    return f"{month // 12:04}-{month % 12 + 1:02}"


def first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def last_day(month: int) -> date:
    return first_day(month + 1) - timedelta(days=1)


def months_of(since: date, until: date) -> tuple[str, ...]:
    """All from that of ``since`` to that of ``until``."""
    return tuple(name(month) for month in range(number(since), number(until) + 1))


def reaches(day: date, kind: str) -> date:
    """The first day on which who paid on ``day`` has not gone on giving."""
    return months_later(day, STEP[kind]) + GRACE
