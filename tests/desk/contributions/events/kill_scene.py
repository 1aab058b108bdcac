# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program: a desk (``TAMIZDAT_DIR``) that is killed again and again while it takes events in.

``make`` prepares the newsroom. ``kill NUMBER SEED EVENTS`` lays the calls of a provider into the
drop, out of order, some twice, some never; collects and reconciles in processes that are killed at
a random step or moment, ``NUMBER`` times; then lets one finish and prints as JSON how rows and
books compare with what the provider itself would list.
"""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import django
import pyrage

os.environ["DJANGO_SETTINGS_MODULE"] = "tamizdat.desk.settings.newsroom"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, connections  # noqa: E402
from django.utils import timezone  # noqa: E402

from tamizdat import letterbox  # noqa: E402
from tamizdat.desk.contributions import books, facts, ledger, providers, reconcile  # noqa: E402
from tamizdat.desk.contributions.givers import mails  # noqa: E402
from tamizdat.desk.contributions.models import (  # noqa: E402
    Gift,
    Payment,
    Receipts,
    SeenEvent,
    Transaction,
)
from tamizdat.desk.letters import collecting, taking  # noqa: E402
from tamizdat.desk.letters.models import Aside  # noqa: E402
from tamizdat.desk.outgoing import links  # noqa: E402
from tamizdat.desk.outgoing.models import Mail  # noqa: E402
from tamizdat.desk.readers import actions, keyring  # noqa: E402
from tamizdat.drop.client_folder import FolderLetterbox  # noqa: E402
from tamizdat.drop.envelope import seal, submission  # noqa: E402
from tamizdat.drop.spool import Spool  # noqa: E402
from tests.fakes.payments import NAME, Bank, History  # noqa: E402

LOST, TWICE = 0.03, 0.05
MOST_STEPS = 120
RECONCILED = 12  # each so many turns
chance = random.Random()


def make() -> None:
    call_command("migrate", interactive=False, verbosity=0)
    letterbox.ensure_keys(settings.NEWSROOM)
    links.ensure_key(settings.NEWSROOM)
    keyring.found(settings.NEWSROOM, pyrage.x25519.Identity.generate().to_public())
    actions.begin_vault(newsroom=settings.NEWSROOM)


# A step at each place where somebody may die.


def no_step() -> None:
    """Nobody dies here."""


step: Callable[[], None] = no_step


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
    stepping(FolderLetterbox, "read", "remove")
    stepping(taking, "open_sealed", "_remember")
    stepping(facts, "_apply", "_keep")
    stepping(books, "settle")
    stepping(mails.lanes, "send")
    connection.ensure_connection()
    stepping(connection, "_commit")


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


def collect_once(seed: float, steps: int) -> None:
    """In a child: collect from the drop, and try again what failed."""
    chance.seed(seed)
    if steps:
        die_after(steps)
    newsroom = settings.NEWSROOM
    report = collecting.collect(newsroom, newsroom.settings.drops[0])
    taking.retry(letterbox.identities(newsroom), timezone.now() + timedelta(days=2))
    if report.failed or report.problem:
        raise RuntimeError(f"{report}")


def reconcile_once(steps: int, now: datetime) -> None:
    if steps:
        die_after(steps)
    report = reconcile.one(NAME, now=now)
    if report.problem or report.failed:
        raise RuntimeError(f"{report}")


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
            connections.close_all()
            os._exit(code)
    return pid


def ended(pid: int) -> bool:
    """Whether it was killed. Raises where it failed."""
    status = os.waitpid(pid, 0)[1]
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("a child failed: its words are above")
    return os.WIFSIGNALED(status)


def invented(seed: int, events: int) -> Bank:
    """A bank at which at least so much happens."""
    gifts = events // 8
    while len((bank := History(seed, gifts=gifts).bank).happened) < events:
        gifts += gifts // 8
    return bank


class Calls:
    """The calls of the webhook, as they lie in the drop."""

    def __init__(self, bank: Bank, spool: Spool, number: int) -> None:
        self.bank, self.spool = bank, spool
        key = letterbox.recipient(settings.NEWSROOM)
        self.recipient = pyrage.x25519.Recipient.from_str(key)
        told = [n for n in range(len(bank.happened)) if chance.random() >= LOST]
        told += [n for n in told if chance.random() < TWICE]
        # Late and out of order, but roughly in the order in which things happened.
        told.sort(key=lambda n: n + chance.uniform(-40, 40))
        each = len(told) // number + 1
        self.groups = [told[at : at + each] for at in range(0, len(told), each)]

    def lay(self, turn: int) -> None:
        if turn >= len(self.groups):
            return
        now = int(time.time())
        sealed = [self._sealed(number, now) for number in self.groups[turn]]
        self.spool.append(sealed)
        self.spool.close_open()

    def _sealed(self, number: int, now: int) -> bytes:
        body, headers = self.bank.webhook(self.bank.happened[number], at=now)
        encoded = base64.b64encode(body).decode()
        fields = {"provider": NAME, "headers": headers, "body": encoded}
        return seal(submission("webhook", "en", fields), [self.recipient])


def kill(number: int, seed: int, events: int) -> None:
    chance.seed(seed)
    bank = invented(seed, events)
    providers._made = lambda wanted: bank  # type: ignore[assignment] # In every child.
    spool = Spool(Path(settings.NEWSROOM.settings.drops[0].folder))
    calls = Calls(bank, spool, number)
    now = datetime.fromtimestamp(bank.clock, UTC) + timedelta(hours=5)
    died = sum(_turn(turn, calls, now) for turn in range(number))
    for _ in range(10):  # A round takes so many batches at most.
        if list(spool.folder.glob("*.batch")):
            ended(child(collect_once, 1, 0))
    ended(child(reconcile_once, 0, now))
    ended(child(report, bank, died, len(list(spool.folder.glob("*.batch")))))
    spool.close()


def _turn(turn: int, calls: Calls, now: datetime) -> bool:
    """One process that is killed; whether it was."""
    calls.lay(turn)
    steps = chance.randrange(1, MOST_STEPS) if turn % 2 == 0 else 0
    reconciles = turn % RECONCILED == RECONCILED - 1
    if reconciles:
        pid = child(reconcile_once, steps, now)
    else:
        pid = child(collect_once, chance.random(), steps)
    if not steps:
        time.sleep(chance.uniform(0, 1.0 if reconciles else 0.12))
        os.kill(pid, signal.SIGKILL)
    return ended(pid)


# What became of it, beside what the provider lists.


def report(bank: Bank, died: int, left: int) -> None:
    there = {kind: [f for (k, _), f in bank.there.items() if k == kind] for kind, _ in bank.there}
    paid = [fact for fact in there["PaymentFact"] if fact.state == "paid"]  # type: ignore[union-attr] # as named
    moved: Counter[str] = Counter()
    for fact in there["MovementFact"]:
        moved[fact.currency] += fact.net  # type: ignore[union-attr] # as named
    lines = ledger.balances()
    receipts = list(Payment.objects.exclude(receipt=0).values_list("day__year", "receipt"))
    due = Payment.objects.filter(state="paid", gift__reader__isnull=False).count()
    found = {
        "died": died,
        "events": len(bank.happened),
        "left": left,
        "aside": Aside.objects.count(),
        "balance": dict(+moved) == _of(lines, "Assets:Sandbox:Balance"),
        "nothing left over": not any(_sums(lines).values()),
        "income": sum(f.amount for f in paid) == -sum(  # type: ignore[union-attr] # as named
            line.amount for line in lines if line.account.startswith("Income:")
            and line.account != "Income:Refunds"
        ),
        "payments": sorted(f.ref for f in paid) == _refs(Payment.objects.filter(state="paid")),
        "gifts": sorted((f.ref, f.state) for f in there["GiftFact"])  # type: ignore[union-attr] # as named
        == sorted(Gift.objects.values_list("ref", "state")),
        "transactions": Transaction.objects.count() > events_booked(bank),
        "receipts": len(receipts) == len(set(receipts)) == due == Mail.objects.count(),
        "no gaps": sum(Receipts.objects.values_list("last", flat=True)) == len(receipts),
        "seen": SeenEvent.objects.count() <= len(bank.happened),
    }  # fmt: skip
    print(json.dumps(found), flush=True)  # noqa: T201 - a program


def events_booked(bank: Bank) -> int:
    return sum(1 for kind, _ in bank.there if kind == "MovementFact")


def _of(lines: tuple[ledger.Line, ...], account: str) -> dict[str, int]:
    return {line.currency: line.amount for line in lines if line.account == account}


def _sums(lines: tuple[ledger.Line, ...]) -> Counter[str]:
    sums: Counter[str] = Counter()
    for line in lines:
        sums[line.currency] += line.amount
    return sums


def _refs(rows: Any) -> list[str]:
    return sorted(rows.values_list("ref", flat=True))


if __name__ == "__main__":
    {"make": make, "kill": kill}[sys.argv[1]](*map(int, sys.argv[2:]))  # type: ignore[operator] # by name
