# SPDX-License-Identifier: AGPL-3.0-or-later
"""A worker says that it lives, and keeps the lease of what it builds.

What always holds: while ``Heart`` beats, from a thread with a database connection of its own, the
worker's claims do not end, however long a build takes; when the process dies, they do.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
from datetime import timedelta
from types import TracebackType

from django.db import DatabaseError, connection
from django.utils import timezone

from tamizdat.desk.publishing import queue
from tamizdat.desk.publishing.models import WorkerHeartbeat

log = logging.getLogger("tamizdat.publishing")
BEAT = 5.0
ALIVE = timedelta(seconds=20)


def alive() -> list[WorkerHeartbeat]:
    """The workers that gave a sign of life lately and whose process is not known to be gone."""
    recent = WorkerHeartbeat.objects.filter(beat__gt=timezone.now() - ALIVE).order_by("started")
    here = socket.gethostname()
    return [w for w in recent if w.host != here or queue.process_lives(w.pid)]


class Heart:
    """``with Heart() as heart:`` a worker named ``heart.name`` lives."""

    def __init__(self) -> None:
        host = socket.gethostname()
        self.name = f"{host[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beats, name="heartbeat", daemon=True)

    def __enter__(self) -> Heart:
        WorkerHeartbeat.objects.create(
            name=self.name, host=socket.gethostname(), pid=os.getpid(), beat=timezone.now()
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()
        WorkerHeartbeat.objects.filter(name=self.name).delete()

    def _beats(self) -> None:
        try:
            while not self._stop.wait(BEAT):
                self._beat()
        finally:
            connection.close()

    def _beat(self) -> None:
        now = timezone.now()
        try:
            WorkerHeartbeat.objects.filter(name=self.name).update(beat=now)
            queue.extend(self.name, now)
        except DatabaseError:
            log.warning("the worker could not say that it lives", exc_info=True)
            connection.close()
