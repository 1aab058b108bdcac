# SPDX-License-Identifier: AGPL-3.0-or-later
"""Charts of people: who gives again and again, and what they were asked by. Nobody is named."""

from __future__ import annotations

from tamizdat.desk.contributions.pages.numbers.charts import Figure, Plot, Series, Table, of_months
from tamizdat.desk.contributions.pages.numbers.money_charts import shown_month
from tamizdat.desk.contributions.pages.numbers.wording import (
    counted,
    money,
    month_words,
    number,
    share,
)
from tamizdat.desk.contributions.reports import Report
from tamizdat.desk.contributions.reports.givers import MonthOfGivers
from tamizdat.desk.contributions.reports.messages import OfMessage, OfVariant
from tamizdat.desk.contributions.reports.times import Again

MOST_MESSAGES = 12
_WHEN: dict[Again, tuple[str, str]] = {
    "monthly": ("Monthly givers", "every month"),
    "annual": ("Annual givers", "every year"),
}
_HEAD = ("Giving", "New", "Came back", "Stopped", "A payment failed")


def of_givers(report: Report, kind: Again) -> Figure:
    rows = report.monthly if kind == "monthly" else report.annual
    title, when = _WHEN[kind]
    if not any(row.giving or row.new or row.lapsed or row.failed for row in rows):
        return Figure(slug=f"{kind}-givers", title=title, words=f"Nobody gave {when} in this time.")
    months = tuple(row.month for row in rows)
    return Figure(
        slug=f"{kind}-givers",
        title=title,
        words=_givers_words(rows[shown_month(report)], when),
        note="Above: how many give at the end of each month. Below: who came (up), who stopped "
        "(down), and by a cross those whose payment failed. People are counted once, whatever they "
        "give and in whatever currency.",
        plot=of_months(
            months,
            (
                Series(
                    name="Giving",
                    look="line",
                    draw="line",
                    values=tuple(row.giving for row in rows),
                ),
                _change("New", tuple(row.new for row in rows)),
                _change("Came back", tuple(row.regained for row in rows)),
                _change("Stopped", tuple(row.lapsed for row in rows), down=True),
                Series(
                    name="A payment failed",
                    look="failing",
                    draw="points",
                    values=tuple(row.failed or None for row in rows),
                    down=True,
                    lower=True,
                ),
            ),
        ),
        table=Table(
            head=("Month", *_HEAD),
            rows=tuple(
                (
                    month_words(row.month),
                    *(
                        number(n)
                        for n in (row.giving, row.new, row.regained, row.lapsed, row.failed)
                    ),
                )
                for row in rows
            ),
        ),
    )


def _change(name: str, values: tuple[int, ...], *, down: bool = False) -> Series:
    look = {"New": "new", "Came back": "regained", "Stopped": "lapsed"}[name]
    return Series(name=name, look=look, values=values, down=down, lower=True)


def _givers_words(row: MonthOfGivers, when: str) -> str:
    net = row.new + row.regained - row.lapsed
    change = "as many as a month before"
    if net:
        change = f"{number(abs(net))} {'more' if net > 0 else 'fewer'} than a month before"
    failed = f" {counted(row.failed, 'person', 'people')} had a payment that failed."
    return (
        f"At the end of {month_words(row.month)} {counted(row.giving, 'person', 'people')} gave "
        f"{when}, {change}: {number(row.new)} new, {number(row.regained)} came back, "
        f"{number(row.lapsed)} stopped.{failed if row.failed else ''}"
    )


def of_messages(report: Report) -> list[Figure]:
    """One for each, those with most gifts first; their sums in each currency by itself."""
    return [_message(place, one) for place, one in enumerate(report.messages[:MOST_MESSAGES])]


def _message(place: int, message: OfMessage) -> Figure:
    compared = len(message.variants) > 1 and any(one.gifts for one in message.variants)
    return Figure(
        slug=f"message-{place}",
        title=f"“{message.message}”",
        words=f"{counted(message.gifts, 'gift')}. {message.words}",
        plot=_shares(message.variants) if compared else None,
        table=Table(
            head=(
                "Variant",
                "Gifts",
                "… monthly or annual",
                "Share of the gifts",
                "Between",
                "Drawn for",
                "Paid",
                "Could as well have been",
            ),
            rows=tuple(_row(one) for one in message.variants),
        ),
    )


def _name(one: OfVariant) -> str:
    return one.variant or "without a variant"


def _row(one: OfVariant) -> tuple[str, ...]:
    return (
        _name(one),
        number(one.gifts),
        number(one.again),
        share(one.share),
        f"{share(one.low)} – {share(one.high)}",
        "not known" if one.drawn is None else share(one.drawn),
        "; ".join(money(sum_.amount, sum_.currency) for sum_ in one.sums) or "–",
        "; ".join(
            f"{money(sum_.low, sum_.currency)} – {money(sum_.high, sum_.currency)}"
            for sum_ in one.sums
        )
        or "–",
    )


def _shares(variants: tuple[OfVariant, ...]) -> Plot:
    drawn = tuple(one.drawn for one in variants)
    series = [
        Series(
            name="It lies between",
            look="range",
            values=tuple((one.low, one.high) for one in variants),
            draw="range",
        ),
        Series(
            name="Share of the gifts",
            look="share",
            values=tuple(one.share for one in variants),
            draw="points",
        ),
    ]
    if any(one is not None for one in drawn):
        series.append(
            Series(
                name="Share of readers it was drawn for", look="drawn", values=drawn, draw="points"
            )
        )
    return Plot(
        labels=tuple(_name(one) for one in variants),
        ticks=tuple([_name(one)] for one in variants),
        series=tuple(series),
        unit="share",
        across=True,
    )
