# SPDX-License-Identifier: AGPL-3.0-or-later
"""Some months later: ends of months, leap years, zones."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.desk.contributions.calendar import latest_due, months_later, morning

# Asked on, months, reminded on.
CASES = [
    ("2026-11-22", 1, "2026-12-22"),
    ("2026-12-29", 1, "2027-01-29"),
    ("2026-12-31", 1, "2027-01-31"),
    ("2027-01-29", 1, "2027-02-28"),
    ("2027-01-31", 1, "2027-02-28"),
    ("2028-01-31", 1, "2028-02-29"),
    ("2026-11-30", 3, "2027-02-28"),
    ("2027-11-30", 3, "2028-02-29"),
    ("2026-08-31", 1, "2026-09-30"),
    ("2028-02-29", 12, "2029-02-28"),
    ("2026-11-22", 0, "2026-11-22"),
]


@pytest.mark.parametrize(("asked", "months", "due"), CASES)
def test_it_is_the_same_day_of_a_later_month_or_that_months_last(
    asked: str, months: int, due: str
) -> None:
    assert months_later(date.fromisoformat(asked), months) == date.fromisoformat(due)


@given(day=st.dates(date(2000, 1, 1), date(2400, 1, 1)), months=st.integers(0, 36))
def test_it_is_always_that_month_and_never_a_later_day(day: date, months: int) -> None:
    found = months_later(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    last = calendar.monthrange(found.year, found.month)[1]
    assert found.day == min(day.day, last)


def test_months_do_not_go_back() -> None:
    with pytest.raises(ValueError, match="forward"):
        months_later(date(2026, 1, 1), -1)


@pytest.mark.parametrize(
    ("zone", "utc"),
    [("UTC", "2027-03-28T09:00"), ("Europe/Vilnius", "2027-03-28T06:00"),
     ("Asia/Tokyo", "2027-03-28T00:00"), ("Pacific/Kiritimati", "2027-03-27T19:00"),
     ("America/New_York", "2027-03-28T13:00")],
)  # fmt: skip
def test_a_day_begins_at_nine_where_the_newsroom_is(zone: str, utc: str) -> None:
    """Of a day on which Europe's clocks go forward, too."""
    began = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert morning(date(2027, 3, 28), zone) == began
    assert latest_due(began, zone) == date(2027, 3, 28)
    before = datetime.fromtimestamp(began.timestamp() - 1, UTC)
    assert latest_due(before, zone) == date(2027, 3, 27)
