# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is held of those who give, and when it goes by itself.

What always holds:

- An erasure ends at the provider what is still being given, then takes the person out of what is
  left: amounts and days, which the law wants kept, and which lead to nobody here any more.
- ``KEPT`` after the last payment the same happens by itself.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from tamizdat.desk.contributions.givers import wishes
from tamizdat.desk.contributions.givers.mails import number_of
from tamizdat.desk.contributions.givers.selfservice import AGAIN
from tamizdat.desk.contributions.models import Gift, Payment, Wish
from tamizdat.desk.readers import holdings, retention
from tamizdat.desk.readers.holdings import Kept, Outcome, Person, Row
from tamizdat.desk.readers.retention import Rule
from tamizdat.giving.money import Money, plain

KEPT = datetime.timedelta(days=730)  # A statement can be asked for until two years later.
_AT_ONCE = 500
WHY = (
    "Amounts and days of payments, from which nothing leads to you any more: books are kept as the "
    "law of bookkeeping says. The payment provider has records of its own; ask it for those"
)


class Gifts:
    """What this person gives and gave."""

    name, title = "gifts", "What you gave"

    def export(self, person: Person) -> Sequence[Row]:
        mine = Gift.objects.filter(reader=person.reader).order_by("number")
        rows: list[Row] = [_told(gift) for gift in mine]
        payments = Payment.objects.filter(gift__in=mine).order_by("day", "pk")
        return [*rows, *(_paid(payment) for payment in payments)]

    def erase(self, person: Person) -> Outcome:
        if person.reader is None:
            return Outcome()
        mine = list(Gift.objects.filter(reader=person.reader))
        payments = Payment.objects.filter(gift__in=mine).count()
        for gift in mine:
            _end(gift)
        forget(Gift.objects.filter(pk__in=[gift.pk for gift in mine]))
        kept = [Kept("Payments in the books", payments, WHY)] if payments else []
        return Outcome(erased=len(mine), kept=kept)


def _end(gift: Gift) -> None:
    """What is still being given is ended at the provider; what else was wished for is not done."""
    gift.wishes.filter(refused=False).exclude(ask=Wish.Ask.CANCEL).delete()
    gift.wishes.update(answer=False)
    over = gift.state in (Gift.State.ENDED, Gift.State.EXPIRED)
    if gift.kind in AGAIN and not over:
        wishes.want(gift=gift, ask=Wish.Ask.CANCEL, answer=False)


def forget(gifts: QuerySet[Gift]) -> int:
    """Nothing leads from these to a person any more. How many."""
    return gifts.update(reader=None, forgotten=True, language="", number=0)


def _told(gift: Gift) -> Row:
    return {
        "given": gift.kind,
        "amount": _amount(gift.amount, gift.currency),
        "state": gift.get_state_display(),
        "since": gift.day,
        "ended": gift.ended,
        "next payment": gift.next_day,
        "for a reader who cannot give": "yes" if gift.behalf else "",
        "asked by the message": gift.message,
        "in its variant": gift.variant,
        "payment provider": gift.provider,
        "its number there": gift.ref,
    }


def _paid(payment: Payment) -> Row:
    return {
        "paid": payment.day,
        "amount": _amount(payment.amount, payment.currency),
        "state": payment.get_state_display(),
        "receipt": number_of(payment),
        "payment provider": payment.provider,
        "its number there": payment.ref,
    }


def _amount(amount: int, currency: str) -> str:
    return f"{plain(Money(amount, currency))} {currency}" if currency else ""


# What goes by itself, once a day


def _old(today: datetime.date) -> QuerySet[Gift]:
    limit = today - KEPT
    lately = Payment.objects.filter(gift=OuterRef("pk"), day__gt=limit)
    over = (Gift.State.ENDED, Gift.State.EXPIRED)
    held = Gift.objects.exclude(reader=None).filter(day__lte=limit).exclude(Exists(lately))
    return held.filter(kind__in=("", "once")) | held.filter(state__in=over)


def _forget_old(today: datetime.date) -> int:
    erased = 0
    while rows := list(_old(today).values_list("pk", "reader")[:_AT_ONCE]):
        with transaction.atomic():
            pks, readers = zip(*rows, strict=True)
            erased += forget(Gift.objects.filter(pk__in=pks))
            retention.erase_rows_of_nothing(set(readers))
    return erased


def register() -> None:
    holdings.register(Gifts())
    retention.register(
        Rule(
            "gifts",
            f"Who gave, {KEPT.days} days after the last payment",
            due=lambda today: _old(today).count(),
            erase=_forget_old,
        )
    )
