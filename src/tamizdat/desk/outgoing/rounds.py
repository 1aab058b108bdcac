# SPDX-License-Identifier: AGPL-3.0-or-later
"""Single mails in the background: a thread of its own, for as long as a worker runs.

What always holds: neither a build nor an issue that is being sent keeps a single mail waiting;
trouble is logged in words without addresses and tried again; the settings file is read anew where
mails wait.
"""

from __future__ import annotations

import time
from pathlib import Path

from tamizdat.config import Newsroom
from tamizdat.desk.outgoing import clock
from tamizdat.desk.outgoing.background import Background
from tamizdat.desk.outgoing.models import Mail, State
from tamizdat.desk.outgoing.post import WAITS, Post

POLL, AFTER_TROUBLE, SETTLE = 1.0, 15.0, 20.0  # seconds


class Rounds(Background):
    """``start``, then ``stop``."""

    what, after_trouble = "single mails", AFTER_TROUBLE

    def __init__(self, folder: Path, *, poll: float = POLL) -> None:
        super().__init__()
        self._folder, self._poll = folder, poll
        self._post: Post | None = None
        self._settle_at = 0.0

    def close(self) -> None:
        """Hang up on relays."""
        if self._post is not None:
            self._post.close()

    def _look(self) -> float:
        """Send what is due; how many seconds to wait."""
        self._look_after()
        if Mail.objects.filter(state__in=WAITS, not_before__lte=clock.now()).exists():
            return 0.0 if self._ready().run() else self._poll
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
