# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the signer keeps beside the edition, in one small file."""

from __future__ import annotations

import msgspec


class State(msgspec.Struct, array_like=True):
    """What the signer keeps beside the edition: all of it can be made anew from the folder, at
    the price of a new ``base``. ``recent`` are the packed entries that lie over the index with
    root ``base``, ``names`` those that the present edition leads to, ``removed`` those of former
    ones by the edition that led to them no more, ``prepared`` those of a ceremony under way."""

    root: str = ""
    edition: int = 0
    timestamp: str = ""
    recent: bytes = b""
    base: bytes = b""
    days: list[tuple[int, int]] = []
    names: list[str] = []
    removed: list[tuple[int, str]] = []
    prepared: list[str] = []
