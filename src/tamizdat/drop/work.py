# SPDX-License-Identifier: AGPL-3.0-or-later
"""Proof of work where abuse starts: ALTCHA, version 1, SHA-256.

What always holds: a challenge is good once and for ten minutes, and only at the process that gave
it (its key lives in memory); nothing is kept of who solved it.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec
from altcha.v1 import ChallengeOptions, Payload, create_challenge, verify_solution

GOOD_FOR = 600
MOST_USED = 500_000
MOST_PROOF = 2_048
ALGORITHM = "SHA-256"


class Proof(msgspec.Struct, frozen=True):
    """What the reader's script answers, base64 of this as JSON."""

    algorithm: str
    challenge: str
    number: int
    salt: str
    signature: str


class Work:
    """``clock`` gives the time in UTC, ``beat`` monotonic seconds."""

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        beat: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._beat = beat
        self._key = secrets.token_hex(32)
        self._used: dict[str, float] = {}

    def challenge(self, most: int) -> dict[str, object]:
        """A new one; ``most`` is the largest number to be tried."""
        made = create_challenge(
            ChallengeOptions(
                algorithm="SHA-256",
                max_number=most,
                hmac_key=self._key,
                expires=self._clock() + timedelta(seconds=GOOD_FOR),
            )
        )
        return {
            "algorithm": made.algorithm,
            "challenge": made.challenge,
            "maxnumber": made.max_number,
            "salt": made.salt,
            "signature": made.signature,
        }

    def check(self, proof: str) -> bool:
        """Whether it is right, in time, and used for the first time."""
        found = _read(proof)
        if found is None or found.challenge in self._used or self._crowded():
            return False
        claimed = Payload("SHA-256", found.challenge, found.number, found.salt, found.signature)
        right, _ = verify_solution(claimed, self._key)
        if right:
            self._used[found.challenge] = self._beat() + GOOD_FOR
        return right

    def _crowded(self) -> bool:
        """Forget those that are out of time by now; whether too many are left."""
        now = self._beat()
        while self._used:  # In the order of their use, hence of their end.
            oldest = next(iter(self._used))
            if self._used[oldest] > now:
                break
            del self._used[oldest]
        return len(self._used) >= MOST_USED


def _read(proof: str) -> Proof | None:
    if len(proof) > MOST_PROOF:
        return None
    try:
        found = msgspec.json.decode(base64.b64decode(proof, validate=True), type=Proof)
    except (binascii.Error, ValueError, RecursionError):
        return None
    if found.algorithm != ALGORITHM or not 0 <= found.number <= 100_000_000:
        return None
    return found
