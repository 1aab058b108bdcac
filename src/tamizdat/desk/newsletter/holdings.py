# SPDX-License-Identifier: AGPL-3.0-or-later
"""What newsletters hold of a person, and when it goes by itself.

What always holds:

- A subscription that is in force goes by its reader's word alone. One that was never confirmed
  goes with the days in which it could have been, one that ended with its proof of consent.
- Who left, or was erased, and is signed up by somebody again without confirming it, is afterwards
  as gone as before: the term of the proof runs from there, and the address goes again.

What is not done here: consents (``readers.retention``), mails (``outgoing.holdings``).
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from tamizdat.desk.newsletter.models import Delivery, Subscription
from tamizdat.desk.newsletter.signup import PURPOSE
from tamizdat.desk.readers import consents, holdings, requests, retention
from tamizdat.desk.readers.holdings import Outcome, Person, Row
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.desk.readers.retention import UNCONFIRMED, Rule

State = Subscription.State
Event = Consent.Event
_AT_ONCE = 500


class Subscriptions:
    """Which newsletters, and each issue that was sent."""

    name, title = "newsletter", "Newsletters"

    def export(self, person: Person) -> Sequence[Row]:
        mine = Subscription.objects.filter(reader=person.reader).select_related("newsletter")
        rows: list[Row] = [
            {
                "newsletter": one.newsletter.title,
                "state": one.get_state_display(),
                "since": one.since,
                "left": one.left,
                "text": one.get_text_display(),
                "paused until": one.paused_until,
            }
            for one in mine.order_by("since", "pk")
        ]
        sent = Delivery.objects.filter(subscription__reader=person.reader)
        return [*rows, *(_told(one) for one in sent.select_related("issue__newsletter"))]

    def erase(self, person: Person) -> Outcome:
        mine = Subscription.objects.filter(reader=person.reader)
        count = mine.count() + Delivery.objects.filter(subscription__in=mine).count()
        mine.delete()
        return Outcome(erased=count)


def _told(one: Delivery) -> Row:
    return {
        "issue": str(one.issue),
        "state": one.get_state_display(),
        "day": f"{one.finished:%Y-%m-%d}" if one.finished else "",
        "answer of the mail server": f"{one.code} {one.said}".strip(),
        "came back": one.bounced,
    }


# What goes by itself, once a day


def _of_subscription() -> QuerySet[Consent]:
    return Consent.objects.filter(
        reader=OuterRef("reader"), purpose=PURPOSE, subject=OuterRef("newsletter__slug")
    )


def _over(today: datetime.date) -> QuerySet[Subscription]:
    """Never confirmed in time, or ended so long ago that its proof is gone."""
    limit = today - datetime.timedelta(days=UNCONFIRMED)
    waits = Exists(_of_subscription().filter(event=Event.ASKED, day__gt=limit))
    return Subscription.objects.filter(
        Q(state=State.PENDING, since__lte=limit) & ~waits
        | Q(state=State.LEFT) & ~Exists(_of_subscription())
    )


def _erase_over(today: datetime.date) -> int:
    erased = 0
    while rows := list(_over(today).values_list("pk", "reader")[:_AT_ONCE]):
        with transaction.atomic():
            pks, readers = zip(*rows, strict=True)
            Subscription.objects.filter(pk__in=pks).delete()
            retention.erase_rows_of_nothing(set(readers))
            erased += len(rows)
    return erased


def _unanswered(today: datetime.date) -> QuerySet[Consent]:
    """Asked for after it had ended, and not confirmed in time."""
    same = Consent.objects.filter(
        reader=OuterRef("reader"), purpose=PURPOSE, subject=OuterRef("subject")
    )
    before = same.exclude(event=Event.ASKED).order_by("-id").values("event")[:1]
    asked = Consent.objects.filter(
        event=Event.ASKED, purpose=PURPOSE, day__lte=today - datetime.timedelta(days=UNCONFIRMED)
    )
    last = asked.exclude(Exists(same.filter(id__gt=OuterRef("id"))))
    return last.annotate(before=Subquery(before)).filter(before__in=consents.OVER)


def _end_unanswered(today: datetime.date) -> int:
    found = list(_unanswered(today).select_related("reader"))
    for asked in found:
        _end(asked)
    return len(found)


@transaction.atomic
def _end(asked: Consent) -> None:
    reader = asked.reader
    consents.withdraw(
        reader=reader,
        purpose=PURPOSE,
        subject=asked.subject,
        form="unconfirmed",
        language=asked.language,
    )
    was_erased = Consent.objects.filter(reader=reader, form="erasure").exists()
    if was_erased and not consents.subjects_in_force(reader) and not _still_asked(reader):
        requests.erase_row(reader, None)


def _still_asked(reader: Reader) -> bool:
    """Whether something that was asked for may yet be confirmed."""
    pairs = Consent.objects.filter(reader=reader).values_list("purpose", "subject").distinct()
    words = (consents.last_word(reader, *pair) for pair in pairs)
    return any(word is not None and word.event == Event.ASKED for word in words)


def register() -> None:
    holdings.register(Subscriptions())
    retention.register(
        Rule(
            "unanswered",
            f"Sign-ups of who had left before, that nobody confirmed within {UNCONFIRMED} days",
            due=lambda today: _unanswered(today).count(),
            erase=_end_unanswered,
            bound=None,
        )
    )
    retention.register(
        Rule(
            "subscriptions",
            "Subscriptions that were never confirmed, or whose proof of consent is gone",
            due=lambda today: _over(today).count(),
            erase=_erase_over,
            bound=None,
        )
    )
