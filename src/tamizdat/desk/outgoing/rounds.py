# SPDX-License-Identifier: AGPL-3.0-or-later
"""Single mails in the background: a thread of its own, for as long as a worker runs.

What always holds: neither a build nor an issue that is being sent keeps a single mail waiting;
trouble is logged in words without addresses and tried again; the settings file is read anew where
mails wait.
"""

from __future__ import annotations

import logging
import threading
import time
import traceback
from pathlib import Path

from django.db import close_old_connections, connection

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.outgoing import clock
from tamizdat.desk.outgoing.models import Mail, State
from tamizdat.desk.outgoing.post import WAITS, Post

log = logging.getLogger("tamizdat.outgoing")
POLL, AFTER_TROUBLE, SETTLE = 1.0, 15.0, 20.0  # seconds


class Rounds:
    """``start``, then ``stop``."""

    def __init__(self, folder: Path, *, poll: float = POLL) -> None:
        self._folder, self._poll = folder, poll
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="single-mails", daemon=True)
        self._post: Post | None = None
        self._settle_at = 0.0

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """End after the mail that is being sent, at most ``patience`` seconds later."""
        self._stop.set()
        self._thread.join(patience)

    def _run(self) -> None:
        while not self._stop.is_set():
            close_old_connections()
            self._stop.wait(self.turn())
        self.close()
        connection.close()

    def close(self) -> None:
        """Hang up on relays."""
        if self._post is not None:
            self._post.close()

    def turn(self) -> float:
        """Send what is due; how many seconds to wait."""
        try:
            self._look_after()
            if Mail.objects.filter(state__in=WAITS, not_before__lte=clock.now()).exists():
                return 0.0 if self._ready().run() else self._poll
        except ConfigError as error:
            log.warning("single mails wait: %s", error)
            return AFTER_TROUBLE
        except Exception as error:
            # What it says could name a reader.
            frame = traceback.extract_tb(error.__traceback__)[-1]
            log.error(
                "single mails: %s in %s, line %s; trying again",
                type(error).__name__,
                Path(frame.filename).name,
                frame.lineno,
            )
            connection.close()
            return AFTER_TROUBLE
        return self._poll

    def _look_after(self) -> None:
        """Settle what dead workers left, every now and then."""
        if time.monotonic() >= self._settle_at:
            self._settle_at = time.monotonic() + SETTLE
            if Mail.objects.filter(state__in=(State.SENDING, State.UNKNOWN)).exists():
                self._ready().settle_left()

    def _ready(self) -> Post:
        """Our post, with the settings as they are now."""
        newsroom = Newsroom(self._folder)
        if self._post is None:
            self._post = Post(newsroom)
        self._post.newsroom = newsroom
        return self._post
