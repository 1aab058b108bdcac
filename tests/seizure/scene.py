# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program: what a newsroom (``TAMIZDAT_DIR``) does with what its readers send.

``make``: keys, a vault, pseudonymous authors; prints the public keys a drop needs. ``collect``:
empties the drop as the worker does. ``readers FILE``: takes in the addresses of a JSON list, with
what each agreed to, and a third of them to be reminded. ``counts``: what it has. ``plant WHERE
SECRET``: puts a secret in.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import django
import pyrage

os.environ["DJANGO_SETTINGS_MODULE"] = "tamizdat.desk.settings.newsroom"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from tamizdat import letterbox  # noqa: E402
from tamizdat.desk.audit import actions as audit  # noqa: E402
from tamizdat.desk.contributions import reminders  # noqa: E402
from tamizdat.desk.contributions.models import Reminder  # noqa: E402
from tamizdat.desk.letters.collecting import collect  # noqa: E402
from tamizdat.desk.letters.models import Aside, Handled, Message  # noqa: E402
from tamizdat.desk.outgoing import links  # noqa: E402
from tamizdat.desk.readers import actions, consents, keyring  # noqa: E402
from tamizdat.desk.readers.models import Consent, Reader  # noqa: E402
from tamizdat.desk.readers.vault import Vault  # noqa: E402

NEWSROOM = settings.NEWSROOM


def make() -> object:
    call_command("migrate", interactive=False, verbosity=0)
    letterbox.ensure_keys(NEWSROOM)
    links.ensure_key(NEWSROOM)
    keyring.found(NEWSROOM, pyrage.x25519.Identity.generate().to_public())
    actions.begin_vault(newsroom=NEWSROOM)
    return {"recipient": letterbox.recipient(NEWSROOM)}


def empty_drops() -> object:
    reports = [collect(NEWSROOM, drop) for drop in NEWSROOM.settings.drops]
    return {"problems": [report.problem for report in reports if report.problem]}


def readers(file: str) -> object:
    vault = Vault.open(NEWSROOM)
    for number, address in enumerate(json.loads(Path(file).read_text())):
        with transaction.atomic():
            reader = vault.add(address, "en")
            asked = consents.ask(reader=reader, purpose="newsletter", subject="weekly",
                                 form="footer", privacy=1, language="en")  # fmt: skip
            if number % 2:
                token = f"token-{number}"
                consents.confirm(asked=asked, token=token, form="mail", language="en")
            found = vault.find(address)
            assert found is not None
            assert vault.address_of(found) == address
            if number % 3 == 0:
                reminders.remind(address=address, months=3, privacy=1, language="en",
                                 message="autumn", variant="plain")  # fmt: skip
            if number % 10 == 0:
                audit.record(action="tamizdat.vault", kind="readers.reader",
                             object_id=str(reader.pk), label=address,
                             data={"asked by": address})  # fmt: skip
    return {"readers": Reader.objects.count()}


def counts() -> object:
    return {
        "readers": Reader.objects.count(),
        "consents": Consent.objects.count(),
        "messages": Message.objects.count(),
        "reminders": Reminder.objects.count(),
        "come": Handled.objects.count() + Aside.objects.count(),
    }


def plant(where: str, secret: str) -> object:
    with connection.cursor() as cursor:
        if where == "a column":
            Message.objects.create(sealed=secret.encode(), arrived=timezone.now())
        elif where == "the trail":
            audit.record(action="x", label=secret.replace("@", " at "))
        elif where == "the journal":
            cursor.execute("CREATE TABLE planted (v TEXT)")
            cursor.execute("INSERT INTO planted VALUES (%s)", [secret])
            # Dies as in a power cut: what was written stands in the write-ahead log alone.
            sys.stdout.write('{"planted": "the journal"}\n')
            sys.stdout.flush()
            os._exit(0)
        elif where == "a log":
            NEWSROOM.run.mkdir(exist_ok=True)
            (NEWSROOM.run / "worker.log").write_text(f"could not send to {secret}")
    return {"planted": where}


DONE = {
    "make": make,
    "collect": empty_drops,
    "readers": readers,
    "counts": counts,
    "plant": plant,
}

if __name__ == "__main__":
    print(json.dumps(DONE[sys.argv[1]](*sys.argv[2:])))  # type: ignore[operator]  # noqa: T201  # Each has its own arguments.
