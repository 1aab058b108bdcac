# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the newsroom is told of contributions is what happened, and no more than can be told."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from click.testing import CliRunner, Result
from django.conf import settings

from tamizdat.cli import cli, contributions, contributions_report
from tamizdat.desk.contributions import books, ledger, reports
from tamizdat.desk.contributions.models import (
    Ask,
    AskVersion,
    Gift,
    Movement,
    Payment,
    Payout,
    Refund,
)
from tamizdat.desk.contributions.reports import chance, table
from tamizdat.desk.contributions.reports.messages import OfMessage
from tamizdat.desk.contributions.reports.sums import Average, averages
from tamizdat.desk.readers.models import Reader

pytestmark = pytest.mark.django_db
FIRST, LAST, TODAY = date(2026, 1, 1), date(2026, 6, 30), date(2026, 7, 1)


def gift(kind: str = "monthly", **more: Any) -> Gift:
    number = Gift.objects.count()
    fields = {"state": "active", "day": FIRST, "amount": 500, "currency": "USD", **more}
    return Gift.objects.create(provider="stripe", ref=f"sub_{number}", kind=kind, **fields)


def pay(one: Gift | None, *days: str, state: str = "paid", **more: Any) -> None:
    """``days`` as ``01-31``, of 2026."""
    for day in days:
        number = Payment.objects.count()
        fields = {"amount": 500, "currency": "USD", "at": 1, **more}
        row = Payment.objects.create(
            provider="stripe", ref=f"pi_{number}", gift=one, state=state,
            day=date.fromisoformat(f"2026-{day}"), **fields,
        )  # fmt: skip
        books.book_payment(row)


def counted(what: str, kind: Any = "monthly", last: date = LAST, today: date = TODAY) -> list[int]:
    return [getattr(row, what) for row in reports.givers(kind, FIRST, last, today=today)]


# Sums


def test_sums_are_by_month_kind_and_currency_with_what_they_cost_beside_them() -> None:
    pay(gift("once"), "01-03", "03-31", amount=1000)
    pay(gift("monthly"), "01-31", "02-28", amount=700)
    pay(gift("annual"), "02-01", amount=90000, currency="JPY")
    pay(None, "03-01", amount=100)
    pay(gift("once"), "03-01", state="failed")
    refund = Refund.objects.create(
        provider="stripe", ref="re_1", payment_ref="pi_0", amount=400, currency="USD",
        state="done", day=date(2026, 3, 2), at=1,
    )  # fmt: skip
    books.book_refund(refund)
    found = {(one.what, one.currency): one for one in reports.sums(FIRST, date(2026, 3, 31))}
    assert {key: one.amounts for key, one in found.items()} == {
        ("annual", "JPY"): (0, 90000, 0),
        ("once", "USD"): (1000, 0, 1000),
        ("monthly", "USD"): (700, 700, 0),
        ("other", "USD"): (0, 0, 100),
        ("refunds", "USD"): (0, 0, 400),
    }
    assert found["once", "USD"].payments == (1, 0, 1)
    assert found["refunds", "USD"].payments == (0, 0, 0)


def test_what_was_reversed_is_in_no_sum() -> None:
    pay(gift("once"), "01-03")
    row = Payment.objects.get()
    row.state = "failed"
    books.book_payment(row)
    row.save()
    assert reports.sums(FIRST, LAST) == ()


def test_the_average_and_the_one_in_the_middle_say_different_things() -> None:
    for amount in (200, 300, 500, 500, 100001):
        pay(gift("once"), "01-03", amount=amount)
    pay(gift("once"), "07-03", amount=7)
    (found,) = averages(FIRST, LAST)
    assert found == Average("once", "USD", 5, 20300, 500)


# Who gives


def test_who_pays_each_month_is_new_once_and_goes_on_giving() -> None:
    pay(gift(), "01-31", "02-28", "03-31", "04-30", "05-31", "06-30")
    assert counted("new") == [1, 0, 0, 0, 0, 0]
    assert counted("giving") == [1] * 6
    assert counted("lapsed") == counted("regained") == [0] * 6


def test_who_stops_has_lapsed_and_who_comes_back_is_regained() -> None:
    pay(gift(), "01-10", "02-10", "06-10")
    assert counted("lapsed") == [0, 0, 1, 0, 0, 0]
    assert counted("regained") == [0, 0, 0, 0, 0, 1]
    assert counted("new") == [1, 0, 0, 0, 0, 0]
    assert counted("giving") == [1, 1, 0, 0, 0, 1]


def test_a_renewal_that_needed_some_days_is_no_lapse() -> None:
    pay(gift(), "01-28", "03-08", "03-28", "04-28", "05-28", "06-28")
    pay(Gift.objects.get(), "02-28", state="failed")
    assert counted("lapsed") == [0] * 6
    assert counted("failed") == [0, 1, 0, 0, 0, 0]


def test_who_ends_it_has_lapsed_in_that_month() -> None:
    pay(gift(state="ended", ended=date(2026, 2, 20)), "01-15", "02-15")
    assert counted("giving")[:3] == [1, 0, 0]
    assert counted("lapsed")[:3] == [0, 1, 0]


def test_who_came_and_went_in_one_month_is_both() -> None:
    pay(gift(state="ended", ended=date(2026, 2, 20)), "02-15")
    assert (counted("new")[1], counted("lapsed")[1], counted("giving")[1]) == (1, 1, 0)


def test_a_reader_with_two_agreements_is_one_giver() -> None:
    reader = Reader.objects.create(
        blind=b"1" * 32, key_version=1, sealed=b"", language="en", added=FIRST
    )
    pay(gift(reader=reader, state="ended", ended=date(2026, 3, 3)), "01-15", "02-15")
    pay(gift(reader=reader), "03-03", "04-03")
    assert counted("giving")[:4] == [1, 1, 1, 1]
    assert counted("new")[:4] == [1, 0, 0, 0]


def test_a_year_is_given_for_all_of_it_and_the_present_month_ends_today() -> None:
    pay(gift("annual"), "02-03")
    assert counted("giving", "annual") == [0, 1, 1, 1, 1, 1]
    pay(gift(), "01-20")
    assert counted("giving", last=date(2026, 3, 31), today=date(2026, 3, 5))[-1] == 1
    assert counted("giving", last=date(2026, 3, 31), today=date(2026, 3, 6))[-1] == 0


def test_who_gives_is_who_gave_with_those_who_came_without_those_who_went() -> None:
    chance_ = Random(4)
    for _ in range(30):
        ended = chance_.choice([None, None, date(2026, chance_.randint(1, 6), 9)])
        days = {f"{chance_.randint(1, 6):02}-{chance_.randint(1, 28):02}" for _ in range(4)}
        pay(gift(ended=ended), *days)
    rows = reports.givers("monthly", FIRST, LAST, today=TODAY)
    before = 0
    for row in rows:
        assert row.giving == before + row.new + row.regained - row.lapsed
        before = row.giving
    assert sum(row.new for row in rows) == 30


# Messages and variants


def brought(**gifts: int) -> None:
    for variant, number in gifts.items():
        for _ in range(number):
            pay(gift("once", message="winter", variant=variant), "02-03")


def approve(weights: dict[str, int], day: str = "2026-01-01", number: int = 1) -> None:
    ask, _ = Ask.objects.get_or_create(slug="winter", title="Winter", place="message")
    said = [
        {"slug": slug, "weight": weight, "texts": {"en": {"title": "Help"}}}
        for slug, weight in weights.items()
    ]
    AskVersion.objects.create(
        ask=ask,
        number=number,
        content={"variants": said},
        approved=datetime.fromisoformat(f"{day}T12:00:00+00:00").astimezone(UTC),
    )


def winter() -> OfMessage:
    (found,) = reports.messages(FIRST, LAST)
    return found


def test_a_variant_that_brings_more_than_its_share_is_told_with_its_interval() -> None:
    approve({"a": 1, "b": 1})
    brought(a=45, b=12)
    found = winter()
    assert found.telling
    assert found.words == "“a” brings more than its share, “b” brings less than its share."
    first = found.variants[0]
    assert (first.variant, first.gifts, first.drawn) == ("a", 45, 0.5)
    assert 0.6 < first.low < first.share < first.high < 0.92
    (sum_,) = first.sums
    assert sum_.amount == 45 * 500
    assert sum_.low < sum_.amount < sum_.high


def test_the_same_numbers_say_nothing_where_it_was_drawn_more_often() -> None:
    approve({"a": 4, "b": 1})
    brought(a=45, b=12)
    assert not winter().telling
    assert "by chance" in winter().words


def test_a_few_gifts_tell_nothing() -> None:
    approve({"a": 1, "b": 1})
    brought(a=12)
    assert not winter().telling
    assert winter().words.startswith("Too little to tell: 12 gifts")
    assert [one.variant for one in winter().variants] == ["a", "b"]


def test_weights_that_were_changed_meanwhile_tell_nothing() -> None:
    approve({"a": 1, "b": 1})
    approve({"a": 9, "b": 1}, "2026-02-01", 2)
    brought(a=45, b=12)
    assert "weights were changed" in winter().words
    (later,) = reports.messages(date(2026, 2, 2), LAST) or (None,)
    assert later is None


def test_who_invents_a_variant_changes_nothing_for_the_others() -> None:
    approve({"a": 1, "b": 1})
    brought(a=45, b=12, mine=2)
    assert winter().telling
    assert (winter().gifts, [one.variant for one in winter().variants]) == (59, ["a", "b"])
    assert winter().variants[0].share == 45 / 57


def test_of_a_message_that_nobody_approved_here_nothing_is_said() -> None:
    brought(a=45, b=12)
    assert not winter().telling
    assert winter().words.startswith("How often each was drawn is not known")
    assert [one.drawn for one in winter().variants] == [None, None]


def test_what_is_not_paid_is_not_counted_for_a_message() -> None:
    pay(gift("once", message="winter", variant="a"), "02-03", state="failed")
    assert reports.messages(FIRST, LAST) == ()


def test_shares_have_the_interval_of_the_textbooks() -> None:
    assert chance.share(10, 20) == pytest.approx((0.2993, 0.7007), abs=1e-4)
    assert chance.share(0, 10) == pytest.approx((0, 0.2775), abs=1e-4)
    assert chance.share(0, 0) == (0.0, 1.0)
    assert chance.share(10, 20, of=3)[0] < chance.share(10, 20)[0]


def test_the_interval_of_a_sum_holds_the_truth_as_often_as_it_says() -> None:
    draw, held = Random(1), 0
    for _ in range(400):
        number = sum(draw.random() < 0.08 for _ in range(1000))
        amounts = [draw.choice((200, 500, 500, 1000, 5000)) for _ in range(number)]
        low, high = chance.total(amounts)
        held += low <= 80 * 1440 <= high
    assert 0.92 < held / 400 < 0.98


# What is to come


def test_what_is_to_come_is_counted_from_the_days_on_which_it_is_due() -> None:
    gift(next_day=date(2026, 7, 31))
    gift("annual", next_day=date(2027, 3, 15), amount=6000)
    gift(state="paused", next_day=date(2027, 5, 1), amount=100)
    gift(state="paused", amount=1)
    gift(state="ended", next_day=date(2026, 8, 1))
    gift("once", amount=9999)
    found = reports.forecast(TODAY)
    assert (found.months[0], found.months[-1]) == ("2026-08", "2027-07")
    (series,) = found.series
    assert series.promised == (500,) * 7 + (6500, 500, 600, 600, 600)
    assert series.expected == series.promised
    assert [one.known for one in found.kept] == [False, False]


def test_it_is_expected_that_people_stay_as_they_did() -> None:
    stays = gift(next_day=date(2026, 8, 10))
    pay(stays, *(f"{month:02}-10" for month in range(1, 7)))
    for _ in range(5):
        pay(gift(state="ended"), "03-10")
    found = reports.forecast(TODAY)
    monthly = found.kept[0]
    assert (monthly.number, monthly.share, monthly.known) == (10, 0.5, True)
    (series,) = found.series
    assert series.promised[:3] == (500, 500, 500)
    assert series.expected[:3] == (250, 125, 62)


# Payouts, and the whole of it


def payout(*nets: int) -> None:
    row = Payout.objects.create(
        provider="stripe", ref="po_1", amount=900, currency="USD", state="paid", at=1,
        day=date(2026, 2, 5),
    )  # fmt: skip
    books.book_payout(row)
    for number, net in enumerate(nets):
        Movement.objects.create(
            provider="stripe", ref=f"txn_{number}", kind="payment" if net > 0 else "payout",
            gross=net + 10, fee=10, net=net, currency="USD", source_amount=net + 10,
            source_currency="USD", payout="po_1", at=1, day=date(2026, 2, 4),
        )  # fmt: skip


def test_a_payout_is_explained_by_the_lines_that_it_carried() -> None:
    payout(400, 500, -900)
    (found,) = reports.payouts(FIRST, LAST)
    assert (found.gross, found.fees, found.lines, found.missing) == (920, 20, 2, 0)


def test_a_line_that_is_wanting_is_missing_from_its_payout() -> None:
    payout(400)
    (found,) = reports.payouts(FIRST, LAST)
    assert found.missing == 500


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``tamizdat contributions …``, in this process."""
    for module in (contributions, contributions_report):
        monkeypatch.setattr(module, "start_django", lambda folder: settings.NEWSROOM)

    def run(*words: str, code: int = 0) -> Result:
        done = CliRunner().invoke(cli, ["contributions", *words])
        assert done.exit_code == code, done.output
        return done

    return run


@pytest.fixture
def half_a_year() -> None:
    approve({"a": 1, "b": 1})
    brought(a=2, b=1)
    pay(gift(next_day=date(2026, 7, 10)), "01-10", "02-10", "03-10")
    pay(gift("annual"), "02-03", amount=1500, currency="KWD")
    payout(400)


PERIOD = ("--since", "2026-01", "--until", "2026-06")


def test_the_report_is_read_by_people_machines_and_spreadsheets(
    terminal: Any, half_a_year: None
) -> None:
    text = terminal("report", *PERIOD).stdout
    assert "From 2026-01-01 to 2026-06-30" in text
    assert "Too little to tell" in text
    assert "1.500 KWD" in text
    assert "not explained" in text
    said = json.loads(terminal("report", *PERIOD, "--json").stdout)
    assert said["ok"]
    assert said["months"][0] == "2026-01"
    assert {"account": "Income:Annual", "currency": "KWD", "amount": -1500} in said["balances"]
    rows = list(csv.DictReader(io.StringIO(terminal("report", *PERIOD, "--format", "csv").stdout)))
    assert {row["report"] for row in rows} >= {"sum", "monthly givers", "forecast", "balance"}
    assert {
        "report": "sum", "when": "2026-02", "what": "annual", "currency": "KWD",
        "amount": "1.500", "number": "1",
    } in rows  # fmt: skip


def test_a_report_of_nothing_is_a_report_too(terminal: Any) -> None:
    assert terminal("report").stdout.startswith("From ")
    assert json.loads(terminal("report", "--json").stdout)["ok"]


def test_no_report_holds_a_reader_or_an_agreement(half_a_year: None) -> None:
    found = reports.report(FIRST, LAST, today=TODAY)
    said = table.as_csv(found)
    for row in Gift.objects.all():
        assert row.ref not in said
        assert f"{row.pk}" not in said


def test_the_books_are_written_to_a_file_for_its_owner_alone(
    terminal: Any, half_a_year: None, tmp_path: Path
) -> None:
    out = tmp_path / "books.beancount"
    terminal("export", "--format", "beancount", "--out", str(out))
    assert out.stat().st_mode & 0o777 == 0o600
    assert out.read_text() == terminal("export", "--format", "beancount").stdout
    assert isinstance(terminal("export", "--format", "csv", "--out", str(out), code=1).exception,
                      FileExistsError)  # fmt: skip


@pytest.mark.parametrize("wrong", ["2026-13", "November", "2026-11-01"])
def test_what_is_no_month_is_said_so(terminal: Any, wrong: str) -> None:
    assert "write it as 2026-11" in terminal("report", "--since", wrong, code=2).output


def test_months_the_wrong_way_round_are_said_so(terminal: Any) -> None:
    assert "before" in terminal("report", "--since", "2026-05", "--until", "2026-04", code=2).output


def test_there_must_be_a_provider_to_ask(terminal: Any) -> None:
    done = terminal("reconcile", code=1)
    assert "[[giving.providers]]" in str(done.exception)


def test_balances_on_a_day_are_those_of_that_day() -> None:
    pay(gift("once"), "01-03", "03-03")
    assert ledger.balances(date(2026, 1, 2)) == ()
    assert ledger.balances(date(2026, 1, 3) + timedelta(days=1))[0].amount == 500
