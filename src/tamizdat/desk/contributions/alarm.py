# SPDX-License-Identifier: AGPL-3.0-or-later
"""How it stands with each provider, for the desk and ``doctor``: pure reading of the database.

What always holds: nobody is asked here, so it is as quick while a provider is down. Silence alarms
when no call of the webhook came for ``silence_hours``, unless the last reconciliation, not older
than two days, shows that there was nothing to tell.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import Exists, OuterRef
from django.utils import formats, timezone

from tamizdat.config import ProviderSettings
from tamizdat.desk.contributions import providers
from tamizdat.desk.contributions.models import Refund, Standing, Trouble, Wish

STALE = timedelta(days=2)  # reconciled every day
TOLD = timedelta(days=30)  # for so long a refund that failed is told


class Box(NamedTuple):
    """One provider: its name, one word, what there is to know, whether a person must act."""

    name: str
    word: str
    words: str
    bad: bool


def standing(now: datetime | None = None) -> list[Box]:
    """All providers of the newsroom, in their order."""
    now = now or timezone.now()
    rows = Standing.objects.in_bulk([one.kind for one in providers.all_settings()])
    return [_box(one, rows.get(one.kind), now) for one in providers.all_settings()]


def alarms(now: datetime | None = None) -> list[str]:
    """What somebody must look at, in sentences."""
    if not providers.all_settings():
        return []
    said = [f"{box.name}: {box.words}" for box in standing(now) if box.bad]
    said += [
        f"The worker cannot do this since {_when(one.since)}: {one.pk} ({one.said}). It tries "
        f"again every minute; its log says more."
        for one in Trouble.objects.order_by("since")
    ]
    refused = Wish.objects.filter(refused=True).count()
    if refused:
        said.append(
            f"The provider refused {_many(refused, 'change')} that givers asked for: make them on "
            f"its own page, and answer who asked."
        )
    failed = _failed(timezone.localdate(now))
    if failed:
        said.append(
            f"{_many(failed, 'refund')} failed lately: the list of refunds says why. Ask again "
            f"where it can be done, or give it back in another way."
        )
    return said


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _failed(today: date) -> int:
    """How many refunds of ours failed lately, and were not asked for again since."""
    again = Refund.objects.filter(
        provider=OuterRef("provider"), payment_ref=OuterRef("payment_ref"), pk__gt=OuterRef("pk")
    )
    failed = Refund.objects.filter(state=Refund.State.FAILED, day__gt=today - TOLD)
    return failed.exclude(asked_by=None).exclude(Exists(again)).count()


def _box(one: ProviderSettings, row: Standing | None, now: datetime) -> Box:
    if row is None or (row.last_event is None and row.reconciled is None and not row.trouble):
        words = "Nothing heard from it yet. Is its webhook set up (docs/operating/giving.md)?"
        silent = row is not None and row.begun is not None and _silent(one, row.begun, now)
        return Box(one.kind, "silent" if silent else "new", words, silent)
    last = f"Last call {_when(row.last_event)}, last reconciled {_when(row.reconciled)}."
    if row.reconciled is not None and now - row.reconciled >= STALE:
        why = row.trouble or "Does the worker run?"
        return Box(one.kind, "not reconciled", f"{last} {why}", True)
    if _alarms(one, row, now):
        words = (
            f"No call of its webhook for more than {one.silence_hours} hours, and there was "
            f"something to tell: look at the webhook on its page. {last} The books are complete "
            f"as of then."
        )
        return Box(one.kind, "silent", words, True)
    if row.trouble:
        return Box(one.kind, "trouble", f"{row.trouble} {last}", True)
    if row.forged and row.forged_day == timezone.localdate(now):
        words = (
            f"{row.forged} calls today were not signed by it. If real ones are missing, its "
            f"secret in secrets/ is not the one that it signs with. {last}"
        )
        return Box(one.kind, "well", words, False)
    return Box(one.kind, "well", f"{last} {_gaps(row)}".strip(), False)


def _silent(one: ProviderSettings, since: datetime, now: datetime) -> bool:
    return now - since >= timedelta(hours=one.silence_hours)


def _alarms(one: ProviderSettings, row: Standing, now: datetime) -> bool:
    """Silent for too long, and not because there was nothing to tell."""
    heard = row.last_event or row.begun or now
    if not _silent(one, heard, now):
        return False
    if row.reconciled is None:
        return True
    # The hour is all that is known of a call: an event of that hour was told by it.
    return row.newest is not None and row.newest >= heard + timedelta(hours=1)


def _gaps(row: Standing) -> str:
    if not row.gaps:
        return ""
    return f"The last reconciliation found {row.gaps} events that no call had told."


def _when(time: datetime | None) -> str:
    if time is None:
        return "never"
    local = timezone.localtime(time)
    today = local.date() == timezone.localdate()
    return formats.date_format(local, "H:i" if today else "j F, H:i")
