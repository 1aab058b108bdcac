# SPDX-License-Identifier: AGPL-3.0-or-later
"""The time that a report is about: one of five that are asked for again and again, or one's own.

What always holds: ``since`` is not after ``until``, and ``until`` is not after the present month,
so there is a row of givers for each month. Presets are whole months, as on the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
from django import forms

from tamizdat.desk.contributions.pages.numbers.wording import day_words
from tamizdat.desk.contributions.reports import times

EARLIEST = date(2000, 1, 1)
LONGEST = 20 * 12  # months
YEAR_BACK = "12"


class Period(msgspec.Struct, frozen=True):
    """``name`` is that of a preset, or empty."""

    name: str
    since: date
    until: date

    @property
    def words(self) -> str:
        return f"{day_words(self.since)} – {day_words(self.until)}"

    @property
    def query(self) -> str:
        """As it stands in an address."""
        if self.name:
            return f"period={self.name}"
        return f"since={self.since}&until={self.until}"


PRESETS: dict[str, str] = {
    YEAR_BACK: "Last 12 months",
    "month": "This month",
    "last-month": "Last month",
    "year": "This year",
    "last-year": "Last year",
}


def preset(name: str, today: date) -> Period:
    """Raises ``KeyError`` where there is none of this name."""
    now = times.number(today)
    january = now - (today.month - 1)
    first, last = {
        YEAR_BACK: (now - 11, now),
        "month": (now, now),
        "last-month": (now - 1, now - 1),
        "year": (january, now),
        "last-year": (january - 12, january - 1),
    }[name]
    return Period(name, times.first_day(first), times.last_day(last))


class OwnForm(forms.Form):
    """Days that somebody typed."""

    since = forms.DateField(label="From", input_formats=["%Y-%m-%d"])
    until = forms.DateField(label="To", input_formats=["%Y-%m-%d"])

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.last = times.last_day(times.number(today))
        for name, words in (("since", "first"), ("until", "last")):
            field = self.fields[name]
            field.widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
            field.error_messages = {
                "required": f"Say the {words} day, too.",
                "invalid": f"The {words} day is no day: write it as {today}.",
            }

    def clean_since(self) -> date:
        day: date = self.cleaned_data["since"]
        if day < EARLIEST:
            raise forms.ValidationError(f"Choose a first day from {day_words(EARLIEST)} on.")
        if day > self.last:
            raise forms.ValidationError("Nothing was given in days to come: choose an earlier one.")
        return day

    def clean_until(self) -> date:
        day: date = self.cleaned_data["until"]
        since: date | None = self.cleaned_data.get("since")
        return _until(since, day, self.last) if since else day


def _until(since: date, until: date, last: date) -> date:
    """The last day to look at. Raises ``ValidationError`` where there is none."""
    if since > until:
        raise forms.ValidationError("The first day is after the last one: exchange them.")
    until = min(until, last)
    if times.number(until) - times.number(since) >= LONGEST:
        raise forms.ValidationError("That is more than twenty years: look at it in parts.")
    return until


def read(asked: Mapping[str, str], today: date) -> tuple[Period, OwnForm]:
    """What was asked for, and the form for one's own days; the last twelve months where nothing
    was, or what cannot be: then the form says why."""
    if "since" in asked or "until" in asked:
        form = OwnForm(asked, today=today)
        if form.is_valid():
            return Period("", form.cleaned_data["since"], form.cleaned_data["until"]), form
        return preset(YEAR_BACK, today), form
    name = asked.get("period", YEAR_BACK)
    period = preset(name if name in PRESETS else YEAR_BACK, today)
    return period, OwnForm(initial={"since": period.since, "until": period.until}, today=today)
