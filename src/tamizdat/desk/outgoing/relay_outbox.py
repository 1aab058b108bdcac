# SPDX-License-Identifier: AGPL-3.0-or-later
"""A relay that keeps the mails as files in ``run/outbox``: the demo's, where nothing leaves."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from tamizdat.config import Newsroom, RelaySettings
from tamizdat.mail.errors import MailError, RelayError
from tamizdat.mail.smtp import Outcome, Outgoing


def folder_of(newsroom: Newsroom) -> Path:
    """Where the mails lie: one ``.eml`` each, the oldest first by name."""
    return newsroom.run / "outbox"


class Outbox:
    """``send`` writes; a mail is there whole or not at all."""

    usable = True

    def __init__(self, newsroom: Newsroom, relay: RelaySettings) -> None:
        if not newsroom.settings.demo:
            raise RelayError(
                f"The relay “{relay.name}” keeps mails in a folder, which only the demo may: "
                "give it kind = “smtp” and a host.",
                permanent=True,
            )
        self._folder = folder_of(newsroom)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def send(self, batch: Iterable[Outgoing]) -> Iterator[Outcome]:
        for mail in batch:
            yield self._one(mail)

    def _one(self, mail: Outgoing) -> Outcome:
        try:
            self._write(mail.data if isinstance(mail.data, bytes) else mail.data())
        except MailError as error:
            return Outcome(mail.key, "refused", said=str(error), at="content")
        except OSError as error:
            return Outcome(mail.key, "deferred", said=f"not written: {error.strerror}")
        return Outcome(mail.key, "sent", 250, "2.0.0", at="content")

    def _write(self, data: bytes) -> None:
        name = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        partial = self._folder / f".{name}"
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
        partial.rename(self._folder / f"{name}.eml")

    def close(self) -> None:
        """Nothing is kept open."""
