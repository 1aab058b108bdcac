# SPDX-License-Identifier: AGPL-3.0-or-later
"""What suppressions hold of a person, and when it goes by itself.

What always holds: that an address does not exist is forgotten with its reader; that somebody
complained is not, without the address: else the next import would write to them again.

What is not done here: single mails (``mail_holdings``), mail that came back (``reports``).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from django.db.models import Exists, OuterRef, QuerySet

from tamizdat.desk.outgoing.models import Suppression
from tamizdat.desk.readers import holdings, retention
from tamizdat.desk.readers.holdings import Kept, Outcome, Person, Row
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.retention import Rule

Reason = Suppression.Reason
FORGOTTEN = (Reason.HARD, Reason.SOFT)
FORGOTTEN_AFTER = datetime.timedelta(days=30)


class Suppressions:
    """Why this person is, or was, not written to."""

    name, title = "suppressions", "Why we do not write to you"
    WHY = (
        "You, or somebody for you, asked not to be written to. This is kept without your address, "
        "by its fingerprint, so that no later list makes us write to you again"
    )

    def export(self, person: Person) -> Sequence[Row]:
        return [
            {
                "why": row.get_reason_display(),
                "day": row.day,
                "answer of the mail server": f"{row.code} {row.said}".strip(),
                "ended": row.lifted,
            }
            for row in Suppression.objects.filter(reader=person.reader).order_by("pk")
        ]

    def erase(self, person: Person) -> Outcome:
        mine = Suppression.objects.filter(reader=person.reader)
        kept = mine.filter(lifted=None).exclude(reason__in=FORGOTTEN)
        erased = mine.exclude(pk__in=list(kept.values_list("pk", flat=True))).delete()[0]
        kept.update(code="", said="")
        count = kept.count()
        return Outcome(
            erased=erased, kept=[Kept("Not to be written to", count, self.WHY)] * (count > 0)
        )


# What goes by itself, once a day


def _of_nobody(today: datetime.date) -> QuerySet[Suppression]:
    """That an address does not exist, where nothing else is known of its reader."""
    free = Reader.objects.all()
    for relation in Reader._meta.related_objects:
        if relation.related_model is not Suppression:
            held = relation.related_model._default_manager.filter(
                **{relation.field.name: OuterRef("pk")}
            )
            free = free.exclude(Exists(held))
    old = Suppression.objects.filter(day__lte=today - FORGOTTEN_AFTER, reader__in=free)
    kept = Suppression.objects.filter(reader=OuterRef("reader"), lifted=None)
    return old.exclude(Exists(kept.exclude(reason__in=FORGOTTEN)))


def _forget(today: datetime.date) -> int:
    rows = list(_of_nobody(today).values_list("pk", "reader"))
    erased = Suppression.objects.filter(pk__in=[pk for pk, _ in rows]).delete()[0]
    retention.erase_rows_of_nothing({reader for _, reader in rows})
    return erased


def register() -> None:
    holdings.register(Suppressions())
    retention.register(
        Rule(
            "dead-addresses",
            f"Addresses that do not exist and that nothing else is known of, after "
            f"{FORGOTTEN_AFTER.days} days",
            due=lambda today: _of_nobody(today).count(),
            erase=_forget,
        )
    )
