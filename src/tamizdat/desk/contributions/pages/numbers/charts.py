# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a chart says: a sentence, what ``numbers.js`` draws, and the same numbers as a table.

What always holds: the table is made of the same values as the drawing and is there without a
script; amounts go to the script in a currency's smallest unit, with how many digits it has.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from tamizdat.desk.contributions.pages.numbers.wording import month_tick, month_words
from tamizdat.giving.money import exponent

Value = int | float | tuple[float, float] | None
_YEARS_ONLY = 25  # From so many months on, years alone stand under them.


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """``look`` names colour and pattern (``numbers.js``); ``draw``: ``range`` goes from one value
    to another; ``down``: drawn below the line though its values are positive; ``lower``: in the
    lower half, with a scale of its own."""

    name: str
    look: str
    values: tuple[Value, ...]
    draw: Literal["bar", "line", "points", "range"] = "bar"
    down: bool = False
    lower: bool = False


class Plot(msgspec.Struct, frozen=True, kw_only=True):
    """``labels`` are whole, ``ticks`` are what stands at the axis, line by line. ``unit``: money of
    ``currency``, a count of people or payments, or a share. ``across``: labels stand one below the
    other and bars lie."""

    labels: tuple[str, ...]
    ticks: tuple[list[str], ...]
    series: tuple[Series, ...]
    unit: Literal["money", "count", "share"]
    currency: str = ""
    digits: int = 0
    across: bool = False
    stacked: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The first cell of a row is its heading."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    foot: tuple[str, ...] = ()


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """``plot`` is none where there is nothing to draw; ``words`` then say so. ``note`` is how it is
    to be read."""

    slug: str
    title: str
    words: str
    note: str = ""
    plot: Plot | None = None
    table: Table | None = None

    @property
    def data_id(self) -> str:
        return f"{self.slug}-data"

    @property
    def data(self) -> Any:
        """For ``json_script``."""
        return msgspec.to_builtins(self.plot)


def of_months(months: tuple[str, ...], series: tuple[Series, ...], currency: str = "") -> Plot:
    """Stacked bars and lines by month; of people where no currency is named."""
    return Plot(
        labels=tuple(month_words(month) for month in months),
        ticks=_ticks(months),
        series=series,
        unit="money" if currency else "count",
        currency=currency,
        digits=exponent(currency) if currency else 0,
        stacked=True,
    )


def _ticks(months: tuple[str, ...]) -> tuple[list[str], ...]:
    if len(months) >= _YEARS_ONLY:
        return tuple([month[:4]] if month.endswith("-01") else [""] for month in months)
    return tuple(
        month_tick(month, year=place == 0 or month.endswith("-01"))
        for place, month in enumerate(months)
    )
