# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program: collectors in a newsroom (``TAMIZDAT_DIR``) that are killed again and again.

``make`` prepares the newsroom. ``kill NUMBER SEED TOGETHER`` lays submissions into the drop, starts
``TOGETHER`` collectors at once, kills each at a random step or moment, ``NUMBER`` times; then it
lets one finish and prints as JSON what was sent and what became of it.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django
import pyrage

os.environ["DJANGO_SETTINGS_MODULE"] = "tamizdat.desk.settings.newsroom"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import DatabaseError, connection, connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from tamizdat import letterbox  # noqa: E402
from tamizdat.desk.letters import collecting, handlers, taking  # noqa: E402
from tamizdat.desk.letters.letter import open_letter  # noqa: E402
from tamizdat.desk.letters.models import Aside, Handled, Message  # noqa: E402
from tamizdat.desk.readers import actions, keyring  # noqa: E402
from tamizdat.drop.client_folder import FolderLetterbox  # noqa: E402
from tamizdat.drop.envelope import Submission, seal, submission  # noqa: E402
from tamizdat.drop.spool import Spool  # noqa: E402

EACH = 5  # submissions laid into the drop each time, besides one that nobody can open
MOST_STEPS = 90
chance = random.Random()


def make() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    letterbox.ensure_keys(settings.NEWSROOM)
    if not (settings.NEWSROOM.secrets / keyring.OPERATOR).exists():
        keyring.found(settings.NEWSROOM, pyrage.x25519.Identity.generate().to_public())
    if not actions.was_begun():
        actions.begin_vault(newsroom=settings.NEWSROOM)


# What the collectors do, with a step at each place where they may die.


def no_step() -> None:
    """Nobody dies here."""


step: Callable[[], None] = no_step


def remind(one: Submission, /, *, arrived_hour: datetime) -> None:
    """Writes the id, and fails in the middle now and then."""
    step()
    Message.objects.create(sealed=one.id.encode(), arrived=arrived_hour)
    step()
    if chance.random() < 0.3:
        raise RuntimeError("one of those days")


# In the place of the desk's own; and nothing acts upon webhooks here.
handlers._handlers["remind"] = remind
handlers._handlers.pop("webhook")


def die_after(steps: int) -> None:
    """Have this process killed at its ``steps``-th step."""
    global step
    left = steps

    def count() -> None:
        nonlocal left
        left -= 1
        if left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)

    step = count
    stepping(FolderLetterbox, "batches", "read", "remove")
    stepping(taking, "open_sealed", "_remember", "_keep", "keep_unreadable")
    connection.ensure_connection()
    stepping(connection, "_commit", "_savepoint_commit")


def stepping(owner: Any, *names: str) -> None:
    """A step before and one after each call of these."""
    for name in names:
        setattr(owner, name, _around(getattr(owner, name)))


def _around(function: Callable[..., Any]) -> Callable[..., Any]:
    def around(*arguments: Any, **options: Any) -> Any:
        step()
        found = function(*arguments, **options)
        step()
        return found

    return around


def collect_once(seed: int, steps: int) -> None:
    """In a child: collect from the drop, and try again what failed."""
    chance.seed(seed)
    if steps:
        die_after(steps)
    try:
        newsroom = settings.NEWSROOM
        collecting.collect(newsroom, newsroom.settings.drops[0])
        keys = letterbox.identities(newsroom)
        taking.retry(keys, timezone.now() + timedelta(days=2 * chance.randrange(2)))
    except DatabaseError:
        pass  # What two at once may do to each other; the next one goes on.
    finally:
        connections.close_all()


def child(work: Callable[..., object], *arguments: Any) -> int:
    """Its process. The parent has no connection to the database that it could share."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            work(*arguments)
            code = 0
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - a program
        finally:
            os._exit(code)
    return pid


# What is sent, and what became of it.


class Sender:
    """Lays submissions into the drop, some of them twice; remembers what."""

    def __init__(self, spool: Spool) -> None:
        self.spool = spool
        key = letterbox.recipient(settings.NEWSROOM)
        self.recipient = pyrage.x25519.Recipient.from_str(key)
        self.stranger = pyrage.x25519.Identity.generate().to_public()
        self.messages: list[str] = []
        self.reminders: list[str] = []
        self.webhooks: list[str] = []
        self.garbage = 0

    def send(self) -> None:
        group = [self._one() for _ in range(EACH)]
        sealed = [seal(one, [self.recipient]) for one in group]
        sealed.append(seal(group[0], [self.recipient]))  # Sent again by a nervous browser.
        sealed.append(seal(group[0], [self.stranger]))
        self.garbage += 1
        chance.shuffle(sealed)
        self.spool.append(sealed)
        self.spool.close_open()

    def _one(self) -> Submission:
        what = chance.choice(("message", "message", "remind", "webhook"))
        if what == "message":
            self.messages.append(f"Letter {len(self.messages)}")
            return submission("message", "en", {"text": self.messages[-1]})
        if what == "remind":
            fields = {"address": "ada@post.example", "months": 3, "privacy": 1}
            one = submission("remind", "en", fields)
            self.reminders.append(one.id)
            return one
        one = submission("webhook", "en", {"provider": "till", "headers": {}, "body": ""})
        self.webhooks.append(one.id)
        return one


def kill(number: int, seed: int, together: int) -> None:
    chance.seed(seed)
    spool = Spool(Path(settings.NEWSROOM.settings.drops[0].folder))
    sender = Sender(spool)
    usual = undisturbed(sender)
    died = 0
    for turn in range(number):
        sender.send()
        by_step = turn % 2 == 0
        steps = chance.randrange(1, MOST_STEPS) if by_step else 0
        pids = [child(collect_once, chance.random(), steps) for _ in range(together)]
        if not by_step:
            time.sleep(chance.uniform(0, usual))
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        died += sum(os.WIFSIGNALED(os.waitpid(pid, 0)[1]) for pid in pids)
    for _ in range(3):
        os.waitpid(child(collect_once, 1, 0), 0)
    os.waitpid(child(report, sender, died, len(list(spool.folder.glob("*.batch")))), 0)
    spool.close()


def undisturbed(sender: Sender) -> float:
    """How long a collector takes that nobody kills, in seconds."""
    sender.send()
    started = time.monotonic()
    os.waitpid(child(collect_once, 0, 0), 0)
    return time.monotonic() - started


def report(sender: Sender, died: int, left: int) -> None:
    chance.random = lambda: 1.0  # type: ignore[method-assign] # From here on nothing fails.
    keys = letterbox.identities(settings.NEWSROOM)
    taking.retry(keys, timezone.now(), everything=True)
    acted, letters = [], []
    for message in Message.objects.order_by("pk"):
        sealed = bytes(message.sealed)
        if len(sealed) == 22:
            acted.append(sealed.decode())
        else:
            letter = open_letter(message)
            letters.append(letter.written.text if letter.written else letter.trouble)
    waiting = list(Aside.objects.filter(state="waiting").values_list("submission", flat=True))
    found = {
        "died": died,
        "left": left,
        "messages": sorted(letters) == sorted(sender.messages),
        "reminders": sorted(acted) == sorted(sender.reminders),
        "webhooks": sorted(waiting) == sorted(sender.webhooks),
        "numbers": [len(letters), len(acted), len(waiting)],
        "unreadable": Aside.objects.filter(state="unreadable").count() - sender.garbage,
        "failed": Aside.objects.filter(state="failed").count(),
        "handled": Handled.objects.count() - len(letters) - len(acted),
    }
    connections.close_all()
    print(json.dumps(found), flush=True)  # noqa: T201 - a program


if __name__ == "__main__":
    {"make": make, "kill": kill}[sys.argv[1]](*map(int, sys.argv[2:]))  # type: ignore[operator] # by name
