# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is handed to a relay, and what became of it.

What always holds: an ``Outcome`` names no address; ``sent`` means that the relay answered the final
dot with 2xx, ``unknown`` that the dot was written and no answer to it was read. Everything else is
certain: the relay did not take the mail.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Literal

import msgspec

State = Literal["sent", "refused", "deferred", "unknown"]
# Who or what the answer is about. "relay": the connection or the relay itself, the mail was
# not judged; "sender": MAIL; "recipient": RCPT; "content": DATA and what follows.
At = Literal["relay", "sender", "recipient", "content"]


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """A relay as SMTP sees it. ``port`` 0 is the usual one: 25, 587 (starttls) or 465 (tls).
    ``helo`` is the name by which we greet, a domain of ours: it ends up in what readers get."""

    host: str
    port: int = 0
    security: Literal["none", "starttls", "tls"] = "starttls"
    user: str = ""
    password: str = ""
    helo: str = "localhost"


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds to wait for each answer; the defaults are those of RFC 5321, 4.5.3.2. ``block`` is
    for writing 64 KiB, ``final`` for the answer to the final dot."""

    connect: float = 30.0
    greeting: float = 300.0
    starttls: float = 120.0
    mail: float = 300.0
    rcpt: float = 300.0
    data: float = 120.0
    block: float = 180.0
    final: float = 600.0
    quit: float = 5.0


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """One mail to one recipient. ``key`` is the caller's own and comes back in the outcome.

    ``sender`` is the envelope's (bounces come there), empty for none at all. ``data`` is the whole
    message with CRLF ends of lines, without dot-stuffing, or a function that makes it: it is called
    when the mail's turn comes, while the answer to the one before is on its way."""

    key: Hashable
    sender: str
    recipient: str
    data: bytes | Callable[[], bytes]


class Outcome(msgspec.Struct, frozen=True):
    """What became of one mail. ``code`` is the relay's three digits, 0 where it answered nothing
    (or was not asked); ``enhanced`` is as ``5.1.1`` or empty; ``said`` its words, in at most 300
    characters, addresses and their parts cut out."""

    key: Hashable
    state: State
    code: int = 0
    enhanced: str = ""
    said: str = ""
    at: At = "relay"

    @property
    def codes(self) -> str:
        """Both codes as one string of at most 20 characters: ``550 5.1.1``."""
        return f"{self.code or ''} {self.enhanced}".strip()
