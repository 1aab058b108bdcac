# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sends the sandbox's events to the letterbox: signed, again and again until they are taken.

What always holds: an event counts as taken only when it was answered with success; each try is
signed anew; the pauses double, up to ten minutes.
"""

from __future__ import annotations

import asyncio
import time
from typing import Final

import urllib3

from tamizdat.giving.sandbox import schedule
from tamizdat.giving.sandbox.balance import Balance
from tamizdat.giving.sandbox.signing import HEADER, sign
from tamizdat.giving.sandbox.store import Store

TICK: Final = 0.25
LONGEST: Final = 600.0
_PATIENCE: Final = 10.0


class Delivery:
    """``url`` is where webhooks go, empty for nowhere; ``secret`` signs them."""

    def __init__(self, store: Store, balance: Balance, *, url: str, secret: str) -> None:
        self._store = store
        self._balance = balance
        self._url = url
        self._secret = secret
        self._pool = urllib3.PoolManager(timeout=urllib3.Timeout(_PATIENCE), retries=False)

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.to_thread(self.once)
            await asyncio.sleep(TICK)

    def once(self) -> None:
        """Let happen what is due, and send what waits."""
        schedule.run(self._store, self._balance, self._store.now)
        for one in self._store.waiting() if self._url else ():
            if not self._sent(one.body):
                self._store.failed(one.number, again_in=min(2.0**one.tries, LONGEST))
                return  # Who does not answer is not asked for the next one at once.
            self._store.taken(one.number)

    def _sent(self, body: bytes) -> bool:
        headers = {
            HEADER: sign(body, self._secret, int(time.time())),
            "content-type": "application/json",
        }
        try:
            answer = self._pool.request("POST", self._url, body=body, headers=headers)
        except urllib3.exceptions.HTTPError:
            return False
        return answer.status < 300
