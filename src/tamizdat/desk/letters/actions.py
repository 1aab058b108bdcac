# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that staff, and time, do to letters.

What always holds: each is one transaction with its row in the desk's log, which says who and what,
never what a reader wrote. Deleting is final after ``[letters] undo_hours``; what was put away goes
after ``keep_days``, ids are forgotten after ``REMEMBERED`` (``holding``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from wagtail.log_actions import log

from tamizdat.desk.letters import safe
from tamizdat.desk.letters.errors import LetterError
from tamizdat.desk.letters.models import Aside, Message

if TYPE_CHECKING:
    from tamizdat.desk.staff.models import User

MOST_NOTE = 5_000
# Why so long: a sealed submission bears no date, so whoever copied one on its way can hand it in
# again at any time. What one starts lasts a year at most (a reminder in twelve months is the
# longest); until it is over, doing it twice would be felt. After it, a repeated sign-up or reminder
# is one mail that asks for confirmation, a token in it has ended, and a repeated message is seen by
# who reads it. A month more, for what lay in a drop.
REMEMBERED = timedelta(days=400)
_CHUNK = 5_000

State = Message.State


def _locked(pk: int) -> Message:
    """Raises ``LetterError`` where it is gone."""
    found = Message.objects.select_for_update().filter(pk=pk).first()
    if found is None:
        raise LetterError("This message is gone: somebody deleted it, or its time was over.")
    return found


@transaction.atomic
def mark(
    *, messages: Iterable[int], state: Message.State, acting_user: User, now: datetime | None = None
) -> int:
    """Mark messages as new, answered or put away; how many changed."""
    now = now or timezone.now()
    found = Message.objects.select_for_update().filter(pk__in=list(messages), deleted=None)
    changed = 0
    for message in found.exclude(state=state):
        message.state = state
        message.put_away = now if state == State.AWAY else None
        message.save(update_fields=["state", "put_away"])
        log(message, "tamizdat.letter_mark", user=acting_user, data={"as": state.value})
        changed += 1
    return changed


@transaction.atomic
def write_note(*, message: int, text: str, acting_user: User) -> None:
    """Put a note for the desk beside a message. Raises ``LetterError``."""
    found = _locked(message)
    plain = text.strip()
    if len(plain) > MOST_NOTE:
        raise LetterError(f"A note has {MOST_NOTE:,} characters at most; this one {len(plain):,}.")
    found.note = safe.seal(safe.NOTE, plain.encode()) if plain else b""
    found.save(update_fields=["note"])
    log(found, "tamizdat.letter_note", user=acting_user)


@transaction.atomic
def delete(*, message: int, acting_user: User, now: datetime | None = None) -> None:
    """Delete a message; for ``undo_hours`` it can be brought back. Raises ``LetterError``."""
    found = _locked(message)
    log(found, "tamizdat.letter_delete", user=acting_user)
    if not undo_time():
        found.delete()
        return
    found.deleted = now or timezone.now()
    found.save(update_fields=["deleted"])


@transaction.atomic
def bring_back(*, message: int, acting_user: User) -> None:
    """Undo ``delete``. Raises ``LetterError``."""
    found = _locked(message)
    if found.deleted is None:
        return
    found.deleted = None
    found.save(update_fields=["deleted"])
    log(found, "tamizdat.letter_bring_back", user=acting_user)


@transaction.atomic
def discard_unreadable(*, acting_user: User | None) -> int:
    """Delete what was kept aside because it cannot be read; how many."""
    found = Aside.objects.filter(state=Aside.State.UNREADABLE)
    last = found.order_by("-pk").first()
    if last is None:
        return 0
    count, _ = found.filter(pk__lte=last.pk).delete()
    log(last, "tamizdat.letter_discard", user=acting_user, data={"number": count})
    return count


def tidy(*, now: datetime) -> int:
    """Let go of deleted messages whose time for coming back is over; how many."""
    return purge(Message.objects.filter(deleted__lte=now - undo_time()))


def purge(rows: QuerySet[Any]) -> int:
    """Delete these in chunks, so that no editor's save waits for it; how many it was."""
    count = 0
    while chosen := list(rows.values_list("pk", flat=True)[:_CHUNK]):
        count += rows.model._default_manager.filter(pk__in=chosen).delete()[0]
    return count


def undo_time() -> timedelta:
    return timedelta(hours=settings.NEWSROOM.settings.letters.undo_hours)


def keep_time() -> timedelta:
    return timedelta(days=settings.NEWSROOM.settings.letters.keep_days)
