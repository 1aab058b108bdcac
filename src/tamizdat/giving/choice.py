# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a newsroom offers, and what somebody chose of it.

What always holds: a ``Choice`` that ``checked`` returned is one that the newsroom offers: its kind,
a currency of the newsroom, at least the minimum and at most the maximum. The same check is made by
the page's script, by the letterbox and by the desk; only the letterbox's counts.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from tamizdat.giving.errors import ChoiceError
from tamizdat.giving.money import Money, exponent, plain, shown

Kind = Literal["once", "monthly", "annual"]
KINDS: tuple[Kind, ...] = ("once", "monthly", "annual")
INTENT = re.compile(r"[A-Za-z0-9_-]{22}\Z")  # 16 random bytes, base64url without padding
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\Z")


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is offered in one currency and kind. ``amounts`` are those of the cards, smallest unit,
    three at most; ``recommended`` is one of them or 0; one's own amount lies between ``least`` and
    ``most``."""

    kind: Kind
    currency: str
    amounts: tuple[int, ...]
    least: int
    most: int
    recommended: int = 0


class Choice(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What somebody wants to give. ``intent`` names this wish once for all: whoever sends it twice
    pays once. ``message`` and ``variant`` are slugs of what asked; ``behalf``: for a reader who
    cannot give; ``back`` is the entry (no final slash) that the giver came from, empty where the
    letterbox itself says thank you."""

    kind: Kind
    amount: int
    currency: str
    language: str
    intent: str
    message: str = ""
    variant: str = ""
    behalf: bool = False
    back: str = ""

    @property
    def money(self) -> Money:
        return Money(self.amount, self.currency)


def offer_of(offers: tuple[Offer, ...], kind: str, currency: str) -> Offer:
    """Raises ``ChoiceError``."""
    for offer in offers:
        if (offer.kind, offer.currency) == (kind, currency):
            return offer
    raise ChoiceError("this cannot be given here: choose once, monthly or annually again")


def checked(choice: Choice, offers: tuple[Offer, ...]) -> Choice:
    """The same choice. Raises ``ChoiceError`` (in words for who gives) and ``AmountError``."""
    offer = offer_of(offers, choice.kind, choice.currency)
    for bound, wrong in (
        (offer.least, choice.amount < offer.least),
        (offer.most, choice.amount > offer.most),
    ):
        if wrong:
            word = "at least" if bound == offer.least else "at most"
            said = shown(Money(bound, offer.currency), choice.language)
            raise ChoiceError(f"give {word} {said}")
    if not INTENT.match(choice.intent):
        raise ChoiceError("this form is not whole: load it again")
    for slug in (choice.message, choice.variant):
        if slug and not SLUG.match(slug):
            raise ChoiceError("this form is not whole: load it again")
    return choice


def problems(offers: tuple[Offer, ...]) -> list[str]:
    """What is wrong with what is offered, in words for who set it."""
    found, seen = [], set()
    for offer in offers:
        called = f"{offer.kind} in {offer.currency}"
        if (offer.kind, offer.currency) in seen:
            found.append(f"{called} stands there twice")
        seen.add((offer.kind, offer.currency))
        exponent(offer.currency)
        if not 0 < offer.least <= offer.most:
            found.append(f"{called}: least must be above nothing and not above most")
        if not 1 <= len(offer.amounts) <= 3:
            found.append(f"{called}: one to three amounts stand on cards")
        if any(not offer.least <= amount <= offer.most for amount in offer.amounts):
            said = plain(Money(offer.least, offer.currency))
            found.append(f"{called}: an amount is below the least ({said}) or above the most")
        if offer.recommended and offer.recommended not in offer.amounts:
            found.append(f"{called}: the recommended amount is none of the cards'")
    return found
