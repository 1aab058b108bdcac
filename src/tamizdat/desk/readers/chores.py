# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the worker does for readers' data: retention once a day, a rotation that is under way.

What always holds: trouble here is logged and keeps nothing else from being done; a rotation gets
``SLICE`` seconds at a time, so that a build never waits longer for it.
"""

from __future__ import annotations

import datetime
import logging

from django.conf import settings

from tamizdat.desk.readers import actions, retention, rotation
from tamizdat.desk.readers.errors import VaultError
from tamizdat.desk.readers.vault import Vault

log = logging.getLogger("tamizdat.readers")
SLICE = 0.5  # seconds


class Chores:
    """One in each worker."""

    def __init__(self) -> None:
        self.vault = Vault(settings.NEWSROOM)
        self._daily = retention.Daily()
        self._rotating = False

    def look(self, today: datetime.date) -> None:
        """To be called each minute: do the day's retention, see whether keys are being changed."""
        self._daily.look(today)
        if not actions.was_begun():
            return
        try:
            self._rotating = rotation.under_way(self.vault)
        except VaultError:  # Shut: `vault status` says why, and nothing can be rotated.
            self._rotating = False

    def step(self) -> bool:
        """Go on with a rotation for a moment. Whether there is more to do."""
        if not self._rotating:
            return False
        try:
            self._rotating = rotation.advance(self.vault, SLICE)
        except VaultError as error:
            log.error("the vault's key could not be changed: %s", error)
            self._rotating = False
        return self._rotating
