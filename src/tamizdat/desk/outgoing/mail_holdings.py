# SPDX-License-Identifier: AGPL-3.0-or-later
"""What single mails hold of a person, and when it goes by itself.

What always holds: what a mail says is gone once it went (``post``); the row, which then says only
that there was a mail of this purpose, after ``lanes.KEPT``.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from django.db.models import QuerySet

from tamizdat.desk.outgoing import lanes
from tamizdat.desk.outgoing.models import Mail
from tamizdat.desk.readers import holdings, retention, sealed_columns
from tamizdat.desk.readers.addresses import normalised
from tamizdat.desk.readers.errors import AddressError, SealedError
from tamizdat.desk.readers.holdings import Outcome, Person, Row
from tamizdat.desk.readers.retention import Rule


class Mails:
    """Mails to this person that wait or went lately."""

    name, title = "mails", "Single mails to you"

    def export(self, person: Person) -> Sequence[Row]:
        return [
            {
                "what for": mail.purpose,
                "day": f"{mail.created:%Y-%m-%d}",
                "state": mail.get_state_display(),
                "answer": mail.code,
            }
            for mail in _mails(person)
        ]

    def erase(self, person: Person) -> Outcome:
        gone = [mail.pk for mail in _mails(person)]
        Mail.objects.filter(pk__in=gone).delete()
        return Outcome(erased=len(gone))


def _mails(person: Person) -> Iterator[Mail]:
    if person.reader is not None:
        yield from Mail.objects.filter(reader=person.reader).order_by("pk")
    for mail in Mail.objects.filter(reader=None).exclude(sealed=b"").order_by("pk"):
        if _is_for(mail, person.address):
            yield mail


def _is_for(mail: Mail, address: str) -> bool:
    try:
        return normalised(lanes.opened(mail).to) == normalised(address)
    except (AddressError, SealedError):
        return False


# What goes by itself, once a day


def _old_mails(today: datetime.date) -> QuerySet[Mail]:
    return Mail.objects.filter(created__date__lte=today - lanes.KEPT)


def register() -> None:
    sealed_columns.register("outgoing.Mail", "sealed", purpose=lanes.SEALED)
    holdings.register(Mails())
    retention.register(
        Rule(
            "mails",
            f"Rows of single mails, {lanes.KEPT.days} days after they were written",
            due=lambda today: _old_mails(today).count(),
            erase=lambda today: _old_mails(today).delete()[0],
            bound=None,
        )
    )
