# SPDX-License-Identifier: AGPL-3.0-or-later
"""Receipts and thanks: each payment once.

What always holds: a payment gets its number and its mail in one transaction, once it is known to be
paid and whose it is, whichever of the two came first; numbers of a year have no gaps. Who left no
address, or was forgotten, gets none.

What is not done here: sending (``outgoing``), who is whose reader (``contributions.facts``).
"""

from __future__ import annotations

from datetime import datetime

from django.db.models import F

from tamizdat.desk.contributions.givers import mails
from tamizdat.desk.contributions.models import Gift, Payment, Receipts


def settle(gift: Gift | None, *, now: datetime) -> int:
    """Send what is due for an agreement; how many. Runs in the transaction of the facts."""
    if gift is None or gift.reader_id is None or gift.forgotten:
        return 0
    due = Payment.objects.filter(gift=gift, state=Payment.State.PAID, receipt=0)
    found = list(due.order_by("at", "pk"))
    for payment in found:
        _receipt(gift, payment, now)
    return len(found)


def _receipt(gift: Gift, payment: Payment, now: datetime) -> None:
    payment.receipt = _next_number(payment.day.year)
    payment.save(update_fields=["receipt"])
    assert gift.reader is not None  # noqa: S101 - looked at by who calls
    language = mails.language_of(gift)
    again = gift.kind in ("monthly", "annual")
    lines = []
    if gift.behalf:
        lines.append(mails.said(language, "behalf"))
    if again and gift.next_day and gift.next_day > payment.day:
        lines.append(mails.said(language, "next", day=mails.day(gift.next_day, language)))
    mails.send(
        "receipt" if gift.thanked else f"thanks-{'again' if again else 'once'}",
        gift.reader,
        language,
        purpose=mails.RECEIPT,
        now=now,
        extra=lines,
        number=mails.number_of(payment),
        day=mails.day(payment.day, language),
        amount=mails.money(payment.amount, payment.currency, language),
        how=mails.how_much(gift.kind, payment.amount, payment.currency, language),
    )
    if not gift.thanked:
        gift.thanked = True
        Gift.objects.filter(pk=gift.pk).update(thanked=True)


def _next_number(year: int) -> int:
    """The row stays locked until the transaction ends: who comes next waits, and has no gap."""
    if not Receipts.objects.filter(year=year).update(last=F("last") + 1):
        Receipts.objects.bulk_create([Receipts(year=year)], ignore_conflicts=True)
        Receipts.objects.filter(year=year).update(last=F("last") + 1)
    return Receipts.objects.values_list("last", flat=True).get(year=year)
