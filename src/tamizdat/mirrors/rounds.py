# SPDX-License-Identifier: AGPL-3.0-or-later
"""Pushing in the background: a thread a mirror, for as long as the worker runs.

What always holds:

- A newly signed edition is noticed within ``POLL`` seconds by looking at one file; building and
  signing wait for no mirror, and no mirror for another.
- A mirror that is not well is tried again when its state says so, not before. One that is well is
  looked at every hour, so that “live” is true.
- What readers get from each public address is looked at by a thread of its own, which no push
  waits for: every ten minutes, and when a new edition has had time to arrive.
- Mirrors that are added to or removed from the settings file are noticed while it runs.

What is not done here: pushing itself (``work``), words for people (``words``).
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tamizdat.config import ConfigError, MirrorSettings, Newsroom
from tamizdat.mirrors.errors import BusyError, MirrorError, StoppedError, UnsignedError
from tamizdat.mirrors.work import Work, pushed

log = logging.getLogger("tamizdat.mirrors")
POLL = 0.5
LOOK_AGAIN = 3600.0  # seconds
READ_AGAIN = 600.0
ARRIVED = 90.0  # seconds after which caches have let go of the former edition


class Rounds:
    """``start``, then ``stop``. ``work`` is made from the newsroom whenever its settings change."""

    def __init__(
        self,
        folder: Path,
        *,
        clock: Callable[[], float] = time.time,
        work: Callable[[Newsroom], Work] = Work,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._work = work
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="mirrors", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """End after what travels now, at most ``patience`` seconds later; what is cut off then is
        pushed next time."""
        self._stop.set()
        self._thread.join(patience)

    def _watch(self) -> None:
        servants: dict[MirrorSettings, _Servant] = {}
        reader: _Reader | None = None
        seen: tuple[int, int] | None = None
        while not self._stop.is_set():
            found = _mark(self._folder / "tamizdat.toml")
            if found != seen:
                seen = found
                servants = self._settle(servants)
                reader = self._replace(reader)
            self._stop.wait(POLL)
        if reader:
            reader.stop.set()
        for servant in servants.values():
            servant.stop.set()
        for servant in servants.values():
            servant.join()

    def _replace(self, reader: _Reader | None) -> _Reader | None:
        """One who reads what the settings name now."""
        try:
            newsroom = Newsroom(self._folder)
        except ConfigError:
            return reader
        if reader:
            reader.stop.set()
        found = _Reader(self._work(newsroom), self._clock)
        found.start()
        return found

    def _settle(self, servants: dict[MirrorSettings, _Servant]) -> dict[MirrorSettings, _Servant]:
        """A thread for each mirror in the settings as they are now."""
        try:
            newsroom = Newsroom(self._folder)
        except ConfigError as error:
            log.warning("mirrors stay as they were: %s", error)
            return servants
        wanted = pushed(newsroom)
        for mirror, servant in servants.items():
            if mirror not in wanted:
                servant.stop.set()
        work = self._work(newsroom)
        made = {}
        for mirror in wanted:
            made[mirror] = servants.get(mirror) or _Servant(mirror, work, self._clock)
            if not made[mirror].ident:
                made[mirror].start()
        return made


class _Servant(threading.Thread):
    """Serves one mirror until ``stop`` is set."""

    def __init__(self, mirror: MirrorSettings, work: Work, clock: Callable[[], float]) -> None:
        super().__init__(name=f"mirror-{mirror.name}", daemon=True)
        self.mirror = mirror
        self.stop = threading.Event()
        self._work = work
        self._clock = clock
        self._pushed: object = None  # the mark of what was pushed last
        self._changed = True  # settings that are new are tried at once

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                self._turn()
            except Exception:
                log.exception("the mirror %s could not be served; trying again", self.mirror.name)
                self.stop.wait(60.0)
            self.stop.wait(POLL)

    def _turn(self) -> None:
        mark = self._work.source.mark()
        if mark is None or not self._is_due(mark):
            return
        self._changed = False
        try:
            report = self._work.push(self.mirror, stopped=self.stop.is_set)
        except (BusyError, StoppedError, UnsignedError):
            return
        except MirrorError as error:
            log.warning("mirror %s: %s", self.mirror.name, error)
            return
        self._pushed = mark
        log.info(
            "mirror %s: edition %d, %d files, %d bytes in %.1f s",
            self.mirror.name, report.edition, report.files, report.length, report.seconds,
        )  # fmt: skip

    def _is_due(self, mark: object) -> bool:
        if self._changed:
            return True
        now = self._clock()
        try:
            standing = self._work.state.of(self.mirror.name)
        except sqlite3.Error:
            return True
        if standing.error:
            return now >= (standing.next_try or 0.0)
        return mark != self._pushed or now >= (standing.checked or 0.0) + LOOK_AGAIN


class _Reader(threading.Thread):
    """Looks at the mirrors' public addresses until ``stop`` is set."""

    def __init__(self, work: Work, clock: Callable[[], float]) -> None:
        super().__init__(name="mirrors-read", daemon=True)
        self.stop = threading.Event()
        self._work = work
        self._clock = clock

    def run(self) -> None:
        mark, due = self._work.source.mark(), self._clock()
        while not self.stop.wait(POLL):
            found = self._work.source.mark()
            if found != mark:
                mark, due = found, min(due, self._clock() + ARRIVED)
            if mark is None or self._clock() < due:
                continue
            due = self._clock() + READ_AGAIN
            try:
                self._work.look()
            except (MirrorError, sqlite3.Error) as error:
                log.warning("what readers get from the mirrors is not known: %s", error)
            except Exception:
                log.exception("what readers get from the mirrors could not be looked at")


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns
