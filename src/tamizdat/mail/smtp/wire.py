# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bytes to a relay and replies from it.

What always holds: every wait ends; after a ``BrokenError`` it is known how much was written
(``written``: all bytes that may have left); what was read before TLS began is forgotten.
"""

from __future__ import annotations

import select
import socket
import ssl
import time

from tamizdat.mail.errors import BrokenError, RelayError
from tamizdat.mail.replies import Replies, Reply

_BLOCK = 65_536
_READ = 16_384
_AT_ONCE: int = getattr(socket, "TCP_QUICKACK", 0)  # Linux has it.
LAST_WORDS = 1.0  # seconds to read what a relay said before it hung up


class Wire:
    """A blocking socket, in clear or under TLS."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connected
        self._replies = Replies()
        self._wait = connected.gettimeout()
        self.broken = False
        self.written = 0  # Of what was written last.

    @classmethod
    def connect(cls, host: str, port: int, timeout: float) -> Wire:
        """Raises ``RelayError``."""
        try:
            return cls(socket.create_connection((host, port), timeout))
        except (OSError, UnicodeError) as error:
            why = "does not answer in time" if isinstance(error, TimeoutError) else str(error)
            raise RelayError(f"The relay {host}:{port} cannot be reached: {why}") from error

    def secure(self, context: ssl.SSLContext, host: str, timeout: float) -> None:
        """Begin TLS. What was read in clear and not yet used is forgotten: somebody on the way may
        have put it there (CVE-2011-0411). Raises ``RelayError``."""
        self._replies = Replies()
        self._patience(timeout)
        try:
            self._socket = context.wrap_socket(self._socket, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            self._end()
            raise RelayError(
                f"The relay {host} shows a certificate that is not its own: {error.verify_message}",
                permanent=True,
            ) from error
        except (OSError, ValueError) as error:
            self._end()
            raise RelayError(f"No TLS with the relay {host}: {error}") from error

    @property
    def encrypted(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket)

    @property
    def is_local(self) -> bool:
        """Whether the relay is on this machine."""
        return str(self._socket.getpeername()[0]) in ("127.0.0.1", "::1")

    def write(self, data: bytes, timeout: float) -> None:
        """All of it, with so many seconds for each 64 KiB. Raises ``BrokenError``."""
        self.written = 0
        self._patience(timeout)
        try:
            if len(data) <= _BLOCK:
                self.written = self._socket.send(data)
            view = memoryview(data)
            while self.written < len(data):
                self.written += self._socket.send(view[self.written : self.written + _BLOCK])
        except OSError as error:
            self.broken = True
            raise BrokenError(_why(error)) from error

    def read(self, timeout: float) -> Reply:
        """The next reply. Raises ``BrokenError``."""
        reply = self._replies.next()
        if reply:
            return reply
        try:
            return self._receive(min(timeout, LAST_WORDS) if self.broken else timeout)
        except BrokenError:
            self.broken = True
            raise
        except OSError as error:
            self.broken = True
            raise BrokenError(_why(error)) from error

    def _receive(self, timeout: float) -> Reply:
        self._patience(timeout)
        due = time.monotonic() + timeout
        while True:
            if _AT_ONCE:
                # A relay that writes each answer by itself may hold back the next until we have
                # acknowledged the last, which the system puts off by 40 ms otherwise.
                self._socket.setsockopt(socket.IPPROTO_TCP, _AT_ONCE, 1)
            data = self._socket.recv(_READ)
            if not data:
                raise BrokenError("The relay closed the connection.")
            self._replies.feed(data)
            reply = self._replies.next()
            if reply:
                return reply
            if time.monotonic() > due:
                raise BrokenError("The relay did not answer in time.")

    @property
    def is_drained(self) -> bool:
        """Whether every byte that came was part of an answer."""
        return self._replies.is_empty

    def is_quiet(self) -> bool:
        """Whether nothing has come unasked: neither words nor the end."""
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not self.broken and not poll.poll(0)

    def close(self) -> None:
        self._end()

    def _end(self) -> None:
        self.broken = True
        self._socket.close()

    def _patience(self, timeout: float) -> None:
        if timeout != self._wait:
            self._wait = timeout
            self._socket.settimeout(timeout)


def _why(error: OSError) -> str:
    if isinstance(error, TimeoutError):
        return "The relay did not answer in time."
    if isinstance(error, ConnectionError):
        return "The relay closed the connection."
    return f"The connection to the relay broke: {error.strerror or type(error).__name__}"
