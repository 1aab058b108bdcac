# SPDX-License-Identifier: AGPL-3.0-or-later
"""The letterbox's half: makes invoices, and nothing else.

What always holds: the key needs one right, to make invoices; it cannot look at any. Greenfield has
no idempotency keys, and looking for an invoice would be a second right; so what was opened is kept
in this process until the invoice is too old to be paid: its address, under a keyed hash of the
wish, so that who reads the memory finds no wish there. Two letterboxes may so open two invoices for
one wish; who pays, pays on one page, and the other one ends by itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from tamizdat.giving.btcpay.client import Client
from tamizdat.giving.btcpay.facts import Marks
from tamizdat.giving.choice import Choice
from tamizdat.giving.errors import RefusedError
from tamizdat.giving.money import plain
from tamizdat.giving.port import Opened
from tamizdat.giving.registry import TillSettings

OPEN: Final = 30  # minutes, in which the rate stands
MOST: Final = 10_000


class _Made(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    checkout_link: str


class BtcpayTill:
    """``port.Till``. ``clock`` tells unix seconds."""

    name = "btcpay"

    def __init__(self, client: Client, clock: Callable[[], float] = time.time) -> None:
        self._client = client
        self._clock = clock
        self._salt = secrets.token_bytes(32)
        self._open: dict[bytes, tuple[float, asyncio.Task[Opened]]] = {}

    async def open(self, choice: Choice, *, done: str, gave_up: str, paper: str) -> Opened:
        if choice.kind != "once":
            raise RefusedError("with bitcoin one gives once: monthly and annually need a card")
        said = f"{choice.intent} {choice.amount} {choice.currency}"
        wish = hashlib.blake2b(said.encode(), key=self._salt, digest_size=32).digest()
        self._forget()
        if wish not in self._open:
            asked = invoice(choice, done=done, paper=paper, at=int(self._clock()))
            making = asyncio.create_task(asyncio.to_thread(self._make, asked))
            self._open[wish] = (self._clock(), making)
        # Who goes away takes the invoice from nobody else who waits for it.
        try:
            return await asyncio.shield(self._open[wish][1])
        except Exception:
            self._open.pop(wish, None)
            raise

    async def close(self) -> None:
        await asyncio.gather(*(task for _, task in self._open.values()), return_exceptions=True)
        self._client.close()

    def _make(self, asked: dict[str, Any]) -> Opened:
        made = self._client.post("invoices", asked, _Made)
        return Opened(made.id, made.checkout_link)

    def _forget(self) -> None:
        """What can no longer be paid, and the oldest of too many."""
        old = self._clock() - OPEN * 60
        for wish, (since, task) in list(self._open.items()):
            if task.done() and (since < old or len(self._open) > MOST):
                del self._open[wish]


def invoice(choice: Choice, *, done: str, paper: str, at: int) -> dict[str, Any]:
    """What BTCPay is asked for."""
    marks = Marks(
        intent=choice.intent,
        amount=choice.amount,
        currency=choice.currency,
        at=at,
        language=choice.language,
        message=choice.message,
        variant=choice.variant,
        behalf=choice.behalf,
    )
    return {
        "amount": plain(choice.money),
        "currency": choice.currency,
        "metadata": {"itemDesc": paper, "tamizdat": msgspec.to_builtins(marks)},
        "checkout": {
            "redirectURL": done,
            "redirectAutomatically": True,
            "defaultLanguage": choice.language,
            "expirationMinutes": OPEN,
        },
    }


def make_till(settings: TillSettings) -> BtcpayTill:
    """Raises ``AccountError`` for an address that is not safe, or without a shop."""
    return BtcpayTill(Client(settings.url, settings.key, settings.account))
