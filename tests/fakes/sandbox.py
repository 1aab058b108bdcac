# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's payment provider for tests: in this process without a socket, or as a server.

::

    box = sandbox()                              # its clock stands at NOW until box.move(days=31)
    gift = box.give(choice("monthly", 500, "USD"), address="ada@mail.example")
    box.provider.listing(...), box.provider.cancel(gift.gift, key="k1")
    for body, headers in box.webhooks(): box.provider.read(body, headers, received=...)
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import msgspec

from tamizdat.giving.choice import Choice, Kind
from tamizdat.giving.port import GiftFact
from tamizdat.giving.sandbox import schedule
from tamizdat.giving.sandbox.api import Api, Keys
from tamizdat.giving.sandbox.bank import Bank
from tamizdat.giving.sandbox.client import told
from tamizdat.giving.sandbox.provider import SandboxProvider
from tamizdat.giving.sandbox.signing import HEADER, sign
from tamizdat.giving.sandbox.store import Store
from tamizdat.giving.sandbox.till import SandboxTill

NOW = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
TILL, DESK, SECRET = "till-" + "t" * 32, "desk-" + "d" * 32, "hook-" + "h" * 32
ACCOUNT = "demo"
DONE, GAVE_UP = "https://paper.example/en/support/thanks/", "https://drop.example/v1/give?x=1"


def choice(kind: Kind = "once", amount: int = 500, currency: str = "USD", **more: Any) -> Choice:
    """What somebody wants to give, with an intent of its own unless it is given."""
    made = {"language": "en", "intent": secrets.token_urlsafe(16), **more}
    return Choice(kind=kind, amount=amount, currency=currency, **made)


class Given(NamedTuple):
    """The provider's names; ``cause`` where the card was declined, ``gift`` empty then."""

    checkout: str
    payment: str
    gift: str
    cause: str


class Direct:
    """``client.Calls`` without a socket."""

    def __init__(self, api: Api, key: str) -> None:
        self._api = api
        self._key = key

    def __call__(
        self, method: str, path: str, said: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        where = urlsplit(path)
        parts = tuple(where.path.removeprefix("/api/").split("/"))
        body = b"" if said is None else msgspec.json.encode(said)
        query = dict(parse_qsl(where.query))
        status, found = self._api.answer(method, parts, query, body, self._key)
        return told(status, msgspec.json.encode(found))


class FakeSandbox:
    """``now`` is its clock (seconds); ``till`` and ``provider`` are the real adapters."""

    def __init__(self, file: Path | str = ":memory:", *, settles: str = "") -> None:
        self.now = NOW.timestamp()
        self.store = Store(file, account=ACCOUNT, clock=lambda: self.now)
        self.bank = Bank(self.store, settles=settles)
        self.api = Api(self.bank, Keys(TILL, DESK), "http://127.0.0.1:9")
        self.till = SandboxTill(Direct(self.api, TILL), ("RU",))
        self.provider = SandboxProvider(Direct(self.api, DESK), webhook=(SECRET,), account=ACCOUNT)

    def give(self, wanted: Choice, card: str = "good", *, address: str = "") -> Given:
        """Open a checkout and pay with a card of ``cards.CARDS``."""
        opened = asyncio.run(self.till.open(wanted, done=DONE, gave_up=GAVE_UP, paper="The Lamp"))
        outcome = self.bank.pay(opened.ref, card, address)
        made = [one for one in self.store.facts(GiftFact) if one.checkout == opened.ref]
        payment = self.bank.checkout(opened.ref).payment
        return Given(opened.ref, payment, made[0].ref if made else "", outcome.cause)

    def move(self, **how: float) -> None:
        """Let time pass, as for ``timedelta``; what is due happens."""
        self.now += timedelta(**how).total_seconds()
        schedule.run(self.store, self.bank.balance, self.store.now)

    def dispute(self, payment: str) -> None:
        with self.store.change():
            schedule.dispute(self.store, self.bank.balance, payment)

    def webhooks(self, *, take: bool = True) -> list[tuple[bytes, dict[str, str]]]:
        """The events that were not sent yet, signed now; they count as taken unless told not to."""
        found = []
        for one in self.store.waiting(100_000):
            found.append((one.body, {HEADER: sign(one.body, SECRET, int(time.time()))}))
            if take:
                self.store.taken(one.number)
        return found


def sandbox(file: Path | str = ":memory:", *, settles: str = "") -> FakeSandbox:
    return FakeSandbox(file, settles=settles)


def intents() -> Iterator[str]:
    """Intents that are the same in every run."""
    for number in itertools.count():
        yield f"{number:022d}"
