# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program: a relay that remembers. Each mail that it accepts it writes down (Message-ID,
recipient) before it says so.

``sink.py FILE PORT [BEHAVIOUR]`` prints its port, then takes mails. Behaviours: ``good``;
``busy N``: 421 at the Nth mail of a connection; ``before N`` / ``after N``: hangs up at the Nth
final dot without or after accepting it; ``slow MS``: that long before each answer to a dot;
``choosy``: refuses every recipient with ``refused`` in the name (550 5.1.1), puts off those with
``later`` (451); ``full``: 452 for all; ``postfix LOG``: good, and writes a log as Postfix does.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
import time
from pathlib import Path

_ID = re.compile(rb"^Message-ID: <([^@>]+)@", re.IGNORECASE | re.MULTILINE)


class HangupError(Exception):
    """The connection ends here."""


class Session(threading.Thread):
    def __init__(self, sink: Sink, connection: socket.socket) -> None:
        super().__init__(daemon=True)
        self.sink, self.connection = sink, connection
        self.file = connection.makefile("rb")
        self.count = 0
        self.recipients: list[bytes] = []

    def run(self) -> None:
        try:
            self.say("220 sink ESMTP")
            while line := self.file.readline():
                self.command(line.strip())
        except (OSError, HangupError):
            pass
        finally:
            # Nothing that was said is lost by closing, as a reset would.
            self.file.close()
            self.connection.close()

    def say(self, words: str) -> None:
        self.connection.sendall(words.encode() + b"\r\n")

    def command(self, line: bytes) -> None:
        verb = line[:4].upper()
        if verb == b"EHLO":
            known = ("sink", "PIPELINING", "8BITMIME", "ENHANCEDSTATUSCODES")
            self.say("\r\n".join([*(f"250-{word}" for word in known), "250 SMTPUTF8"]))
        elif verb == b"MAIL":
            self.recipients = []
            self.say("250 2.1.0 Ok")
        elif verb == b"RCPT":
            self.recipient(line)
        elif verb == b"DATA":
            if self.recipients:
                self.say("354 go on")
                self.message()
            else:
                self.say("554 5.5.1 no valid recipients")
        elif verb == b"QUIT":
            self.say("221 2.0.0 bye")
            raise HangupError
        else:
            self.say("250 2.0.0 Ok")

    def recipient(self, line: bytes) -> None:
        address = line[line.index(b"<") + 1 : line.rindex(b">")]
        if self.sink.kind == "choosy" and b"refused" in address:
            self.say(f"550 5.1.1 <{address.decode()}>: no such user")
        elif self.sink.kind == "choosy" and b"later" in address:
            self.say("451 4.7.1 later, please")
        elif self.sink.kind == "full":
            self.say("452 4.3.1 no room")
        else:
            self.recipients.append(address)
            self.say("250 2.1.5 Ok")

    def message(self) -> None:
        lines = []
        while (line := self.file.readline()) != b".\r\n":
            if not line:
                raise HangupError
            lines.append(line)
        self.count += 1
        last = self.sink.number and self.count % self.sink.number == 0
        if self.sink.kind == "before" and last:
            raise HangupError
        if self.sink.kind == "busy" and last:
            self.say("421 4.3.2 come back later")
            raise HangupError
        if self.sink.kind == "slow":
            time.sleep(self.sink.number / 1000)
        self.sink.accept(b"".join(lines), self.recipients[0])
        if self.sink.kind == "after" and last:
            raise HangupError
        self.say("250 2.0.0 Ok: queued")


class Sink:
    def __init__(self, file: Path, kind: str = "good", argument: str = "0") -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self.file = os.open(file, flags, 0o600)
        self.kind = kind
        self.log = Path(argument) if kind == "postfix" else None
        self.number = 0 if self.log else int(argument)
        self.lock = threading.Lock()
        self.accepted = 0

    def accept(self, data: bytes, recipient: bytes) -> None:
        found = _ID.search(data)
        assert found, data[:500]
        os.write(self.file, b"%s %s %.3f\n" % (found[1], recipient, time.time()))
        if self.log:
            with self.lock, self.log.open("ab") as log:
                self.accepted += 1
                number = b"%X" % (0xABC00 + self.accepted)
                log.write(
                    b"Nov 23 00:00:00 mx postfix/cleanup[71]: %s: message-id=<%s@x>\n"
                    b"Nov 23 00:00:00 mx postfix/qmgr[12]: %s: from=<a@b>, size=9, nrcpt=1 "
                    b"(queue active)\n" % (number, found[1], number)
                )

    def serve(self, port: int) -> None:
        server = socket.create_server(("127.0.0.1", port), backlog=50)
        print(server.getsockname()[1], flush=True)  # noqa: T201 - a program
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            Session(self, connection).start()


if __name__ == "__main__":
    Sink(Path(sys.argv[1]), *sys.argv[3:]).serve(int(sys.argv[2]))
