# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the inbox and the operators' page show: pure reading, every query by an index.

What always holds: numbers stop at ``MOST_COUNTED``, so a flood makes no page slow.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from django.contrib.auth.models import AbstractUser
from django.db.models import Count, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from tamizdat.desk.letters import actions
from tamizdat.desk.letters.models import Aside, Message
from tamizdat.desk.staff.roles import OPERATOR

MOST_COUNTED = 1_000
SHOWN_ASIDE = 200
State = Message.State


class Filter(NamedTuple):
    """One of the inbox's lists, in the words of its heading."""

    slug: str
    words: str
    empty: str
    wanted: Q


FILTERS = (
    Filter("new", "New", "Nothing new.", Q(state=State.NEW, deleted=None)),
    Filter("answered", "Answered", "Nothing answered.", Q(state=State.ANSWERED, deleted=None)),
    Filter("away", "Put away", "Nothing put away.", Q(state=State.AWAY, deleted=None)),
    Filter("deleted", "Deleted", "Nothing deleted lately.", Q(deleted__isnull=False)),
)


def of(shown: Filter) -> QuerySet[Message]:
    """The messages of a list, the newest first."""
    return Message.objects.filter(shown.wanted).order_by("-pk")


def counted() -> list[tuple[Filter, str]]:
    """Each list and how many messages are in it."""
    return [(one, _number(Message.objects.filter(one.wanted))) for one in FILTERS]


def new() -> str:
    """How many new ones there are; empty where there are none."""
    number = _number(Message.objects.filter(FILTERS[0].wanted))
    return "" if number == "0" else number


def _number(rows: QuerySet[Any]) -> str:
    count = len(rows.values_list("pk", flat=True)[:MOST_COUNTED])
    return f"{MOST_COUNTED - 1}+" if count == MOST_COUNTED else str(count)


def neighbour(message: Message, *, older: bool) -> str:
    """The address of the next message in the same list; empty at its end."""
    rows = Message.objects.filter(state=message.state, deleted__isnull=message.deleted is None)
    found = (
        rows.filter(pk__lt=message.pk).order_by("-pk")
        if older
        else rows.filter(pk__gt=message.pk).order_by("pk")
    ).first()
    return reverse("letters:message", args=[found.pk]) if found else ""


def gone_on(message: Message) -> datetime | None:
    """When it is deleted for good, as things stand; None where nothing is set."""
    if message.deleted is not None:
        return message.deleted + actions.undo_time()
    return message.put_away + actions.keep_time() if message.put_away else None


def operates(user: object) -> bool:
    """Whether this person looks after the machine: an operator, or a superuser."""
    if not isinstance(user, AbstractUser) or not user.is_active:
        return False
    return user.is_superuser or user.groups.filter(name=OPERATOR).exists()


def aside() -> dict[str, Any]:
    """What is kept aside: how many of each, and the newest."""
    numbers = dict(Aside.objects.values_list("state").annotate(n=Count("pk")).order_by())
    return {
        "numbers": [(Aside.State(state).label, number) for state, number in numbers.items()],
        "rows": Aside.objects.defer("sealed").order_by("-pk")[:SHOWN_ASIDE],
        "more": max(0, sum(numbers.values()) - SHOWN_ASIDE),
        "unreadable": numbers.get(Aside.State.UNREADABLE, 0),
        "today": timezone.localdate(),
    }
