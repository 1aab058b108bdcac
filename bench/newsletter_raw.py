# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mails a second to Postfix's smtp-sink on loopback: our client, and smtplib with ready bodies.

What always holds: one process sends, over one connection, to one sink that throws away; the mail
is multipart, 19 kB, one recipient each. Ours makes every mail (address, tokens, Message-ID) in the
time that is measured; the peer (smtplib, its connection kept) is given each body ready made, by
the same template before the clock starts. Contenders run in turn, another one first each round.

The ratio to smtplib and the mails a second of the sender's own CPU change little on a busy
machine. What is not done here: the ledger (``bench.newsletter``).
"""

from __future__ import annotations

import contextlib
import shutil
import smtplib
import socket
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

from bench import measure
from tamizdat.mail.content import PREFERENCES, UNSUBSCRIBE, Laid
from tamizdat.mail.dkim import Key, Signer
from tamizdat.mail.errors import RelayError
from tamizdat.mail.message import Template
from tamizdat.mail.smtp import Connection, Outgoing, Server
from tamizdat.mail.verp import verp

SIZE = 19_000
KINDS = ("ours", "ours, DKIM RSA-2048", "ours, DKIM Ed25519", "smtplib", "smtplib, signed before")
LIMITS = {"ours": 5_500, "ours, DKIM RSA-2048": 2_500}
TIMES_SMTPLIB = 2.0
WORDS = "The lamp in Harbour Street is out again, and nobody comes to mend it this week.\n"
TOKENS = {UNSUBSCRIBE: "u" * 40, PREFERENCES: "p" * 40}
NOW = datetime(2026, 11, 20, 7, 30, tzinfo=UTC)
FIGURES = tuple[float, float]  # mails a second, by the clock and by the sender's CPU


def template() -> Template:
    """A mail of about 19 kB: a plain text and a page."""
    plain = WORDS * 70 + f"Leave: https://drop.example/leave/{UNSUBSCRIBE}\n"
    html = f"<p>{WORDS}</p>" * 140 + f'<a href="https://drop.example/me/{PREFERENCES}">Yours</a>'
    return Template.make(
        Laid(subject="Четыре истории с набережной", html=html, plain=plain),
        sender="weekly@news.example",
        sender_name="The Lamplighter",
        message_id_domain="news.example",
        list_id="weekly.news.example",
        list_unsubscribe=f"https://drop.example/leave/{UNSUBSCRIBE}",
    )


def signers() -> dict[str, Signer]:
    made = Key("news.example", "r", rsa.generate_private_key(65537, 2048))
    other = Key("news.example", "e", ed25519.Ed25519PrivateKey.generate())
    return {"ours, DKIM RSA-2048": Signer([made]), "ours, DKIM Ed25519": Signer([other])}


def maker(form: Template, signer: Signer | None) -> Callable[[int], bytes]:
    def make(number: int) -> bytes:
        return form.personal(
            to=f"reader-{number}@there.example",
            message_id=f"7-{number}",
            date=NOW,
            tokens=TOKENS,
            signer=signer,
        )

    return make


def ours(port: int, size: int, make: Callable[[int], bytes]) -> FIGURES:
    def batch() -> Iterator[Outgoing]:
        sender = verp(TOKENS[UNSUBSCRIBE], "news.example")
        for number in range(size):
            to = f"reader-{number}@there.example"
            yield Outgoing(key=number, sender=sender, recipient=to, data=lambda n=number: make(n))  # type: ignore[misc]  # The number is the lambda's own.

    server = Server(host="127.0.0.1", port=port, security="none", helo="news.example")
    with Connection.open(server) as connection:
        wall, cpu = time.perf_counter(), time.process_time()
        sent = sum(outcome.state == "sent" for outcome in connection.send(batch()))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    assert sent == size
    return size / wall, size / cpu


def peer(port: int, size: int, make: Callable[[int], bytes]) -> FIGURES:
    """smtplib. Its bodies are ready; a thousand are used over and over, to need no gigabytes."""
    ready = [make(number) for number in range(min(size, 1000))]
    sender = verp(TOKENS[UNSUBSCRIBE], "news.example")
    with smtplib.SMTP("127.0.0.1", port, "news.example") as client:
        client.ehlo()
        wall, cpu = time.perf_counter(), time.process_time()
        for number in range(size):
            client.sendmail(sender, [f"reader-{number}@there.example"], ready[number % len(ready)])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return size / wall, size / cpu


@contextlib.contextmanager
def sink() -> Iterator[int]:
    """smtp-sink, which takes and forgets."""
    program = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
    if not program:
        sys.exit("Postfix's smtp-sink is not installed: apt-get install postfix")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen([program, "-u", "nobody", f"127.0.0.1:{port}", "100"])
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int) -> None:
    server = Server(host="127.0.0.1", port=port, security="none")
    for _ in range(200):
        with contextlib.suppress(RelayError):
            Connection.open(server).close()
            return
        time.sleep(0.02)
    sys.exit("smtp-sink did not start")


def rounds(options: Namespace) -> dict[str, list[FIGURES]]:
    form, keys = template(), signers()
    found: dict[str, list[FIGURES]] = {kind: [] for kind in KINDS}
    measure.say(f"{len(maker(form, None)(1))} bytes a mail, {options.size} mails a run")
    for number in range(options.runs):
        turn = number % len(KINDS)
        for kind in (*KINDS[turn:], *KINDS[:turn]):
            signer = keys.get(kind.replace("smtplib, signed before", "ours, DKIM RSA-2048"))
            with sink() as port:
                send = peer if kind.startswith("smtplib") else ours
                found[kind].append(send(port, options.size, maker(form, signer)))
        measure.say(f"round {number + 1} of {options.runs}")
    return found


def main() -> None:
    parser = measure.arguments(__doc__.partition("\n")[0], size=20_000, runs=5)
    options = parser.parse_args()
    found = rounds(options)
    wall = {kind: measure.median([one[0] for one in all_]) for kind, all_ in found.items()}
    cpu = {kind: measure.median([one[1] for one in all_]) for kind, all_ in found.items()}
    rows = [
        [
            kind,
            f"{wall[kind]:,.0f}",
            f"{wall[kind] / wall['smtplib']:.2f}",
            f"{cpu[kind]:,.0f}",
            f"{LIMITS[kind]:,}" if kind in LIMITS else "",
        ]
        for kind in KINDS
    ]
    head = ["19 kB, one process", "mails/s", "× smtplib", "mails/s of CPU", "at least"]
    print(measure.table(head, rows))
    ratio = wall["ours"] / wall["smtplib"]
    print(f"\nours is {ratio:.2f} × smtplib (at least {TIMES_SMTPLIB})")
    measure.report({"wall": wall, "cpu": cpu, "ratio": ratio, "all": found}, options.json)


if __name__ == "__main__":
    main()
