# SPDX-License-Identifier: AGPL-3.0-or-later
"""Amounts: whole numbers of a currency's smallest unit, and nothing else.

What always holds: an amount never passes through a float; each currency has its own exponent
(ISO 4217), so that 500 is ¥500, $5.00 and 0.500 KD. Only currencies of ``EXPONENTS`` are known.

What is not done here: exchanging one currency for another (nobody here does that).
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

import msgspec
from babel.core import Locale, UnknownLocaleError
from babel.numbers import format_currency

from tamizdat.giving.errors import AmountError

_TWO = (
    "AED ALL AMD ARS AUD AZN BAM BGN BRL CAD CHF CNY COP CZK DKK EGP EUR GBP GEL HKD HUF IDR ILS "
    "INR KES KGS KZT MAD MDL MKD MXN MYR NGN NOK NZD PEN PHP PLN RON RSD SEK SGD THB TRY TWD TZS "
    "UAH USD UZS ZAR"
)
_NONE = "CLP ISK JPY KRW PYG RWF UGX VND XAF XOF XPF"
_THREE = "BHD JOD KWD OMR TND"
_EIGHT = "BTC"  # no currency of the ISO's, but what a wallet of BTCPay holds
# How many digits stand behind the point: ISO 4217, list one.
EXPONENTS: dict[str, int] = {
    **dict.fromkeys(_TWO.split(), 2),
    **dict.fromkeys(_NONE.split(), 0),
    **dict.fromkeys(_THREE.split(), 3),
    **dict.fromkeys(_EIGHT.split(), 8),
}
MOST = 10**12  # Of the smallest unit: beyond it somebody is playing.
_TYPED = re.compile(r"[0-9]{1,12}(?:[.,][0-9]{1,3})?\Z")


class Money(NamedTuple):
    """``amount`` in the currency's smallest unit (cents, yen, fils), ``currency`` ISO 4217."""

    amount: int
    currency: str


def exponent(currency: str) -> int:
    """Digits behind the point. Raises ``AmountError`` for a currency that is not known here."""
    try:
        return EXPONENTS[currency]
    except KeyError:
        raise AmountError(f"nobody here knows the currency “{currency[:10]}”") from None


def decimal(money: Money) -> Decimal:
    """The amount as people write it: ``Money(1050, "USD")`` is 10.50."""
    return Decimal(money.amount).scaleb(-exponent(money.currency))


def plain(money: Money) -> str:
    """The same as text with all its digits and no sign of the currency: ``10.50``."""
    return f"{decimal(money):.{exponent(money.currency)}f}"


def typed(text: str, currency: str) -> Money:
    """What somebody typed as an amount: ``5``, ``5.5``, ``5,50``. A single comma or point with up
    to as many digits as the currency has stands before them.

    Raises ``AmountError`` where it says anything else, zero, or too much.
    """
    digits = exponent(currency)
    bare = text.strip().replace("\u00a0", "").replace("\u202f", "").replace(" ", "")
    if not _TYPED.match(bare):
        raise AmountError("write the amount in digits, as 5 or 5.50")
    try:
        found = Decimal(bare.replace(",", ".")).scaleb(digits)
    except InvalidOperation:
        raise AmountError("write the amount in digits, as 5 or 5.50") from None
    if found != found.to_integral_value():
        raise AmountError(f"{currency} has no more than {digits} digits behind the point")
    if not 0 < found <= MOST:
        raise AmountError("this amount is nothing, or more than can be given here")
    return Money(int(found), currency)


def shown(money: Money, language: str) -> str:
    """As readers of a language see it, without digits behind the point where they are zero:
    ``$5``, ``5,50 €``."""
    digits = exponent(money.currency)
    if digits and money.amount % 10**digits == 0:
        digits = 0
    locale = _locale(language)
    pattern = re.sub(r"0[.]0+", "0", locale.currency_formats["standard"].pattern)
    if digits:
        pattern = pattern.replace("0", "0." + "0" * digits, 1)
    text: str = format_currency(
        decimal(money), money.currency, format=pattern, locale=locale, currency_digits=False
    )
    return text


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")


class Amount(msgspec.Struct, frozen=True):
    """``Money`` as it stands in JSON."""

    amount: int
    currency: str
