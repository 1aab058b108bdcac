# SPDX-License-Identifier: AGPL-3.0-or-later
"""The form by which somebody gives, as the support page and the letterbox's own page send it.

::

    kind=monthly&amount-monthly=5.00 USD&own=&currency=USD&behalf=on&language=en&intent=…
    &message=autumn&variant=a&back=https://paper.example

What always holds: without script the cards of every kind are in the form, each kind's under a name
of its own (``amount_field``), and only those of the chosen kind count; a card says its currency.
``own`` is one's own amount, in ``currency``, and wins over a card where it is filled in; ``amount``
and ``currency`` stand for both in addresses that keep a choice. Amounts are written as people write
them. ``intent`` is empty where no script drew one. What stands after ``#`` of the support page's
address is the same form.

What is not done here: whether the newsroom offers it (``choice.checked``), whether ``back`` is one
of the paper's entries (the letterbox).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tamizdat.giving.choice import KINDS, Choice, Kind
from tamizdat.giving.errors import ChoiceError
from tamizdat.giving.money import Money, plain, typed

_YES = ("on", "true", "1")


def amount_field(kind: Kind) -> str:
    """The name of the cards of a kind."""
    return f"amount-{kind}"


def card_value(money: Money) -> str:
    """What a card says in the form: ``5.00 USD``."""
    return f"{plain(money)} {money.currency}"


def choice_of(values: Mapping[str, Sequence[str]], language: str) -> Choice:
    """What a form chose, not checked yet. Raises ``ChoiceError`` and ``AmountError``."""

    def said(name: str, most: int = 200) -> str:
        return next((one.strip()[:most] for one in values.get(name, ()) if one.strip()), "")

    kind = next((known for known in KINDS if known == said("kind")), None)
    if kind is None:
        raise ChoiceError("choose once, monthly or annually")
    written, currency = said("own") or said("amount"), said("currency")
    card = said(amount_field(kind))
    if card and not said("own"):
        written, _, currency = card.partition(" ")
    if not written or not currency:
        raise ChoiceError("choose an amount, or write your own")
    return Choice(
        kind=kind,
        amount=typed(written, currency).amount,
        currency=currency,
        language=language,
        intent=said("intent"),
        message=said("message"),
        variant=said("variant"),
        behalf=said("behalf") in _YES,
        back=said("back").rstrip("/"),
    )
