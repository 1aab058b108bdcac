# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the newsroom wants to know of contributions, as plain data for pages, charts and files.

What always holds: amounts are in a currency's smallest unit and currencies are never added up; a
month is written ``2026-11``; what is drawn as a line or as bars has one number for each month of
``months``, none left out. No report names a person, and none can be made for one.

What is not done here: showing it (the desk's views, ``cli.contributions``).
"""

from __future__ import annotations

from datetime import date

import msgspec

from tamizdat.desk.contributions import ledger
from tamizdat.desk.contributions.reports.forecast import Forecast, forecast
from tamizdat.desk.contributions.reports.givers import MonthOfGivers, givers
from tamizdat.desk.contributions.reports.messages import OfMessage, messages
from tamizdat.desk.contributions.reports.payouts import OfPayout, payouts
from tamizdat.desk.contributions.reports.sums import Average, Series, averages, sums
from tamizdat.desk.contributions.reports.times import months_of

__all__ = ["Report", "forecast", "givers", "messages", "payouts", "report", "sums"]


class Held(msgspec.Struct, frozen=True):
    """What an account of the books holds: positive what the newsroom has or spent, negative what it
    was given."""

    account: str
    currency: str
    amount: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """All of it for the days from ``since`` to ``until``, both included. ``balances`` are as of
    ``until``, ``forecast`` looks ahead from ``today``."""

    since: date
    until: date
    today: date
    months: tuple[str, ...]
    sums: tuple[Series, ...]
    averages: tuple[Average, ...]
    monthly: tuple[MonthOfGivers, ...]
    annual: tuple[MonthOfGivers, ...]
    messages: tuple[OfMessage, ...]
    forecast: Forecast
    payouts: tuple[OfPayout, ...]
    balances: tuple[Held, ...]


def report(since: date, until: date, *, today: date) -> Report:
    """Everything at once. ``since`` may not be after ``until``."""
    return Report(
        since=since,
        until=until,
        today=today,
        months=months_of(since, until),
        sums=sums(since, until),
        averages=averages(since, until),
        monthly=givers("monthly", since, until, today=today),
        annual=givers("annual", since, until, today=today),
        messages=messages(since, until),
        forecast=forecast(today),
        payouts=payouts(since, until),
        balances=tuple(
            Held(line.account, line.currency, line.amount) for line in ledger.balances(until)
        ),
    )
