# SPDX-License-Identifier: AGPL-3.0-or-later
"""The form by which somebody gives, as the support page and the letterbox's own page send it.

::

    kind=monthly&currency=USD&amount-monthly-USD=5.00&own=&behalf=on&language=en&intent=…
    &message=autumn&variant=a&back=https://paper.example

What always holds: without script every kind and currency has its cards in the form, each group
under a name of its own (``amount_field``), and only that of the chosen kind and currency counts.
``own`` is one's own amount and wins over a card where it is filled in; ``amount`` stands for both
in addresses that keep a choice. Amounts are written as people write them. ``intent`` is empty
where no script drew one. What stands after ``#`` of the support page's address is the same form.

What is not done here: whether the newsroom offers it (``choice.checked``), whether ``back`` is one
of the paper's entries (the letterbox).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tamizdat.giving.choice import KINDS, Choice
from tamizdat.giving.errors import ChoiceError
from tamizdat.giving.money import typed

_YES = ("on", "true", "1")


def amount_field(kind: str, currency: str) -> str:
    """The name of the cards of a kind and currency."""
    return f"amount-{kind}-{currency}"


def choice_of(values: Mapping[str, Sequence[str]], language: str) -> Choice:
    """What a form chose, not checked yet. Raises ``ChoiceError`` and ``AmountError``."""

    def said(name: str, most: int = 200) -> str:
        return next((one.strip()[:most] for one in values.get(name, ()) if one.strip()), "")

    kind = next((known for known in KINDS if known == said("kind")), None)
    currency = said("currency")
    if kind is None or not currency:
        raise ChoiceError("choose once, monthly or annually, and a currency")
    written = said("own") or said(amount_field(kind, currency)) or said("amount")
    if not written:
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
