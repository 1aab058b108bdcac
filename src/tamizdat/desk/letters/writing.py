# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers write to the desk becomes a message in the inbox, sealed."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tamizdat.desk.letters import safe
from tamizdat.desk.letters.errors import CrowdedError
from tamizdat.desk.letters.handlers import handler
from tamizdat.desk.letters.letter import Written
from tamizdat.desk.letters.models import Message
from tamizdat.drop.envelope import Submission

MOST_NEW = 20_000


def take_message(submission: Submission, /, *, arrived_hour: datetime) -> None:
    """Put it into the inbox. Raises ``VaultError`` while the vault is shut, and ``CrowdedError``
    while ``MOST_NEW`` lie there unread: later ones wait until somebody has put those away."""
    if Message.objects.filter(state=Message.State.NEW, deleted=None).count() >= MOST_NEW:
        raise CrowdedError(f"{MOST_NEW:,} messages are new: put away what is of no use")
    written = Written(language=submission.language, **submission.fields)
    sealed = safe.seal(safe.LETTER, msgspec.json.encode(written))
    Message.objects.create(sealed=sealed, arrived=arrived_hour)


def register() -> None:
    handler("message")(take_message)
