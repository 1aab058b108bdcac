# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the engine's tests are about: many readers of one newsletter, an issue, relays that
remember."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyrage
from django.utils import timezone

from tamizdat.config import Newsroom
from tamizdat.desk.newsletter.engine import start
from tamizdat.desk.newsletter.engine.press import MessageIds
from tamizdat.desk.newsletter.models import Delivery, Issue, Newsletter, Subscription
from tamizdat.desk.outgoing.links import ensure_key
from tamizdat.desk.readers import actions, keyring
from tamizdat.desk.readers.addresses import normalised
from tamizdat.desk.readers.models import Consent, Reader, random_id
from tamizdat.desk.readers.vault import Vault, blind_of, seal_address
from tamizdat.mail.content import PREFERENCES, UNSUBSCRIBE, Content, Foot, Heading, Item

SINK = Path(__file__).with_name("sink.py")
DROP = "https://drop.meridian.example"


def prepare(newsroom: Newsroom) -> None:
    """A vault and the keys of links, where there are none."""
    ensure_key(newsroom)
    if not (newsroom.secrets / keyring.OPERATOR).exists():
        keyring.found(newsroom, pyrage.x25519.Identity.generate().to_public())
    if not actions.was_begun():
        actions.begin_vault(newsroom=newsroom)


def newsletter() -> Newsletter:
    made, _ = Newsletter.objects.get_or_create(
        slug="weekly",
        defaults={
            "language": "en",
            "title": "The Weekly",
            "sender_name": "The Meridian",
            "sender_address": "weekly@meridian.example",
            "hour": "07:00",
            "zone": "Europe/Berlin",
        },
    )
    return made


def subscribe(newsroom: Newsroom, addresses: list[str], **more: Any) -> list[Subscription]:
    """Readers with these addresses, who confirmed."""
    vault, today, of = Vault.open(newsroom), timezone.localdate(), newsletter()
    keys = vault.file.keys()
    readers = []
    for address in addresses:
        pk = random_id()
        blind = blind_of(keys.blind[keys.current], normalised(address))
        sealed = seal_address(keys, pk, address)
        readers.append(
            Reader(pk=pk, blind=blind, sealed=sealed, key_version=keys.current, language="en",
                   added=today)
        )  # fmt: skip
    Reader.objects.bulk_create(readers, batch_size=2_000)
    Consent.objects.bulk_create(
        (
            Consent(reader=reader, purpose="newsletter", subject="weekly", event="confirmed",
                    day=today, form="test", privacy=1, language="en", proof="0" * 64)
            for reader in readers
        ),
        batch_size=2_000,
    )  # fmt: skip
    made = [
        Subscription(**{"newsletter": of, "reader": reader, "state": "active", "since": today}
                     | more)
        for reader in readers
    ]  # fmt: skip
    return Subscription.objects.bulk_create(made, batch_size=2_000)


def content(size: int = 300) -> Content:
    """A small issue; ``size`` characters of text."""
    words = ("The crews went back on Monday. " * (size // 31 + 1))[:size]
    return Content(
        newsletter="The Weekly",
        slug="weekly",
        number=1,
        day="2026-11-27",
        language="en",
        subject="The ferries run again",
        headings=(Heading("News", (Item("Ferries", "https://meridian.example/ferries/", words),)),),
        foot=Foot(f"{DROP}/unsubscribe/{UNSUBSCRIBE}", f"{DROP}/preferences/{PREFERENCES}"),
    )


def issue(number: int = 1, **more: Any) -> Issue:
    """One that is approved and was not started."""
    now = timezone.now()
    return Issue.objects.create(
        newsletter=newsletter(), number=number, subject="The ferries run again",
        state=Issue.State.APPROVED, created=now, edited=now, **more,
    )  # fmt: skip


def begin(one: Issue, *, gather: bool = True, size: int = 300) -> Issue:
    start.start(issue=one, acting_user=None, contents={"summary": (content(size), {})})
    while gather and start.gather(one.pk):
        pass
    one.refresh_from_db()
    return one


class Sink:
    """A relay in another process. ``with`` it, or ``stop`` it."""

    def __init__(self, folder: Path, *behaviour: str, port: int = 0, name: str = "sink") -> None:
        self.file = folder / f"{name}.txt"
        self.port, self._behaviour = port, behaviour
        self.start()

    def start(self, *behaviour: str) -> None:
        command = [sys.executable, str(SINK), str(self.file), str(self.port)]
        self.process = subprocess.Popen(
            [*command, *(behaviour or self._behaviour)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def lines(self) -> list[tuple[str, str, float]]:
        found = self.file.read_text().splitlines() if self.file.exists() else []
        split = [line.split(" ") for line in found]
        return [(name, to, float(when)) for name, to, when in split]

    def accepted(self) -> Counter[str]:
        return Counter(name for name, _, _ in self.lines())


def settings_of(database: str, relays: str, mail: str = "") -> str:
    return (
        'name = "The Meridian"\naddress = "https://meridian.example"\n'
        f'database = "{database}"\n'
        f"[mail]\nsender = 'desk@meridian.example'\nbounces = 'returns.meridian.example'\n{mail}\n"
        f"{relays}\n"
    )


def relay(port: int, name: str = "one", **more: Any) -> str:
    lines = "".join(f"{key} = {value!r}\n" for key, value in more.items())
    where = f"host = '127.0.0.1'\nport = {port}\nsecurity = 'none'"
    return f"[[relays]]\nname = '{name}'\n{where}\n{lines}"


def compare(newsroom: Newsroom, one: Issue, accepted: Counter[str]) -> dict[str, Any]:
    """Ledger and sink, mail by mail: what is wrong, and how many stand how."""
    ids = MessageIds(newsroom, one.pk)
    found: dict[str, Any] = {"lost": 0, "twice": 0, "strangers": 0, "states": Counter()}
    known = set()
    rows = Delivery.objects.filter(issue=one).values_list("subscription_id", "state", "resent")
    for subscription, state, resent in rows.iterator():
        name = ids.of(subscription)
        known.add(name)
        times = accepted[name]
        found["states"][state] += 1
        found["twice"] += times > (2 if resent else 1)
        found["lost"] += state == "sent" and not times
        found["strangers"] += state in ("queued", "deferred", "refused") and times > int(resent)
    found["strangers"] += len(set(accepted) - known)
    return found
