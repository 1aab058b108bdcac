# SPDX-License-Identifier: AGPL-3.0-or-later
"""The worker: one process that builds, keeps the schedule and runs the desk's other tasks.

What always holds:

- What was published is looked for at least every ``POLL`` seconds; looking costs one query.
- Mirrors are pushed to (``mirrors.rounds``), drops collected from (``letters.rounds``), what comes
  back (``outgoing.returning``) and lists of subscribers (``newsletter.transfer.carrying``) taken
  in, payment providers asked (``contributions.rounds``) by threads of their own: building waits
  for none.
- Any number of workers may run; killing one at any moment loses nothing (``queue``, ``schedule``).
- ``stop`` (SIGTERM) ends it after what it is doing, with nothing left claimed.

What is not done here: deciding what is due or how it is built.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection, transaction
from django.utils import timezone
from django_tasks.base import TaskResultStatus
from django_tasks_db.management.commands.db_worker import Worker as TaskRunner
from django_tasks_db.models import DBTaskResult

from tamizdat.desk.audit import anchors
from tamizdat.desk.contributions.rounds import Rounds as Contributions
from tamizdat.desk.letters.rounds import Rounds as Letters
from tamizdat.desk.newsletter import schedule as newsletters
from tamizdat.desk.newsletter.engine.rounds import Rounds as Issues
from tamizdat.desk.newsletter.transfer.carrying import Rounds as Lists
from tamizdat.desk.outgoing.returning import Rounds as Returns
from tamizdat.desk.outgoing.rounds import Rounds as Mails
from tamizdat.desk.publishing import queue, schedule
from tamizdat.desk.publishing.builder import Builder
from tamizdat.desk.publishing.heartbeat import Heart, alive
from tamizdat.desk.readers.chores import Chores
from tamizdat.edition import BusyError, Edition, EditionError
from tamizdat.mirrors.rounds import Rounds

log = logging.getLogger("tamizdat.publishing")
POLL = 0.2
EACH_SECOND = timedelta(seconds=1)
EACH_MINUTE = timedelta(minutes=1)
EACH_HOUR = timedelta(hours=1)


class Worker:
    """Does what waits until it is told to stop. ``clock`` says what is due."""

    def __init__(
        self, edition: Edition, name: str, clock: Callable[[], datetime] = timezone.now
    ) -> None:
        self.name = name
        self.clock = clock
        self.builder = Builder(edition, name, clock)
        self.tasks = Tasks(name)
        self.readers = Chores()
        self._stop = threading.Event()
        self._second = self._minute = self._hour = datetime.min.replace(tzinfo=clock().tzinfo)

    def stop(self) -> None:
        self._stop.set()

    def run(self) -> None:
        """Work until ``stop``; trouble with the database is waited out, not died of."""
        while not self._stop.is_set():
            close_old_connections()
            try:
                busy = self.step()
            except DatabaseError:
                log.exception("the database could not be used; trying again")
                connection.close()
                busy = self._stop.wait(1.0)
            if not busy:
                self._stop.wait(POLL)

    def step(self) -> bool:
        """One round: what is due, then one build, then one task. Whether there was anything."""
        now = self.clock()
        if now - self._second >= EACH_SECOND:
            self._second = now
            queue.reclaim(now)
            schedule.carry_out(now)
            newsletters.carry_out(now)
        if now - self._minute >= EACH_MINUTE:
            self._minute = now
            schedule.regular(now)
            self.tasks.put_back_abandoned()
            self.readers.look(timezone.localdate(now))
        if now - self._hour >= EACH_HOUR:
            self._hour = now if self._resign() else now - EACH_HOUR + EACH_MINUTE
        built = self.builder.run()
        rotating = self.readers.step()
        return self.tasks.run_one() or rotating or built > 0

    def _resign(self) -> bool:
        """Renew signatures that are a day old. False where another builder was at work."""
        try:
            self.builder.edition.resign()
        except BusyError:
            return False
        except EditionError as error:
            log.error("the paper could not be signed: %s", error)
        return True


class Tasks:
    """The desk's other background tasks (django-tasks): renditions, search index."""

    def __init__(self, worker: str) -> None:
        self.worker = worker
        self._runner = TaskRunner(
            queue_names=["*"],
            excluded_queue_names=[],
            interval=POLL,
            batch=True,
            backend_name="default",
            startup_delay=False,
            max_tasks=None,
            worker_id=worker,
        )

    def run_one(self) -> bool:
        """Run one task that is ready. Whether there was one."""
        ready = DBTaskResult.objects.ready().filter(backend_name="default")
        if not ready.exists():
            return False
        with transaction.atomic():
            task = ready.get_locked()
            if task is None:
                return False
            task.claim(self.worker)
        self._runner.run_task(task)
        return True

    def put_back_abandoned(self) -> None:
        """Give the tasks of workers that are gone to others."""
        names = {worker.name for worker in alive()} | {self.worker}
        for task in DBTaskResult.objects.running().filter(backend_name="default")[:100]:
            if not set(task.worker_ids) & names:
                DBTaskResult.objects.filter(pk=task.pk, status=TaskResultStatus.RUNNING).update(
                    status=TaskResultStatus.READY
                )


def run(edition: Edition, on_start: Callable[[Worker], None]) -> None:
    """Be a worker until stopped. ``on_start`` is given the worker, to connect signals to it."""
    with Heart() as heart:
        worker = Worker(edition, heart.name)
        on_start(worker)
        anchors.note(settings.NEWSROOM.run, timezone.now())
        folder = settings.NEWSROOM.folder
        kinds = (Rounds, Letters, Mails, Returns, Issues, Lists, Contributions)
        rounds = [kind(folder) for kind in kinds]
        for each in rounds:
            each.start()
        try:
            worker.run()
        finally:
            for each in reversed(rounds):
                each.stop()
