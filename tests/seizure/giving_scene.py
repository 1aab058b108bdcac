# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program: a newsroom (``TAMIZDAT_DIR``) in the middle of being paid for.

``make FILE``: for each address of a JSON list somebody gives, or asks to be reminded, or asks for
something by link; calls lie in the drop, wait aside, fail; some are late, one is erased, one is
refunded; mails wait. It dies as in a power cut. ``counts``: what there is.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django
import pyrage

os.environ["DJANGO_SETTINGS_MODULE"] = "tamizdat.desk.settings.newsroom"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from tamizdat import letterbox  # noqa: E402
from tamizdat.desk.contributions import providers, reconcile  # noqa: E402
from tamizdat.desk.contributions.givers import late, wishes  # noqa: E402
from tamizdat.desk.contributions.models import Gift, Payment, Reminder, Wish  # noqa: E402
from tamizdat.desk.letters import taking  # noqa: E402
from tamizdat.desk.letters.collecting import collect  # noqa: E402
from tamizdat.desk.letters.models import Aside  # noqa: E402
from tamizdat.desk.outgoing import links  # noqa: E402
from tamizdat.desk.outgoing.links import Links, Purpose, day_stamp  # noqa: E402
from tamizdat.desk.outgoing.models import Mail  # noqa: E402
from tamizdat.desk.readers import actions, keyring, requests  # noqa: E402
from tamizdat.desk.readers.models import Reader  # noqa: E402
from tamizdat.desk.readers.vault import Vault  # noqa: E402
from tamizdat.drop.envelope import Submission, seal, submission  # noqa: E402
from tamizdat.drop.spool import Spool  # noqa: E402
from tamizdat.giving.errors import RefusedError, UnreachableError  # noqa: E402
from tamizdat.giving.port import GiftFact, PaymentFact  # noqa: E402
from tests.fakes.payments import NAME, Bank  # noqa: E402

NEWSROOM = settings.NEWSROOM
BANK = Bank()
ASKS = ("list", "amount", "pause", "cancel", "card", "statement")


def make(file: str) -> object:
    call_command("migrate", interactive=False, verbosity=0)
    letterbox.ensure_keys(NEWSROOM)
    links.ensure_key(NEWSROOM)
    keyring.found(NEWSROOM, pyrage.x25519.Identity.generate().to_public())
    actions.begin_vault(newsroom=NEWSROOM)
    providers._made = lambda wanted: BANK  # type: ignore[assignment] # In this process.
    BANK.clock = int(time.time())
    spool = Spool(Path(NEWSROOM.settings.drops[0].folder))
    addresses = json.loads(Path(file).read_text())
    _lay(spool, [call for number, one in enumerate(addresses) for call in _gives(number, one)])
    collect(NEWSROOM, NEWSROOM.settings.drops[0])
    _lay(spool, [_wish(number, one) for number, one in enumerate(addresses)])
    collect(NEWSROOM, NEWSROOM.settings.drops[0])
    _trouble(addresses, spool)
    print(json.dumps(counts()), flush=True)  # noqa: T201 - a program
    os._exit(0)


def _lay(spool: Spool, sent: list[Submission]) -> None:
    recipient = pyrage.x25519.Recipient.from_str(letterbox.recipient(NEWSROOM))
    spool.append([seal(one, [recipient]) for one in sent])
    spool.close_open()


def _gives(number: int, address: str) -> list[Submission]:
    """Completed and paid; each third one is late soon after. Some are told of by lists alone."""
    kind = ("once", "monthly", "annual")[number % 3]
    gift = GiftFact(
        ref=f"sub_{number}", at=BANK.clock, state="active", intent=f"intent-{number:015d}",
        kind=kind, amount=500, currency="EUR", language="en", address=address,  # type: ignore[arg-type] # one of the three
    )  # fmt: skip
    paid = PaymentFact(
        ref=f"pi_{number}", at=BANK.clock, state="paid", amount=500, currency="EUR", gift=gift.ref
    )
    told = [BANK.tell("completed", gift), BANK.tell("paid", paid)]
    if number % 3 == 1:
        told.append(
            BANK.tell("late", GiftFact(ref=gift.ref, at=BANK.clock + 1, state="late", kind=kind))  # type: ignore[arg-type] # as above
        )
    return [] if number % 7 == 6 else [_call(BANK.webhook(one, at=BANK.clock)) for one in told]


def _call(call: tuple[bytes, dict[str, str]]) -> Submission:
    encoded = base64.b64encode(call[0]).decode()
    fields = {"provider": NAME, "headers": call[1], "body": encoded}
    return submission("webhook", "en", fields)


def _wish(number: int, address: str) -> Submission:
    """By the link in their receipt; who has none asks to be reminded."""
    reader = Vault.open(NEWSROOM).find(address)
    if reader is None or number % 5 == 0:
        return submission("remind", "en", {"address": address, "months": 3, "privacy": 1})
    stamp = day_stamp(timezone.localdate())
    token = Links(NEWSROOM).make(Purpose.GIFTS, reader.pk, stamp)
    fields = {"token": token, "ask": ASKS[number % len(ASKS)], "amount": "7"}
    return submission("gift", "en", fields)


def _trouble(addresses: list[str], spool: Spool) -> None:
    """A provider that answers no more, or no; calls that cannot be handled; somebody is erased."""
    now = timezone.now() + timedelta(seconds=1)
    late.carry_out(now)
    wishes.carry_out(now)
    BANK.trouble = UnreachableError("no answer")
    reconcile.one(NAME, now=datetime.now(UTC) + timedelta(days=1))
    BANK.trouble = RefusedError("it is too old")
    wishes.carry_out(now + timedelta(hours=2))
    BANK.trouble = None
    reconcile.one(NAME, now=datetime.now(UTC) + timedelta(days=1))
    requests.erase(vault=Vault.open(NEWSROOM), address=addresses[1], acting_user=None)
    whole, taking.handlers._handlers["webhook"] = taking.handlers._handlers["webhook"], _fails
    _lay(spool, [call for n in (2, 4) for call in _gives(n, addresses[n])])
    collect(NEWSROOM, NEWSROOM.settings.drops[0])
    taking.handlers._handlers["webhook"] = whole
    _lay(spool, [call for n in (3, 5) for call in _gives(n, addresses[n])])  # They lie there.


def _fails(one: Submission, /, *, arrived_hour: datetime) -> None:
    raise RuntimeError(f"cannot: {base64.b64decode(one.fields['body']).decode()}")


def counts() -> dict[str, int]:
    return {
        "readers": Reader.objects.filter(erased=None).count(),
        "gifts": Gift.objects.count(),
        "paid": Payment.objects.filter(state="paid").count(),
        "reminders": Reminder.objects.count(),
        "wishes": Wish.objects.count(),
        "aside": Aside.objects.count(),
        "mails": Mail.objects.exclude(sealed=b"").count(),
    }


DONE = {"make": make, "counts": lambda: counts()}

if __name__ == "__main__":
    print(json.dumps(DONE[sys.argv[1]](*sys.argv[2:])))  # type: ignore[operator]  # noqa: T201  # Each has its own arguments.
