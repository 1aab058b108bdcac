# SPDX-License-Identifier: AGPL-3.0-or-later
"""The files of a signed edition on the disk, as its writer keeps them.

What always holds: a file appears whole, by one rename; an index appears whole, by one rename of
its folder; what a name means is never changed, but for what a crash tore.

What is not done here: what the files say, which of them are needed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from tamizdat.edition.signed import layout
from tamizdat.edition.signed.errors import MissingError, TamperedError, VerifyError
from tamizdat.edition.signed.shards import (
    KEY,
    NO_ROOT,
    PER_SHARD,
    SLOT,
    Record,
    build,
    decode,
    depth_for,
    number_of,
)

_AT_ONCE = 4096  # entries read from a spool at a time
_HEAD = 9  # bytes of a shard before its siblings
_HASH = 32


class Folder:
    """Reads and writes names of ``layout`` in an edition's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str) -> bytes:
        """Raises ``FileNotFoundError``."""
        with open(f"{self.path}/{name}", "rb", buffering=0) as file:
            return file.read()

    def has(self, name: str) -> bool:
        return os.path.exists(f"{self.path}/{name}")

    def write(self, name: str, data: bytes, *, durable: bool = False) -> None:
        """Put a file there, or leave it where it has these bytes already. ``durable``: its bytes
        are on the disk before it appears."""
        with contextlib.suppress(FileNotFoundError):
            if self.read(name) == data:
                return
        target = f"{self.path}/{name}"
        aside = f"{self.path}/metadata/writing.tmp"
        try:
            _write(aside, data, durable=durable)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(aside), exist_ok=True)
            _write(aside, data, durable=durable)
        try:
            os.replace(aside, target)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(aside, target)

    def put_target(self, target: str, data: bytes) -> str:
        """Write a target of TUF under its hash; returns its name."""
        name = layout.target_name(target, hashlib.sha256(data).hexdigest())
        self.write(name, data)
        return name

    def target(self, target: str, sha256: str) -> bytes:
        """The bytes of a target. Raises ``FileNotFoundError``."""
        return self.read(layout.target_name(target, sha256))

    def versions(self, role: str) -> list[int]:
        """The versions of a role that lie here, ascending."""
        with contextlib.suppress(FileNotFoundError):
            names = (name.split(".") for name in os.listdir(f"{self.path}/metadata"))
            return sorted(
                int(parts[0])
                for parts in names
                if parts[1:] == [role, "json"] and parts[0].isdecimal()
            )
        return []

    # Indexes

    def write_index(
        self, slots: Iterable[bytes], *, count: int | None = None, per_shard: int = PER_SHARD
    ) -> Record:
        """Write all shards of an index of packed entries, ascending by key, with at most
        ``per_shard`` of them each on average. The record returned says depth, count and root.
        Memory does not grow with the entries, only with the shards."""
        with tempfile.TemporaryFile(dir=self.path) as spool:
            if count is None:
                count = 0
                for slot in slots:
                    spool.write(slot)
                    count += 1
                spool.seek(0)
                slots = _slots(spool)
            if not count:
                return Record(0, 0, 0, 0, 0, NO_ROOT)
            depth = depth_for(count, per_shard)
            aside = self.path / "shards" / f"new-{os.getpid()}"
            root = self._build(slots, depth, str(aside))
        record = Record(depth, count, 0, 0, 0, root)
        self._place(aside, record)
        return record

    def _place(self, aside: Path, record: Record) -> None:
        target = self.path / "shards" / record.root.hex()
        if target.exists():
            if self.whole(record):  # Readers may be using it.
                shutil.rmtree(aside)
                return
            shutil.rmtree(target)
        aside.rename(target)

    def _build(self, slots: Iterable[bytes], depth: int, aside: str) -> bytes:
        shutil.rmtree(aside, ignore_errors=True)
        os.makedirs(aside)
        for number in range(0, 1 << depth, 1 << 16):
            os.mkdir(f"{aside}/{number >> 16:02x}")

        def write(number: int, data: bytes) -> None:
            digits = f"{number:06x}"
            _write(f"{aside}/{digits[:2]}/{digits}", data)

        return build(slots, depth, write)

    def slots(self, record: Record | None) -> Iterator[bytes]:
        """The packed entries of an index, in order. Raises ``MissingError`` where shards are
        missing and ``TamperedError`` where they are not those of the record."""
        if record is None or not record.count:
            return
        start = _HEAD + _HASH * record.depth
        for number in range(1 << record.depth):
            data = self._shard(record, number)
            decode(data, record, number)
            for at in range(start, len(data), SLOT):
                yield data[at : at + SLOT]

    def find(self, record: Record | None, key: bytes) -> bytes | None:
        """The packed entry of a key in an index."""
        if record is None or not record.count:
            return None
        number = number_of(key, record.depth)
        data = self._shard(record, number)
        slot = decode(data, record, number).find(key[:KEY])
        return slot.pack() if slot else None

    def _shard(self, record: Record, number: int) -> bytes:
        name = layout.shard_name(record.root.hex(), number)
        try:
            return self.read(name)
        except FileNotFoundError as error:
            raise MissingError(
                f"{self.path}/{name} is missing: restore the folder shards from a backup, or from "
                "a mirror with tamizdat mirror pull"
            ) from error

    def whole(self, record: Record) -> bool:
        """Whether all shards of an index are here and are those of its record."""
        try:
            return sum(1 for _ in self.slots(record)) == record.count
        except (OSError, VerifyError):
            return False

    # Removing

    def remove(self, name: str, most: int) -> int:
        """Remove a file, or ``most`` files of a folder; returns how many. The folder itself goes
        with its last file."""
        path = f"{self.path}/{name}"
        if not os.path.isdir(path):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
            return 1
        removed = 0
        for part in os.listdir(path):
            names = os.listdir(f"{path}/{part}")
            for one in names[: most - removed]:
                os.unlink(f"{path}/{part}/{one}")
            removed += len(names)
            if removed > most:
                return most
            os.rmdir(f"{path}/{part}")
        os.rmdir(path)
        return removed

    def left(self) -> set[str]:
        """Everything that a signer wrote and may remove: files of metadata and targets, folders
        of shards. What a killed writer left half written goes at once."""
        found: set[str] = set()
        for name in _listed(f"{self.path}/shards"):
            if name.startswith("new-"):
                shutil.rmtree(f"{self.path}/shards/{name}", ignore_errors=True)
            else:
                found.add(f"shards/{name}")
        for part in ("metadata", "targets", "targets/live", "targets/archive"):
            for name in _listed(f"{self.path}/{part}"):
                if not os.path.isdir(f"{self.path}/{part}/{name}"):
                    found.add(f"{part}/{name}")
        kept = {layout.TIMESTAMP, layout.CURRENT, "metadata/writing.tmp"}
        return {n for n in found - kept if not n.endswith(".root.json")}


def recompute(copy: Path, record: Record) -> None:
    """Compute an index's root anew from a copy of its shards. Raises ``TamperedError`` where it
    is another than the record's, or where shards are missing."""
    folder = Folder(copy)
    try:
        slots = list(folder.slots(record))
    except MissingError as error:
        raise TamperedError(f"the copy lacks shards of the index to be signed ({error})") from error
    root = build(slots, record.depth, lambda _number, _data: None) if slots else NO_ROOT
    if root != record.root or len(slots) != record.count:
        raise TamperedError(f"the shards in {copy} make another index than the one to be signed")


def _write(name: str, data: bytes, *, durable: bool = False) -> None:
    descriptor = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        written = os.write(descriptor, data)
        while written < len(data):
            written += os.write(descriptor, data[written:])
        if durable:
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _slots(spool: IO[bytes]) -> Iterator[bytes]:
    read = spool.read
    while chunk := read(_AT_ONCE * SLOT):
        for at in range(0, len(chunk), SLOT):
            yield chunk[at : at + SLOT]


def _listed(path: str) -> list[str]:
    try:
        return os.listdir(path)
    except FileNotFoundError:
        return []
