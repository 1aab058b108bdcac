# SPDX-License-Identifier: AGPL-3.0-or-later
"""One handle for each provider: the real adapters before a real fake of its other side.

``RIGS`` names them; ``rig(name)`` is a context. What a provider cannot do at all is not in ``can``.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import stripe as library

from tamizdat.giving.choice import Choice, Kind
from tamizdat.giving.port import DisputeFact, Provider, Till
from tamizdat.giving.registry import DeskSettings, TillSettings, make_provider, make_till
from tamizdat.giving.sandbox import schedule
from tamizdat.giving.sandbox.provider import SandboxProvider
from tamizdat.giving.sandbox.signing import HEADER
from tamizdat.giving.sandbox.signing import sign as sandbox_sign
from tests.fakes.btcpay.server import Server as BtcServer
from tests.fakes.btcpay.server import serving as btcpay_serving
from tests.fakes.btcpay.world import STORE
from tests.fakes.btcpay.world import World as BtcWorld
from tests.fakes.sandbox import SECRET as SANDBOX_SECRET
from tests.fakes.sandbox import Direct, FakeSandbox
from tests.fakes.stripe.basics import DAY, encoded
from tests.fakes.stripe.server import DESK, TILL, Server, serving
from tests.fakes.stripe.world import World

NOW = int(datetime(2026, 10, 31, 9, 30, tzinfo=UTC).timestamp())
BEFORE = datetime.fromtimestamp(NOW - 2 * DAY, UTC)
DONE, GAVE_UP = "https://paper.example/en/support/thanks/", "https://drop.example/v1/give?kind=once"
PAPER, ADDRESS = "The Plover Post", "ada@reed.example"
SECRET, OLD_SECRET = "whsec_new", "whsec_old"
EVERYTHING = frozenset(
    {"again", "refund", "dispute", "payout", "slow", "card", "events", "decline"}
)
Hook = tuple[bytes, dict[str, str]]


def choice(kind: Kind = "once", amount: int = 500, currency: str = "USD", **more: Any) -> Choice:
    made = {"language": "ru", "intent": secrets.token_urlsafe(16), "message": "autumn", **more}
    return Choice(kind=kind, amount=amount, currency=currency, **made)


class Rig(Protocol):
    """``pay`` returns the cause where it was not taken. ``tick``: a minute goes by, as nobody does
    two things in one second. ``hooks`` are the calls of the webhook since the last time, signed as
    the provider does; ``received`` is when they came."""

    name: str
    can: frozenset[str]
    till: Till
    provider: Provider

    def pay(self, ref: str, card: str = "good") -> str: ...
    def leave(self, ref: str) -> None: ...
    def settle(self) -> None: ...
    def renew(self, gift: str) -> None: ...
    def dispute(self, payment: str, *, won: bool) -> None: ...
    def pay_out(self) -> None: ...
    def hooks(self) -> list[Hook]: ...
    def received(self) -> datetime: ...
    def sign(self, body: bytes) -> dict[str, str]: ...
    def tick(self) -> None: ...
    def made(self) -> int: ...
    def another(self, *, key: str) -> Provider: ...


class StripeRig:
    name = "stripe"
    can = EVERYTHING
    cards = {"good": "success", "no-money": "funds", "slow": "slow", "slow-fails": "slow-fails"}

    def __init__(self, server: Server) -> None:
        self.server, self.world = server, server.world
        self.till = make_till(TillSettings(kind="stripe", key=TILL, url=server.url))
        self.provider = self.another(key=DESK)
        self._told = 0

    def another(self, *, key: str) -> Provider:
        hooks = (SECRET, OLD_SECRET)
        wanted = DeskSettings(kind="stripe", key=key, webhook=hooks, url=self.server.url)
        return make_provider(wanted)

    def pay(self, ref: str, card: str = "good") -> str:
        return self.world.pay(ref, self.cards[card], ADDRESS)

    def leave(self, ref: str) -> None:
        self.world.expire(ref)

    def settle(self) -> None:
        self.world.now += 3 * DAY
        self.world.settle()

    def renew(self, gift: str) -> None:
        self.world.renew(gift)

    def dispute(self, payment: str, *, won: bool) -> None:
        self.world.judge(self.world.dispute(payment), won=won)

    def pay_out(self) -> None:
        self.world.arrives(self.world.payout())

    def hooks(self) -> list[Hook]:
        fresh, self._told = self.world.events[self._told :], len(self.world.events)
        return [(body, self.sign(body)) for body in map(encoded, fresh)]

    def received(self) -> datetime:
        return datetime.fromtimestamp(self.world.now // 3600 * 3600, UTC)

    def sign(self, body: bytes) -> dict[str, str]:
        header = library.WebhookSignature.generate_signature_header(
            body.decode(), SECRET, self.world.now
        )
        return {"stripe-signature": header}

    def tick(self) -> None:
        self.world.now += 60

    def made(self) -> int:
        return len(self.world.all("session"))


class SandboxRig:
    name = "sandbox"
    can = EVERYTHING

    def __init__(self, box: FakeSandbox) -> None:
        self.box = box
        self.till, self.provider = box.till, box.provider

    def another(self, *, key: str) -> Provider:
        return SandboxProvider(Direct(self.box.api, key))

    def pay(self, ref: str, card: str = "good") -> str:
        return self.box.bank.pay(ref, card, ADDRESS).cause

    def leave(self, ref: str) -> None:
        self.box.move(days=2)

    def settle(self) -> None:
        self.box.move(days=3)

    def renew(self, gift: str) -> None:
        self.box.move(days=31)

    def dispute(self, payment: str, *, won: bool) -> None:
        self.box.dispute(payment)
        with self.box.store.change():
            for one in self.box.store.facts(DisputeFact):
                schedule.decide(self.box.store, self.box.bank.balance, one.ref, won=won)

    def pay_out(self) -> None:
        self.box.move(days=15)

    def hooks(self) -> list[Hook]:
        return self.box.webhooks()

    def received(self) -> datetime:
        return datetime.fromtimestamp(time.time() // 3600 * 3600, UTC)

    def sign(self, body: bytes) -> dict[str, str]:
        return {HEADER: sandbox_sign(body, SANDBOX_SECRET, int(time.time()))}

    def tick(self) -> None:
        self.box.move(minutes=1)

    def made(self) -> int:
        found = self.box.store._db.execute("SELECT count(*) FROM things WHERE kind = 'checkout'")
        return int(found.fetchone()[0])


class BtcpayRig:
    name = "btcpay"
    can = frozenset({"slow"})

    def __init__(self, server: BtcServer) -> None:
        self.server, self.world = server, server.world
        self.till = make_till(
            TillSettings(kind="btcpay", key="till", url=server.url, account=STORE)
        )
        self.provider = self.another(key="desk")
        self._told = 0

    def another(self, *, key: str) -> Provider:
        wanted = DeskSettings(
            kind="btcpay", key=key, webhook=(SECRET, OLD_SECRET), url=self.server.url, account=STORE
        )
        return make_provider(wanted)

    def pay(self, ref: str, card: str = "good") -> str:
        self.world.pay(ref, confirmed=card == "good", fails=card == "slow-fails")
        return ""

    def leave(self, ref: str) -> None:
        self.world.expire(ref)

    def settle(self) -> None:
        self.world.now += 3_600
        self.world.confirm()

    def renew(self, gift: str) -> None:
        raise NotImplementedError

    def dispute(self, payment: str, *, won: bool) -> None:
        raise NotImplementedError

    def pay_out(self) -> None:
        raise NotImplementedError

    def hooks(self) -> list[Hook]:
        fresh, self._told = self.world.sent[self._told :], len(self.world.sent)
        return [(body, self.sign(body)) for body in fresh]

    def received(self) -> datetime:
        return datetime.fromtimestamp(self.world.now // 3600 * 3600, UTC)

    def sign(self, body: bytes) -> dict[str, str]:
        return {"btcpay-sig": self.world.signature(body, SECRET)}

    def tick(self) -> None:
        self.world.now += 60

    def made(self) -> int:
        return len(self.world.invoices)


@contextmanager
def _stripe() -> Iterator[Rig]:
    with serving(World(now=NOW)) as server:
        rig = StripeRig(server)
        yield rig


@contextmanager
def _sandbox() -> Iterator[Rig]:
    box = FakeSandbox()
    box.now = float(NOW)
    try:
        yield SandboxRig(box)
    finally:
        box.store.close()


@contextmanager
def _btcpay() -> Iterator[Rig]:
    with btcpay_serving(BtcWorld(now=NOW)) as server:
        yield BtcpayRig(server)


RIGS: dict[str, Callable[[], Any]] = {"stripe": _stripe, "btcpay": _btcpay, "sandbox": _sandbox}
