# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a form chose: cards, one's own amount, what addresses keep."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest

from tamizdat.giving.errors import GivingError
from tamizdat.giving.form import amount_field, card_value, choice_of
from tamizdat.giving.money import Money

# The form as it is sent, and what it chose.
CHOSEN = [
    ("kind=monthly&amount-monthly=5.00+USD&amount-once=50.00+EUR", ("monthly", 500, "USD")),
    ("kind=once&amount-monthly=5.00+USD&amount-once=50.00+EUR", ("once", 5000, "EUR")),
    ("kind=once&amount-once=5.00+USD&own=7,50&currency=EUR", ("once", 750, "EUR")),
    ("kind=once&amount-once=5.00+USD&own=&currency=EUR", ("once", 500, "USD")),
    ("kind=annual&amount=60&currency=JPY", ("annual", 60, "JPY")),
    ("kind=annual&own=1.5&currency=KWD", ("annual", 1500, "KWD")),
]


@pytest.mark.parametrize(("sent", "chosen"), CHOSEN)
def test_what_was_chosen_is_what_counts(sent: str, chosen: tuple[str, int, str]) -> None:
    choice = choice_of(parse_qs(sent), "en")
    assert (choice.kind, choice.amount, choice.currency) == chosen


def test_what_asked_and_where_it_came_from_go_with_it() -> None:
    more = "&message=autumn&variant=b&behalf=on&back=https://paper.example/&intent=abc"
    choice = choice_of(parse_qs(f"kind=once&amount=5&currency=USD{more}"), "ru")
    assert (choice.message, choice.variant, choice.behalf) == ("autumn", "b", True)
    assert (choice.back, choice.language, choice.intent) == ("https://paper.example", "ru", "abc")


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "kind=weekly&amount=5&currency=USD",
        "kind=once",
        "kind=once&currency=USD",
        "kind=once&own=5",
        "kind=once&amount-once=5.00",
        "kind=once&own=five&currency=USD",
        "kind=once&own=5&currency=XXX",
        "kind=once&own=1.5&currency=JPY",
    ],
)
def test_what_is_not_whole_is_refused_in_words(sent: str) -> None:
    with pytest.raises(GivingError, match=r"\w"):
        choice_of(parse_qs(sent), "en")


def test_a_card_comes_back_as_it_was_written() -> None:
    sent = {"kind": ["once"], amount_field("once"): [card_value(Money(1050, "USD"))]}
    assert choice_of(sent, "en").money == Money(1050, "USD")
