# SPDX-License-Identifier: AGPL-3.0-or-later
"""Relays that are mail servers."""

from __future__ import annotations

from tamizdat.config import Newsroom, RelaySettings
from tamizdat.mail.errors import RelayError
from tamizdat.mail.smtp import Connection, Server


def connect(newsroom: Newsroom, relay: RelaySettings) -> Connection:
    """A session with this server. Raises ``RelayError``."""
    user, password = credentials(newsroom, relay)
    return Connection.open(
        Server(
            host=relay.host,
            port=relay.port,
            security=relay.security,
            user=user,
            password=password,
            helo=_helo(newsroom),
        )
    )


def credentials(newsroom: Newsroom, relay: RelaySettings) -> tuple[str, str]:
    """User and password, both empty where the relay asks for none. Raises ``RelayError``."""
    if not relay.credentials:
        return "", ""
    path = newsroom.secrets / relay.credentials
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise RelayError(
            f"The file {path} with the name and password for the relay “{relay.name}” cannot be "
            f"read: {error.strerror}.",
            permanent=True,
        ) from error
    if len(lines) < 2:
        raise RelayError(
            f"The file {path} needs two lines: the name and the password for the relay.",
            permanent=True,
        )
    return lines[0].strip(), lines[1].strip()


def _helo(newsroom: Newsroom) -> str:
    """The name by which we greet: our domain for mail, never this machine's name."""
    mail = newsroom.settings.mail
    return mail.bounces or mail.sender.rpartition("@")[2] or "localhost"
