# SPDX-License-Identifier: AGPL-3.0-or-later
"""Days of the calendar: the same day some months later, and when a day begins to count.

What always holds: the same day of a later month, or that month's last one where it has none: a
month after 31 January is 28 February, 29 in leap years, and a year after 29 February is the 28th.
It is always counted from the first day, never from the last result, so that no day creeps.
Days are those of the newsroom's zone; nothing is written in the night.
"""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

MORNING = time(9)


def months_later(day: date, months: int) -> date:
    """The same day ``months`` later, or the last of that month. ``months`` may not be negative."""
    if months < 0:
        raise ValueError("months go forward")
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def morning(day: date, zone: str) -> datetime:
    """Nine o'clock of a day in a zone, in UTC; where clocks skip it, the moment they show next."""
    return datetime.combine(day, MORNING, ZoneInfo(zone)).astimezone(UTC)


def latest_due(now: datetime, zone: str) -> date:
    """The last day whose morning has come: what is due on it or before may go."""
    today = now.astimezone(ZoneInfo(zone)).date()
    if now >= morning(today, zone):
        return today
    return date.fromordinal(today.toordinal() - 1)
