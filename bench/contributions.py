# SPDX-License-Identifier: AGPL-3.0-or-later
"""Calls of a payment provider a second: through the letterbox, the collection and the ledger.

What always holds: calls are signed, posted to a letterbox over HTTP, sealed, on its disk before
they are acknowledged; then the desk collects them as its worker does, checks each signature, and
has rows, books, readers in the vault and receipts that wait, one transaction a call (SQLite, WAL,
synchronous FULL). Letterbox and desk have one and the same core, one after the other, so that
``whole`` is what one core does; who sends has another. Afterwards the books' balance is the
provider's. ``--size`` is how many calls are made in a run.

The peer, in the same run and on the same core, is what one would write first: no letterbox, no
seal, no vault and no mail, a row for the call, one for the payment and two for the books in one
transaction, through the ORM.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from argparse import Namespace
from collections import Counter
from pathlib import Path
from typing import Any

from bench import measure
from bench.drop import _free_port, _wait
from bench.measure import Scratch

LIMIT = 300  # a second
CONNECTIONS = 32
SECRET = "whsec-of-the-bench-and-of-nobody-else"  # noqa: S105 - of this bench alone
TOML = """\
name = "The Lamplighter"
address = "https://lamp.example"
demo = true
[[drops]]
name = "pier"
url = "https://drop.example"
folder = "{drop}/spool"
[mail]
sender = "desk@lamp.example"
[[giving.providers]]
kind = "sandbox"
url = "http://127.0.0.1:1"
credentials = "sandbox-key"
webhook = "sandbox-webhook"
"""
DROP = """\
name = "The Lamplighter"
paper = "https://lamp.example"
recipients = ["{recipient}"]
collector = "{collector}"
[limits]
webhooks = 1000000000
[[webhooks]]
name = "sandbox"
headers = ["sandbox-signature"]
"""


def calls(size: int) -> tuple[list[bytes], Any]:
    """So many requests, each an event of an invented bank; and the bank."""
    import msgspec

    from tamizdat.giving.sandbox.provider import Told
    from tamizdat.giving.sandbox.signing import HEADER, sign
    from tests.fakes.payments import History

    gifts = size // 8
    while len((bank := History(1, gifts=gifts).bank).happened) < size:
        gifts += gifts // 8 + 1
    raw, now = [], int(time.time())
    for one in bank.happened[:size]:
        told = Told(id=one.id, type=one.type, at=one.at, account="acct", facts=one.facts)
        body = msgspec.json.encode(told)
        head = (
            "POST /v1/webhook/sandbox HTTP/1.1\r\nhost: drop.example\r\n"
            f"content-type: application/json\r\n{HEADER}: {sign(body, SECRET, now)}\r\n"
        )
        raw.append(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
    return raw, bank


async def _sender(port: int, left: list[bytes]) -> int:
    kept, writer = 0, None
    while left:
        raw = left.pop()
        if writer is None:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        kept += head.split()[1] == b"200"
        if b"connection: close" in head.lower():
            writer.close()
            writer = None
    return kept


async def post(port: int, raw: list[bytes]) -> int:
    left = raw[::-1]
    return sum(await asyncio.gather(*(_sender(port, left) for _ in range(CONNECTIONS))))


def inside(folder: Path, size: int) -> dict[str, float]:
    """One newsroom, one letterbox, so many calls. Runs in a process of its own."""
    import django

    django.setup()
    cores = sorted(os.sched_getaffinity(0))
    _prepare(folder)
    raw, bank = calls(size)
    found = _through_the_drop(folder, raw, cores)
    os.sched_setaffinity(0, {cores[0]})
    found |= _to_the_desk(size, bank)
    found |= _peer(bank, size)
    return found


def _prepare(folder: Path) -> None:
    import pyrage
    from django.conf import settings
    from django.core.management import call_command

    from tamizdat import letterbox
    from tamizdat.desk.outgoing import links
    from tamizdat.desk.readers import actions, keyring

    newsroom = settings.NEWSROOM
    call_command("migrate", verbosity=0)
    letterbox.ensure_keys(newsroom)
    links.ensure_key(newsroom)
    for name, secret in (("sandbox-key", SECRET), ("sandbox-webhook", SECRET)):
        (newsroom.secrets / name).write_text(secret)
    keyring.found(newsroom, pyrage.x25519.Identity.generate().to_public())
    actions.begin_vault(newsroom=newsroom)
    drop = folder.parent / "drop"
    drop.mkdir()
    (drop / "drop.toml").write_text(
        DROP.format(recipient=letterbox.recipient(newsroom), collector="ab" * 32)
    )


def _through_the_drop(folder: Path, raw: list[bytes], cores: list[int]) -> dict[str, float]:
    port = _free_port()
    program = [sys.executable, "-m", "tamizdat", "drop", "serve", str(folder.parent / "drop")]
    server = subprocess.Popen(
        [*program, "--port", str(port)],
        cwd=measure.ROOT,
        env={k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"},
        preexec_fn=lambda: os.sched_setaffinity(0, {cores[0]}),
    )
    try:
        _wait(port)
        before = measure.tree_cpu(server.pid)
        os.sched_setaffinity(0, {cores[-1]})
        began = time.perf_counter()
        kept = asyncio.run(post(port, raw))
        wall = time.perf_counter() - began
        cpu = measure.tree_cpu(server.pid) - before
    finally:
        server.terminate()
        server.wait(30)
    assert kept == len(raw), (kept, len(raw))
    return {"drop wall": wall, "drop cpu": cpu}


def _to_the_desk(size: int, bank: Any) -> dict[str, float]:
    from django.conf import settings

    from tamizdat.desk.contributions import ledger
    from tamizdat.desk.letters import collecting

    newsroom, handled = settings.NEWSROOM, 0
    wall, cpu = time.perf_counter(), time.process_time()
    while True:  # A round takes so many batches at most; the worker comes again.
        report = collecting.collect(newsroom, newsroom.settings.drops[0])
        assert not report.problem, report
        assert not report.failed, report
        handled += report.handled
        if not report.handled:
            break
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    assert handled == size, (handled, size)
    moved: Counter[str] = Counter()
    told = [fact for event in bank.happened[:size] for fact in event.facts]
    for fact in told:
        if type(fact).__name__ == "MovementFact":
            moved[fact.currency] += fact.net
    there = {
        line.currency: line.amount
        for line in ledger.balances()
        if line.account == "Assets:Sandbox:Balance"
    }
    assert there == {code: amount for code, amount in moved.items() if amount}
    return {"desk wall": wall, "desk cpu": cpu}


def _peer(bank: Any, size: int) -> dict[str, float]:
    from django.db import connection, models, transaction

    class Call(models.Model):  # noqa: DJ008 - nobody looks at it
        event = models.CharField(max_length=255, unique=True)

        class Meta:
            app_label = "contributions"

    class Paid(models.Model):  # noqa: DJ008 - nobody looks at it
        ref = models.CharField(max_length=255)
        amount = models.BigIntegerField()
        currency = models.CharField(max_length=3)

        class Meta:
            app_label = "contributions"

    class Entry(models.Model):  # noqa: DJ008 - nobody looks at it
        paid = models.ForeignKey(Paid, on_delete=models.PROTECT)
        account = models.CharField(max_length=100)
        amount = models.BigIntegerField()

        class Meta:
            app_label = "contributions"

    with connection.schema_editor() as editor:
        for model in (Call, Paid, Entry):
            editor.create_model(model)
    wall, cpu = time.perf_counter(), time.process_time()
    for event in bank.happened[:size]:
        with transaction.atomic():
            _, fresh = Call.objects.get_or_create(event=event.id)
            if fresh:
                fact = event.facts[0]
                amount, currency = getattr(fact, "amount", 1), getattr(fact, "currency", "EUR")
                paid = Paid.objects.create(ref=fact.ref, amount=amount, currency=currency)
                Entry.objects.create(paid=paid, account="Receivable", amount=amount)
                Entry.objects.create(paid=paid, account="Income", amount=-amount)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"peer wall": wall, "peer cpu": cpu}


def once(scratch: Scratch, options: Namespace, number: int) -> dict[str, float]:
    """One run; its figures."""
    base = scratch.fresh(f"run{number}")
    folder = base / "newsroom"
    folder.mkdir()
    (folder / "tamizdat.toml").write_text(TOML.format(drop=base / "drop"))
    from tamizdat.config import Newsroom

    Newsroom(folder).secret("desk-key", create=True)
    environment = {
        "TAMIZDAT_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "tamizdat.desk.settings.newsroom",
    }
    done = subprocess.run(
        [sys.executable, "-m", "bench.contributions", "--inside", str(folder),
         "--size", str(options.size)],
        cwd=measure.ROOT, env={**os.environ, **environment}, stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    for what in ("wall", "cpu"):
        found[f"whole {what}"] = found[f"drop {what}"] + found[f"desk {what}"]
    return found


def show(runs: list[dict[str, float]], size: int) -> str:
    """The table: medians over the runs."""
    rows = []
    for part in ("drop", "desk", "whole", "peer"):
        wall, cpu = (measure.median([run[f"{part} {w}"] for run in runs]) for w in ("wall", "cpu"))
        rows.append([part, f"{size / wall:,.0f}", f"{size / cpu:,.0f}", f"{cpu / size * 1000:.2f}"])
    return measure.table(["what", "a second", "a second of CPU", "CPU ms each"], rows)


def main() -> int:
    parser = measure.arguments(__doc__ or "", size=3_000, runs=3)
    parser.add_argument("--inside", metavar="FOLDER", help="only one run, in this newsroom")
    options = parser.parse_args()
    if options.inside:
        print(json.dumps(inside(Path(options.inside), options.size)))
        return 0
    with Scratch(options.work, keep=options.keep) as scratch:
        runs = []
        for number in range(options.runs):
            runs.append(once(scratch, options, number))
            measure.say(f"round {number + 1} of {options.runs}")
    print(show(runs, options.size))
    wall = measure.median([run["whole wall"] for run in runs])
    print(f"{options.size / wall:,.0f} a second on one core (limit: {LIMIT})")
    measure.report({"bench": "contributions", "figures": runs}, options.json)
    return 0 if options.size / wall >= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
