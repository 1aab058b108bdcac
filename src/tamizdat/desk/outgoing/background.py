# SPDX-License-Identifier: AGPL-3.0-or-later
"""A thread that looks again and again, for as long as a worker runs.

What always holds: trouble is logged in words without addresses and tried again; the connection to
the database is given up after it, and at the end.
"""

from __future__ import annotations

import logging
import threading
import traceback
from pathlib import Path

from django.db import close_old_connections, connection

from tamizdat.config import ConfigError

log = logging.getLogger("tamizdat.outgoing")


class Background:
    """``start``, then ``stop``. ``what`` names the work in the log; ``after_trouble``: seconds."""

    what = ""
    after_trouble = 60.0

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.what, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """End after the mail at hand, at most ``patience`` seconds later."""
        self._stop.set()
        self._thread.join(patience)

    def turn(self) -> float:
        """One look, and how many seconds to wait; trouble is told, not raised."""
        try:
            return self._look()
        except ConfigError as error:
            log.warning("%s wait: %s", self.what, error)
        except Exception as error:
            # What it says could name a reader.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            log.error(
                "%s: %s in %s, line %s; trying again",
                self.what,
                type(error).__name__,
                Path(frame.filename).name,
                frame.lineno,
            )
            connection.close()
        return self.after_trouble

    def close(self) -> None:
        """Let go of what is held, at the end."""

    def _look(self) -> float:
        raise NotImplementedError

    def _run(self) -> None:
        while not self._stop.is_set():
            close_old_connections()
            self._stop.wait(self.turn())
        self.close()
        connection.close()
