# SPDX-License-Identifier: AGPL-3.0-or-later
"""Takes in what comes back for as long as the worker runs: the Maildir and the LMTP port.

What always holds: trouble is logged in words without addresses and tried again; of several workers
on a machine one has the port, another takes it over when that one ends; the settings file is read
anew where it changed.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.db import close_old_connections, connection
from django.utils import timezone

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.outgoing import maildir, reports
from tamizdat.mail import lmtp

log = logging.getLogger("tamizdat.outgoing")
POLL, AFTER_TROUBLE = 5.0, 60.0
TIDY = timedelta(hours=1)


class Rounds:
    """``start``, then ``stop``."""

    def __init__(
        self, folder: Path, *, poll: float = POLL, clock: Callable[[], datetime] = timezone.now
    ) -> None:
        self._folder, self._poll, self._clock = folder, poll, clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="returns", daemon=True)
        self._server: lmtp.Server | None = None
        self._wanted_port = 0
        self._tidied = datetime.min.replace(tzinfo=clock().tzinfo)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """End after the mail that is being taken in."""
        self._stop.set()
        self._thread.join(patience)

    def _run(self) -> None:
        while not self._stop.is_set():
            close_old_connections()
            self._stop.wait(self._poll if self._turn() else AFTER_TROUBLE)
        self._listen(None)
        connection.close()

    def _turn(self) -> bool:
        """One look; False where there was trouble."""
        try:
            newsroom = Newsroom(self._folder)
            self._listen(newsroom)
            maildir.empty(newsroom, stopped=self._stop.is_set)
            if self._clock() - self._tidied >= TIDY:
                self._tidied = self._clock()
                reports.tidy()
        except ConfigError as error:
            log.warning("what comes back waits: %s", error)
            return False
        except Exception as error:
            # What it says could name a reader.
            log.error("what comes back waits: %s; trying again", type(error).__name__)
            connection.close()
            return False
        return True

    def _listen(self, newsroom: Newsroom | None) -> None:
        """Have the port that the settings name, and no other."""
        wanted = newsroom.settings.mail.lmtp_port if newsroom else 0
        if self._server is not None and wanted != self._wanted_port:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        if newsroom is None or not wanted or self._server is not None:
            return
        try:
            self._server = lmtp.Server(self._take, wanted)
        except OSError:
            log.info("the LMTP port is taken: another worker has it")
            return
        self._wanted_port = wanted
        serve = threading.Thread(target=self._server.serve_forever, args=(0.2,), daemon=True)
        serve.start()

    def _take(self, data: bytes, recipient: str) -> None:
        """In the thread of a client of the port."""
        try:
            reports.take(Newsroom(self._folder), data, recipient=recipient)
        finally:
            connection.close()
