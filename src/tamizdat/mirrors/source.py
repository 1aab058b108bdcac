# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our own signed folder, as pushing sees it.

What always holds: a ``Head`` is one whole edition: all that its bytes of ``timestamp`` and
``current`` lead to, by names that mean the same for ever. What the signer has replaced twice since
is gone: ``SupersededError`` says so, and the newest edition is pushed instead.

What is not done here: checking signatures (``edition verify``); the folder is our own.
"""

from __future__ import annotations

import hashlib
import heapq
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from tamizdat.edition.signed import current, layout, shards
from tamizdat.edition.signed.errors import VerifyError
from tamizdat.mirrors.errors import SourceError, SupersededError, UnsignedError
from tamizdat.mirrors.ports import Outgoing

_ROLES = ("targets", "live", "archive")
_EMPTY = shards.Record(0, 0, 0, 0, 0, shards.NO_ROOT)


class Head(NamedTuple):
    """A signed edition: its number, the version and bytes of its timestamp, the bytes of
    ``current``; ``fixed`` names its metadata and targets, ``roots`` the versions of root; the
    records of its indexes, of no entries where there is none."""

    edition: int
    version: int
    timestamp: bytes
    current: bytes
    fixed: tuple[str, ...]
    roots: tuple[str, ...]
    recent: shards.Record
    base: shards.Record
    archive: shards.Record

    @property
    def digest(self) -> str:
        """What tells this edition from all others."""
        return digest(self.timestamp + "".join(self.roots[-1:]).encode())


class Wanted(NamedTuple):
    """An object that readers of an edition may ask for, by the key of a path that has it."""

    key: bytes
    sha256: str


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Source:
    """The edition's folder. Raises ``SupersededError`` for what was there and is not any more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def mark(self) -> tuple[int, int, int] | None:
        """Changes whenever something new was signed; None where nothing was."""
        try:
            found = os.stat(self.folder / layout.TIMESTAMP)  # noqa: PTH116
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def head(self) -> Head:
        """The edition that is signed now. Raises ``UnsignedError`` and ``SourceError``."""
        try:
            head = self._head(self._timestamp())
            # A new root appears just before the timestamp that belongs to it.
            return head if self._timestamp() == head.timestamp else self._head(self._timestamp())
        except (KeyError, msgspec.DecodeError, VerifyError, TypeError, ValueError) as error:
            raise SourceError(
                f"the signed metadata in {self.folder} cannot be read ({error}): publish again, or "
                "restore it from a backup"
            ) from error

    def read(self, name: str) -> bytes:
        """The bytes of a file that never changes. Raises ``SupersededError``."""
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            raise self._missing(name) from None

    def outgoing(self, name: str) -> Outgoing:
        """A file of ours, made sure of: an object has the hash that names it."""
        path = self.folder / name
        try:
            if name.startswith("objects/") and not name.endswith(".br"):
                self._check(path)
            return Outgoing(name, path, path.stat().st_size)
        except FileNotFoundError:
            raise self._missing(name) from None

    def variants(self, sha256: str) -> Iterator[tuple[str, int]]:
        """Names and lengths of an object as we have it: as it is, and compressed."""
        for brotli in (False, True):
            name = layout.object_name(sha256, brotli=brotli)
            try:
                yield name, os.stat(self.folder / name).st_size  # noqa: PTH116
            except FileNotFoundError:
                if not brotli:
                    raise self._missing(name) from None

    def length(self, name: str) -> int:
        try:
            return os.stat(self.folder / name).st_size  # noqa: PTH116
        except FileNotFoundError:
            raise self._missing(name) from None

    def has(self, name: str) -> bool:
        return (self.folder / name).exists()

    def slots(self, record: shards.Record) -> Iterator[shards.Slot]:
        """Every entry of an index, ascending by key, verified to its record."""
        for number, name in enumerate(shard_names(record)):
            yield from self._shard(name, record, number).slots()

    def find(self, record: shards.Record, key: bytes) -> shards.Slot | None:
        """What an index says of a key."""
        if not record.count:
            return None
        number = shards.number_of(key, record.depth)
        name = layout.shard_name(record.root.hex(), number)
        return self._shard(name, record, number).find(key)

    def wanted(self, head: Head) -> Iterator[Wanted]:
        """Every object that readers of an edition may ask for; one may come more than once."""
        layers = [
            ((slot.key, above, slot) for slot in self.slots(record))
            for above, record in enumerate((head.recent, head.base, head.archive))
        ]
        last = b""
        for key, _, slot in heapq.merge(*layers, key=lambda found: found[:2]):
            if key != last and slot.status != layout.GONE:
                yield Wanted(key, slot.sha256.hex())
            last = key

    def _timestamp(self) -> bytes:
        try:
            return (self.folder / layout.TIMESTAMP).read_bytes()
        except FileNotFoundError:
            raise UnsignedError(
                f"nothing in {self.folder} is signed yet: make keys (tamizdat keys init), then "
                "publish"
            ) from None

    def _shard(self, name: str, record: shards.Record, number: int) -> shards.Shard:
        try:
            return shards.decode(self.read(name), record, number)
        except VerifyError as error:
            raise SourceError(f"{name} of our own edition is damaged: {error}") from error

    def _head(self, timestamp: bytes) -> Head:
        signed = _signed(timestamp)
        version = signed["meta"]["snapshot.json"]["version"]
        parts = {
            layout.TIMESTAMP: timestamp,
            (name := layout.metadata_name("snapshot", version)): self.read(name),
        }
        meta = _signed(parts[name])["meta"]
        targets: dict[str, str] = {}
        for role in _ROLES:
            name = layout.metadata_name(role, meta[f"{role}.json"]["version"])
            parts[name] = self.read(name)
            targets.update(_targets(_signed(parts[name])))
        records = {name: self._record(targets.get(name)) for name in _INDEXES}
        for name in _INDEXES:
            if name in targets:
                parts[targets[name]] = records[name].encode()
        recent, base, archive = (records[name] for name in _INDEXES)
        return Head(
            edition=max(record.edition for record in records.values()),
            version=signed["version"],
            timestamp=timestamp,
            current=current.encode(parts),
            fixed=tuple(name for name in parts if name != layout.TIMESTAMP)
            + tuple(file for file in targets.values() if file not in parts),
            roots=self._roots(),
            recent=recent,
            base=base,
            archive=archive,
        )

    def _record(self, name: str | None) -> shards.Record:
        return _EMPTY if name is None else shards.Record.decode(self.read(name))

    def _roots(self) -> tuple[str, ...]:
        found = (self.folder / "metadata").glob("*.root.json")
        numbers = sorted(int(file.name.partition(".")[0]) for file in found)
        return tuple(layout.metadata_name("root", number) for number in numbers)

    def _check(self, path: Path) -> None:
        with path.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != path.name:
                raise SourceError(
                    f"{path} is not the file that its name says: restore it from a backup, or "
                    "build the whole paper (tamizdat publish --all)"
                )

    def _missing(self, name: str) -> SupersededError:
        return SupersededError(f"{name} is no part of our newest edition any more")


_INDEXES = (layout.RECENT, layout.BASE, layout.ARCHIVE)


def shard_names(record: shards.Record) -> Iterator[str]:
    """The files of an index."""
    if record.count:
        root = record.root.hex()
        yield from (layout.shard_name(root, number) for number in range(1 << record.depth))


def _signed(data: bytes) -> dict[str, Any]:
    return msgspec.json.decode(data, type=dict[str, Any])["signed"]  # type: ignore[no-any-return]


def _targets(signed: dict[str, Any]) -> dict[str, str]:
    """Names of targets to where they lie."""
    return {
        name: layout.target_name(name, said["hashes"]["sha256"])
        for name, said in signed["targets"].items()
    }
