# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading the audit trail: looking things up, proving it whole. Nothing is written here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple

from django.db.models import Max, Min, QuerySet
from django.utils import timezone

from tamizdat.desk.audit import chain
from tamizdat.desk.audit.models import Record

_COLUMNS = ("number", "entry", "previous", "hash", "time", "account", "action", "kind", "object_id")


class Wanted(NamedTuple):
    """What to look for; what is empty is not asked. ``account`` 0 is the command line and the desk
    itself. ``object`` is ``app.model`` or ``app.model:id``."""

    account: int | None = None
    object: str = ""
    action: str = ""
    day: date | None = None


def look_for(wanted: Wanted, *, before: int | None = None, limit: int = 50) -> list[Record]:
    """The newest rows that fit, the newest first; those older than number ``before``."""
    rows = Record.objects.filter(number__isnull=False)
    if wanted.day:
        rows = _on(rows, wanted.day)
    if wanted.account is not None:
        rows = rows.filter(account=wanted.account or None)
    if wanted.action:
        rows = rows.filter(action=wanted.action)
    if wanted.object:
        kind, _, object_id = wanted.object.partition(":")
        rows = rows.filter(kind=kind)
        rows = rows.filter(object_id=object_id) if object_id else rows
    if before is not None:
        rows = rows.filter(number__lt=before)
    return list(rows.order_by("-number")[:limit])


def _on(rows: QuerySet[Record], day: date) -> QuerySet[Record]:
    """Those of a day in the newsroom's time. Its first and last number are looked up first, so
    that any index over numbers can be used."""
    zone = timezone.get_default_timezone()
    start, end = (datetime.combine(d, time(), zone) for d in (day, day + timedelta(days=1)))
    within = Record.objects.filter(time__gte=start, time__lt=end)
    ends = within.aggregate(first=Min("number"), last=Max("number"))
    if ends["first"] is None:
        return rows.none()
    return rows.filter(number__range=(ends["first"], ends["last"]), time__gte=start, time__lt=end)


def actions() -> list[str]:
    """Every action that is in the trail."""
    return _different("action")


def kinds() -> list[str]:
    """Every kind of object that is in the trail."""
    return _different("kind")


def _different(column: str) -> list[str]:
    """Each value of an indexed column, by one look-up each: no pass over all rows."""
    found: list[str] = []
    rows = Record.objects.order_by(column).values_list(column, flat=True)
    following = rows.filter(**{f"{column}__gt": ""}).first()
    while following is not None:
        found.append(following)
        following = rows.filter(**{f"{column}__gt": following}).first()
    return found


def export() -> Iterator[str]:
    """The trail as JSON lines: each ``{"entry":…,"hash":…,"number":…,"previous":…}``."""
    for row in _rows():
        yield (
            f'{{"entry":{row["entry"]},"hash":"{row["hash"]}",'
            f'"number":{row["number"]},"previous":"{row["previous"]}"}}'
        )


def verify(anchors: Iterable[chain.Anchor] = ()) -> tuple[int, list[str]]:
    """How many rows there are, and what is wrong, in words (the first hundred)."""
    count = 0
    found: list[str] = []

    def counted() -> Iterator[chain.Row]:
        nonlocal count
        for row in _rows():
            count += 1
            if len(found) < 100 and not _columns_fit(row):
                found.append(f"row {row['number']}: what is looked for is not what it says")
            yield chain.Row(row["number"], row["entry"], row["previous"], row["hash"])

    for fault in chain.faults(counted(), anchors):
        if len(found) < 100:
            found.append(fault)
    loose = Record.objects.filter(number__isnull=True).count()
    if loose:
        found.append(f"{loose} rows have no place in the trail: they were put in by hand")
    return count, found


def _rows() -> Iterator[dict[str, Any]]:
    rows = Record.objects.filter(number__isnull=False).order_by("number")
    return rows.values(*_COLUMNS).iterator(chunk_size=2000)


def _columns_fit(row: dict[str, Any]) -> bool:
    try:
        said = json.loads(row["entry"])
        return bool(
            said["account"] == row["account"]
            and said["action"] == row["action"]
            and said["object"] == (f"{row['kind']}:{row['object_id']}" if row["kind"] else "")
            and datetime.fromisoformat(said["time"]) == row["time"]
        )
    except (ValueError, KeyError, TypeError):
        return False
