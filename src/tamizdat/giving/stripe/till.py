# SPDX-License-Identifier: AGPL-3.0-or-later
"""The letterbox's half: opens sessions of Stripe's Checkout.

What always holds: one session for one choice, however often and in how many letterboxes it is
asked for (the idempotency key is made of it); who comes back to a session that was paid is led to
the thanks; one that was left for too long is replaced by one, never by two. Where the same wish is
sent with another amount (two tabs, the back button), the session before is ended before the new
one is told, so that only one can be paid; of two that were sent at once the later one counts.

That one is told by what this process remembers: the session that was opened last for a wish, under
a keyed hash of it, for as long as a session can be paid. Stripe finds no session by what we call
it, and to read the list of all of them to find one would be to read who gave. So two letterboxes,
or one before and after its restart, may leave two amounts of one wish payable.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any, Final

import msgspec
import stripe

from tamizdat.giving.choice import Choice
from tamizdat.giving.errors import AccountError, UnreachableError
from tamizdat.giving.port import Opened
from tamizdat.giving.registry import TillSettings
from tamizdat.giving.stripe.amounts import to_stripe
from tamizdat.giving.stripe.client import Wire, client, header
from tamizdat.giving.stripe.errors import in_our_words

_INTERVALS: Final = {"monthly": "month", "annual": "year"}
_LOCALES: Final = (
    "bg cs da de el en es et fi fil fr hr hu id it ja ko lt lv ms mt nb nl pl pt ro ru sk sl sv th "
    "tr vi zh"
)
_TRIES: Final = 5
PAYABLE: Final = 24 * 3600  # seconds, for which a session can be paid
MOST: Final = 10_000


class Lately:
    """Which session was opened last for each wish. Threads may share it."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(32)
        self._guard = threading.Lock()
        self._last: OrderedDict[bytes, tuple[float, str]] = OrderedDict()

    def swap(self, intent: str, ref: str) -> str:
        """Remember this one; the one before, or nothing."""
        wish = hashlib.blake2b(intent.encode(), key=self._salt, digest_size=32).digest()
        now = time.monotonic()
        with self._guard:
            _, before = self._last.pop(wish, (now, ""))
            self._last[wish] = (now, ref)
            while len(self._last) > MOST or next(iter(self._last.values()))[0] < now - PAYABLE:
                self._last.popitem(last=False)
        return before


class StripeTill:
    """``port.Till``."""

    name = "stripe"

    def __init__(self, key: str, url: str = "") -> None:
        self._http = Wire()
        self._api = client(key, url, self._http)
        self._threads = ThreadPoolExecutor(8, "stripe-till")
        self._lately = Lately()

    async def open(self, choice: Choice, *, done: str, gave_up: str, paper: str) -> Opened:
        wanted = session(choice, done=done, gave_up=gave_up, paper=paper)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._only, wanted, choice.intent)

    async def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._http.close()

    def _only(self, wanted: dict[str, Any], intent: str) -> Opened:
        """The one checkout of this wish that can be paid; the thanks where one was."""
        made = self._open(wanted, intent)
        before = self._lately.swap(intent, made.ref)
        if before in ("", made.ref):
            return made
        try:
            with in_our_words():
                if self._ended(before):
                    return made
                self._ended(made.ref)
        except BaseException:
            self._lately.swap(intent, before)  # Who tries again ends it then: nobody was told ours.
            raise
        self._lately.swap(intent, before)
        return Opened(before, wanted["success_url"])

    def _ended(self, ref: str) -> bool:
        """End a session that is open. Whether it was never paid."""
        try:
            self._api.checkout.sessions.expire(ref)
        except stripe.InvalidRequestError:
            status = self._api.checkout.sessions.retrieve(ref).status
            if status == "open":
                raise
            return bool(status != "complete")
        return True

    def _open(self, wanted: dict[str, Any], intent: str) -> Opened:
        digest = sha256(msgspec.json.encode(wanted, order="sorted")).hexdigest()[:16]
        key = f"checkout-{intent}-{digest}"
        with in_our_words():
            for _ in range(_TRIES):
                try:
                    made = self._api.checkout.sessions.create(wanted, {"idempotency_key": key})
                except stripe.APIError as error:
                    if error.headers.get("Idempotent-Replayed") != "true":
                        raise
                    key += "-"  # Stripe repeats a fault of its own for as long as it knows a key.
                    continue
                if header(made, "Idempotent-Replayed") != "true":
                    return Opened(made.id, made.url)
                # What was answered the first time, as it was then: so look what became of it.
                now = self._api.checkout.sessions.retrieve(made.id)
                if now.status == "complete":
                    return Opened(now.id, wanted["success_url"])
                if now.status == "open":
                    return Opened(now.id, now.url)
                key = f"checkout-{intent}-after-{now.id}"
        raise UnreachableError("Stripe opens no checkout for this: it may in a while")


def session(choice: Choice, *, done: str, gave_up: str, paper: str) -> dict[str, Any]:
    """What Stripe is asked for. Nothing in it changes with time, so that the same choice is the
    same request. Raises ``RefusedError`` for amounts that Stripe cannot take."""
    price: dict[str, Any] = {
        "currency": choice.currency.lower(),
        "unit_amount": to_stripe(choice.money),
        "product_data": {"name": paper},
    }
    ours = marks(choice)
    wanted: dict[str, Any] = {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "success_url": done,
        "cancel_url": gave_up,
        "locale": locale(choice.language),
        "client_reference_id": choice.intent,
        "metadata": ours,
        # The amount stays in the currency that was chosen.
        "adaptive_pricing": {"enabled": False},
    }
    if choice.kind == "once":
        return {**wanted, "submit_type": "donate", "payment_intent_data": {"metadata": ours}}
    price["recurring"] = {"interval": _INTERVALS[choice.kind]}
    return {**wanted, "mode": "subscription", "subscription_data": {"metadata": ours}}


def marks(choice: Choice) -> dict[str, str]:
    """What of a choice travels with it, to come back with its facts."""
    marks = {
        "intent": choice.intent,
        "kind": choice.kind,
        "language": choice.language,
        "message": choice.message,
        "variant": choice.variant,
        "behalf": "1" if choice.behalf else "",
    }
    return {name: value for name, value in marks.items() if value}


def locale(language: str) -> str:
    """Stripe's name of a language; it speaks neither Arabic nor Ukrainian."""
    short = language.split("-")[0].lower()
    return short if short in _LOCALES.split() else "auto"


def make_till(settings: TillSettings) -> StripeTill:
    """Raises ``AccountError`` for a key that can do everything: it would lie on a machine that
    strangers call."""
    if settings.key.startswith("sk_live_"):
        raise AccountError(
            "this is Stripe's secret key, which can do everything: the letterbox needs a "
            "restricted one (rk_…), see docs/operating/giving.md"
        )
    return StripeTill(settings.key, settings.url)
