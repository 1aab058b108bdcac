# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is booked where: from what a provider told (``models.gifts``) to transactions.

What always holds:

- What is booked of a row follows from the row alone, so any order and any repetition of calls end
  in the same balances. Each is called whenever its row was made or changed, in the same
  transaction of the database.
- What a giver did (payment, refund, dispute) goes over ``Receivable`` in the giver's currency; what
  the provider's balance shows of it (movement) takes it from there, with its fee, exchanged where
  the balance is in another currency. So ``Receivable`` is what is promised and not there yet, and
  comes to nothing. ``Payouts`` is in the same way what is on its way to the bank.

====================  =====================================  ================================
row                   to                                     from
====================  =====================================  ================================
payment, paid         Assets:X:Receivable                    Income:Once, Monthly or Annual
refund, done          Income:Refunds                         Assets:X:Receivable
dispute               Assets:X:Disputed                      Assets:X:Receivable
… lost                Expenses:Disputes                      Assets:X:Disputed
… won                 Assets:X:Receivable                    Assets:X:Disputed
movement              Assets:X:Balance (net), Expenses:Fees  what its kind names (``_OTHER``)
payout, paid          Assets:Bank                            Assets:X:Payouts
====================  =====================================  ================================

What is not done here: taking facts in (``facts``), how the books are written (``ledger``).
"""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

from django.utils import timezone

from tamizdat.desk.contributions.ledger import Line, settle
from tamizdat.desk.contributions.models import (
    Dispute,
    Gift,
    Movement,
    Payment,
    Payout,
    Refund,
    Transaction,
)

BANK = "Assets:Bank"
REFUNDS = "Income:Refunds"
DISPUTES = "Expenses:Disputes"
EXCHANGE = "Equity:Exchange"
ADJUSTMENTS = "Equity:Adjustments"
INCOME = {"once": "Income:Once", "monthly": "Income:Monthly", "annual": "Income:Annual"}
OTHER_INCOME = "Income:Other"  # A payment whose agreement is not known (yet).
_LONGEST = 280  # Of a source; room is left for what ``ledger`` adds.
_OTHER = {
    "payment": "Receivable",
    "refund": "Receivable",
    "refund-failed": "Receivable",
    "dispute": "Receivable",
    "dispute-won": "Receivable",
    "payout": "Payouts",
    "payout-failed": "Payouts",
}
_WORDS = {
    "payment": "A payment reaches the balance",
    "refund": "A refund leaves the balance",
    "refund-failed": "A refund comes back to the balance",
    "dispute": "A disputed payment leaves the balance",
    "dispute-won": "A disputed payment comes back to the balance",
    "fee": "A fee",
    "payout": "A payout leaves the balance",
    "payout-failed": "A payout comes back to the balance",
}


def shelf(provider: str) -> str:
    """A provider as it stands in the names of accounts: ``stripe`` is ``Stripe``."""
    return "-".join(part.capitalize() for part in provider.replace("_", "-").split("-") if part)


def receivable(provider: str) -> str:
    return f"Assets:{shelf(provider)}:Receivable"


def balance(provider: str) -> str:
    return f"Assets:{shelf(provider)}:Balance"


def payouts(provider: str) -> str:
    return f"Assets:{shelf(provider)}:Payouts"


def disputed(provider: str) -> str:
    return f"Assets:{shelf(provider)}:Disputed"


def fees(provider: str) -> str:
    return f"Expenses:Fees:{shelf(provider)}"


def source(provider: str, what: str, ref: str) -> str:
    """``stripe:payment:pi_…``, never longer than there is room for."""
    name = f"{provider}:{what}:{ref}"
    if len(name) <= _LONGEST:
        return name
    return f"{provider}:{what}:sha256-{hashlib.sha256(ref.encode()).hexdigest()}"


def book_payment(payment: Payment) -> Transaction | None:
    """Income, once it is paid. Call it again when the payment's gift or its kind became known
    (``book_gift``)."""
    kind = payment.gift.kind if payment.gift else ""
    legs = _legs(
        payment.state == Payment.State.PAID,
        receivable(payment.provider),
        INCOME.get(kind, OTHER_INCOME),
        payment.amount,
        payment.currency,
    )
    called = {"once": "A gift", "monthly": "A monthly gift", "annual": "An annual gift"}
    return settle(
        source=source(payment.provider, "payment", payment.ref),
        words=called.get(kind, "A payment"),
        day=payment.day,
        legs=legs,
    )


def book_gift(gift: Gift) -> None:
    """Its payments again: for when its ``kind``, or that they belong to it, became known."""
    for payment in gift.payments.filter(state=Payment.State.PAID):
        payment.gift = gift
        book_payment(payment)


def book_refund(refund: Refund) -> Transaction | None:
    """What is given back, once the provider did. One that we asked for and that the provider has
    not named yet is not booked."""
    if refund.ref is None:
        return None
    done = refund.state == Refund.State.DONE
    legs = _legs(done, REFUNDS, receivable(refund.provider), refund.amount, refund.currency)
    return settle(
        source=source(refund.provider, "refund", refund.ref),
        words="A gift is given back",
        day=refund.day,
        legs=legs,
    )


def book_dispute(dispute: Dispute) -> None:
    """Two transactions: that it is disputed, and how it ended."""
    name = source(dispute.provider, "dispute", dispute.ref)
    held, claim = disputed(dispute.provider), receivable(dispute.provider)
    amount, currency = dispute.amount, dispute.currency
    settle(
        source=name,
        words="A gift is disputed",
        day=dispute.day,
        legs=_legs(True, held, claim, amount, currency),
    )
    lost = dispute.state == Dispute.State.LOST
    settle(
        source=f"{name}:end",
        words="A dispute is lost" if lost else "A dispute is won",
        day=max(dispute.day, _day(dispute.at)),
        legs=_legs(
            dispute.state != Dispute.State.OPEN, DISPUTES if lost else claim, held, amount, currency
        ),
    )


def book_movement(movement: Movement) -> Transaction | None:
    """What the provider's balance shows."""
    return settle(
        source=source(movement.provider, "movement", movement.ref),
        words=_WORDS.get(movement.kind, "An adjustment of the balance"),
        day=movement.day,
        legs=_movement(movement),
    )


def book_payout(payout: Payout) -> Transaction | None:
    """What reached the bank."""
    paid = payout.state == "paid"
    legs = _legs(paid, BANK, payouts(payout.provider), payout.amount, payout.currency)
    return settle(
        source=source(payout.provider, "payout", payout.ref),
        words="A payout reaches the bank",
        day=payout.day,
        legs=legs,
    )


def _movement(movement: Movement) -> list[Line]:
    """``net`` and ``fee`` in the balance's currency; what they came from in the giver's. Signs are
    the balance's: what leaves it is negative."""
    provider, here = movement.provider, movement.currency
    legs = [
        Line(balance(provider), movement.net, here),
        Line(fees(provider), movement.fee, here),
    ]
    there = movement.source_currency or here
    if there == here:
        return [*legs, Line(_other(movement), -movement.gross, here)]
    return [
        *legs,
        Line(EXCHANGE, -movement.gross, here),
        Line(EXCHANGE, movement.source_amount, there),
        Line(_other(movement), -movement.source_amount, there),
    ]


def _day(at: int) -> date:
    """The newsroom's day at this moment (unix seconds)."""
    return timezone.localdate(datetime.fromtimestamp(at, UTC))


def _other(movement: Movement) -> str:
    """Where it came from, or went."""
    if movement.kind == "fee":
        return fees(movement.provider)
    if movement.kind in _OTHER:
        return f"Assets:{shelf(movement.provider)}:{_OTHER[movement.kind]}"
    return ADJUSTMENTS


def _legs(booked: bool, to: str, from_: str, amount: int, currency: str) -> list[Line]:
    return [Line(to, amount, currency), Line(from_, -amount, currency)] if booked else []
