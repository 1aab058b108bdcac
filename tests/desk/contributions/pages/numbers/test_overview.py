# SPDX-License-Identifier: AGPL-3.0-or-later
"""The overview says what the reports say, in drawings, sentences and tables alike."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tamizdat.cli import cli, contributions_report
from tamizdat.desk.contributions import ledger, reports
from tamizdat.desk.contributions.models import Gift, Leg, Payment
from tamizdat.desk.contributions.pages.numbers import head, home, periods, wording
from tamizdat.desk.contributions.pages.numbers.charts import Figure
from tamizdat.desk.contributions.reports import times
from tamizdat.desk.contributions.reports.givers import giving_now
from tamizdat.desk.staff.models import User
from tests.desk.contributions.pages.numbers.scene import Years, approve_message, book

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate()
NOW = times.number(TODAY)
SignIn = Callable[[User], Client]


@pytest.fixture
def petra(publisher: User, signed_in: SignIn) -> Client:
    return signed_in(publisher)


def overview(client: Client, **asked: str) -> Any:
    response = client.get(reverse("contributions:overview"), asked)
    assert response.status_code == 200
    return response


def figures(response: Any) -> list[Figure]:
    found = response.context
    return [*found["figures"], *found["messages_"], found["payouts"]]


def shown(response: Any, title: str) -> Figure:
    (found,) = [one for one in figures(response) if one.title == title]
    return found


# What stands on the page


def test_a_newsroom_without_any_gift_reads_what_will_stand_there(petra: Client) -> None:
    text = overview(petra).content.decode()
    assert "Readers cannot give yet" in text
    assert "docs/operating/giving.md" in text
    assert "What will stand here" in text
    assert "chart.umd" not in text


def test_what_is_drawn_is_what_the_table_says_and_what_the_report_says(petra: Client) -> None:
    Years(TODAY, 14).write()
    response = overview(petra)
    sums = shown(response, "Given by month")
    assert sums.plot is not None
    assert sums.table is not None
    period = periods.preset("12", TODAY)
    wanted = {one.what: one for one in reports.sums(period.since, period.until)}
    for place, series in enumerate(sums.plot.series):
        assert series.values == wanted[series.look].amounts
        column = [row[place + 1] for row in sums.table.rows]
        assert column == [wording.cell(n, "USD") for n in wanted[series.look].amounts]
    assert len(sums.plot.labels) == 12
    # What the script reads is in the page, and nobody's agreement or name is.
    text = response.content.decode()
    raw = re.search(r'<script id="sums-data"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert raw
    assert json.loads(raw[1])["series"][0]["values"] == list(sums.plot.series[0].values)
    for gift in Gift.objects.all():
        assert gift.ref not in text


def test_every_figure_says_what_is_to_be_seen_and_has_its_numbers_as_a_table(
    petra: Client,
) -> None:
    Years(TODAY, 14).write()
    approve_message(plain=1, story=1)
    response = overview(petra)
    titles = [one.title for one in figures(response)]
    assert titles == [
        "Given by month", "Monthly givers", "Annual givers", "The usual gift", "What is to come",
        "“autumn-letter”", "Paid out to the bank",
    ]  # fmt: skip
    text = response.content.decode()
    for one in figures(response):
        assert one.words.endswith(".")
        assert one.plot is not None
        assert one.table is not None
        assert {len(one.table.head)} == {len(row) for row in one.table.rows}
        assert f'id="{one.slug}-data"' in text
        for series in one.plot.series:
            assert len(series.values) == len(one.plot.labels) == len(one.plot.ticks)
    assert text.count("<details>") == text.count("<figure") == len(titles)


def test_monthly_givers_come_and_go_as_the_report_counts_them(petra: Client) -> None:
    Years(TODAY, 14).write()
    givers = shown(overview(petra), "Monthly givers")
    period = periods.preset("12", TODAY)
    rows = reports.givers("monthly", period.since, period.until, today=TODAY)
    assert givers.table is not None
    assert [row[1:] for row in givers.table.rows] == [
        tuple(f"{n}" for n in (row.giving, row.new, row.regained, row.lapsed, row.failed))
        for row in rows
    ]
    assert rows[-1].giving


def test_too_little_to_tell_is_said_of_variants(petra: Client) -> None:
    Years(TODAY, 2, each=4).write()
    approve_message(plain=1, story=1)
    message = shown(overview(petra), "“autumn-letter”")
    assert "Too little to tell" in message.words
    assert message.plot is not None
    low, high = message.plot.series[0].values[0]  # type: ignore[misc]  # a range is two numbers
    assert 0 <= low < high <= 1


def test_currencies_are_shown_one_by_one_and_never_added_up(petra: Client) -> None:
    for seed, (currency, each) in enumerate({"USD": 9, "JPY": 4, "KWD": 3}.items()):
        Years(TODAY, 6, each=each, currency=currency, seed=seed).write()
    first = overview(petra)
    assert first.context["currencies"][0] == first.context["currency"] == "USD"
    assert set(first.context["currencies"]) == {"USD", "JPY", "KWD"}
    period = periods.preset("12", TODAY)
    for currency, form in (("JPY", r"[\d,]+"), ("KWD", r"[\d,]+\.\d{3}"), ("USD", r"[\d,]+\.\d\d")):
        sums = shown(overview(petra, currency=currency), "Given by month")
        assert sums.table is not None
        assert sums.plot is not None
        assert sums.plot.currency == currency
        mine = [
            one
            for one in reports.sums(period.since, period.until)
            if one.currency == currency and one.what in ("once", "monthly", "annual")
        ]
        assert sums.table.foot[-2] == wording.cell(sum(sum(one.amounts) for one in mine), currency)
        assert all(re.fullmatch(form, cell) for cell in sums.table.foot[1:-1])
    odd = overview(petra, currency="<b>")
    assert odd.context["currency"] == "USD"
    assert "<b>" not in odd.content.decode()


def test_five_years_are_shown_by_month(petra: Client) -> None:
    Years(TODAY, 60, each=2).write()
    since = times.first_day(NOW - 59)
    response = overview(petra, since=f"{since}", until=f"{TODAY}")
    sums, givers = shown(response, "Given by month"), shown(response, "Monthly givers")
    assert sums.plot is not None
    assert givers.plot is not None
    assert len(sums.plot.labels) == len(givers.plot.labels) == 60
    assert [tick for tick in sums.plot.ticks if tick != [""]] == [
        [f"{year}"] for year in range(since.year + (since.month > 1), TODAY.year + 1)
    ]


def test_a_time_in_which_nothing_was_given_says_so(petra: Client) -> None:
    Years(TODAY, 2).write()
    response = overview(petra, since="2019-01-01", until="2019-03-31")
    assert shown(response, "Given by month").words == "Nothing was given in USD."
    assert shown(response, "Monthly givers").plot is None


# The first numbers


def test_the_last_month_that_is_over_stands_first_against_the_one_before(petra: Client) -> None:
    Years(TODAY, 4).write()
    month = head.month_of(TODAY, TODAY)
    found = overview(petra).context["head"]
    rows = Payment.objects.filter(
        state="paid", day__range=(times.first_day(month), times.last_day(month))
    )
    given = sum(rows.values_list("amount", flat=True))
    numbers = {one.label: one.value for one in found.numbers}
    assert found.month == wording.month_words(times.name(month))
    assert numbers["Given"] == wording.money(given, "USD")
    assert numbers["Average payment"] == wording.money(
        (2 * given + rows.count()) // (2 * rows.count()), "USD"
    )
    # Of a month alone it is the same.
    assert overview(petra, period="month").context["head"] == found


@pytest.mark.parametrize(
    ("until", "today", "month"),
    [
        (date(2026, 11, 30), date(2026, 11, 22), "2026-10"),
        (date(2026, 11, 30), date(2026, 11, 30), "2026-11"),
        (date(2026, 2, 28), date(2026, 11, 22), "2026-02"),
        (date(2026, 2, 27), date(2026, 11, 22), "2026-01"),
        (date(2026, 1, 5), date(2026, 1, 5), "2025-12"),
    ],
)
def test_a_month_counts_as_over_on_its_last_day(until: date, today: date, month: str) -> None:
    assert times.name(head.month_of(until, today)) == month


OCTOBER = 2026 * 12 + 9


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (110, 100, "10% more than in October"),
        (90, 100, "10% less than in October"),
        (1001, 1000, "about as much as in October"),
        (100, 100, "as in October"),
        (340, 100, "3.4 times as much as in October"),
        (5, 0, "after nothing in October"),
        (0, 5, "less than in October"),
        (0, 0, "as in October"),
        (-5, 10, ""),
    ],
)
def test_how_a_month_stands_to_the_one_before_is_said_in_words(
    now: int, before: int, said: str
) -> None:
    assert wording.compared(now, before, OCTOBER) == said


@pytest.mark.parametrize(
    ("amount", "currency", "said"),
    [
        (124000, "USD", "1,240 USD"),
        (124050, "USD", "1,240.50 USD"),
        (-1240, "JPY", "−1,240 JPY"),
        (1500, "KWD", "1.500 KWD"),
    ],
)
def test_amounts_have_the_digits_of_their_currency(amount: int, currency: str, said: str) -> None:
    assert wording.money(amount, currency) == said


def test_an_estimate_is_not_said_to_the_last_unit() -> None:
    assert wording.about(7217171, "USD") == "72,200 USD"
    assert wording.about(1234, "USD") == "12 USD"
    assert wording.about(98765, "JPY") == "98,800 JPY"


# The time


@pytest.mark.parametrize(
    ("name", "since", "until"),
    [
        ("12", "2025-12-01", "2026-11-30"),
        ("month", "2026-11-01", "2026-11-30"),
        ("last-month", "2026-10-01", "2026-10-31"),
        ("year", "2026-01-01", "2026-11-30"),
        ("last-year", "2025-01-01", "2025-12-31"),
    ],
)
def test_presets_are_whole_months(name: str, since: str, until: str) -> None:
    found = periods.preset(name, date(2026, 11, 22))
    assert (f"{found.since}", f"{found.until}") == (since, until)


def test_last_month_in_january_is_december() -> None:
    found = periods.preset("last-month", date(2026, 1, 31))
    assert (found.since, found.until) == (date(2025, 12, 1), date(2025, 12, 31))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"since": "2026-05-01", "until": "2026-04-30"}, "exchange them"),
        ({"since": "31.10.2026", "until": "2026-04-30"}, "The first day is no day"),
        ({"since": "2026-02-30", "until": "2026-04-30"}, "The first day is no day"),
        ({"since": "2026-02-01", "until": ""}, "Say the last day, too"),
        ({"until": "2026-02-01"}, "Say the first day, too"),
        ({"since": "2199-01-01", "until": "2199-02-01"}, "days to come"),
        ({"since": "0001-01-01", "until": "2026-02-01"}, "from 1 January 2000 on"),
        ({"since": "2000-01-01", "until": "2026-02-01"}, "in parts"),
    ],
)
def test_days_that_cannot_be_are_said_and_kept_in_the_form(
    petra: Client, asked: dict[str, str], said: str
) -> None:
    Years(TODAY, 2, each=2).write()
    response = overview(petra, **asked)
    text = response.content.decode()
    assert said in text
    assert response.context["period"] == periods.preset("12", TODAY)
    for value in asked.values():
        assert f'value="{value}"' in text or not value
    # The file asks for days that can be as well.
    away = petra.get(reverse("contributions:report"), asked)
    assert away.status_code == 302
    assert away["Location"].startswith(reverse("contributions:overview"))


def test_a_time_ends_with_the_present_month_at_the_latest(petra: Client) -> None:
    Years(TODAY, 2, each=2).write()
    response = overview(petra, since=f"{TODAY}", until=f"{TODAY + timedelta(days=400)}")
    assert response.context["period"].until == times.last_day(NOW)
    assert overview(petra, period="no-such").context["period"].name == "12"


# The file, the home page, who may


def test_the_file_is_what_the_command_line_writes(
    petra: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Years(TODAY, 30, each=3).write()
    monkeypatch.setattr(contributions_report, "start_django", lambda folder: settings.NEWSROOM)
    last = f"{TODAY.year - 1}"
    words = ["--since", f"{last}-01", "--until", f"{last}-12"]
    done = CliRunner().invoke(cli, ["contributions", "report", *words, "--format", "csv"])
    assert done.exit_code == 0, done.output
    response = petra.get(reverse("contributions:report"), {"period": "last-year"})
    assert response.content.decode() == done.stdout
    assert len(list(csv.reader(io.StringIO(done.stdout)))) > 50
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"] == (
        f'attachment; filename="contributions-{last}-01-01-{last}-12-31.csv"'
    )
    assert "no-store" in response["Cache-Control"]


def test_the_home_page_shows_the_months_sum_by_currency(petra: Client) -> None:
    Years(TODAY, 14).write()
    Years(TODAY, 3, each=2, currency="KWD").write()
    found = home.numbers(TODAY)
    for one in found["currencies"]:
        wanted = reports.sums(times.first_day(NOW - 11), TODAY)
        given = [
            sum(
                s.amounts[place] for s in wanted if s.currency == one.currency and s.payments[place]
            )
            for place in range(12)
        ]
        assert (one.so_far, one.last) == (
            wording.money(given[-1], one.currency),
            wording.money(given[-2], one.currency),
        )
        assert [bar.words.partition(": ")[2] for bar in one.chart["bars"]] == [
            wording.money(n, one.currency) for n in given
        ]
    text = petra.get(reverse("wagtailadmin_home")).content.decode()
    assert f'href="{reverse("contributions:overview")}"' in text
    assert found["currencies"][0].so_far in text
    assert text.count("This month so far") == 2


def test_the_home_page_says_nothing_of_gifts_where_there_are_none(petra: Client) -> None:
    assert "h-contributions" not in petra.get(reverse("wagtailadmin_home")).content.decode()


@pytest.mark.parametrize("role", ["reporter", "editor", "operator"])
def test_numbers_are_for_those_who_may_see_gifts(
    role: str, request: pytest.FixtureRequest, signed_in: SignIn
) -> None:
    Years(TODAY, 2, each=2).write()
    client = signed_in(request.getfixturevalue(role))
    text = client.get(reverse("wagtailadmin_home")).content.decode()
    assert "h-contributions" not in text
    assert reverse("contributions:report") not in text
    for name in ("overview", "report", "months"):
        refused = client.get(reverse(f"contributions:{name}"), headers=_AS_SCRIPT)
        assert refused.status_code == 403


_AS_SCRIPT = {"x-requested-with": "XMLHttpRequest"}


def test_nothing_of_the_numbers_stays_in_a_browser(petra: Client) -> None:
    assert "no-store" in overview(petra)["Cache-Control"]


# What all of this rests on


def test_who_gives_now_is_who_gives_at_the_end_of_the_report() -> None:
    Years(TODAY, 14).write()
    for back in (0, 1, 16, 44, 200):
        day = TODAY - timedelta(days=back)
        for kind in ("monthly", "annual"):
            row = reports.givers(kind, day.replace(day=1), day, today=day)[-1]  # type: ignore[arg-type]  # both are kinds
            assert giving_now(kind, day) == row.giving  # type: ignore[arg-type]  # the same
    assert giving_now("monthly", TODAY) > 0


def test_the_invented_years_are_booked_as_the_books_book() -> None:
    years = Years(TODAY, 4, each=4).write()
    before, legs = ledger.balances(), Leg.objects.count()
    book({kind: [] for kind in years.rows})
    from tamizdat.desk.contributions import books

    for payment in years.rows[Payment][:20]:
        books.book_payment(payment)
    assert ledger.balances() == before
    assert Leg.objects.count() == legs


def test_what_others_wrote_is_what_they_published() -> None:
    readme = finders.find("contributions/vendor/README.md")
    assert readme
    rows = re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", Path(readme).read_text(), re.M)
    assert rows
    for name, wanted in rows:
        file = finders.find(f"contributions/vendor/{name}")
        assert file, f"{name} is not where static files are found"
        assert hashlib.sha256(Path(file).read_bytes()).hexdigest() == wanted
        assert (Path(file).parent / "LICENSE.md").is_file()
    loaded = Path(__file__).parents[5] / "src/tamizdat/desk/contributions/templates"
    page = (loaded / "contributions/numbers/overview.html").read_text()
    assert all(f"contributions/vendor/{name}" in page for name, _ in rows)
