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

from django.db import connection
from django.utils import timezone

from tamizdat.config import Newsroom
from tamizdat.desk.outgoing import maildir, reports
from tamizdat.desk.outgoing.background import Background
from tamizdat.mail import lmtp

log = logging.getLogger("tamizdat.outgoing")
POLL, AFTER_TROUBLE = 5.0, 60.0
TIDY = timedelta(hours=1)


class Rounds(Background):
    """``start``, then ``stop``."""

    what, after_trouble = "reports", AFTER_TROUBLE

    def __init__(
        self, folder: Path, *, poll: float = POLL, clock: Callable[[], datetime] = timezone.now
    ) -> None:
        super().__init__()
        self._folder, self._poll, self._clock = folder, poll, clock
        self._server: lmtp.Server | None = None
        self._wanted_port = 0
        self._tidied = datetime.min.replace(tzinfo=clock().tzinfo)

    def close(self) -> None:
        self._listen(None)

    def _look(self) -> float:
        """Take in what is there; how many seconds to wait."""
        newsroom = Newsroom(self._folder)
        self._listen(newsroom)
        maildir.empty(newsroom, stopped=self._stop.is_set)
        if self._clock() - self._tidied >= TIDY:
            self._tidied = self._clock()
            reports.tidy()
        return self._poll

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
