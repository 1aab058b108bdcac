# SPDX-License-Identifier: AGPL-3.0-or-later
"""Amounts as Stripe counts them.

It counts in a currency's smallest unit as ISO 4217 has it, but for two currencies without digits
behind the point, for which it still wants two that are zero; and the last digit of currencies with
three must be zero (docs.stripe.com/currencies).
"""

from __future__ import annotations

from typing import Final

from tamizdat.giving.errors import EventError, RefusedError
from tamizdat.giving.money import EXPONENTS, Money, exponent

TWO_MORE: Final = frozenset({"ISK", "UGX"})


def to_stripe(money: Money) -> int:
    """Raises ``AmountError`` for an unknown currency, ``RefusedError`` for what Stripe cannot
    take."""
    if exponent(money.currency) == 3 and money.amount % 10:
        raise RefusedError(f"the last digit of an amount in {money.currency} must be zero")
    return money.amount * 100 if money.currency in TWO_MORE else money.amount


def from_stripe(amount: int, currency: str) -> Money:
    """Raises ``EventError`` for a currency that is not known here. Parts of a unit, which only a
    fee can have, are rounded."""
    called = currency.upper()
    if called not in EXPONENTS:
        raise EventError(f"Stripe tells of a currency that nobody here knows: {called[:10]}")
    return Money(round(amount / 100) if called in TWO_MORE else amount, called)
