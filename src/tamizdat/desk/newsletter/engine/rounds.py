# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sending in the background: a thread of the desk's worker, for as long as that runs.

What always holds: building waits for none of it; relays and limits that are changed in the settings
file are noticed between two issues; several workers do no harm.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.newsletter.engine.worker import Worker

log = logging.getLogger("tamizdat.newsletter")
LOOK = 2.0


class Rounds:
    """``start``, then ``stop``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._over = threading.Event()
        self._worker: Worker | None = None
        self._thread = threading.Thread(target=self._watch, name="newsletters", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float = 15.0) -> None:
        """End after the mails that are leaving now, at most ``patience`` seconds later."""
        self._over.set()
        worker = self._worker
        if worker is not None:
            worker.stop()
        self._thread.join(patience)

    def _watch(self) -> None:
        while not self._over.is_set():
            try:
                newsroom = Newsroom(self._folder)
            except ConfigError as error:
                log.warning("issues wait: %s", error)
                self._over.wait(60.0)
                continue
            self._worker = Worker(newsroom)
            if not self._over.is_set():
                self._worker.run(until_done=True)
            self._over.wait(LOOK)
