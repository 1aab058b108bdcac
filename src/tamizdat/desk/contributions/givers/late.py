# SPDX-License-Identifier: AGPL-3.0-or-later
"""Renewals that fail: three friendly mails at most, then it lapses.

What always holds:

- While a payment is late and the provider tries again, the giver is written to at once, after
  ``GAPS[1]`` and after ``GAPS[2]`` days, and never a fourth time. ``GAPS[3]`` days after the last
  mail the agreement is ended at the provider, without a further mail: the third one said so.
- Which mail is due is told by the row alone, so that events that come twice, late or in another
  order make none more. Once a payment comes, all begins anew (``contributions.facts``).
- Who left no address is not written to; their agreement lapses on the same day.

What is not done here: trying again (the provider does), the words.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from tamizdat.desk.contributions.givers import mails, wishes
from tamizdat.desk.contributions.givers.selfservice import AGAIN
from tamizdat.desk.contributions.models import Gift, Wish
from tamizdat.desk.outgoing import suppression

GAPS = (0, 4, 7, 7)  # days before the first, second, third mail, and before it lapses
MAILS = 3
AT_ONCE = 200


def carry_out(now: datetime | None = None) -> int:
    """Write to those whose renewal failed, let lapse what is over; how many rows were looked at.
    Raises ``VaultError``."""
    now = now or timezone.now()
    today = timezone.localdate(now)
    due = Q(failed=0)
    for mails_sent in range(1, MAILS + 1):
        due |= Q(failed=mails_sent, warned__lte=today - timedelta(days=GAPS[mails_sent]))
    late = Gift.objects.filter(due, state=Gift.State.LATE, kind__in=AGAIN)
    found = list(late.values_list("pk", flat=True)[:AT_ONCE])
    for pk in found:
        _one(pk, today, now)
    return len(found)


@transaction.atomic
def _one(pk: int, today: date, now: datetime) -> None:
    gift = Gift.objects.select_for_update(of=("self",)).select_related("reader").get(pk=pk)
    if gift.state != Gift.State.LATE:
        return
    own = Gift.objects.filter(pk=pk, state=Gift.State.LATE, failed=gift.failed)
    if gift.failed >= MAILS:
        if own.update(failed=MAILS + 1):
            wishes.want(gift=gift, ask=Wish.Ask.CANCEL, answer=False, now=now)
    elif own.update(failed=gift.failed + 1, warned=today):
        _write(gift, today, now)


def _write(gift: Gift, today: date, now: datetime) -> None:
    if gift.reader is None or suppression.in_force(gift.reader):
        return
    language = mails.language_of(gift)
    last = gift.failed + 1 == MAILS
    ends = today + timedelta(days=GAPS[MAILS])
    mails.send(
        "late-last" if last else "late",
        gift.reader,
        language,
        now=now,
        how=mails.how_much(gift.kind, gift.amount, gift.currency, language),
        day=mails.day(ends, language),
    )
