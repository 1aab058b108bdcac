# SPDX-License-Identifier: AGPL-3.0-or-later
"""One round of collecting from a drop: fetch, take, delete.

What always holds: a batch is deleted from the drop only when each of its slots is done or kept in
the database; one that cannot be fetched holds up no other. A drop that sends the same again does
no harm (``taking``), and one that says an hour that has not come, or one long ago, is not believed.

What is not done here: the wire (``drop.client``), when to collect (``rounds``).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from django.utils import timezone

from tamizdat.config import DropSettings, Newsroom
from tamizdat.desk.letters import taking, words
from tamizdat.desk.letters.errors import StaysError
from tamizdat.desk.letters.models import Drop
from tamizdat.desk.letters.taking import Identities, Origin, Outcome
from tamizdat.drop.batches import Batch, read_name, sealed_in, slots
from tamizdat.drop.client import Letterbox, letterbox
from tamizdat.drop.errors import BatchError, LetterboxError
from tamizdat.letterbox import collector_key, identities

log = logging.getLogger("tamizdat.letters")
EACH = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(minutes=15)
CLAIM = timedelta(minutes=2)
MOST_BATCHES = 64  # a round; the others come with the next
LAIN = timedelta(days=400)  # the longest that anything is believed to have lain in a drop
_IN_A_ROW = 3  # batches that fail, before a round is given up


class Report(msgspec.Struct):
    """What came of a round, in numbers of submissions. ``problem`` is empty where all went well."""

    drop: str
    batches: int = 0
    handled: int = 0
    known: int = 0
    waiting: int = 0
    failed: int = 0
    unreadable: int = 0
    forgotten: int = 0
    problem: str = ""

    def count(self, outcome: Outcome) -> None:
        setattr(self, outcome.value, getattr(self, outcome.value) + 1)

    @property
    def opened(self) -> int:
        return self.handled + self.waiting + self.failed


def never() -> bool:
    return False


class Round:
    """Collects once from one drop. ``stopped`` is asked between two submissions."""

    def __init__(
        self,
        drop: DropSettings,
        box: Letterbox,
        keys: Identities,
        *,
        clock: Callable[[], datetime] = timezone.now,
        stopped: Callable[[], bool] = never,
    ) -> None:
        self.drop, self.box, self.keys = drop, box, keys
        self.clock, self.stopped = clock, stopped
        self.report = Report(drop.name)
        self._troubles: dict[str, str] = {}
        self._in_a_row = 0

    def run(self) -> Report:
        """Take what lies there. Raises ``DatabaseError``; a drop's troubles are in the report."""
        seen: set[str] = set()
        try:
            while len(seen) < MOST_BATCHES and not self.stopped():
                fresh = [batch for batch in self._listed() if batch.name not in seen]
                if not fresh:
                    break
                for batch in fresh[: MOST_BATCHES - len(seen)]:
                    seen.add(batch.name)
                    self._try(batch)
        except LetterboxError as error:
            self._troubles[""] = words.of_trouble(error)
        finally:
            self.box.close()
        self.report.problem = next(iter(self._troubles.values()), "")
        return self.report

    def _listed(self) -> list[Batch]:
        """What lies there. A batch that is gone troubles nobody: another collector took it."""
        found = self.box.batches()
        names = {batch.name for batch in found}
        self._troubles = {name: said for name, said in self._troubles.items() if name in names}
        return found

    def _try(self, batch: Batch) -> None:
        if self.stopped():
            return
        try:
            self._take(batch)
        except StaysError as error:
            self._troubles[batch.name] = words.of_trouble(error)
        except (LetterboxError, BatchError) as error:
            self._in_a_row += 1
            self._troubles[batch.name] = words.of_trouble(error)
            if self._in_a_row >= _IN_A_ROW:
                self._listed()
                raise
        else:
            self._in_a_row = 0

    def _take(self, batch: Batch) -> None:
        now = _hour(self.clock())
        hour = min(max(read_name(batch.name).hour, now - LAIN), now)
        stays: StaysError | None = None
        for slot in slots(batch.name, self.box.read(batch.name)):
            if self.stopped():
                return
            if not slot.strip(b"\0"):  # What was never written holds nothing.
                continue
            try:
                self.report.count(self._slot(slot, Origin(self.drop.name, hour)))
            except StaysError as error:
                stays = error  # The others in this batch are none the worse for it.
        if stays is not None:
            raise stays
        self.box.remove(batch.name, batch.sha256)
        self.report.batches += 1
        _claim(self.drop.name, self.clock())

    def _slot(self, slot: bytes, origin: Origin) -> Outcome:
        now = self.clock()
        try:
            sealed = sealed_in(slot)
        except BatchError as error:
            return taking.keep_unreadable(slot, str(error), origin, now)
        return taking.take(sealed, self.keys, origin, now)


def collect(
    newsroom: Newsroom,
    drop: DropSettings,
    *,
    clock: Callable[[], datetime] = timezone.now,
    stopped: Callable[[], bool] = never,
) -> Report:
    """Collect from a drop now, and note how it went.

    Raises ``ConfigError`` where the newsroom's keys cannot be read, and ``DatabaseError``.
    """
    keys, signer = identities(newsroom), collector_key(newsroom)
    Drop.objects.get_or_create(name=drop.name, defaults={"next_try": clock()})
    _claim(drop.name, clock())
    try:
        box = letterbox(url=drop.url, folder=drop.folder, key=signer)
        report = Round(drop, box, keys, clock=clock, stopped=stopped).run()
    except LetterboxError as error:
        report = Report(drop.name, problem=words.of_trouble(error))
    note(report, clock())
    return report


def claim_due(name: str, now: datetime) -> bool:
    """Whether it is time to collect from this drop, and nobody else does."""
    Drop.objects.get_or_create(name=name, defaults={"next_try": now})
    due = Drop.objects.filter(name=name, next_try__lte=now)
    return due.exists() and due.update(next_try=now + CLAIM) == 1


def _claim(name: str, now: datetime) -> None:
    Drop.objects.filter(name=name).update(next_try=now + CLAIM)


def note(report: Report, now: datetime) -> None:
    """Write down how it went, and when to come again."""
    row = Drop.objects.get(name=report.drop)
    if report.opened:
        row.opened = _hour(now)
    if report.problem:
        row.failures += 1
        row.problem = report.problem
        row.silent_since = row.silent_since or now
    else:
        row.failures, row.problem, row.silent_since, row.collected = 0, "", None, now
    row.next_try = now + pause_after(row.failures)
    row.save()
    _say(report)


def pause_after(failures: int) -> timedelta:
    """A minute; where a drop does not answer two, four, eight …, a quarter of an hour at most."""
    return min(EACH * 2 ** min(failures, 10), LONGEST_PAUSE)


def _say(report: Report) -> None:
    if report.problem:
        log.warning("drop %s: %s", report.drop, report.problem)
    elif report.batches:
        log.info(
            "drop %s: %d handled, %d wait, %d failed, %d unreadable",
            report.drop, report.handled, report.waiting, report.failed, report.unreadable,
        )  # fmt: skip


def _hour(time: datetime) -> datetime:
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
