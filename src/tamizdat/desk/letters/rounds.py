# SPDX-License-Identifier: AGPL-3.0-or-later
"""Collecting in the background: a thread a drop, for as long as the worker runs.

What always holds:

- Each drop is asked every minute, later each time while it does not answer; none waits for another,
  and building waits for none.
- Of several workers one collects from a drop at a time (``collecting.claim_due``); that is thrift,
  not what keeps things from being done twice.
- Drops that are added to or removed from the settings file are noticed while it runs.
- What failed or waits for a handler is taken up every minute, what is over is tidied every hour.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from tamizdat.config import ConfigError, DropSettings, Newsroom
from tamizdat.desk.letters import actions, collecting, taking
from tamizdat.letterbox import identities

log = logging.getLogger("tamizdat.letters")
POLL = 2.0
AFTER_TROUBLE = 60.0
RETRY, TIDY = timedelta(minutes=1), timedelta(hours=1)


class Rounds:
    """``start``, then ``stop``."""

    def __init__(self, folder: Path, *, clock: Callable[[], datetime] = timezone.now) -> None:
        self._folder = folder
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="letters", daemon=True)
        self._retried = self._tidied = datetime.min.replace(tzinfo=clock().tzinfo)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """End after the submission that is being taken, at most ``patience`` seconds later; what
        is cut off then is taken next time."""
        self._stop.set()
        self._thread.join(patience)

    def _watch(self) -> None:
        collectors: dict[DropSettings, _Collector] = {}
        seen: tuple[int, int] | None = None
        newsroom: Newsroom | None = None
        while not self._stop.is_set():
            found = _mark(self._folder / "tamizdat.toml")
            if found != seen:
                seen = found
                newsroom = self._read() or newsroom
                if newsroom is not None:
                    collectors = self._settle(newsroom, collectors)
            if newsroom is not None:
                self._look_after(newsroom)
            self._stop.wait(POLL)
        for collector in collectors.values():
            collector.stop.set()
        for collector in collectors.values():
            collector.join()
        connection.close()

    def _read(self) -> Newsroom | None:
        try:
            return Newsroom(self._folder)
        except ConfigError as error:
            log.warning("drops stay as they were: %s", error)
            return None

    def _settle(
        self, newsroom: Newsroom, collectors: dict[DropSettings, _Collector]
    ) -> dict[DropSettings, _Collector]:
        """A thread for each drop in the settings as they are now."""
        wanted = newsroom.settings.drops
        for drop, collector in collectors.items():
            if drop not in wanted:
                collector.stop.set()
        made = {}
        for drop in wanted:
            made[drop] = collectors.get(drop) or _Collector(newsroom, drop, self._clock)
            if not made[drop].ident:
                made[drop].start()
        return made

    def _look_after(self, newsroom: Newsroom) -> None:
        now = self._clock()
        close_old_connections()
        try:
            if now - self._retried >= RETRY:
                self._retried = now
                taking.retry(identities(newsroom), now)
            if now - self._tidied >= TIDY:
                self._tidied = now
                actions.tidy(now=now)
        except ConfigError as error:
            log.warning("letters wait: %s", error)
        except Exception as error:
            log.error("letters could not be looked after: %s", taking.told(error))
            if isinstance(error, DatabaseError):
                connection.close()


class _Collector(threading.Thread):
    """Collects from one drop until ``stop`` is set."""

    def __init__(
        self, newsroom: Newsroom, drop: DropSettings, clock: Callable[[], datetime]
    ) -> None:
        super().__init__(name=f"drop-{drop.name}", daemon=True)
        self.stop = threading.Event()
        self._newsroom, self._drop, self._clock = newsroom, drop, clock

    def run(self) -> None:
        while not self.stop.is_set():
            close_old_connections()
            self.stop.wait(self._turn())
        connection.close()

    def _turn(self) -> float:
        """Collect where it is time; how many seconds to wait."""
        try:
            if collecting.claim_due(self._drop.name, self._clock()):
                collecting.collect(
                    self._newsroom, self._drop, clock=self._clock, stopped=self.stop.is_set
                )
        except ConfigError as error:
            log.warning("drop %s: %s", self._drop.name, error)
            return AFTER_TROUBLE
        except Exception as error:
            # What it says could name a reader.
            log.error("drop %s: %s; trying again", self._drop.name, taking.told(error))
            if isinstance(error, DatabaseError):
                connection.close()
            return AFTER_TROUBLE
        return POLL


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
