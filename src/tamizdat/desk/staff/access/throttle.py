# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts failed attempts, so that nobody can guess for long.

What always holds: counters live in this process's memory and nowhere else, under an HMAC with a
salt drawn when it started; each is forgotten when its window is over. An account that does not
exist is counted like one that does. What is not done here: telling anybody (views).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest

MOST_COUNTERS = 100_000


@dataclass(frozen=True)
class Limit:
    """So many attempts in so many seconds."""

    attempts: int
    seconds: float


LIMITS: Mapping[str, tuple[Limit, ...]] = {
    # By account: who is named. A passkey does not go through these, nobody can guess one.
    "password": (Limit(10, 15 * 60),),
    # Six digits, three of them right at a time: thirty a day are one in eleven thousand.
    "code": (Limit(5, 10 * 60), Limit(30, 24 * 3600)),
    # By client: whoever tries many accounts from one place.
    "client": (Limit(40, 15 * 60),),
    # Each asks the database to remember a challenge.
    "challenge": (Limit(60, 10 * 60),),
}


class Throttle:
    """Thread-safe. ``clock`` gives seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._salt = secrets.token_bytes(32)
        self._lock = threading.Lock()
        self._seen: dict[bytes, list[float]] = {}

    def spend(self, *attempts: tuple[str, str]) -> float:
        """Count an attempt at each (kind, who); seconds to wait where one has no more left.

        0 means: go on. Nothing is counted where it has to wait. An empty ``who`` is nobody.
        """
        keys = [(kind, self._key(kind, who)) for kind, who in attempts if who]
        with self._lock:
            now = self._clock()
            wait = max((self._wait(kind, key, now) for kind, key in keys), default=0.0)
            if wait <= 0:
                self._make_room(now)
                for _, key in keys:
                    self._seen.setdefault(key, []).append(now)
            return max(wait, 0.0)

    def forgive(self, *attempts: tuple[str, str]) -> None:
        """It was them after all: their failures count no more."""
        with self._lock:
            for kind, who in attempts:
                self._seen.pop(self._key(kind, who), None)

    def take_back(self, *attempts: tuple[str, str]) -> None:
        """The last attempt was none: it succeeded."""
        with self._lock:
            for kind, who in attempts:
                seen = self._seen.get(self._key(kind, who))
                if seen:
                    seen.pop()

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._seen.clear()

    def _key(self, kind: str, who: str) -> bytes:
        return hmac.digest(self._salt, f"{kind}\0{who}".encode(), hashlib.sha256)[:16]

    def _wait(self, kind: str, key: bytes, now: float) -> float:
        longest = max(limit.seconds for limit in LIMITS[kind])
        seen = [at for at in self._seen.get(key, ()) if at > now - longest]
        if seen:
            self._seen[key] = seen
        else:
            self._seen.pop(key, None)
        return max(_until_free(seen, limit, now) for limit in LIMITS[kind])

    def _make_room(self, now: float) -> None:
        if len(self._seen) < MOST_COUNTERS:
            return
        longest = max(limit.seconds for limits in LIMITS.values() for limit in limits)
        self._seen = {k: seen for k, seen in self._seen.items() if _last(seen) > now - longest}
        while len(self._seen) >= MOST_COUNTERS:
            del self._seen[next(iter(self._seen))]


def _until_free(seen: list[float], limit: Limit, now: float) -> float:
    recent = [at for at in seen if at > now - limit.seconds]
    if len(recent) < limit.attempts:
        return 0.0
    return recent[-limit.attempts] + limit.seconds - now


def _last(seen: Iterable[float]) -> float:
    return max(seen, default=0.0)


def client(request: HttpRequest) -> str:
    """Who asks, as far as their failures are counted together: an IPv4 address, an IPv6 /64.

    Empty where everybody comes from the same place: an onion service, a local web server that
    does not say for whom it asks.
    """
    remote = request.META.get("REMOTE_ADDR", "")
    if settings.STAFF_BEHIND_PROXY:
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "")
        remote = forwarded.rpartition(",")[2].strip() or remote
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return ""
    if address.is_loopback:
        return ""
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)


throttle = Throttle()
