# SPDX-License-Identifier: AGPL-3.0-or-later
"""Facts taken together as the port says: of two about one object the later one counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from tamizdat.giving.port import RANKS, Fact, MovementFact

Known = dict[tuple[str, str], dict[str, Any]]
# What changes in the life of an object; all else is filled in by whichever fact tells it.
CHANGES = ("state", "at", "amount", "next_at", "cause")


def folded(facts: Iterable[Fact]) -> Known:
    """What is known after these facts, by the kind and the ref of the object."""
    known: Known = {}
    for fact in facts:
        told = msgspec.structs.asdict(fact)
        name = (type(fact).__name__, fact.ref)
        if name not in known:
            known[name] = told
            continue
        here = known[name]
        later = isinstance(fact, MovementFact) or _order(fact, told) >= _order(fact, here)
        for field, value in told.items():
            if not value and field not in ("cause",):
                continue
            if (field in CHANGES and later) or (field not in CHANGES and not here[field]):
                here[field] = value
    return known


def _order(fact: Fact, told: dict[str, Any]) -> tuple[int, int]:
    return told["at"], RANKS[type(fact)].index(told["state"])
