# SPDX-License-Identifier: AGPL-3.0-or-later
"""Relays to try a client on: real servers on loopback that do what they are told.

A ``Relay`` keeps to RFC 5321 (a MAIL inside a mail, a DATA without a recipient are refused) unless
one of its methods is replaced, and remembers what it was told and what it took.
"""

from __future__ import annotations

import datetime
import ipaddress
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from tamizdat.mail.smtp import Connection, Outcome, Outgoing, Server, Timeouts

ALL = ("PIPELINING", "8BITMIME", "SMTPUTF8", "SIZE 10000000")
QUICK = Timeouts(
    connect=30, greeting=30, starttls=30, mail=30, rcpt=30, data=30, block=30, final=30, quit=30
)


class HangUp(Exception):  # noqa: N818  # Told to the relay, no error of ours.
    """Said by a rule: close the connection now; ``rudely`` with a reset."""

    def __init__(self, *, rudely: bool = False) -> None:
        super().__init__()
        self.rudely = rudely


class Relay:
    """Serves one connection after the other, in a thread. Rules (``on_…``) get the number of the
    mail, from 0, and answer with a line; ``""`` is no answer at all."""

    greeting = "220 relay.example ready"
    helo_only = False
    extensions: tuple[str, ...] = ALL
    tls: ssl.SSLContext | None = None
    starttls_says = b"220 go on\r\n"

    def __init__(self) -> None:
        self.on_mail: Callable[[int], str] = lambda n: "250 2.1.0 ok"
        self.on_rcpt: Callable[[int], str] = lambda n: "250 2.1.5 ok"
        self.on_data: Callable[[int], str] = lambda n: "354 go on"
        self.on_content: Callable[[int], None] = lambda n: None
        self.on_dot: Callable[[int], str] = lambda n: f"250 2.0.0 queued as {n:04X}"
        self.log = list[str]()
        self.kept = list[tuple[str, str, bytes]]()
        self.early = list[str]()  # Commands that came before the answer to the one before.
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Relay:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def authenticate(self, session: _Session, line: str) -> str:
        return "502 5.5.1 no"

    def _serve(self) -> None:
        while True:
            try:
                connected = self._listening.accept()[0]
            except OSError:  # Closed: the test is over.
                return
            connected.settimeout(20)
            with connected:
                _Session(self, connected).run()


class _Session:
    def __init__(self, relay: Relay, connected: socket.socket) -> None:
        self.relay, self.socket, self.waiting = relay, connected, b""
        self.number = -1
        self.sender: str | None = None
        self.recipient: str | None = None

    def run(self) -> None:
        try:
            self.say(self.relay.greeting)
            while self.command(self.line()):
                pass
        except HangUp as told:
            if told.rudely:
                linger = struct.pack("ii", 1, 0)
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        except OSError:  # The client left, which is what some tests are about.
            pass
        self.socket.close()

    def say(self, text: str) -> None:
        if text:
            self.socket.sendall(text.encode().replace(b"\n", b"\r\n") + b"\r\n")

    def more(self) -> None:
        data = self.socket.recv(65536)
        if not data:
            raise HangUp
        self.waiting += data

    def line(self) -> str:
        while b"\r\n" not in self.waiting:
            self.more()
        line, _, self.waiting = self.waiting.partition(b"\r\n")
        self.relay.log.append(line.decode())
        if self.waiting:
            self.relay.early.append(line.decode())
        return line.decode()

    def content(self) -> bytes:
        self.relay.on_content(self.number)
        self.waiting = b"\r\n" + self.waiting
        while (end := self.waiting.find(b"\r\n.\r\n")) < 0:
            self.more()
        found, self.waiting = self.waiting[2 : end + 2], self.waiting[end + 5 :]
        return found.replace(b"\r\n..", b"\r\n.").removeprefix(b".")

    def command(self, line: str) -> bool:
        word = line.upper().partition(" ")[0]
        method = getattr(self, f"do_{word.lower()}", None)
        self.say(method(line) if method else "500 5.5.2 what")
        return word != "QUIT"

    def do_ehlo(self, line: str) -> str:
        if self.relay.helo_only:
            return "502 5.5.1 no"
        lines = ["relay.example", *self.relay.extensions]
        return "\n".join(
            f"250{' ' if n == len(lines) - 1 else '-'}{each}" for n, each in enumerate(lines)
        )

    def do_helo(self, line: str) -> str:
        return "250 relay.example"

    def do_auth(self, line: str) -> str:
        return self.relay.authenticate(self, line)

    def do_starttls(self, line: str) -> str:
        self.socket.sendall(self.relay.starttls_says)
        if not self.relay.starttls_says.startswith(b"220"):
            return ""
        assert self.relay.tls
        self.waiting = b""
        self.socket = self.relay.tls.wrap_socket(self.socket, server_side=True)
        return ""

    def do_rset(self, line: str) -> str:
        self.sender = self.recipient = None
        return "250 2.0.0 ok"

    def do_noop(self, line: str) -> str:
        return "250 2.0.0 ok"

    def do_quit(self, line: str) -> str:
        return "221 2.0.0 bye"

    def do_mail(self, line: str) -> str:
        if self.sender is not None:
            return "503 5.5.1 a mail is open"
        self.number += 1
        answer = self.relay.on_mail(self.number)
        if answer.startswith("2"):
            self.sender = line
        return answer

    def do_rcpt(self, line: str) -> str:
        if self.sender is None:
            return "503 5.5.1 no mail"
        answer = self.relay.on_rcpt(self.number)
        if answer.startswith("2"):
            self.recipient = line
        return answer

    def do_data(self, line: str) -> str:
        answer = self.relay.on_data(self.number)
        if self.recipient is None and answer == "354 go on":
            return "503 5.5.1 no recipient"
        if not answer.startswith("354"):
            return answer
        self.say(answer)
        data = self.content()
        answer = self.relay.on_dot(self.number)
        if answer.startswith("2") and self.recipient is not None:
            found = re.search("<(.*)>", self.recipient)
            self.relay.kept.append((str(self.sender), found[1] if found else "", data))
        self.sender = self.recipient = None
        return answer


def mails(count: int, data: bytes | None = None) -> list[Outgoing]:
    return [
        Outgoing(
            key=n,
            sender="bounces@news.example",
            recipient=f"reader-{n}@there.example",
            data=data or f"Subject: {n}\r\n\r\nmail {n}\r\n".encode(),
        )
        for n in range(count)
    ]


def connect(relay: Relay, timeouts: Timeouts = QUICK) -> Connection:
    server = Server(host="127.0.0.1", port=relay.port, security="none", helo="news.example")
    return Connection.open(server, timeouts=timeouts)


def send(relay: Relay, batch: Iterable[Outgoing], timeouts: Timeouts = QUICK) -> list[Outcome]:
    with connect(relay, timeouts) as connection:
        return list(connection.send(batch))


def states(outcomes: Iterable[Outcome]) -> str:
    """One letter an outcome, in the order of the mails: s, r, d, u."""
    found = {str(outcome.key): outcome.state[0] for outcome in outcomes}
    return "".join(found[key] for key in sorted(found, key=int))


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, Path]:
    """A self-signed certificate and its key, for a name and 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(name)]
    address = [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))] if name == "localhost" else []
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([*names, *address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    certificate_file.write_bytes(made.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate_file, key_file
