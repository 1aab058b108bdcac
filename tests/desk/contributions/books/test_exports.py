# SPDX-License-Identifier: AGPL-3.0-or-later
"""Programs that others wrote read our books, accept them, and count the same to the last unit."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest

from tamizdat.desk.contributions import exports, ledger
from tamizdat.desk.contributions.ledger import Line
from tamizdat.giving.money import Money, decimal
from tests.desk.contributions.books.scene import FIRST, History, tell

pytestmark = pytest.mark.django_db
LAST = date(2026, 12, 31)
BEAN_CHECK = shutil.which("bean-check", path=Path(sys.executable).parent)
hledger_here = pytest.mark.skipif(
    shutil.which("hledger") is None,
    reason="there is no hledger here (Debian: apt-get install hledger)",
)
beancount_here = pytest.mark.skipif(
    BEAN_CHECK is None, reason="there is no bean-check here (beancount of the dev group)"
)
Sums = dict[tuple[str, str], Decimal]


@pytest.fixture
def year() -> None:
    """Gifts in all four currencies, with everything that can become of them."""
    for number in (3, 11):
        for one in History(Random(number), 6).told:
            tell(one._replace(ref=f"{one.ref}-{number}"))
    assert {line.currency for line in ledger.balances()} == {"USD", "EUR", "JPY", "KWD"}


def ours(until: date = LAST) -> Sums:
    return {
        (line.account, line.currency): decimal(Money(line.amount, line.currency))
        for line in ledger.balances(until)
    }


def written(format_: exports.Format, folder: Path, since: date | None = None) -> Path:
    path = folder / f"books.{format_}"
    path.write_text("".join(exports.export(format_, since=since, until=LAST)))
    return path


def hledgers(path: Path) -> Sums:
    """What hledger finds in the accounts."""
    done = subprocess.run(
        ["hledger", "-f", path, "--strict", "balance", "--flat", "-O", "csv", "--layout=bare"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    rows = csv.DictReader(io.StringIO(done.stdout))
    return {
        (row["account"], row["commodity"]): Decimal(row["balance"])
        for row in rows
        if not row["account"].startswith("total") and Decimal(row["balance"])
    }


@hledger_here
@pytest.mark.parametrize("since", [None, FIRST + timedelta(days=40)])
def test_hledger_counts_what_we_count(year: None, tmp_path: Path, since: date | None) -> None:
    path = written("hledger", tmp_path, since)
    assert hledgers(path) == ours()


@beancount_here
@pytest.mark.parametrize("since", [None, FIRST + timedelta(days=40)])
def test_bean_check_accepts_the_books_and_every_balance(
    year: None, tmp_path: Path, since: date | None
) -> None:
    path = written("beancount", tmp_path, since)
    done = bean_check(path)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert path.read_text().count(" balance ") == len(ours())


@beancount_here
def test_bean_check_would_see_a_single_unit_that_is_wanting(year: None, tmp_path: Path) -> None:
    path = written("beancount", tmp_path)
    text = path.read_text()
    found = list(re.finditer(r" balance \S+  (-?[\d.]+) ~ 0 KWD", text))[-1]
    more = f"{Decimal(found[1]) + Decimal('0.001')}"
    path.write_text(text[: found.start(1)] + more + text[found.end(1) :])
    assert bean_check(path).returncode == 1


@hledger_here
@beancount_here
@pytest.mark.parametrize("since", [None, FIRST + timedelta(days=40)])
def test_what_is_booked_while_a_file_is_read_harms_no_file(
    year: None, tmp_path: Path, since: date | None
) -> None:
    """The worker books on, also into days that are over and accounts that are new."""
    for format_, program in (("beancount", bean_check), ("hledger", hledgers)):
        pieces, late = [], 0
        for number, piece in enumerate(exports.export(format_, since=since, until=LAST)):
            pieces.append(piece)
            if number % 40 == 1:
                late += 1
                day = (FIRST, FIRST + timedelta(days=50), LAST)[late % 3]
                legs = (Line(f"Assets:New{late}", 7, "CHF"), Line("Income:Once", -7, "CHF"))
                ledger.write(source=f"z:{format_}:{late}", words="Late", day=day, legs=legs)
        assert late > 5
        path = tmp_path / f"late.{format_}"
        path.write_text("".join(pieces))
        done = program(path)
        assert format_ == "hledger" or done.returncode == 0, done


def bean_check(path: Path) -> subprocess.CompletedProcess[str]:
    assert BEAN_CHECK
    return subprocess.run(
        [BEAN_CHECK, "--no-cache", path], capture_output=True, text=True, check=False
    )


def test_a_spreadsheet_adds_up_to_the_same(year: None, tmp_path: Path) -> None:
    rows = list(csv.DictReader(written("csv", tmp_path).open(newline="")))
    sums: Sums = {}
    for row in rows:
        key = row["account"], row["currency"]
        sums[key] = sums.get(key, Decimal(0)) + Decimal(row["amount"])
    assert {key: amount for key, amount in sums.items() if amount} == ours()
    assert [row["day"] for row in rows] == sorted(row["day"] for row in rows)


def test_the_books_of_later_months_begin_with_what_was_before(year: None, tmp_path: Path) -> None:
    since = FIRST + timedelta(days=40)
    rows = list(csv.DictReader(written("csv", tmp_path, since).open(newline="")))
    forward = {
        (row["account"], row["currency"]): Decimal(row["amount"])
        for row in rows
        if row["source"] == "balances"
    }
    assert forward == ours(since - timedelta(days=1))
    assert all(row["day"] >= f"{since}" for row in rows)


def test_amounts_have_the_digits_of_their_currency(tmp_path: Path) -> None:
    for number, currency in enumerate(("USD", "JPY", "KWD")):
        legs = (Line("Assets:Bank", 1050, currency), Line("Income:Once", -1050, currency))
        ledger.write(source=f"test:{number}", words="A gift", day=FIRST, legs=legs)
    text = written("hledger", tmp_path).read_text()
    for amount in ("10.50 USD", "1050 JPY", "1.050 KWD"):
        assert f"Assets:Bank  {amount}\n" in text
    assert "commodity 1000. JPY\ncommodity 1000.000 KWD\ncommodity 1000.00 USD\n" in text


@hledger_here
@beancount_here
def test_a_strange_number_of_a_payment_harms_no_file(tmp_path: Path) -> None:
    legs = (Line("Assets:Bank", 1050, "USD"), Line("Income:Once", -1050, "USD"))
    strange = 'a"\n2020-01-01 open Assets:Mine ; \\ =cmd()|x'
    ledger.write(source=strange, words=strange, day=FIRST, legs=legs)
    assert bean_check(written("beancount", tmp_path)).returncode == 0
    assert hledgers(written("hledger", tmp_path)) == ours()


@pytest.mark.parametrize("format_", exports.FORMATS)
def test_empty_books_can_be_written_too(format_: exports.Format, tmp_path: Path) -> None:
    assert written(format_, tmp_path).read_text()
