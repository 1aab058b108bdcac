# SPDX-License-Identifier: AGPL-3.0-or-later
"""Numbers as the desk says them: amounts, months, and how one compares with another."""

from __future__ import annotations

from datetime import date

from django.utils import formats

from tamizdat.desk.contributions.reports import times
from tamizdat.giving.money import Money, decimal, exponent

_MUCH = 2.0  # From here on it is said how many times as much it is.


def first_of(month: str) -> date:
    """``2026-10``: its first day."""
    return date.fromisoformat(f"{month}-01")


def month_words(month: str) -> str:
    """``2026-10`` as “October 2026”."""
    return formats.date_format(first_of(month), "F Y")


def month_tick(month: str, *, year: bool) -> list[str]:
    """What stands under a month's bar, in one or two lines."""
    day = first_of(month)
    short = formats.date_format(day, "M")
    return [short, f"{day.year}"] if year else [short]


def day_words(day: date) -> str:
    return formats.date_format(day, "j F Y")


def cell(amount: int, currency: str) -> str:
    """With all the digits of its currency and nothing else, for tables: “1,240.50”."""
    found = decimal(Money(abs(amount), currency))
    return f"{'−' if amount < 0 else ''}{found:,.{exponent(currency)}f}"


def money(amount: int, currency: str) -> str:
    """In a sentence: “1,240 USD”, with digits behind the point only where they say something."""
    text = cell(amount, currency)
    digits = exponent(currency)
    if digits and text.endswith("." + "0" * digits):
        text = text[: -digits - 1]
    return f"{text} {currency}"


def about(amount: int, currency: str) -> str:
    """An estimate: to three digits, and never finer than a whole unit."""
    step = 10 ** max(exponent(currency), len(f"{abs(amount)}") - 3)
    return money((amount + step // 2) // step * step, currency)


def number(count: int) -> str:
    return f"{count:,}"


def counted(count: int, one: str, many: str = "") -> str:
    """“1 payment”, “2,400 payments”."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def share(part: float) -> str:
    return f"{part:.0%}"


def compared(now: int, before: int, month: int) -> str:
    """How ``now`` stands to what it was in ``month``, as the end of a sentence."""
    than = formats.date_format(times.first_day(month), "F")
    if now == before:
        return f"as in {than}"
    if before <= 0 or now < 0:
        return f"after {'nothing' if before == 0 else 'less'} in {than}" if now > before else ""
    if now == 0:
        return f"less than in {than}"
    times_ = now / before
    if times_ >= _MUCH:
        return f"{times_:.1f} times as much as in {than}"
    percent = round(abs(times_ - 1) * 100)
    if percent == 0:
        return f"about as much as in {than}"
    return f"{percent}% {'more' if now > before else 'less'} than in {than}"
