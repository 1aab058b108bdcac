# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers write to the desk becomes a message in the inbox, sealed."""

from __future__ import annotations

from datetime import datetime

import msgspec

from tamizdat.desk.letters import safe
from tamizdat.desk.letters.handlers import handler
from tamizdat.desk.letters.letter import Written
from tamizdat.desk.letters.models import Message
from tamizdat.drop.envelope import Submission


def take_message(submission: Submission, /, *, arrived_hour: datetime) -> None:
    """Put it into the inbox. Raises ``VaultError`` while the vault is shut."""
    written = Written(language=submission.language, **submission.fields)
    sealed = safe.seal(safe.LETTER, msgspec.json.encode(written))
    Message.objects.create(sealed=sealed, arrived=arrived_hour)


def register() -> None:
    handler("message")(take_message)
