# SPDX-License-Identifier: AGPL-3.0-or-later
"""A batch: its name and its slots as bytes (docs/format/submission-v1.md, sections 2 and 5).

What always holds: every slot of a batch has the same length; a name tells the hour and the size
and nothing else. Nothing is read or written here.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from tamizdat.drop.envelope import SIZES, SLOT, size_of
from tamizdat.drop.errors import BatchError

MOST_BATCH = 16 * 1024 * 1024
AGE = b"age-encryption.org/v1\n"
_NAME = re.compile(r"([0-9]{10})-[0-9a-f]{32}-([0-9]{4,6})\.batch", re.ASCII)
_LENGTH = 4


class Batch(NamedTuple):
    """One that is closed. ``length`` in bytes; ``sha256`` of the whole file, hex."""

    name: str
    length: int
    sha256: str


class Name(NamedTuple):
    """What a batch's name says: the hour (UTC) and the padded size of its slots."""

    hour: datetime
    size: int

    @property
    def slot(self) -> int:
        """The length of one slot."""
        return self.size + SLOT


def new_name(hour: datetime, size: int) -> str:
    """A name that no other batch has."""
    return f"{hour:%Y%m%d%H}-{secrets.token_hex(16)}-{size}.batch"


def read_name(name: str) -> Name:
    """Raises ``BatchError``."""
    found = _NAME.fullmatch(name)
    if found is None or int(found[2]) not in SIZES:
        raise BatchError(f"“{name[:100]}” is not the name of a batch")
    try:
        hour = datetime.strptime(found[1], "%Y%m%d%H").replace(tzinfo=UTC)
    except ValueError:
        raise BatchError(f"“{name[:100]}” names no hour") from None
    return Name(hour, int(found[2]))


def is_name(name: str) -> bool:
    """Whether ``read_name`` would take it."""
    try:
        read_name(name)
    except BatchError:
        return False
    return True


def slot(sealed: bytes) -> bytes:
    """The slot of one sealed submission. Raises ``TooLargeError``."""
    whole = size_of(len(sealed)) + SLOT
    return (len(sealed).to_bytes(_LENGTH, "big") + sealed).ljust(whole, b"\0")


def sealed_in(slot: bytes) -> bytes:
    """The age file in a slot. Raises ``BatchError`` where the slot cannot have one."""
    length = int.from_bytes(slot[:_LENGTH], "big")
    sealed = slot[_LENGTH : _LENGTH + length]
    if not sealed.startswith(AGE) or len(sealed) != length:
        raise BatchError("this slot holds no sealed submission")
    return sealed


def slots(name: str, data: bytes) -> Iterator[bytes]:
    """The slots of a batch, in the order of their arrival; ``sealed_in`` tells what is in each.

    Raises ``BatchError`` where the name is none. What is left over at the end is the last slot.
    """
    step = read_name(name).slot
    for start in range(0, len(data), step):
        yield data[start : start + step]
