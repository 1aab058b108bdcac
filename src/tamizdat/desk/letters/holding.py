# SPDX-License-Identifier: AGPL-3.0-or-later
"""What letters hold of a person, for the vault's export and erasure; and when it goes by itself.

What always holds: every message is opened and compared, also those that were deleted and can still
be brought back, and every form that waits sealed. A message with another address in it, or none,
is nobody's: it cannot be told whose it is.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from tamizdat.config import ConfigError
from tamizdat.desk.letters import actions
from tamizdat.desk.letters.letter import open_letter
from tamizdat.desk.letters.models import Aside, Handled, Message
from tamizdat.desk.readers import holdings, retention
from tamizdat.desk.readers.addresses import normalised
from tamizdat.desk.readers.errors import AddressError
from tamizdat.desk.readers.holdings import Outcome, Person, Row
from tamizdat.desk.readers.retention import Rule
from tamizdat.drop.envelope import Submission, open_sealed
from tamizdat.drop.errors import DropError
from tamizdat.letterbox import identities

_AT_ONCE = 500


class Letters:
    """Messages with this address as their contact, and forms with it that wait."""

    name, title = "letters", "Messages to the desk"

    def export(self, person: Person) -> Sequence[Row]:
        return [
            *(_told(message) for message in _messages(person.address)),
            *(_waiting(row, form) for row, form in _forms(person.address)),
        ]

    def erase(self, person: Person) -> Outcome:
        messages = [message.pk for message in _messages(person.address)]
        Message.objects.filter(pk__in=messages).delete()
        forms = list(_forms(person.address))
        # Remembered as done, so that nobody can hand them in again.
        Handled.objects.bulk_create(
            [Handled(submission=form.id, day=row.hour.date()) for row, form in forms],
            ignore_conflicts=True,
        )
        Aside.objects.filter(pk__in=[row.pk for row, _ in forms]).delete()
        return Outcome(erased=len(messages) + len(forms))


def _told(message: Message) -> Row:
    letter = open_letter(message)
    written = letter.written
    assert written is not None  # noqa: S101 - it was found by what is in it
    told = {"came": f"{message.arrived:%Y-%m-%d}", "marked as": message.get_state_display()}
    parts = {
        "text": written.text,
        "name": written.name,
        "contact": written.contact,
        "about": written.story,
        "note of the desk": letter.note,
    }
    return {**told, **{name: text for name, text in parts.items() if text}}


def _waiting(row: Aside, form: Submission) -> Row:
    fields = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in form.fields.items()
    }
    return {"waits to be handled": form.kind, "came": f"{row.hour:%Y-%m-%d}", **fields}


def _messages(address: str) -> Iterator[Message]:
    for message in Message.objects.order_by("pk").iterator(chunk_size=_AT_ONCE):
        written = open_letter(message).written
        if written is not None and _same(written.contact, address):
            yield message


def _forms(address: str) -> Iterator[tuple[Aside, Submission]]:
    try:
        keys = identities(settings.NEWSROOM)
    except ConfigError:
        return  # Without the letterbox's key nobody can tell what is in them.
    for row in Aside.objects.exclude(state=Aside.State.UNREADABLE).order_by("pk"):
        try:
            form = open_sealed(bytes(row.sealed), keys)
        except DropError:
            continue
        if any(_same(form.fields.get(field), address) for field in ("address", "contact")):
            yield row, form


def _same(given: Any, address: str) -> bool:
    if not isinstance(given, str):
        return False
    try:
        return normalised(given) == normalised(address)
    except AddressError:
        return False


# What goes by itself, once a day (``retention`` keeps a wrong clock from doing harm)


def _put_away(today: datetime.date) -> QuerySet[Message]:
    return Message.objects.filter(put_away__date__lte=today - actions.keep_time())


def _forgotten(today: datetime.date) -> QuerySet[Handled]:
    return Handled.objects.filter(day__lt=today - actions.REMEMBERED)


def register() -> None:
    holdings.register(Letters())
    retention.register(
        Rule(
            "letters",
            "Messages that were put away, after [letters] keep_days",
            due=lambda today: _put_away(today).count(),
            erase=lambda today: actions.purge(_put_away(today)),
            bound=None,
        )
    )
    retention.register(
        Rule(
            "submission-ids",
            "Ids of submissions, 400 days after they were handled",
            due=lambda today: _forgotten(today).count(),
            erase=lambda today: actions.purge(_forgotten(today)),
            bound=None,
        )
    )
