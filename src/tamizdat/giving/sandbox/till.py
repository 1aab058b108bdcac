# SPDX-License-Identifier: AGPL-3.0-or-later
"""The letterbox's half of the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from tamizdat.giving.choice import Choice
from tamizdat.giving.port import Opened
from tamizdat.giving.registry import TillSettings
from tamizdat.giving.sandbox.client import Calls, HttpCalls


class SandboxTill:
    """``port.Till``."""

    name = "sandbox"

    def __init__(self, calls: Calls, refused_countries: Sequence[str] = ()) -> None:
        self._calls = calls
        self._refused = list(refused_countries)

    async def open(self, choice: Choice, *, done: str, gave_up: str, paper: str) -> Opened:
        said = {
            "choice": msgspec.to_builtins(choice),
            "done": done,
            "gave_up": gave_up,
            "paper": paper,
            "refused": self._refused,
        }
        found = await asyncio.to_thread(self._calls, "POST", "/api/checkouts", said)
        return Opened(ref=found["ref"], url=found["url"])

    async def close(self) -> None:
        if isinstance(self._calls, HttpCalls):
            self._calls.close()


def make_till(settings: TillSettings) -> SandboxTill:
    """Raises ``AccountError`` where its address is not on this machine."""
    return SandboxTill(HttpCalls(settings.url, settings.key), settings.refused_countries)
