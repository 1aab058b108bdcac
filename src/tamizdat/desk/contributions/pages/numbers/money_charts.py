# SPDX-License-Identifier: AGPL-3.0-or-later
"""Charts of amounts, all of one currency: sums, averages, what is to come, payouts."""

from __future__ import annotations

from collections import Counter
from datetime import date

from tamizdat.desk.contributions.pages.numbers.charts import Figure, Plot, Series, Table, of_months
from tamizdat.desk.contributions.pages.numbers.wording import (
    about,
    cell,
    compared,
    counted,
    day_words,
    money,
    month_words,
    number,
    share,
)
from tamizdat.desk.contributions.reports import Report, times
from tamizdat.desk.contributions.reports.forecast import Ahead, Kept
from tamizdat.desk.contributions.reports.payouts import OfPayout
from tamizdat.desk.contributions.reports.sums import COSTS, KINDS
from tamizdat.desk.contributions.reports.sums import Series as Sums
from tamizdat.giving.money import exponent

NAMES = {
    "monthly": "Monthly",
    "once": "Once",
    "annual": "Annual",
    "other": "Other",
    "fees": "Fees",
    "refunds": "Given back",
    "disputes": "Lost in disputes",
}
_PAYOUTS_SHOWN = 60


def shown_month(report: Report) -> int:
    """The place of the month to speak of: the last one that is over, else the last one."""
    end = min(report.until, report.today)
    now = times.number(end)
    place = now - times.number(report.since)
    over = end == times.last_day(now)
    return place if over or place == 0 else place - 1


def of_sums(report: Report, currency: str) -> Figure:
    mine = {one.what: one for one in report.sums if one.currency == currency}
    kinds = [what for what in NAMES if what in mine and what in KINDS]
    costs = [what for what in NAMES if what in mine and what in COSTS]
    title = "Given by month"
    if not mine:
        return Figure(slug="sums", title=title, words=f"Nothing was given in {currency}.")
    bars = tuple(
        Series(name=NAMES[what], look=what, values=mine[what].amounts, down=what in costs)
        for what in (*kinds, *costs)
    )
    return Figure(
        slug="sums",
        title=title,
        words=_sums_words(report, mine, kinds, currency),
        note="Before fees. What was given stands above the line, what it cost below it; fees are "
        "in the currency of the provider's balance.",
        plot=of_months(report.months, bars, currency),
        table=_sums_table(report, mine, kinds, costs, currency),
    )


def _sums_words(report: Report, mine: dict[str, Sums], kinds: list[str], currency: str) -> str:
    given = [sum(mine[what].amounts[n] for what in kinds) for n in range(len(report.months))]
    place = shown_month(report)
    payments = sum(mine[what].payments[place] for what in kinds)
    month = times.number(report.since) + place
    said = (
        f"{month_words(report.months[place])}: {money(given[place], currency)} from "
        f"{counted(payments, 'payment')}"
    )
    if place and (than := compared(given[place], given[place - 1], month - 1)):
        said += f", {than}"
    if place < len(given) - 1:
        said += f". {month_words(report.months[-1])} so far: {money(given[-1], currency)}"
    whole = sum(given)
    if len(given) > 1:
        said += f". In all {money(whole, currency)} in {len(given)} months"
        if whole and "monthly" in mine:
            said += f", {share(sum(mine['monthly'].amounts) / whole)} of it monthly"
    return f"{said}."


def _sums_table(
    report: Report, mine: dict[str, Sums], kinds: list[str], costs: list[str], currency: str
) -> Table:
    order = [*kinds, *costs]
    rows = []
    for place, month in enumerate(report.months):
        rows.append(
            (
                month_words(month),
                *(cell(mine[what].amounts[place], currency) for what in order),
                cell(sum(mine[what].amounts[place] for what in kinds), currency),
                number(sum(mine[what].payments[place] for what in kinds)),
            )
        )
    whole = {what: sum(mine[what].amounts) for what in order}
    return Table(
        head=(f"{currency}", *(NAMES[what] for what in order), "Given in all", "Payments"),
        rows=tuple(rows),
        foot=(
            "In all",
            *(cell(whole[what], currency) for what in order),
            cell(sum(whole[what] for what in kinds), currency),
            number(sum(sum(mine[what].payments) for what in kinds)),
        ),
    )


def of_averages(report: Report, currency: str) -> Figure:
    found = {one.kind: one for one in report.averages if one.currency == currency}
    mine = [found[kind] for kind in NAMES if kind in found]
    title = "The usual gift"
    if not mine:
        return Figure(slug="averages", title=title, words=f"Nobody paid in {currency}.")
    said = " ".join(
        f"{NAMES[one.kind]}: {money(one.average, currency)} on average, "
        f"{money(one.middle, currency)} in the middle of {counted(one.payments, 'payment')}."
        for one in mine
    )
    return Figure(
        slug="averages",
        title=title,
        words=said,
        note="A few large gifts lift the average; half of all payments are at most as large as the "
        "one in the middle.",
        plot=Plot(
            labels=tuple(NAMES[one.kind] for one in mine),
            ticks=tuple([NAMES[one.kind]] for one in mine),
            series=(
                Series(name="Average", look="once", values=tuple(one.average for one in mine)),
                Series(
                    name="In the middle", look="monthly", values=tuple(one.middle for one in mine)
                ),
            ),
            unit="money",
            currency=currency,
            digits=exponent(currency),
            across=True,
        ),
        table=Table(
            head=(currency, "Average", "In the middle", "Payments"),
            rows=tuple(
                (
                    NAMES[one.kind],
                    cell(one.average, currency),
                    cell(one.middle, currency),
                    number(one.payments),
                )
                for one in mine
            ),
        ),
    )


def of_forecast(report: Report, currency: str) -> Figure:
    title = "What is to come"
    mine = next((one for one in report.forecast.series if one.currency == currency), None)
    if mine is None:
        said = f"Nobody gives again and again in {currency} now: there is nothing to expect."
        return Figure(slug="forecast", title=title, words=said)
    months = report.forecast.months
    return Figure(
        slug="forecast",
        title=title,
        words=_forecast_words(mine, report.forecast.kept),
        note="From those who give monthly or annually now, before fees. An estimate: nothing of it "
        "is booked, and nobody new is in it.",
        plot=of_months(
            months,
            (
                Series(name="If nobody leaves", look="promised", values=mine.promised),
                Series(
                    name="If people stay as they did",
                    look="expected",
                    values=mine.expected,
                    draw="line",
                ),
            ),
            currency,
        ),
        table=Table(
            head=(currency, "If nobody leaves", "If people stay as they did"),
            rows=tuple(
                (month_words(month), cell(promised, currency), cell(expected, currency))
                for month, promised, expected in zip(
                    months, mine.promised, mine.expected, strict=True
                )
            ),
            foot=(
                "In all",
                cell(sum(mine.promised), currency),
                cell(sum(mine.expected), currency),
            ),
        ),
    )


def _forecast_words(mine: Ahead, kept: tuple[Kept, ...]) -> str:
    promised, expected = sum(mine.promised), sum(mine.expected)
    said = (
        f"In the next {len(mine.promised)} months {money(promised, mine.currency)} if nobody "
        f"leaves, about {about(expected, mine.currency)} if people stay as they did."
    )
    for one in kept:
        if one.known:
            said += (
                f" Of {counted(one.number, f'{one.kind} payment')} that another one should have "
                f"followed, {share(one.share)} were (between {share(one.low)} and "
                f"{share(one.high)})."
            )
        elif one.number:
            said += (
                f" Too few {one.kind} payments ({number(one.number)}) to tell how people stay: "
                f"reckoned as if nobody left."
            )
    return said


def of_payouts(report: Report, currency: str) -> Figure:
    """What reached the bank, by month."""
    mine = [one for one in report.payouts if one.currency == currency]
    title = "Paid out to the bank"
    if not mine:
        return Figure(slug="payouts", title=title, words=f"Nothing was paid out in {currency}.")
    by_state = {state: _by_month(report, mine, state) for state in ("paid", "pending", "failed")}
    names = {"paid": "Reached the bank", "pending": "On its way", "failed": "Came back"}
    bars = tuple(
        Series(name=names[state], look=state, values=values)
        for state, values in by_state.items()
        if state == "paid" or any(values)
    )
    return Figure(
        slug="payouts",
        title=title,
        words=_payouts_words(mine, currency),
        note="A payout is the sum of the lines of the balance that it carried, less fees. “Not "
        "explained” is what these lines do not account for.",
        plot=of_months(report.months, bars, currency),
        table=_payouts_table(mine, names, currency),
    )


def _by_month(report: Report, mine: list[OfPayout], state: str) -> tuple[int, ...]:
    sums: Counter[str] = Counter()
    for one in mine:
        if one.state == state:
            sums[times.name(times.number(one.day))] += one.amount
    return tuple(sums[month] for month in report.months)


def _payouts_words(mine: list[OfPayout], currency: str) -> str:
    paid = [one for one in mine if one.state == "paid"]
    said = (
        f"{money(sum(one.amount for one in paid), currency)} reached the bank in "
        f"{counted(len(paid), 'payout')}"
    )
    if paid:
        said += f", the last on {day_words(_last(paid))}"
    wrong = [one for one in mine if one.missing]
    if wrong:
        missing = sum(abs(one.missing) for one in wrong)
        return (
            f"{said}. No line of the balance accounts for {money(missing, currency)} of "
            f"{counted(len(wrong), 'payout')}."
        )
    known = [one for one in mine if one.lines]
    if len(known) < len(mine):
        return f"{said}. The provider does not say of all of them what they carried."
    return f"{said}. Each is explained by its lines."


def _last(mine: list[OfPayout]) -> date:
    return max(one.day for one in mine)


def _payouts_table(mine: list[OfPayout], names: dict[str, str], currency: str) -> Table:
    """The last ones; the file has all."""
    latest = mine[: -_PAYOUTS_SHOWN - 1 : -1]
    return Table(
        head=(currency, "Provider", "Amount", "How it stands", "Lines", "Not explained"),
        rows=tuple(
            (
                day_words(one.day),
                one.provider,
                cell(one.amount, currency),
                names.get(one.state, one.state),
                number(one.lines),
                cell(one.missing, currency) if one.missing else "–",
            )
            for one in latest
        ),
        foot=(
            (f"{counted(len(mine) - len(latest), 'earlier one')} in the file", "", "", "", "", "")
            if len(mine) > len(latest)
            else ()
        ),
    )
