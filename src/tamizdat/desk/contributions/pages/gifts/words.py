# SPDX-License-Identifier: AGPL-3.0-or-later
"""What providers tell by codes, in words for the desk. Pure.

What always holds: nothing that is under way is called failed, and what failed names its cause.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from django.conf import settings
from django.utils import formats

from tamizdat.desk.contributions.models import Dispute, Gift, Payment, Refund, Wish
from tamizdat.desk.staff.models import User
from tamizdat.giving.errors import AmountError
from tamizdat.giving.money import Money, plain

KINDS: Final = {"once": "Once", "monthly": "Monthly", "annual": "Annual"}
_CAUSES: Final = {
    "": "the provider does not say why",
    "failed": "the provider does not say why",
    "authentication_required": "the bank asked the giver to confirm it, and nobody did",
    "blocked": "a rule at the provider refused the card",
    "card_declined": "the bank declined the card",
    "card_not_supported": "the card cannot be used for this",
    "country_refused": "the card is of a country where giving is dangerous",
    "do_not_honor": "the bank declined the card, and does not say why",
    "expired_card": "the card is out of date",
    "fraudulent": "the provider takes it for a fraud",
    "generic_decline": "the bank declined the card, and does not say why",
    "incorrect_cvc": "the card's check number was wrong",
    "incorrect_number": "the card's number was wrong",
    "insufficient_funds": "there was not enough money on the card",
    "lost_card": "the card was reported as lost",
    "not_confirmed": "the transfer was never confirmed",
    "processing_error": "something went wrong between the bank and the provider",
    "stolen_card": "the card was reported as stolen",
}
_REASONS: Final = {
    "": "the bank does not say why",
    "credit_not_processed": "the giver says that they were promised the money back",
    "duplicate": "the giver says that it was taken twice",
    "fraudulent": "the card's owner says that it was not them",
    "general": "the bank does not say why",
    "product_not_received": "the giver says that they got nothing for it",
    "product_unacceptable": "the giver says that it was not what they were promised",
    "subscription_canceled": "the giver says that they had ended it",
    "unrecognized": "the giver does not recognise the name on the bank statement",
}


def money(amount: int, currency: str) -> str:
    """``10.00 USD``, ``500 JPY``, ``0.500 KWD``: always with all digits of the currency."""
    try:
        return f"{plain(Money(amount, currency))} {currency}"
    except AmountError:
        return f"{amount} of the smallest unit of {currency}"


def kind(gift: Gift | None) -> str:
    return KINDS.get(gift.kind if gift else "", "Not told yet")


def cause(code: str) -> str:
    """Why a payment failed; a code that nobody here knows is told as it is."""
    return _CAUSES.get(code) or f"the provider says “{code.replace('_', ' ')}”"


def reason(code: str) -> str:
    """Why somebody's bank takes a payment back."""
    return _REASONS.get(code) or f"the bank says “{code.replace('_', ' ')}”"


def day(value: date | None) -> str:
    return formats.date_format(value, "j F Y") if value else ""


def name_of(user: User | None) -> str:
    return (user.get_full_name() or user.get_username()) if user else ""


def payment(row: Payment, refunds: list[Refund], disputes: list[Dispute]) -> str:
    """How it stands with a payment and with what became of it."""
    if row.state == Payment.State.PENDING:
        return "Under way: the bank has not answered yet"
    if row.state == Payment.State.FAILED:
        return f"Did not go through: {cause(row.cause)}"
    states = {one.state for one in disputes}
    if Dispute.State.OPEN in states:
        return "Disputed: the giver's bank takes it back, unless it is answered"
    if Dispute.State.LOST in states:
        return "Taken back by the giver's bank"
    back = sum(one.amount for one in refunds if one.state == Refund.State.DONE)
    coming = sum(one.amount for one in refunds if one.state in UNDER_WAY)
    said = "Given back" if back >= row.amount else "Paid"
    if 0 < back < row.amount:
        said += f"; {money(back, row.currency)} of it given back"
    if coming:
        said += f"; to be given back: {money(coming, row.currency)}"
    return f"{said}; a dispute was won" if Dispute.State.WON in states else said


UNDER_WAY: Final = (Refund.State.ASKED, Refund.State.APPROVED, Refund.State.PENDING)


def refund(row: Refund, looking: User) -> str:
    """How it stands with a refund, for who looks at it."""
    match Refund.State(row.state):
        case Refund.State.ASKED if row.asked_by_id != looking.pk:
            return "Waits for a second person to approve it"
        case Refund.State.ASKED if settings.NEWSROOM.settings.desk.four_eyes:
            return "You asked for it, so another person has to approve it"
        case Refund.State.ASKED:
            return "Waits to be approved"
        case Refund.State.APPROVED if row.said:
            return f"Approved; the provider did not take it yet and is asked again: {row.said}"
        case Refund.State.APPROVED:
            return "Approved; the provider is asked within a minute"
        case Refund.State.PENDING:
            return "The provider has it; the money is on its way to the giver"
        case Refund.State.DONE:
            return f"Given back on {day(row.day)}"
        case Refund.State.FAILED:
            why = f"the provider says “{row.said}”" if row.said else "it failed at the provider"
            return f"Not given back: {why}"
        case Refund.State.DECLINED:
            return f"Not given back: {row.said}" if row.said else "Taken back by who asked"


def gift(row: Gift) -> str:
    """How it stands with an agreement."""
    said = f"{row.get_state_display()[:1].upper()}{row.get_state_display()[1:]}"
    if row.kind in ("", "once") and row.state == Gift.State.ACTIVE:
        return "Completed"
    if row.ended:
        return f"{said}, since {day(row.ended)}"
    return said


def wish(row: Wish) -> str:
    """What a giver asked for."""
    match Wish.Ask(row.ask):
        case Wish.Ask.AMOUNT:
            now = money(row.gift.amount, row.gift.currency)
            return f"Another amount: {money(row.amount, row.gift.currency)} instead of {now}"
        case Wish.Ask.PAUSE:
            return f"A pause until {day(row.until)}"
        case Wish.Ask.RESUME:
            return "To go on after a pause"
        case Wish.Ask.CANCEL:
            return "To end it"
        case Wish.Ask.CARD:
            return "To name another card"
