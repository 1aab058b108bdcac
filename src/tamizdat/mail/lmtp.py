# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small LMTP server (RFC 2033) through which a mail server hands in what came back.

What always holds:

- It listens on this machine alone, to ``AT_ONCE`` clients, each for ``PATIENCE`` seconds of
  silence and ``LONGEST`` in all; a line has at most ``LINE`` bytes, of a mail ``MOST`` are kept and
  ``MOST_SENT`` taken.
- 250 is said after ``take`` returned; where it raised, 451, and the mail server tries again later.

What is not done here: what follows from a mail (``take``). No mail is answered or passed on.
"""

from __future__ import annotations

import logging
import socketserver
import threading
import time
from collections.abc import Callable
from typing import BinaryIO, cast

from tamizdat.mail.reports import MOST

log = logging.getLogger("tamizdat.mail")
HOST = "127.0.0.1"
AT_ONCE = 20
PATIENCE, LONGEST = 60.0, 600.0
LINE, MOST_SENT = 2_048, 50_000_000
RECIPIENTS = 100


class Server(socketserver.ThreadingTCPServer):
    """``serve_forever`` in a thread of its own, then ``shutdown``. ``take`` gets each mail and its
    recipient, in the thread of that client. Raises ``OSError`` where the port is taken."""

    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, take: Callable[[bytes, str], object], port: int) -> None:
        self.take = take
        self.places = threading.BoundedSemaphore(AT_ONCE)
        super().__init__((HOST, port), Session)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def handle_error(self, request: object, client_address: object) -> None:
        """Who hangs up is no news; nothing of what was said is logged."""
        log.info("a client of the LMTP port left in the middle")


class _End(Exception):  # noqa: N818 - it ends a session, nothing is wrong.
    """The session is over."""


class Session(socketserver.StreamRequestHandler):
    """One client."""

    timeout = PATIENCE
    server: Server

    def handle(self) -> None:
        if not self.server.places.acquire(blocking=False):
            self._say("421 4.3.2 too many at once, come back later")
            return
        try:
            self._talk()
        except (OSError, _End):
            return  # It hung up, fell silent or said goodbye.
        finally:
            self.server.places.release()

    def _talk(self) -> None:
        self._until = time.monotonic() + LONGEST
        self._greeted = self._begun = False
        self._recipients: list[str] = []
        self._say("220 localhost LMTP, for what comes back")
        while True:
            line = self._line()
            verb, _, rest = line.partition(" ")
            answer = getattr(self, f"_do_{verb.lower()}", None) if verb.isalpha() else None
            if answer is None:
                self._say("500 5.5.1 not understood")
            else:
                answer(rest)

    def _line(self) -> str:
        """A line without its end. Ends the session where it is too long or late."""
        raw = self.rfile.readline(LINE)
        if not raw or time.monotonic() > self._until:
            raise _End
        if not raw.endswith(b"\n"):
            self._say("500 5.5.2 that line is too long")
            raise _End
        return raw.rstrip(b"\r\n").decode("utf-8", "replace")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    def _do_lhlo(self, rest: str) -> None:
        self._greeted = True
        self._reset()
        offered = ("PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME", "SMTPUTF8")
        self._say("250-localhost", *(f"250-{o}" for o in offered), f"250 SIZE {MOST_SENT}")

    def _do_mail(self, rest: str) -> None:
        if not self._greeted or not rest.upper().startswith("FROM:"):
            self._say("503 5.5.1 LHLO first, then MAIL FROM:<…>")
            return
        self._reset()
        self._begun = True
        self._say("250 2.1.0 go on")

    def _do_rcpt(self, rest: str) -> None:
        if not self._begun or not rest.upper().startswith("TO:"):
            self._say("503 5.5.1 MAIL first, then RCPT TO:<…>")
        elif len(self._recipients) >= RECIPIENTS:
            self._say("452 4.5.3 too many recipients")
        else:
            self._recipients.append(rest[3:].strip().partition(">")[0].lstrip("<"))
            self._say("250 2.1.5 go on")

    def _do_data(self, rest: str) -> None:
        if not self._recipients:
            self._say("503 5.5.1 RCPT first")
            return
        self._say("354 end with a dot")
        data = _message(cast("BinaryIO", self.rfile), self._until)
        for recipient in self._recipients:
            self._say(self._taken(data, recipient))
        self._reset()

    def _taken(self, data: bytes, recipient: str) -> str:
        try:
            self.server.take(data, recipient)
        except Exception as error:
            # What it says could name a reader; the mail server keeps the mail and tries again.
            log.error("a report could not be taken in: %s", type(error).__name__)
            return "451 4.3.0 not now, try again"
        return "250 2.0.0 taken"

    def _do_rset(self, rest: str) -> None:
        self._reset()
        self._say("250 2.0.0 forgotten")

    def _do_noop(self, rest: str) -> None:
        self._say("250 2.0.0 here")

    def _do_vrfy(self, rest: str) -> None:
        self._say("252 2.1.5 send it and see")

    def _do_quit(self, rest: str) -> None:
        self._say("221 2.0.0 goodbye")
        raise _End

    def _reset(self) -> None:
        self._begun, self._recipients = False, []


def _message(stream: BinaryIO, until: float) -> bytes:
    """What comes up to the final dot, its beginning only. Ends the session where it does not."""
    kept, sent, start = bytearray(), 0, True
    while True:
        line = stream.readline(LINE)
        sent += len(line)
        if not line or sent > MOST_SENT or time.monotonic() > until:
            raise _End
        if start and line in (b".\r\n", b".\n"):
            return bytes(kept)
        if len(kept) < MOST:
            kept += line[1:] if start and line.startswith(b".") else line
        start = line.endswith(b"\n")
