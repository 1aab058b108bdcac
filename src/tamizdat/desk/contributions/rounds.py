# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the worker does for contributions, in a thread of its own.

What always holds: what givers asked for and people approved is looked for every ``POLL`` seconds;
each minute who is to be reminded, and whose renewal failed; each day every provider
(``reconcile``). A slow provider keeps nothing else of the worker waiting. Trouble with one of these
keeps none of the others from being done: it is told without naming anybody, in the log and by the
alarm, and tried again after ``after_trouble`` seconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from django.db import DatabaseError, connection
from django.utils import timezone

from tamizdat.config import ConfigError
from tamizdat.desk.contributions import actions, providers, reconcile, reminders
from tamizdat.desk.contributions.givers import late, wishes
from tamizdat.desk.letters.taking import told
from tamizdat.desk.outgoing.background import Background

log = logging.getLogger("tamizdat.contributions")
POLL, MINUTE, HOUR = 3.0, 60.0, 3600.0  # seconds


class Task(NamedTuple):
    """``every`` so many seconds, ``do``."""

    name: str
    every: float
    do: Callable[[], object]


TASKS = (
    Task("what givers asked for", 0.0, lambda: wishes.carry_out(timezone.now())),
    Task("refunds", 0.0, lambda: actions.carry_out_refunds(now=timezone.now())),
    Task("reminders", MINUTE, lambda: reminders.send_due(timezone.now())),
    Task("renewals that failed", MINUTE, lambda: late.carry_out(timezone.now())),
    Task("reconciling", MINUTE, lambda: reconcile.due(timezone.now())),
    Task("tidying", HOUR, lambda: reconcile.tidy(timezone.now())),
)


class Rounds(Background):
    """``start``, then ``stop``."""

    what = "contributions"

    def __init__(
        self, folder: Path, *, poll: float = POLL, tasks: tuple[Task, ...] = TASKS
    ) -> None:
        super().__init__()
        self._poll = poll
        self._tasks = tasks
        self._due: dict[str, float] = {}
        # Of these a trouble may stand in the database, also one of a worker before this one.
        self._troubled = {task.name for task in tasks}

    def _look(self) -> float:
        """Do what is due; how many seconds to wait."""
        if not providers.all_settings():
            return MINUTE
        for task in self._tasks:
            if self._stop.is_set():
                break
            if time.monotonic() >= self._due.get(task.name, 0.0):
                pause = task.every if self._done(task) else self.after_trouble
                self._due[task.name] = time.monotonic() + pause
        return self._poll

    def _done(self, task: Task) -> bool:
        try:
            task.do()
            if task.name in self._troubled:
                actions.note_that_it_goes(task=task.name)
                self._troubled.discard(task.name)
        except ConfigError as error:
            self._tell(task, f"{error}")
        except Exception as error:
            # What it says could name a reader.
            self._tell(task, told(error))
        else:
            return True
        return False

    def _tell(self, task: Task, said: str) -> None:
        log.error("contributions: %s: %s; trying again", task.name, said)
        self._troubled.add(task.name)
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        try:
            actions.note_trouble(task=task.name, said=said)
        except DatabaseError as error:
            log.error("contributions: that could not be written down: %s", told(error))
