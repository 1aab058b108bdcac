# SPDX-License-Identifier: AGPL-3.0-or-later
"""From a connection to a session in which mails can be sent: greeting, TLS, log in.

What always holds: where TLS is asked for nothing is said about us before it but EHLO, and there is
no going on without; what the relay said before TLS does not count after it. A password goes over
TLS only, or to a relay on this machine.
"""

from __future__ import annotations

import base64
import contextlib
import ssl

import msgspec

from tamizdat.mail.addresses import ascii_domain
from tamizdat.mail.errors import BrokenError, MessageError, RelayError
from tamizdat.mail.replies import Reply, said
from tamizdat.mail.smtp.outgoing import Server, Timeouts
from tamizdat.mail.smtp.wire import Wire

_PORTS = {"none": 25, "starttls": 587, "tls": 465}


class Features(msgspec.Struct, frozen=True, kw_only=True):
    """What a relay knows how to do. ``size`` in bytes, 0 where it says nothing."""

    pipelining: bool = False
    eight_bit: bool = False
    utf8: bool = False
    starttls: bool = False
    announces_size: bool = False
    size: int = 0
    auth: frozenset[str] = frozenset()

    @classmethod
    def read(cls, reply: Reply) -> Features:
        """From the answer to EHLO."""
        lines = reply.text.decode("ascii", "replace").upper().replace("AUTH=", "AUTH ")
        words = [line.split() for line in lines.split("\n")[1:]]
        named = {line[0]: line[1:] for line in words if line}
        size = named.get("SIZE", [])
        auth = {way for line in words if line and line[0] == "AUTH" for way in line[1:]}
        return cls(
            pipelining="PIPELINING" in named,
            eight_bit="8BITMIME" in named,
            utf8="SMTPUTF8" in named,
            starttls="STARTTLS" in named,
            announces_size="SIZE" in named,
            size=int(size[0]) if size and size[0].isdecimal() and len(size[0]) < 20 else 0,
            auth=frozenset(auth),
        )


def begin(
    server: Server, timeouts: Timeouts, context: ssl.SSLContext | None
) -> tuple[Wire, Features]:
    """Raises ``RelayError``."""
    wire = Wire.connect(server.host, server.port or _PORTS[server.security], timeouts.connect)
    try:
        return wire, _Beginning(server, timeouts, context, wire).run()
    except BaseException:
        wire.close()
        raise


class _Beginning:
    def __init__(
        self, server: Server, timeouts: Timeouts, context: ssl.SSLContext | None, wire: Wire
    ) -> None:
        self._server, self._timeouts, self._wire = server, timeouts, wire
        self._context = context

    def run(self) -> Features:
        if self._server.security == "tls":
            self._secure()
        greeting = self._wire.read(self._timeouts.greeting)
        self._expect(greeting, 220, "does not want us")
        features = self._greet()
        if self._server.security == "starttls":
            features = self._start_tls(features)
        if self._server.user:
            self._log_in(features)
        return features

    def _secure(self) -> None:
        context = self._context or ssl.create_default_context()
        self._wire.secure(context, self._server.host, self._timeouts.starttls)

    def _ask(self, command: str | bytes, timeout: float) -> Reply:
        line = command.encode("ascii") if isinstance(command, str) else command
        self._wire.write(line + b"\r\n", timeout)
        return self._wire.read(timeout)

    def _expect(self, reply: Reply, code: int, problem: str) -> None:
        if reply.code != code:
            words = f"{reply.code} {said(reply, self._server.user, self._server.password)}"
            raise RelayError(
                f"The relay {self._server.host} {problem}: {words}", permanent=reply.code >= 500
            )

    def _greet(self) -> Features:
        try:
            helo = ascii_domain(self._server.helo).encode()
        except MessageError as error:
            raise RelayError("helo must be a name of ours, as in DNS.", permanent=True) from error
        reply = self._ask(b"EHLO " + helo, self._timeouts.greeting)
        if reply.code == 250:
            return Features.read(reply)
        if reply.code < 500:
            self._expect(reply, 250, "does not want us now")
        self._expect(self._ask(b"HELO " + helo, self._timeouts.greeting), 250, "does not want us")
        return Features()

    def _start_tls(self, features: Features) -> Features:
        if not features.starttls:
            raise RelayError(
                f"The relay {self._server.host} knows no STARTTLS, and without it nothing is sent. "
                'Ask its operator, or set security = "tls" where it has a port for that.',
                permanent=True,
            )
        reply = self._ask("STARTTLS", self._timeouts.starttls)
        self._expect(reply, 220, "does not begin TLS")
        self._secure()
        return self._greet()

    def _log_in(self, features: Features) -> None:
        if not self._wire.encrypted and not self._wire.is_local:
            raise RelayError(
                "A password is sent to a relay under TLS only: set security to starttls or tls.",
                permanent=True,
            )
        user, password = self._server.user.encode(), self._server.password.encode()
        if "PLAIN" in features.auth:
            secret = base64.b64encode(b"\0%s\0%s" % (user, password))
            reply = self._ask(b"AUTH PLAIN " + secret, self._timeouts.mail)
        elif "LOGIN" in features.auth:
            reply = self._ask("AUTH LOGIN", self._timeouts.mail)
            for secret in (user, password):
                if reply.code == 334:
                    reply = self._ask(base64.b64encode(secret), self._timeouts.mail)
        else:
            raise RelayError(
                f"The relay {self._server.host} offers no way to log in that we know "
                "(PLAIN, LOGIN). Leave credentials out if it wants none.",
                permanent=True,
            )
        self._expect(reply, 235, "refuses our name or password")


def take_leave(wire: Wire, timeouts: Timeouts) -> None:
    """QUIT and close. All mails have their answers by then: what fails here matters to nobody."""
    if not wire.broken:
        with contextlib.suppress(BrokenError):
            wire.write(b"QUIT\r\n", timeouts.quit)
            wire.read(timeouts.quit)
    wire.close()
