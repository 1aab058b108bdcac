# SPDX-License-Identifier: AGPL-3.0-or-later
"""How much comes from one network in an hour, without knowing from which.

What always holds: counters live in memory only, under an HMAC of the network (/24 or /48) with a
salt that is drawn anew every hour, when all counters go; no address is kept. Memory is bounded.

Where no network can be told (an onion service, a proxy that is not trusted: all come from this
machine), only the limits for all together hold.

What is not done here: the proof of work (``work``).
"""

from __future__ import annotations

import enum
import hashlib
import ipaddress
import secrets
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tamizdat.drop import settings

HOUR = 3600.0
MOST_NETWORKS = 200_000
_HARDER = 10

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Purpose(enum.Enum):
    """What a request wants. Only what is submitted is ever asked for a proof."""

    SUBMIT = b"submit"
    TOKEN = b"token"
    WEBHOOK = b"webhook"
    GIVE = b"give"


class Verdict(NamedTuple):
    """``allowed`` at once, or after a proof of ``work`` (0: not even then)."""

    allowed: bool
    work: int = 0


class Counters:
    """``clock`` is monotonic seconds."""

    def __init__(
        self, limits: settings.Limits, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._renew()

    def _renew(self) -> None:
        self._salt = secrets.token_bytes(32)
        self._until = self._clock() + HOUR
        self._counts: dict[bytes, int] = {}
        self._all = 0
        self._all_gifts = 0

    def ask(self, network: bytes, purpose: Purpose) -> Verdict:
        """Whether one more may come; ``count`` it when it did. ``network`` of ``network_of``."""
        if self._clock() >= self._until:
            self._renew()
        found = self._counts.get(self._key(network, purpose), 0)
        limits = self._limits
        if purpose is Purpose.GIVE:
            here = not network or found < limits.gifts
            return Verdict(here and self._all_gifts < limits.all_gifts)
        if purpose is not Purpose.SUBMIT:
            most = limits.tokens if purpose is Purpose.TOKEN else limits.webhooks
            return Verdict(found < most)
        if self._all >= limits.all_most or (network and found >= limits.most):
            return Verdict(False)
        if self._all >= limits.all_free or (network and found >= limits.free):
            return Verdict(False, self._work(found if network else 0))
        return Verdict(True)

    def _work(self, found: int) -> int:
        """The largest number to be tried: more for who comes often."""
        times = 1 + found // max(1, self._limits.free) if self._limits.free else 1
        return self._limits.work * min(times, _HARDER)

    def count(self, network: bytes, purpose: Purpose, weight: int = 1) -> None:
        """One more came; a large one counts as ``weight``."""
        key = self._key(network, purpose)
        if key in self._counts or len(self._counts) < MOST_NETWORKS:
            self._counts[key] = self._counts.get(key, 0) + weight
        self._all += weight * (purpose is Purpose.SUBMIT)
        self._all_gifts += weight * (purpose is Purpose.GIVE)

    def _key(self, network: bytes, purpose: Purpose) -> bytes:
        # A keyed BLAKE2 is an HMAC in one pass: it runs for every request.
        keyed = hashlib.blake2b(network, key=self._salt, digest_size=12, person=purpose.value)
        return keyed.digest()


def network_of(peer: str, forwarded: str, trusted: Sequence[Network]) -> bytes:
    """The network that a request comes from, packed; empty where it cannot be told.

    ``forwarded`` is X-Forwarded-For; it counts only as far as trusted proxies wrote it.
    """
    address = _address(peer)
    if address is None or not _within(address, trusted):
        return _network(address)
    for said in reversed(forwarded.split(",")):
        address = _address(said.strip())
        if address is None or not _within(address, trusted):
            return _network(address)
    return b""


def networks(texts: Sequence[str]) -> list[Network]:
    """Of ``trusted_proxies``, which were checked when the settings were read."""
    return [ipaddress.ip_network(text) for text in texts]


def _within(address: Address, trusted: Sequence[Network]) -> bool:
    return any(address.version == one.version and address in one for one in trusted)


def _address(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def _network(address: Address | None) -> bytes:
    if address is None or address.is_loopback:
        return b""
    return address.packed[:3] if address.version == 4 else address.packed[:6]
