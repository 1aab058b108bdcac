# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that writes to the audit trail: appending, and nothing else.

What always holds:

- A record is written in the transaction of what it tells of: both are there or neither.
- Appending is serial. SQLite lets one transaction write at a time (``BEGIN IMMEDIATE``), so the
  newest row is looked up and followed here. On PostgreSQL rows are linked by a deferred trigger
  when the transaction commits, under a lock held for that moment alone: a long transaction
  (an import) keeps nobody waiting, and two that log in different order cannot wait for each other.
- What readers sent or left with us is named by its number, never by its title.

What is not done here: reading (``trail``), noting outside of the database (``anchors``).
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Model
from django.utils import timezone
from django.utils.functional import LazyObject

from tamizdat.desk.audit import chain
from tamizdat.desk.audit.models import Record, SignIns
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import READERS_APPS


def at_keyboard() -> str:
    """Who is at the command line: the machine's account, as far as the machine knows."""
    try:
        return f"{getpass.getuser()} at the command line"
    except (KeyError, OSError, ImportError):
        return "command line"


@transaction.atomic
def record(
    *,
    action: str,
    acting_user: User | None = None,
    name: str = "",
    kind: str = "",
    object_id: str = "",
    label: str = "",
    data: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Record:
    """Append one row. ``name`` says who, where no account did it. ``kind`` is ``app.model``."""
    now = now or timezone.now()
    row = Record(
        time=now,
        account=acting_user.pk if acting_user else None,
        action=action[:255],
        kind=kind[:200],
        object_id=object_id[:255],
    )
    row.entry = chain.entry(
        time=now,
        action=row.action,
        account=row.account,
        name=acting_user.get_username() if acting_user else name,
        object=f"{row.kind}:{row.object_id}" if row.kind else "",
        label=label,
        data=data,
    )
    _append(row)
    return row


def _append(row: Record) -> None:
    """Give the row its place in the chain. On PostgreSQL the database does, at the end."""
    if connection.vendor != "postgresql":
        number, row.previous = Record.newest()
        row.number = number + 1
        row.hash = chain.hash_of(row.entry, row.number, row.previous)
    row.save(force_insert=True)


def log_and_record(*, instance: Any, write: Callable[[], Any]) -> Any:
    """Let Wagtail write a log entry (``write``), and record the same; returns Wagtail's."""
    with transaction.atomic():
        logged = write()
        subject = instance._wrapped if isinstance(instance, LazyObject) else instance
        private = subject._meta.app_label in READERS_APPS
        record(
            action=logged.action,
            acting_user=logged.user,
            kind=subject._meta.label_lower,
            object_id=str(subject.pk),
            label="" if private else logged.label,
            data=_told(subject, logged),
            now=logged.timestamp,
        )
    return logged


def _told(subject: Model, logged: Any) -> dict[str, Any]:
    """What Wagtail keeps about it, and which text or which roles it led to."""
    told = dict(logged.data)
    if logged.revision_id:
        told["revision"] = logged.revision_id
    if logged.deleted:
        told["deleted"] = True
    if isinstance(subject, User) and not logged.deleted:
        told["roles"] = sorted(subject.groups.values_list("name", flat=True))
        told["active"], told["superuser"] = subject.is_active, subject.is_superuser
    return told


@transaction.atomic
def count_sign_in(*, account: int, what: str, now: datetime | None = None) -> None:
    """One more on this day. ``account`` 0: nobody's name was given."""
    day = (now or timezone.now()).astimezone(timezone.get_default_timezone()).date()
    row, _ = SignIns.objects.get_or_create(day=day, account=account, what=what)
    SignIns.objects.filter(pk=row.pk).update(count=F("count") + 1)


@transaction.atomic
def close_days(*, now: datetime) -> int:
    """Make records of the counters of days that are over. Returns how many rows were written."""
    today = now.astimezone(timezone.get_default_timezone()).date()
    over = list(SignIns.objects.filter(day__lt=today).order_by("day", "account", "what"))
    days: dict[tuple[Any, int], dict[str, int]] = {}
    for one in over:
        days.setdefault((one.day, one.account), {})[one.what] = one.count
    for (day, account), counts in days.items():
        record(
            action="tamizdat.sign_ins",
            kind=User._meta.label_lower if account else "",
            object_id=str(account) if account else "",
            label=_name_of(account),
            data={"day": day, **counts},
            now=now,
        )
    SignIns.objects.filter(pk__in=[one.pk for one in over]).delete()
    return len(days)


def _name_of(account: int) -> str:
    found = User.objects.filter(pk=account).values_list("username", flat=True).first()
    return found or ""
