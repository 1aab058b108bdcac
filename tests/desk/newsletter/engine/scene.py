# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program: workers in a newsroom (``TAMIZDAT_DIR``) that send an issue and are killed.

``make NUMBER`` prepares the newsroom and an issue that was started; ``work`` sends until nothing
is left; ``kill TIMES SEED TOGETHER`` starts workers and kills them at random steps and moments;
``report SINKS…`` compares ledger and sinks, as JSON.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tamizdat.desk.settings.newsroom"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402

from tamizdat.desk.newsletter.engine import (  # noqa: E402
    actions,
    journal,
    lane,
    ledger,
    senders,
)
from tamizdat.desk.newsletter.engine import worker as worker_module  # noqa: E402
from tamizdat.desk.newsletter.engine.worker import Worker  # noqa: E402
from tamizdat.desk.newsletter.models import Delivery, Issue  # noqa: E402
from tamizdat.desk.outgoing.models import Suppression  # noqa: E402
from tests.desk.newsletter.engine import house  # noqa: E402

MOST_STEPS = 700  # some six to a mail
chance = random.Random()


def make(number: str, *more: str) -> None:
    call_command("migrate", interactive=False, verbosity=0)
    house.prepare(settings.NEWSROOM)
    addresses = [
        f"reader{n}@{'gmail.com' if n % 3 else f'own{n}.example'}" for n in range(int(number))
    ]
    house.subscribe(settings.NEWSROOM, [*addresses, *more])
    house.begin(house.issue())


def worker(**more: Any) -> Worker:
    return Worker(settings.NEWSROOM, **{"window": 50, "silence": 3.0, "beat": 0.25} | more)


def work() -> None:
    worker().run(until_done=True)


def serve() -> None:
    """Until SIGTERM."""
    one = worker()
    signal.signal(signal.SIGTERM, lambda *_: one.stop())
    one.run()


def serve_without_clocks() -> None:
    """Its clocks stand still once it has begun, and its pulse with them."""
    real, steady = time.time(), time.monotonic()
    time.time, time.monotonic = (lambda: real), (lambda: steady)  # type: ignore[assignment]
    worker_module.Pulse.run = lambda _self: None  # type: ignore[method-assign]
    serve()


def die_after(steps: int) -> None:
    """Have this process killed at its ``steps``-th step."""
    left = steps

    def step() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, names in (
        (journal.Journal, ("begin", "end", "empty")),
        (ledger.Ledger, ("turn", "_keep", "_claim")),
        (lane.Lane, ("_send", "_connected")),
        (senders, ("settle_here", "_settle", "register")),
        (journal, ("remove",)),
    ):
        for name in names:
            setattr(owner, name, _around(step, getattr(owner, name)))


def _around(step: Callable[[], None], function: Callable[..., Any]) -> Callable[..., Any]:
    def around(*arguments: Any, **options: Any) -> Any:
        step()
        found = function(*arguments, **options)
        step()
        return found

    return around


def child(steps: int) -> int:
    """Its process. The parent has no connection to the database that it could share."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            if steps:
                die_after(steps)
            worker(window=20).run(until_done=True)
            code = 0
        finally:
            connections.close_all()
            os._exit(code)
    return pid


def kill(times: str, seed: str, together: str) -> None:
    chance.seed(int(seed))
    died, most, before = 0, 0, 0
    for turn in range(int(times)):
        by_step = turn % 2 == 0
        pids = [
            child(chance.randrange(1, MOST_STEPS) if by_step else 0) for _ in range(int(together))
        ]
        if not by_step:
            time.sleep(chance.uniform(0.01, 0.12))  # Else a quick worker is done too soon.
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        died += sum(os.WIFSIGNALED(os.waitpid(pid, 0)[1]) for pid in pids)
        if turn % 20 == 19:
            most = max(most, in_doubt() - before)
            before = in_doubt()
    os.waitpid(child(0), 0)
    print(json.dumps({"died": died, "unknown": in_doubt(), "most": most}), flush=True)  # noqa: T201


def in_doubt() -> int:
    found = Delivery.objects.filter(state="unknown").count()
    connections.close_all()
    return found


def resend() -> None:
    actions.resend_unknown(issue=Issue.objects.get(), acting_user=None)
    work()


def report(*sinks: str) -> None:
    accepted: Counter[str] = Counter()
    for sink in sinks:
        for line in Path(sink).read_text().splitlines():
            accepted[line.split(" ")[0]] += 1
    one = Issue.objects.get()
    from tamizdat.desk.newsletter.engine import standing, tallies

    found = house.compare(settings.NEWSROOM, one, accepted)
    counted = {of.name: n for of, n in tallies.of(one.pk).items() if of.kind == "state"}
    found["tallies"] = counted == dict(found["states"])
    found["issue"], found["accepted"] = one.state, sum(accepted.values())
    found["resent"] = Delivery.objects.filter(resent=True).count()
    found["suppressed"] = Suppression.objects.count()
    found["relays"] = {r.name: r.sent for r in standing.of(one).relays}
    print(json.dumps(found), flush=True)  # noqa: T201 - a program
    connection.close()


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
