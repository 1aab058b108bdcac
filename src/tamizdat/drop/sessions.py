# SPDX-License-Identifier: AGPL-3.0-or-later
"""The collector's log-in: a signature over a nonce, then a token for ten minutes.

What always holds: only the key named in drop.toml gets in, and only for a host that drop.toml
names (this machine's own names where it names none), so that another drop cannot pass our nonce on
to be signed; nonces and tokens live in memory and are good once, and ten minutes; no clock is
compared. Who does not know the key learns nothing.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tamizdat.drop.client import login_message

NONCE_GOOD_FOR = 60.0
TOKEN_GOOD_FOR = 600.0
MOST = 10_000
LOCAL = ("localhost", "127.0.0.1", "[::1]")

_Held = TypeVar("_Held", str, bytes)


class Sessions:
    """``key`` is the collector's public key, hex; ``clock`` monotonic seconds."""

    def __init__(
        self, key: str, hosts: Sequence[str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._name = key
        self._key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(key))
        self._hosts = tuple(hosts) or LOCAL
        self._clock = clock
        self._nonces: dict[str, float] = {}
        self._tokens: dict[bytes, float] = {}

    def nonce(self, key: str) -> str:
        """To be signed. Another key gets one too; it is of no use."""
        made = secrets.token_hex(32)
        if key == self._name:
            _add(self._nonces, made, self._clock(), NONCE_GOOD_FOR)
        return made

    def token(self, nonce: str, signature: bytes) -> str | None:
        """A token, for the right signature of a nonce that was not used."""
        until = self._nonces.pop(nonce, 0.0)
        if until < self._clock() or not any(
            self._signed(host, nonce, signature) for host in self._hosts
        ):
            return None
        made = secrets.token_hex(32)
        _add(self._tokens, _digest(made), self._clock(), TOKEN_GOOD_FOR)
        return made

    def _signed(self, host: str, nonce: str, signature: bytes) -> bool:
        try:
            self._key.verify(signature, login_message(host, nonce))
        except InvalidSignature:
            return False
        return True

    def allows(self, authorization: str) -> bool:
        """Whether an ``Authorization`` header bears a token that is good now."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        return self._tokens.get(_digest(token.strip()), 0.0) >= self._clock()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _add(held: dict[_Held, float], item: _Held, now: float, good: float) -> None:
    """Keep it; those that are out of time go, and the oldest where there are too many."""
    while held and (len(held) >= MOST or next(iter(held.values())) < now):
        del held[next(iter(held))]
    held[item] = now + good
