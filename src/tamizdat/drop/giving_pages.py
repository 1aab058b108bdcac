# SPDX-License-Identifier: AGPL-3.0-or-later
"""The letterbox's own pages for who gives: the form, one button, thank you.

What always holds: whatever came along is escaped and kept; the warning stands before everything
that is asked; without script only the cards of the chosen kind are seen, and where a browser cannot
do that, all of them, each under its kind.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from urllib.parse import urlencode

from tamizdat.drop.pages import ASKED_BY, Pages, words
from tamizdat.drop.settings import Settings
from tamizdat.giving.choice import INTENT, KINDS, Choice, Kind, Offer
from tamizdat.giving.form import amount_field, card_value
from tamizdat.giving.money import Money, plain, shown

METHODS: Final = ("card", "apple-pay", "google-pay", "paypal", "sepa", "bank", "bitcoin")
CAUSES: Final = (
    "card_declined", "insufficient_funds", "expired_card", "country_refused",
)  # fmt: skip
_KEPT: Final = ("kind", "message", "variant", "behalf", "back", "intent", "currency", "via")


def new_intent() -> str:
    """16 random bytes: the name of a wish."""
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()


class Entered:
    """What a form or an address says, as text."""

    def __init__(self, values: Mapping[str, Sequence[str]]) -> None:
        self._values = values

    def said(self, name: str) -> str:
        return next((one.strip()[:200] for one in self._values.get(name, ()) if one.strip()), "")

    @property
    def intent(self) -> str:
        found = self.said("intent")
        return found if INTENT.match(found) else ""

    def address(self, **other: str) -> str:
        """What is kept of it in another address of the form, from ``&`` on."""
        found = {name: self.said(name) for name in _KEPT} | other
        return "&" + urlencode({name: said for name, said in found.items() if said})


def _asked_by(entered: Entered) -> str:
    """Which message brought them, as an address of another form bears it on."""
    found = {name: entered.said(name) for name in ASKED_BY}
    return "".join(f"&{urlencode({name: said})}" for name, said in found.items() if said)


class Card(NamedTuple):
    value: str
    shown: str
    chosen: bool
    recommended: bool


class Group(NamedTuple):
    """The cards of one kind; ``least`` as it is shown."""

    kind: Kind
    field: str
    cards: tuple[Card, ...]
    least: str
    chosen: bool


class GivingPages:
    """``pages`` frames them."""

    def __init__(self, settings: Settings, pages: Pages) -> None:
        self._settings = settings
        self._pages = pages
        self._currencies = tuple(dict.fromkeys(o.currency for o in settings.giving.offers))

    def form(
        self,
        language: str,
        entered: Entered,
        *,
        wrong: Mapping[str, str] | None = None,
        told: str = "",
    ) -> bytes:
        """The whole form. ``wrong`` by field, ``told`` on top: both in the giver's words."""
        currency = self._currency(entered)
        return self._pages.rendered(
            "give.html",
            words(language)["give.title"],
            language,
            values={},
            foot=words(language)["give.foot"],
            others=() if wrong or told else self._pages.others(),
            kept=entered.address(currency=currency),
            asked_by=_asked_by(entered),
            entered=entered,
            intent=entered.intent or new_intent(),
            own=self._own(entered, currency),
            wrong=wrong or {},
            told=told,
            groups=self._groups(entered, currency, language),
            currency=currency,
            currencies=[
                (one, f"?language={language}{entered.address(currency=one)}")
                for one in self._currencies
            ],
            ways=self._ways(currency, language),
        )

    def sure(self, language: str, choice: Choice, via: str) -> bytes:
        """One button, for who sent a form that no script had seen."""
        said = words(language)
        return self._pages.rendered(
            "give-sure.html",
            said["give.title"],
            language,
            others=(),
            values={},
            foot=words(language)["give.foot"],
            wrong={},
            choice=choice,
            via=via,
            amount=plain(choice.money),
            sum=self.shown(choice.money, language),
        )

    def thanks(self, language: str) -> bytes:
        said = words(language)
        return self._pages.rendered(
            "told.html",
            said["done.give.title"],
            language,
            said="done.give",
            others=self._pages.others(),
            foot=said["give.foot"],
        )

    def shown(self, money: Money, language: str) -> str:
        """As people of this language write it; English where the page is."""
        return shown(money, words(language)["code"])

    def said(self, code: str, language: str, **said: str) -> str:
        return words(language)[code].format(**said)

    def cause(self, code: str, language: str) -> str:
        """Why somebody comes back without having given."""
        known = words(language)
        why = known[f"cause.{code}"] if code in CAUSES else ""
        return f"{why} {known['give.left']}".strip()

    def _currency(self, entered: Entered) -> str:
        asked = entered.said("currency")
        return asked if asked in self._currencies else self._currencies[0]

    def _own(self, entered: Entered, currency: str) -> str:
        """One's own amount, also where an address named one that is on no card."""
        if entered.said("own"):
            return entered.said("own")
        amount = entered.said("amount")
        on_cards = {
            plain(Money(one, offer.currency))
            for offer in self._settings.giving.offers
            if (offer.kind, offer.currency) == (entered.said("kind"), currency)
            for one in offer.amounts
        }
        return "" if amount in on_cards else amount

    def _groups(self, entered: Entered, currency: str, language: str) -> list[Group]:
        offers = {o.kind: o for o in self._settings.giving.offers if o.currency == currency}
        kinds = [kind for kind in KINDS if kind in offers]
        asked = entered.said("kind")
        first = asked if asked in kinds else ("monthly" if "monthly" in kinds else kinds[0])
        return [
            Group(
                kind,
                amount_field(kind),
                self._cards(offers[kind], entered, language),
                self.shown(Money(offers[kind].least, currency), language),
                kind == first,
            )
            for kind in kinds
        ]

    def _cards(self, offer: Offer, entered: Entered, language: str) -> tuple[Card, ...]:
        asked = entered.said(amount_field(offer.kind))
        if not asked and entered.said("kind") == offer.kind and entered.said("amount"):
            asked = f"{entered.said('amount')} {offer.currency}"
        own = bool(self._own(entered, offer.currency))
        values = [Money(amount, offer.currency) for amount in offer.amounts]
        known = asked in [card_value(one) for one in values]
        return tuple(
            Card(
                card_value(one),
                self.shown(one, language),
                not own
                and (card_value(one) == asked if known else one.amount == offer.recommended),
                one.amount == offer.recommended,
            )
            for one in values
        )

    def _ways(self, currency: str, language: str) -> list[tuple[str, str]]:
        """The tills that take it, with the ways to pay there."""
        said = words(language)
        return [
            (
                till.kind,
                ", ".join(said[f"method.{m}"] if m in METHODS else m for m in till.methods),
            )
            for till in self._settings.giving.tills
            if currency in (till.currencies or (currency,))
        ]
