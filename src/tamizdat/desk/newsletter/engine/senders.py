# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who sends: workers say that they live, and others settle what a dead one left.

What always holds:

- No clock of a worker or of another machine is trusted. A worker lives while its ``beat`` goes up;
  it is taken for dead by one who looked ``LOOKS`` times, over ``SILENCE`` seconds by the looker's
  own steady clock, and saw the same number; or at once where its process on the looker's own
  machine is gone.
- Who takes over first marks the sender as ``lost``, and only when that is kept, and may be seen by
  it, looks at what it did. From then on it claims nothing, and it looks at that mark before each
  mail (``Fence``): stopped for an hour and woken, it sends nothing that was taken from it.
- What was taken over is ``unknown``, except where the worker's journals lie on this machine: then
  what was answered is kept, and where it is dead for certain, what was not begun is queued again.

What is not done here: deciding about what stays ``unknown`` (``unknown``).
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models import F

from tamizdat.desk.newsletter.engine import finish, journal, rows, tallies
from tamizdat.desk.newsletter.engine.journal import Found, Place
from tamizdat.desk.newsletter.engine.rows import OPEN, moment
from tamizdat.desk.newsletter.engine.tallies import Of, moved
from tamizdat.desk.newsletter.models import Sender
from tamizdat.desk.outgoing import clock

log = logging.getLogger("tamizdat.newsletter")
BEAT = 2.0
LOOKS, SILENCE = 8, 30.0
UNDER_WAY = 0.5  # in which a mail that was begun just before is answered, where all is well
AGAIN = 10.0  # a looker that did not look for so long begins anew

_LEFT = f"""
SELECT id, issue_id, state, relay FROM newsletter_delivery
WHERE worker = %s AND (state = 'sending' OR state = 'unknown') AND {OPEN}
"""  # noqa: S608 - ours
_SETTLE = """
UPDATE newsletter_delivery SET state = %s, code = %s, worker = %s, finished = %s, not_before = %s,
  attempts = attempts + %s
WHERE id = %s AND worker = %s AND state = %s
"""


def register(place: Place) -> str:
    """A new sender; its name."""
    name = f"w{secrets.token_hex(6)}"
    Sender.objects.create(name=name, place=str(place))
    return name


def beat(name: str, rate: float) -> bool:
    """Say that it lives. False where others took it for dead."""
    found = Sender.objects.filter(name=name, lost=False)
    return found.update(beat=F("beat") + 1, rate=rate) == 1


def leave(name: str) -> None:
    """It ends, and nothing is claimed by it any more."""
    Sender.objects.filter(name=name).delete()


class Fence:
    """Asked before each mail whether its worker may still send. For one thread."""

    _SQL = "SELECT 1 FROM newsletter_sender WHERE name = {} AND NOT lost"

    def __init__(self, name: str) -> None:
        self._name = name

    def open(self) -> bool:
        """By the database, now. Raises ``DatabaseError``."""
        raw: Any = connection.connection
        if isinstance(raw, sqlite3.Connection):  # As often as mails go: past Django's cursors.
            with connection.wrap_database_errors:
                return raw.execute(self._SQL.format("?"), (self._name,)).fetchone() is not None
        with connection.cursor() as cursor:
            cursor.execute(self._SQL.format("%s"), [self._name])
            return cursor.fetchone() is not None


class Watch:
    """Looks after the others. ``look`` now and then; ``steady`` is the looker's own clock."""

    def __init__(
        self,
        name: str,
        run: Path,
        *,
        silence: float = SILENCE,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._folder = name, journal.folder_of(run)
        self._silence, self._steady = silence, steady
        self._seen: dict[str, tuple[int, float, int]] = {}  # name: beat, since, looks
        self._looked = steady()

    def look(self) -> None:
        """Settle what workers left that are gone."""
        self._look_here()
        now = self._steady()
        if now - self._looked > AGAIN:  # Perhaps it was we who stood still.
            self._seen.clear()
        self._looked = now
        others = Sender.objects.filter(lost=False).exclude(name=self._name)
        seen: dict[str, tuple[int, float, int]] = {}
        for name, place, number in others.values_list("name", "place", "beat"):
            before = self._seen.get(name)
            same = before is not None and before[0] == number
            seen[name] = (number, before[1], before[2] + 1) if before and same else (number, now, 1)
            if self._dead(place, seen[name], now):
                self._take_over(name, place, number)
                del seen[name]
        self._seen = seen

    def _dead(self, place: str, seen: tuple[int, float, int], now: float) -> bool:
        if Place.read(place).gone:
            return True
        return seen[2] >= LOOKS and now - seen[1] >= self._silence

    def _look_here(self) -> None:
        """The journals on this machine whose process is gone. What others wrote, on a machine that
        shares the folder or before this one was started, only goes once its writer is settled."""
        for name, place in journal.left_behind(self._folder).items():
            if name == self._name:
                continue
            if place.gone:
                settle_here(self._folder, name)
            elif not place.ours and not Sender.objects.filter(name=name).exists():
                journal.remove(self._folder, name)
        for name, where in Sender.objects.filter(lost=True).values_list("name", "place"):
            if rows.any_sending_of(name):  # Who took over was killed in between.
                self._settle_lost(name, where)
            elif not rows.any_of(name):
                leave(name)

    def _take_over(self, name: str, place: str, number: int) -> None:
        if Place.read(place).gone:
            settle_here(self._folder, name)
            return
        mark = Sender.objects.filter(name=name, beat=number, lost=False)
        if mark.update(lost=True, rate=0.0):
            self._settle_lost(name, place)

    def _settle_lost(self, name: str, place: str) -> None:
        """What it left that may yet live, but sends nothing more."""
        time.sleep(UNDER_WAY)
        with transaction.atomic():
            answered = journal.read(self._folder, name).ended if Place.read(place).ours else {}
            count = _settle(name, Found(None, answered))
        log.warning("a sender does not answer any more: %d mails of it are in doubt", count)


def settle_here(folder: Path, name: str, *, ended: bool = False) -> None:
    """What a worker of this machine left. By its journals, where it is gone for certain or has
    ``ended`` in this process, and the machine was not started since; else all is in doubt."""
    with journal.locked(folder):
        place = journal.left_behind(folder).get(name)
        known = place and (ended or place.gone)
        found = journal.read(folder, name) if known else Found(None, {})
        with transaction.atomic():
            Sender.objects.filter(name=name).update(lost=True)
            count = _settle(name, found)
            Sender.objects.filter(name=name).delete()
        journal.remove(folder, name)
    if count:
        log.warning("a sender was killed: %d mails of it are in doubt", count)


def _settle(name: str, found: Found) -> int:
    """Give every row of this worker its state; how many are in doubt. Where it may yet live (what
    it began is None), those in doubt stay under its name: it may settle them itself when it ends
    (``settle_here``)."""
    now, doubt = clock.now(), 0
    changes: dict[int, Counter[Of]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LEFT, [name])
        for row, issue, before, relay in cursor.fetchall():
            state, code = _state_of(row, found)
            doubt += state == "unknown" and before != "unknown"
            if state == before == "unknown" and found.begun is None:
                continue
            over = moment(now) if state in ("sent", "refused", "unknown") else None
            due = moment(now) if state == "deferred" else None
            keeps = name if state == "sent" or found.begun is None else ""
            values = [state, code, keeps, over, due, int(state != "queued"), row, name, before]
            cursor.execute(_SETTLE, values)
            if cursor.rowcount:
                of = changes.setdefault(issue, Counter())
                of.update(moved(before, state, 1))
                if state == "sent":
                    of[Of("relay", relay)] += 1
                elif state == "refused":
                    of[Of("refused", "")] += 1
    for issue, of in changes.items():
        if of[Of("state", "queued")] > 0:
            finish.reopen(issue)
        tallies.add(issue, tallies.DESK, of)
    return doubt


def _state_of(row: int, found: Found) -> tuple[str, str]:
    if row in found.ended:
        return found.ended[row]
    if found.begun is None or row in found.begun:
        return "unknown", ""
    return "queued", ""


def anything_left(folder: Path, name: str = "") -> bool:
    """Whether there is something to settle that a worker left, or may have left."""
    if any(place.gone for place in journal.left_behind(folder).values()):
        return True
    return Sender.objects.exclude(name=name).exists() and rows.any_sending()
