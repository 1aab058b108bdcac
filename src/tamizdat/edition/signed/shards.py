# SPDX-License-Identifier: AGPL-3.0-or-later
"""Indexes as Merkle trees of shards (docs/format/edition-v1.md, sections 4 and 5).

What always holds:

- A ``Shard`` that ``decode`` returns is a leaf of the record's tree, at the number asked for:
  what it says of a key, also that it has none, is what the record's signer signed.
- ``build`` is a function of the entries and the depth alone.
- Bytes from outside raise ``BadFormatError`` or ``TamperedError`` and nothing else.

What is not done here: files, networks, signatures over records.
"""

from __future__ import annotations

import hashlib
import struct
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby, pairwise
from typing import IO, Final, NamedTuple
from unicodedata import normalize

from tamizdat.edition.signed.errors import BadFormatError, TamperedError
from tamizdat.edition.signed.layout import SHARD_LIMIT

KEY: Final = 10  # bytes
SLOT: Final = 52
HASH: Final = 32
MAX_DEPTH: Final = 24
PER_SHARD: Final = 6  # entries, on average at most: see bench/verify_bytes.py
PER_SHARD_SEALED: Final = 2  # in a paper with an archive, of which a reader needs three shards
NO_ROOT: Final = bytes(HASH)
_RECORD = struct.Struct(">4sBIIQI32s")
_HEAD = struct.Struct(">4sBI")
_LAST_SECOND = 253_402_300_799  # of the year 9999: what calendars of other languages can show
_SPOOL = 16 * 1024 * 1024  # bytes of entries kept in memory, more are put into a temporary file

Write = Callable[[int, bytes], None]


class Record(NamedTuple):
    """An index record. ``built`` is in seconds since 1970, ``since`` the edition of the ``base``
    that a ``recent`` is laid over, ``root`` 32 bytes."""

    depth: int
    count: int  # type: ignore[assignment]  # hides tuple.count, which nobody asks a record for
    edition: int
    built: int
    since: int
    root: bytes

    def encode(self) -> bytes:
        """The 57 bytes of the record."""
        return _RECORD.pack(b"TZI1", *self)

    @classmethod
    def decode(cls, data: bytes) -> Record:
        """Raises ``BadFormatError``."""
        if len(data) != _RECORD.size or data[:4] != b"TZI1":
            raise BadFormatError("an index record must be 57 bytes that begin with TZI1")
        record = cls(*_RECORD.unpack(data)[1:])
        if record.depth > MAX_DEPTH or record.built > _LAST_SECOND:
            raise BadFormatError("an index record has a depth or a time out of range")
        if not record.count and (record.depth or record.root != NO_ROOT):
            raise BadFormatError("an index record of no entries must have no depth and no root")
        return record


class Slot(NamedTuple):
    """An entry: what lies at the path that has ``key`` (10 bytes). ``status`` and ``media`` are
    numbers of ``layout``, ``day`` counts from 2020-01-01."""

    key: bytes
    sha256: bytes
    length: int
    edition: int
    day: int
    status: int
    media: int

    def pack(self) -> bytes:
        """The 52 bytes of the entry. Raises ``ValueError`` where a value does not fit."""
        if len(self.key) != KEY or len(self.sha256) != HASH:
            raise ValueError("a key has 10 bytes and a hash 32")
        if not (0 <= self.status < 4 and 0 <= self.media < 64):
            raise ValueError("a status is below 4 and a media type below 64")
        try:
            return b"".join((
                self.key,
                self.sha256,
                self.length.to_bytes(4, "big"),
                self.edition.to_bytes(3, "big"),
                self.day.to_bytes(2, "big"),
                bytes((self.status << 6 | self.media,)),
            ))  # fmt: skip
        except OverflowError as error:
            raise ValueError("a length, edition or day does not fit into an entry") from error

    @classmethod
    def unpack(cls, data: bytes) -> Slot:
        """The entry in exactly 52 bytes. Raises ``BadFormatError``."""
        if len(data) != SLOT:
            raise BadFormatError("an entry must be 52 bytes")
        number = int.from_bytes
        return cls(
            data[:10],
            data[10:42],
            number(data[42:46], "big"),
            number(data[46:49], "big"),
            number(data[49:51], "big"),
            data[51] >> 6,
            data[51] & 0x3F,
        )


class Shard:
    """A verified shard. Made by ``decode`` only."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data) // SLOT

    def find(self, key: bytes) -> Slot | None:
        """The entry with this key; None proves that the index has none, if the key belongs here."""
        place = bisect_left(range(len(self)), key, key=self._key)
        found = place < len(self) and self._key(place) == key
        return self._slot(place) if found else None

    def slots(self) -> Iterator[Slot]:
        """Every entry, ascending by key."""
        return (self._slot(place) for place in range(len(self)))

    def _key(self, place: int) -> bytes:
        return self._data[place * SLOT : place * SLOT + KEY]

    def _slot(self, place: int) -> Slot:
        return Slot.unpack(self._data[place * SLOT : (place + 1) * SLOT])


def key_of(path: str) -> bytes:
    """The key of a path: the first 10 bytes of the sha-256 of its NFC in UTF-8."""
    return hashlib.sha256(normalize("NFC", path).encode()).digest()[:KEY]


def number_of(key: bytes, depth: int) -> int:
    """The number of the shard that has a key: its first ``depth`` bits."""
    return int.from_bytes(key[:3], "big") >> (24 - depth)


def depth_for(count: int, per_shard: int = PER_SHARD) -> int:
    """The depth that this writer gives an index of ``count`` entries: the smallest at which a
    shard has at most ``per_shard`` on average."""
    depth = 0
    while depth < MAX_DEPTH and count > per_shard << depth:
        depth += 1
    return depth


def build(slots: Iterable[bytes], depth: int, write: Write) -> bytes:
    """Make an index of packed entries, ascending by key; returns its root.

    ``write`` is called with the number and the bytes of every shard, in order, empty ones too; not
    at all where there are no entries. ``slots`` is read once; kept in memory are the hashes (64
    bytes a shard) and at most 16 MiB of entries. Raises ``ValueError`` where the entries are not
    in order.
    """
    with tempfile.SpooledTemporaryFile(_SPOOL) as spool:
        counts = _spool(slots, depth, spool)
        if not any(counts):
            return NO_ROOT
        spool.seek(0)
        levels = _levels([_leaf(spool.read(count * SLOT)) for count in counts])
        spool.seek(0)
        for number, count in enumerate(counts):
            head = _HEAD.pack(b"TZS1", depth, number)
            write(number, head + _siblings(levels, number) + spool.read(count * SLOT))
    return levels[-1]


def decode(data: bytes, record: Record, number: int) -> Shard:
    """The shard in a file, verified to the record's root.

    Raises ``BadFormatError`` where the file is not that shard's, ``TamperedError`` where its
    entries are not those that were signed for.
    """
    depth = record.depth
    if len(data) > SHARD_LIMIT:
        raise BadFormatError("a shard is longer than 64 kB")
    start = _HEAD.size + HASH * depth
    if len(data) < start or (len(data) - start) % SLOT:
        raise BadFormatError("a shard does not have the length that its depth asks for")
    if _HEAD.unpack_from(data) != (b"TZS1", depth, number):
        raise BadFormatError("a shard is not the one that was asked for")
    entries = data[start:]
    if _climb(_leaf(entries), data[_HEAD.size : start], number) != record.root:
        raise TamperedError("a shard is not the one that was signed")
    _check_order(entries, depth, number)
    return Shard(entries)


def _spool(slots: Iterable[bytes], depth: int, spool: IO[bytes]) -> list[int]:
    counts = [0] * (1 << depth)
    shift = 24 - depth
    last = b""
    for number, group in groupby(slots, lambda slot: int.from_bytes(slot[:3], "big") >> shift):
        entries = list(group)
        for slot in entries:
            if slot[:KEY] <= last or len(slot) != SLOT:
                raise ValueError("entries must be packed, ascending by key, each key once")
            last = slot[:KEY]
        counts[number] = len(entries)
        spool.write(b"".join(entries))
    return counts


def _check_order(entries: bytes, depth: int, number: int) -> None:
    keys = [entries[at : at + KEY] for at in range(0, len(entries), SLOT)]
    if any(second <= first for first, second in pairwise(keys)):
        raise BadFormatError("the entries of a shard are not in order")
    if any(number_of(key, depth) != number for key in keys):
        raise BadFormatError("an entry lies in a shard that is not its own")


def _leaf(entries: bytes) -> bytes:
    return hashlib.sha256(b"\0" + entries).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\1" + left + right).digest()


def _levels(leaves: list[bytes]) -> list[bytes]:
    """The hashes of each level, joined: the leaves first, the root last."""
    levels = [b"".join(leaves)]
    while len(levels[-1]) > HASH:
        below = levels[-1]
        pairs = range(0, len(below), 2 * HASH)
        nodes = (hashlib.sha256(b"\1" + below[at : at + 2 * HASH]).digest() for at in pairs)
        levels.append(b"".join(nodes))
    return levels


def _siblings(levels: list[bytes], number: int) -> bytes:
    found = []
    for level in levels[:-1]:
        at = (number ^ 1) * HASH
        found.append(level[at : at + HASH])
        number >>= 1
    return b"".join(found)


def _climb(node: bytes, siblings: bytes, number: int) -> bytes:
    for at in range(0, len(siblings), HASH):
        sibling = siblings[at : at + HASH]
        node = _node(sibling, node) if number & 1 else _node(node, sibling)
        number >>= 1
    return node
