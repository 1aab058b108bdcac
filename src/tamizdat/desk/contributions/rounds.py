# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the worker does for contributions, in a thread of its own.

What always holds: what givers asked for and people approved is looked for every ``POLL`` seconds;
each minute who is to be reminded, and whose renewal failed; each day every provider
(``reconcile``). A slow provider keeps nothing else of the worker waiting. Trouble is told without
naming anybody, and tried again.
"""

from __future__ import annotations

import time
from pathlib import Path

from django.utils import timezone

from tamizdat.desk.contributions import actions, providers, reconcile, reminders
from tamizdat.desk.contributions.givers import late, wishes
from tamizdat.desk.outgoing.background import Background

POLL, MINUTE, HOUR = 3.0, 60.0, 3600.0  # seconds


class Rounds(Background):
    """``start``, then ``stop``."""

    what = "contributions"

    def __init__(self, folder: Path, *, poll: float = POLL) -> None:
        super().__init__()
        self._poll = poll
        self._minute = self._hour = 0.0

    def _look(self) -> float:
        """Do what is due; how many seconds to wait."""
        if not providers.all_settings():
            return MINUTE
        now, clock = timezone.now(), time.monotonic()
        wishes.carry_out(now)
        actions.carry_out_refunds(now=now)
        if clock - self._minute >= MINUTE:
            self._minute = clock
            reminders.send_due(now)
            late.carry_out(now)
            reconcile.due(now)
        if clock - self._hour >= HOUR:
            self._hour = clock
            reconcile.tidy(now)
        return self._poll
