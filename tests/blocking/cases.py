# SPDX-License-Identifier: AGPL-3.0-or-later
"""What may be blocked, and how long a reader may be kept waiting for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.blocking.censor import Block
from tests.blocking.network import ENTRY, LONG, MIRRORS, READ, UNREAD

NORTH, SOUTH, WEST = MIRRORS
AT_ONCE, SILENT = 2.0, 5.0  # seconds beyond what it takes without a block
_SILENT = (Block.SILENCE, Block.FREEZE, Block.SLOW)


@dataclass(frozen=True)
class Case:
    """``blocks`` by host; ``otherwise`` is what happens to all others but ``allowed``. ``story``
    is what is read. ``quick`` cases are part of every run."""

    name: str
    blocks: Mapping[str, Block]
    limit: float
    quick: bool = True
    otherwise: Block | None = None
    allowed: tuple[str, ...] = ()
    story: int = UNREAD


def of(block: Block, who: str, *hosts: str, quick: bool = True) -> Case:
    limit = SILENT if block in _SILENT else AT_ONCE
    return Case(f"{block.value}: {who}", dict.fromkeys(hosts, block), limit, quick)


def down(block: Block, *, quick: bool) -> Case:
    """Then there is what was read before, with its date."""
    limit = SILENT if block in _SILENT else AT_ONCE
    name = f"everything is down, {block.value}: what was read before"
    return Case(name, dict.fromkeys((ENTRY, *MIRRORS), block), limit, quick, story=READ)


# The kinds of block that differ most for a reader; the others are read in the slow tests.
_TELLING = (Block.RESET, Block.SILENCE, Block.FREEZE, Block.PAGE_200)
RETURNING = [
    *(of(block, "the entry", ENTRY, quick=False) for block in Block),
    *(
        of(
            block,
            "the entry and two of three mirrors",
            ENTRY,
            NORTH,
            SOUTH,
            quick=block in _TELLING,
        )
        for block in Block
    ),
    *(
        of(block, "every host", ENTRY, *MIRRORS, quick=False)
        for block in (Block.FREEZE, Block.SLOW)
    ),
    Case("an allowlist: one mirror", {}, SILENT, True, Block.SILENCE, (WEST,)),
    down(Block.RESET, quick=True),
    down(Block.SILENCE, quick=False),
    down(Block.NXDOMAIN, quick=False),
]
# Its page is as long as four connections carry; then the limit is another.
WALL = Case(
    "freeze after 16 kB: every host, 24 kB of compressed text",
    dict.fromkeys((ENTRY, *MIRRORS), Block.FREEZE),
    10.0,
    story=LONG,
)
FIRST = [
    *(of(block, "two of three mirrors", NORTH, SOUTH, quick=block in _TELLING) for block in Block),
    *(of(block, "every mirror", *MIRRORS, quick=False) for block in (Block.FREEZE, Block.SLOW)),
    Case("an allowlist: one mirror", {}, SILENT, False, Block.SILENCE, (WEST,)),
]
