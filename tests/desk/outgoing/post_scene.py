# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program: workers of the lane for single mails, killed again and again.

``make`` prepares the newsroom (``TAMIZDAT_DIR``). ``kill NUMBER SEED TOGETHER FILE`` has mails
written, starts ``TOGETHER`` workers and kills each at a random step or moment, ``NUMBER`` times;
then one sends what is left. ``FILE`` gets the number and Message-ID of each mail. ``finish`` sends
what is in doubt again, where the settings say so. ``report FILE SINK`` compares, as JSON.
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
from django.db import DatabaseError, connection, connections, transaction  # noqa: E402

from tamizdat.desk.outgoing import clock, lanes  # noqa: E402
from tamizdat.desk.outgoing.models import Mail, Relay, State  # noqa: E402
from tamizdat.desk.outgoing.post import WAITS, Post  # noqa: E402
from tamizdat.desk.readers.vault import Vault  # noqa: E402
from tamizdat.mail.content import Notice  # noqa: E402
from tamizdat.mail.smtp import Connection  # noqa: E402
from tests.desk.newsletter.engine import house  # noqa: E402

EACH = 5  # mails written each time
MOST_STEPS = 70
NOTICE = Notice(subject="Please confirm", language="en", paper="The Meridian", lines=("Yes?",))
chance = random.Random()


def make() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    house.prepare(settings.NEWSROOM)


def write(file: Path, turn: int) -> None:
    """Some to readers, some to addresses that are in no vault."""
    vault = Vault.open(settings.NEWSROOM)
    with transaction.atomic(), file.open("a") as names:
        for number in range(EACH):
            address = f"reader{number % 3}@post.example"
            reader = vault.add(address, "en") if (turn + number) % 2 else None
            to = "" if reader else address
            mail = lanes.send(purpose="test", reader=reader, to=to, notice=NOTICE)
            assert mail is not None
            names.write(f"{mail.pk} {lanes.opened(mail).message_id}\n")


def work(steps: int) -> None:
    """As the worker's thread does it, until nothing is due."""
    if steps:
        die_after(steps)
    post = Post(settings.NEWSROOM)
    try:
        post.settle_left()
        while post.run():
            pass
    except DatabaseError:
        pass  # What two at once may do to each other; the next one goes on.
    finally:
        post.close()


def die_after(steps: int) -> None:
    """Have this process killed at its ``steps``-th step."""
    left = steps

    def step() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    connection.ensure_connection()
    for owner, names in (
        (Post, ("settle_left", "_claim", "_transport", "_keep", "_end")),
        (Connection, ("_go_on", "_read")),
        (connection, ("_commit",)),
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


def child(function: Callable[..., object], *arguments: Any) -> int:
    """Its process. The parent has no connection to the database that it could share."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            function(*arguments)
            code = 0
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - a program
        finally:
            connections.close_all()
            os._exit(code)
    return pid


def done(function: Callable[..., object], *arguments: Any) -> None:
    """In a child, which has to end well."""
    status = os.waitpid(child(function, *arguments), 0)[1]
    assert status == 0, function


def kill(number: str, seed: str, together: str, file: str) -> None:
    chance.seed(int(seed))
    names, died = Path(file), 0
    done(write, names, 0)
    started = time.monotonic()
    done(work, 0)
    usual = time.monotonic() - started
    for turn in range(1, int(number) + 1):
        done(write, names, turn)
        by_step = turn % 2 == 0
        pids = [
            child(work, chance.randrange(1, MOST_STEPS) if by_step else 0)
            for _ in range(int(together))
        ]
        if not by_step:
            time.sleep(chance.uniform(0, usual))
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        died += sum(os.WIFSIGNALED(os.waitpid(pid, 0)[1]) for pid in pids)
    done(work, 0)
    print(json.dumps({"died": died}), flush=True)  # noqa: T201 - a program


def finish() -> None:
    """What is in doubt goes again, by the settings; nobody waits for the minute before it."""
    post = Post(settings.NEWSROOM)
    post.settle_left()
    Mail.objects.filter(state__in=WAITS).update(not_before=clock.now())
    while post.run():
        pass
    post.close()


def report(file: str, sink: str) -> None:
    accepted = Counter(line.split(" ")[0] for line in Path(sink).read_text().splitlines())
    names = dict(line.split(" ") for line in Path(file).read_text().splitlines())
    rows = {str(mail.pk): mail for mail in Mail.objects.all()}
    found: Counter[str] = Counter()
    for pk, name in names.items():
        mail, times = rows[pk], accepted[name]
        found[mail.state] += 1
        found["lost"] += mail.state == State.SENT and not times
        found["twice"] += times > 1
        found["thrice"] += times > 2
        found["strangers"] += mail.state not in (State.SENT, State.UNKNOWN) and times > 0
        found["words left"] += mail.state == State.SENT and bytes(mail.sealed) != b""
    found["strangers"] += len(set(accepted) - set(names.values()))
    found["relay in trouble"] = Relay.objects.exclude(problem="").count()
    print(json.dumps({"mails": len(names), **found}), flush=True)  # noqa: T201 - a program


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
