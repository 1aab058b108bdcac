# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the drops stand, for the dashboard: pure reading.

What always holds: it reads the desk's database and the settings file and asks no drop, so it is as
quick with a dead one; nothing here says who wrote or what.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db.models import Count
from django.utils import formats, timezone

from tamizdat.config import ConfigError, DropSettings, Newsroom
from tamizdat.desk.letters.models import Aside, Drop

ALARM = timedelta(hours=1)


@dataclass(frozen=True)
class Box:
    """One drop: its name, one word, what there is to know, whether a person must act."""

    name: str
    word: str
    words: str
    bad: bool


@dataclass(frozen=True)
class Standing:
    """All of them, and what is kept aside in words (empty where nothing is)."""

    boxes: list[Box] = field(default_factory=list)
    aside: str = ""

    @property
    def alarm(self) -> bool:
        return any(box.bad for box in self.boxes)


def of_drops(now: datetime | None = None) -> Standing | None:
    """None where the newsroom has no drops."""
    drops = _drops()
    if not drops:
        return None
    now = now or timezone.now()
    rows = {row.name: row for row in Drop.objects.filter(name__in=[drop.name for drop in drops])}
    return Standing([_box(drop.name, rows.get(drop.name), now) for drop in drops], _aside())


def _box(name: str, row: Drop | None, now: datetime) -> Box:
    if row is None or (row.collected is None and not row.problem):
        return Box(name, "new", "Not collected from yet: the worker does it every minute.", False)
    last = f"Last collected {_when(row.collected)}." if row.collected else "Never collected."
    if row.problem:
        since = row.silent_since or now
        silent = now - max(since, row.collected or since) >= ALARM
        words = f"{row.problem} {last} Asked again {_when(row.next_try)}."
        return Box(name, "no answer" if silent else "trouble", words, silent)
    if now - (row.collected or now) >= ALARM:
        return Box(name, "not asked", f"{last} Does the worker run?", True)
    return Box(name, "well", last, False)


def _aside() -> str:
    numbers = dict(Aside.objects.values_list("state").annotate(n=Count("pk")).order_by())
    return ", ".join(
        f"{numbers[state]} {Aside.State(state).label}"
        for state in Aside.State.values
        if state in numbers
    )


def _drops() -> tuple[DropSettings, ...]:
    """Those in the settings file as it is now."""
    newsroom: Newsroom = settings.NEWSROOM
    try:
        found = newsroom.settings_file.stat()
        return _read(newsroom.folder, found.st_mtime_ns, found.st_ino)
    except (ConfigError, OSError):  # It is being written, or was spoilt: the worker says so.
        return newsroom.settings.drops


@lru_cache(maxsize=4)
def _read(folder: Path, _changed: int, _inode: int) -> tuple[DropSettings, ...]:
    return Newsroom(folder).settings.drops


def _when(time: datetime) -> str:
    local = timezone.localtime(time)
    today = local.date() == timezone.localdate()
    return formats.date_format(local, "H:i" if today else "j F, H:i")
