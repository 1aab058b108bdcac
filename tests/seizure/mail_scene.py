# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program: a newsroom (``TAMIZDAT_DIR``) in the middle of sending, and of what comes back.

``make FILE``: readers (a JSON list of addresses) who get a newsletter, single mails that wait, an
issue that is started. ``work``: sends as a worker does until it is killed. ``counts``: how the
issue stands. ``returns FILE``: takes in what came back for these readers, understood or not.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "tamizdat.desk.settings.newsroom"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.db.models import Count  # noqa: E402

from tamizdat.desk.newsletter.engine.worker import Worker  # noqa: E402
from tamizdat.desk.newsletter.models import Delivery, Issue, Subscription  # noqa: E402
from tamizdat.desk.outgoing import lanes, maildir, reports  # noqa: E402
from tamizdat.desk.outgoing.links import Links, Purpose  # noqa: E402
from tamizdat.desk.outgoing.models import Mail, Return, Suppression  # noqa: E402
from tamizdat.desk.readers.vault import Vault  # noqa: E402
from tamizdat.mail.content import Notice  # noqa: E402
from tamizdat.mail.verp import verp  # noqa: E402
from tests.desk.newsletter.engine import house  # noqa: E402
from tests.mail import returned  # noqa: E402

NEWSROOM = settings.NEWSROOM


def make(file: str) -> object:
    call_command("migrate", interactive=False, verbosity=0)
    house.prepare(NEWSROOM)
    addresses = json.loads(Path(file).read_text())
    made = house.subscribe(NEWSROOM, addresses)
    with transaction.atomic():
        for subscription, address in zip(made[::4], addresses[::4], strict=True):
            words = Notice("Please confirm", "en", "The Meridian", (f"For {address}",))
            lanes.send(purpose="confirm", reader=subscription.reader, notice=words)
            lanes.send(purpose="data", to=address, notice=words)
    house.begin(house.issue())
    return counts()


def work() -> object:
    Worker(NEWSROOM, window=4).run()
    return {}


def back(file: str) -> object:
    """One shape a reader, in turn: by Maildir, and by LMTP with the envelope's recipient."""
    vault, issue = Vault.open(NEWSROOM), Issue.objects.get()
    links, folder = Links(NEWSROOM), NEWSROOM.folder / "returned" / "new"
    for number, address in enumerate(json.loads(Path(file).read_text())):
        reader = vault.find(address)
        assert reader is not None
        subscription = Subscription.objects.get(reader=reader)
        token = links.make(Purpose.RETURN_ISSUE, subscription.pk, issue.pk)
        box = verp(token if number % 5 else "A" * 40, "returns.meridian.example")
        text = returned.SAMPLES[number % len(returned.SAMPLES)].text
        text = text.replace(returned.READER, address).replace(returned.BOX, box)
        data = text.replace("vera.lind", address.partition("@")[0]).encode()
        if number % 2:
            (folder / f"{number}.mail").write_bytes(data)
        else:
            reports.take(NEWSROOM, data, recipient=box)
    maildir.empty(NEWSROOM)
    return counts()


def counts() -> object:
    rows = Delivery.objects.values("state").annotate(n=Count("id")).order_by("state")
    return {
        "mails": Mail.objects.exclude(sealed=b"").count(),
        "suppressed": Suppression.objects.count(),
        "said": Delivery.objects.exclude(said="").count(),
        "kept": len(reports.kept_aside()),
        "returns": Return.objects.count(),
        **{row["state"]: row["n"] for row in rows},
    }


DONE = {"make": make, "work": work, "returns": back, "counts": counts}

if __name__ == "__main__":
    print(json.dumps(DONE[sys.argv[1]](*sys.argv[2:])))  # type: ignore[operator]  # noqa: T201  # Each has its own arguments.
