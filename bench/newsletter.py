# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sending an issue: mails a second with the ledger, beside smtplib; freezing, memory, the desk.

What always holds: the other end is Postfix's ``smtp-sink`` on loopback, without TLS; mails are
multipart of some 19 kB; the contenders run in turn. The ledger lies in the folder named by
``--work`` (SQLite: WAL, synchronous FULL). ``--postgresql URL`` adds one and two workers there: an
empty database of a server that you started. ``--freeze N`` only freezes the audience of two issues,
without cohorts, then with some, to which everybody falls by lot with the first. CPU seconds are of
our process alone: where the machine is busy they say more than the wall's.

The peer is the best that smtplib allows: bodies rendered before, one connection kept open.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import measure
from bench.measure import Scratch

PAYLOAD = 9_000  # characters of text: with HTML and plain text some 19 kB
PEER = 5_000
COHORTS = 5


@contextmanager
def sink() -> Iterator[int]:
    """Postfix's smtp-sink; its port."""
    program = shutil.which("smtp-sink") or "/usr/sbin/smtp-sink"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    process = subprocess.Popen([program, *user, f"127.0.0.1:{port}", "200"])
    try:
        _wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise measure.CommandError("smtp-sink does not answer: apt-get install postfix")


def newsroom(
    folder: Path, port: int, database: str, *, dkim: bool, connections: int, cohorts: int = 0
) -> None:
    (folder / "secrets").mkdir(parents=True)
    drawn = "".join(
        f'[[cohorts]]\nname = "c{n}"\nentries = ["https://c{n}.example/"]\n' for n in range(cohorts)
    )
    table = '[[mail.dkim]]\ndomain = "meridian.example"\nselector = "s1"\nkey = "dkim.pem"\n'
    (folder / "tamizdat.toml").write_text(
        'name = "The Meridian"\naddress = "https://meridian.example"\n'
        f'database = "{database}"\n[mail]\nsender = "desk@meridian.example"\n'
        f'bounces = "returns.meridian.example"\n{table if dkim else ""}'
        f'[[relays]]\nname = "sink"\nhost = "127.0.0.1"\nport = {port}\nsecurity = "none"\n'
        f"connections = {connections}\n{drawn}"
    )
    (folder / "secrets" / "desk-key").write_text("x" * 64)
    if dkim:
        _key(folder / "secrets" / "dkim.pem")


def _key(path: Path) -> None:
    from cryptography.hazmat.primitives import serialization as s
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    path.write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))


# Inside of processes of their own.


def prepare(size: int, payload: int = PAYLOAD) -> dict[str, Any]:
    """Readers, and an issue whose audience is frozen: how long that took; how long a mail is."""
    readers(size)
    from django.conf import settings

    from tamizdat.desk.newsletter.engine.ledger import Row
    from tamizdat.desk.newsletter.engine.press import Press
    from tests.desk.newsletter.engine import house

    issue = house.issue()
    started = time.perf_counter()
    house.begin(issue, size=payload)
    freeze = time.perf_counter() - started
    row = Row(1, 1, 1, 1, b"", "summary", 0, True, False, address="reader.0000000@post.example")
    length = len(Press(settings.NEWSROOM, issue.pk).data(row))
    return {"freeze": freeze, "audience": issue.audience, "length": length}


def readers(size: int) -> dict[str, Any]:
    """Those who get an issue."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.management import call_command

    from tests.desk.newsletter.engine import house

    call_command("migrate", verbosity=0)
    house.prepare(settings.NEWSROOM)
    for first in range(0, size, 20_000):
        last = min(first + 20_000, size)
        addresses = [f"reader.{n:07d}@{'gmail.com' if n % 3 else f'post{n % 977}.example'}"
                     for n in range(first, last)]  # fmt: skip
        house.subscribe(settings.NEWSROOM, addresses)
    return {}


def freeze(size: int) -> dict[str, Any]:
    """Two issues that are frozen one after the other: the seconds of each piece; how many readers
    are in which cohort then; the most memory that it took."""
    import django

    django.setup()
    from django.db.models import Count

    from tamizdat.desk.newsletter.engine import start
    from tamizdat.desk.newsletter.models import Issue
    from tamizdat.desk.readers.models import Reader
    from tests.desk.newsletter.engine import house

    pieces: list[list[float]] = []
    for number in (1, 2):
        issue, more = house.begin(house.issue(number), gather=False), True
        pieces.append([])
        while more:
            started = time.perf_counter()
            more = start.gather(issue.pk)
            pieces[-1].append(time.perf_counter() - started)
        issue.refresh_from_db()
        assert issue.audience == size
        Issue.objects.update(state="sent")
    found = Reader.objects.values_list("cohort").annotate(Count("pk")).order_by("cohort")
    return {
        "pieces": pieces,
        "cohorts": dict(found),
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def send() -> dict[str, Any]:
    """One worker, until nothing is left."""
    import django

    django.setup()
    from django.conf import settings

    from tamizdat.desk.newsletter.engine.press import Press
    from tamizdat.desk.newsletter.engine.worker import Worker
    from tamizdat.desk.newsletter.models import Delivery, Issue

    Press(settings.NEWSROOM, Issue.objects.get().pk)  # Laid out once before, to be warm.
    memory: list[int] = []
    over = threading.Event()
    threading.Thread(target=_sample, args=(memory, over), daemon=True).start()
    started, cpu = time.perf_counter(), time.process_time()
    Worker(settings.NEWSROOM).run(until_done=True)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - started
    over.set()
    mine = Delivery.objects.filter(state="sent").values("worker")
    return {
        "wall": wall,
        "cpu": cpu,
        "workers": mine.distinct().count(),
        "sent": Delivery.objects.filter(state="sent").count(),
        "memory": memory,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _sample(memory: list[int], over: threading.Event) -> None:
    while not over.wait(1.0):
        memory.append(measure.tree_memory(os.getpid()) // measure.MIB)


def pages(times: int) -> dict[str, Any]:
    """How long the desk's list of issues and an issue's standing take, while others send."""
    import django

    django.setup()
    from django.test import Client
    from django.urls import reverse

    from tamizdat.desk.newsletter.engine import standing
    from tamizdat.desk.newsletter.models import Issue
    from tamizdat.desk.staff.models import User

    user, _ = User.objects.get_or_create(
        username="bench", defaults={"is_superuser": True, "is_staff": True}
    )
    client, issue = Client(), Issue.objects.defer("frozen").get()
    client.force_login(user)
    found: dict[str, list[float]] = {"list": [], "standing": []}
    for _ in range(times):
        started = time.perf_counter()
        answer = client.get(reverse("newsletter:index"), HTTP_HOST="localhost")
        found["list"].append(time.perf_counter() - started)
        started = time.perf_counter()
        standing.of(issue)
        found["standing"].append(time.perf_counter() - started)
        time.sleep(0.5)
    return {**found, "status": answer.status_code}


def peer(port: int, count: int) -> dict[str, Any]:
    """smtplib with a body that was rendered before."""
    body = b"Subject: x\r\nFrom: a@meridian.example\r\n\r\n" + (b"x" * 74 + b"\r\n") * 250
    with smtplib.SMTP("127.0.0.1", port) as client:
        started, cpu = time.perf_counter(), time.process_time()
        for number in range(count):
            client.sendmail("a@meridian.example", [f"reader{number}@post.example"], body)
        return {
            "wall": time.perf_counter() - started,
            "cpu": time.process_time() - cpu,
            "sent": count,
        }


# Outside.


def inside(folder: Path, what: str, *arguments: str) -> subprocess.Popen[str]:
    settings = "tamizdat.desk.settings.newsroom"
    return subprocess.Popen(
        [sys.executable, "-m", "bench.newsletter", "--inside", what, *arguments],
        env={**os.environ, "TAMIZDAT_DIR": str(folder), "DJANGO_SETTINGS_MODULE": settings},
        cwd=measure.ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def result(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, _ = process.communicate()
    if process.returncode:
        raise measure.CommandError("a measured process failed: see above")
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def run_one(
    scratch: Scratch,
    name: str,
    size: int,
    *,
    database: str = "sqlite",
    dkim: bool = False,
    workers: int = 1,
    connections: int = 2,
    look: bool = False,
) -> dict[str, Any]:
    measure.say(f"{name}: {size} readers")
    folder = scratch.fresh(name.replace(" ", "-"))
    with sink() as port:
        newsroom(folder, port, database, dkim=dkim, connections=connections)
        made = result(inside(folder, "prepare", str(size)))
        started = time.perf_counter()
        senders = [inside(folder, "send") for _ in range(workers)]
        desk = inside(folder, "pages", "10") if look else None
        found = [result(sender) for sender in senders]
        wall = time.perf_counter() - started if workers > 1 else found[0]["wall"]
        seen = result(desk) if desk else {}
    cpu = sum(one["cpu"] for one in found)
    sent = found[0]["sent"]
    return {
        "name": name, "sent": sent, "wall": wall, "cpu": cpu, "rate": sent / wall,
        "rate_cpu": sent / cpu, "freeze": made["freeze"], "memory": found[0]["memory"],
        "peak": max(one["peak"] for one in found), "pages": seen,
    }  # fmt: skip


def run_freeze(
    scratch: Scratch, name: str, size: int, *, database: str = "sqlite", cohorts: int
) -> dict[str, Any]:
    measure.say(f"{name}, {cohorts or 'no'} cohorts: {size} readers are frozen")
    folder = scratch.fresh("freeze")
    newsroom(folder, 25, database, dkim=False, connections=1, cohorts=cohorts)
    result(inside(folder, "readers", str(size)))
    return {"name": name, "drawn": cohorts, **result(inside(folder, "freeze", str(size)))}


def main() -> None:
    if sys.argv[1:2] == ["--inside"]:
        what, *arguments = sys.argv[2:]
        known = (prepare, readers, freeze, send, pages, peer)
        work = next(one for one in known if one.__name__ == what)
        print(json.dumps(work(*map(int, arguments))))
        return
    parser = measure.arguments(__doc__ or "", size=20_000, runs=3)
    parser.add_argument("--postgresql", metavar="URL", help="an empty database to use as well")
    parser.add_argument("--large", type=int, default=0, metavar="N", help="also N recipients once")
    parser.add_argument("--freeze", type=int, default=0, metavar="N", help="only freeze N readers")
    options = parser.parse_args()
    if options.freeze:
        _freeze(options)
        return
    rows: list[dict[str, Any]] = []
    with Scratch(options.work, keep=options.keep) as scratch:
        for _ in range(options.runs):
            rows.append(run_one(scratch, "SQLite", options.size))
            rows.append(run_one(scratch, "SQLite, DKIM RSA-2048", options.size, dkim=True))
            with sink() as port:
                measure.say("smtplib, rendered before")
                done = result(inside(scratch.folder, "peer", str(port), str(PEER)))
            rows.append({"name": "smtplib, rendered before", **done,
                         "rate": done["sent"] / done["wall"],
                         "rate_cpu": done["sent"] / done["cpu"]})  # fmt: skip
            rows += _postgresql(scratch, options.postgresql, options.size)
        large = run_one(scratch, "large", options.large, look=True) if options.large else None
    _tell(rows, large)
    measure.report({"rows": rows, "large": large}, options.json)


def _postgresql(scratch: Scratch, url: str | None, size: int) -> list[dict[str, Any]]:
    if not url:
        return []
    found = []
    for workers in (1, 2):
        _emptied(url)
        name = f"PostgreSQL, {workers} worker{'s' if workers > 1 else ''}"
        found.append(run_one(scratch, name, size, database=url, workers=workers))
    return found


def _emptied(url: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as link:
        link.execute("DROP SCHEMA public CASCADE")
        link.execute("CREATE SCHEMA public")


def _freeze(options: Any) -> None:
    rows = []
    with Scratch(options.work, keep=options.keep) as scratch:
        for cohorts in (0, COHORTS):
            rows.append(run_freeze(scratch, "SQLite", options.freeze, cohorts=cohorts))
            if options.postgresql:
                _emptied(options.postgresql)
                where = {"database": options.postgresql, "cohorts": cohorts}
                rows.append(run_freeze(scratch, "PostgreSQL", options.freeze, **where))
    table = [
        [
            row["name"],
            str(row["drawn"]),
            *(f"{sum(one):.1f}" for one in row["pieces"]),
            f"{row['pieces'][0][0] * 1000:.0f} to {max(row['pieces'][0][:-1]) * 1000:.0f}",
            str(row["memory"]),
        ]
        for row in rows
    ]
    heads = ["database", "cohorts", "first, s", "next, s", "a piece, ms", "memory, MiB"]
    print(measure.table(heads, table))
    measure.report({"freeze": rows}, options.json)


def _tell(rows: list[dict[str, Any]], large: dict[str, Any] | None) -> None:
    table = []
    for name in dict.fromkeys(row["name"] for row in rows):
        of = [row for row in rows if row["name"] == name]
        rate = measure.median([row["rate"] for row in of])
        cpu = measure.median([row["rate_cpu"] for row in of])
        table.append([name, f"{rate:,.0f}", f"{cpu:,.0f}"])
    print(measure.table(["way", "mails/s", "mails/s of CPU"], table))
    if large:
        seen = large["pages"]
        print(
            f"\n{large['sent']:,} recipients: frozen in {large['freeze']:.1f} s, "
            f"{large['rate']:,.0f} mails/s, memory {min(large['memory'], default=0)} to "
            f"{max(large['memory'], default=0)} MiB (largest {large['peak']}), "
            f"list page {measure.median(seen['list']) * 1000:.0f} ms, "
            f"standing {measure.median(seen['standing']) * 1000:.0f} ms"
        )


if __name__ == "__main__":
    main()
