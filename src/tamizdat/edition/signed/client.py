# SPDX-License-Identifier: AGPL-3.0-or-later
"""The verifying reader: of every byte, whether this newsroom published it here, and as of when.

What always holds:

- What is returned was proven from the root given; a copy that lies raises ``VerifyError``.
- What was seen once is never gone back on, and is remembered only when all of an update was
  verified: a copy that fails, also half-way, changes nothing.
- What is only old is not refused: ``as_of`` and ``stale`` say it. With ``strict`` it is.
- Nothing is downloaded, or unpacked, beyond its limit.

What is not done here: choosing between copies.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple
from unicodedata import normalize

import brotli
from tuf.api.metadata import TargetFile

from tamizdat.edition.signed import current, layout, memory, streams, workflow
from tamizdat.edition.signed.errors import (
    AbsentError,
    BadFormatError,
    MissingError,
    RollbackError,
    StaleError,
    TamperedError,
    TooLongError,
    VerifyError,
)
from tamizdat.edition.signed.fetch import Fetcher, side_by_side
from tamizdat.edition.signed.shards import Record, Shard, Slot, decode, key_of, number_of
from tamizdat.edition.store import compressible

INDEXES: Final = {"recent": layout.RECENT, "base": layout.BASE, "archive": layout.ARCHIVE}
LARGEST: Final = 1 << 26  # bytes of a file that ``object`` returns
_KEPT_SHARDS = 1_024


def _now() -> datetime:
    return datetime.now(UTC)


class Edition(NamedTuple):
    """A verified edition. ``records`` by the name of the index, uppermost first, those that are
    signed for; ``files`` are the metadata and records by their names in the folder; ``expired``
    the roles that are past their time."""

    number: int
    as_of: datetime
    expired: tuple[str, ...]
    records: Mapping[str, Record]
    files: Mapping[str, bytes]
    verified: workflow.Verified

    @property
    def stale(self) -> bool:
        return bool(self.expired)


@dataclass(frozen=True)
class Proof:
    """What the newsroom says of a path. ``slot`` is None where no index has it; ``index`` names
    the one that decides. ``sealed`` is when the archive that has the path was sealed."""

    path: str
    slot: Slot | None
    index: str
    changed_after_sealing: bool
    sealed: datetime | None
    as_of: datetime
    stale: bool

    @property
    def found(self) -> bool:
        """Whether there is something to read; if not, that is proven."""
        return self.slot is not None and self.slot.status != layout.GONE


@dataclass(frozen=True)
class WalkedShard:
    """A verified shard, the index that it is of, its name in the folder and its bytes."""

    index: str
    name: str
    data: bytes
    shard: Shard


class SignedReader:
    """One newsroom's edition in one copy.

    ``state`` is a folder for what is remembered of this newsroom, whichever copy is read;
    ``root`` the bytes of the root metadata that is trusted. ``parallel`` requests are made at a
    time. Methods raise ``VerifyError`` and, where ``state`` cannot be written, ``OSError``.
    """

    def __init__(
        self,
        fetch: Fetcher,
        state: Path,
        root: bytes,
        clock: Callable[[], datetime] = _now,
        *,
        strict: bool = False,
        parallel: int = 3,
    ) -> None:
        self._copy = fetch
        self._fetch = fetch.fetch
        self._state = state
        self._root = root
        self._clock = clock
        self._strict = strict
        self._parallel = parallel
        self._edition: Edition | None = None
        self._shards: dict[tuple[bytes, int], Shard] = {}

    @property
    def edition(self) -> Edition:
        """The edition that is read; the first use updates."""
        return self._edition or self.refresh()

    def refresh(self) -> Edition:
        """Update to the newest edition of the copy."""
        known = memory.load(self._state)
        parts, root_gone = self._first_requests(known)
        try:
            edition = self._update(known, parts, root_gone)
        except VerifyError:
            if not parts:
                raise
            edition = self._update(known, {}, root_gone)
        editions = {name: record.edition for name, record in edition.records.items()}
        verified = edition.verified
        memory.save(
            self._state,
            memory.Memory(
                dict(verified.roots), dict(verified.files), editions, verified.root_version
            ),
        )
        self._edition = edition
        return edition

    def find(self, path: str) -> Proof:
        """What the newsroom says of a path, which begins with ``/`` and is not percent-encoded."""
        if not path.startswith("/"):
            raise ValueError(f"a path begins with a slash: {path!r}")
        edition = self.edition
        key = key_of(normalize("NFC", path))
        names = [name for name, record in edition.records.items() if record.count]
        shards = side_by_side(lambda name: self._shard_of(name, key), names, self._parallel)
        found = {
            n: slot for n, shard in zip(names, shards, strict=True) if (slot := shard.find(key))
        }
        index, slot = next(iter(found.items()), ("", None))
        sealed = found.get("archive")
        built = edition.records["archive"].built if sealed else None
        return Proof(
            path,
            slot,
            index,
            bool(sealed and slot and _shown(slot) != _shown(sealed)),
            datetime.fromtimestamp(built, UTC) if built is not None else None,
            edition.as_of,
            edition.stale,
        )

    def read(self, path: str) -> bytes:
        """The bytes at a path. Raises ``AbsentError`` where it is proven that there are none."""
        proof = self.find(path)
        if proof.slot is None or not proof.found:
            raise AbsentError(f"the newsroom has nothing at {path}")
        return self.object(proof.slot)

    def parts(self, slot: Slot) -> Iterator[bytes]:
        """The bytes of an entry, however many, part by part. They are proven when the last has
        come: give a file its name then, and not where ``VerifyError`` was raised."""
        name = layout.object_name(slot.sha256.hex())
        with closing(streams.parts_of(self._copy, name, slot.length)) as coming:
            yield from streams.proven(coming, slot)

    def object(self, slot: Slot) -> bytes:
        """The bytes of an entry, from whichever of its two files can be used. Raises
        ``TooLongError`` where they are more than ``LARGEST``: then see ``parts``."""
        if slot.length > LARGEST:
            raise TooLongError(f"{slot.sha256.hex()} is larger than is held in memory")
        failures: list[VerifyError] = []
        smaller = compressible(layout.media_type(slot.media)) and slot.length > 0
        for packed in (True, False) if smaller else (False, True):
            try:
                return self._object(slot, packed=packed)
            except (MissingError, TamperedError, TooLongError) as error:
                failures.append(error)
        raise next((e for e in failures if not isinstance(e, MissingError)), failures[0])

    def target(self, name: str) -> bytes:
        """``layout.SITE`` or ``layout.MIRRORS``. Raises ``MissingError``, also where the newsroom
        has none."""
        info = self.edition.verified.targets.get(name)
        if info is None:
            raise MissingError(f"the newsroom has no {name}")
        return self._target(name, info, {}, layout.SITE_LIMIT)

    def shard(self, index: str, number: int) -> WalkedShard:
        """One shard of an index that has entries."""
        record = self.edition.records[index]
        name = layout.shard_name(record.root.hex(), number)
        data = self._fetch(name, layout.SHARD_LIMIT)
        return WalkedShard(index, name, data, decode(data, record, number))

    def walk(self) -> Iterator[tuple[str, Slot]]:
        """Every entry of every index, with the name of the index: ``recent`` first."""
        for walked in self.walk_shards():
            for slot in walked.shard.slots():
                yield walked.index, slot

    def walk_shards(
        self, wanted: Callable[[str, int], bool] = lambda index, number: True
    ) -> Iterator[WalkedShard]:
        """Every shard of every index, or those for which ``wanted(index, number)`` holds."""
        places = (
            (index, number)
            for index, record in self.edition.records.items()
            for number in range(1 << record.depth if record.count else 0)
            if wanted(index, number)
        )
        yield from side_by_side(lambda place: self.shard(*place), places, self._parallel)

    def _first_requests(self, known: memory.Memory | None) -> tuple[dict[str, bytes], str]:
        """The parts of ``current``, and the name of the next root where it is not there."""
        first = max(known.roots) if known else 0
        following = max(first, workflow.version_of(self._root)) + 1
        name = layout.metadata_name("root", following)
        with ThreadPoolExecutor(2) as pool:
            asked = pool.submit(self._fetch, name, layout.ROOT_LIMIT)
            try:
                parts = current.decode(self._fetch(layout.CURRENT, layout.CURRENT_LIMIT))
            except VerifyError:
                parts = {}  # Then the files are asked for one by one.
            try:
                return parts | {name: asked.result()}, ""
            except MissingError:
                return parts, name

    def _update(
        self, known: memory.Memory | None, parts: Mapping[str, bytes], root_gone: str
    ) -> Edition:
        def get(name: str, limit: int) -> bytes:
            if name == root_gone:
                raise MissingError(f"{name} is not there")
            return self._part(name, limit, parts)

        verified = workflow.run(get, self._root, known.verified() if known else None)
        expired = verified.expired(self._clock())
        if self._strict and expired:
            raise StaleError(f"expired: {', '.join(expired)}")
        files = verified.names()
        records = {}
        for index, target in INDEXES.items():
            if info := verified.targets.get(target):
                data = self._target(target, info, parts, layout.RECORD_LIMIT)
                files[layout.target_name(target, info.hashes["sha256"])] = data
                records[index] = Record.decode(data)
        _check_records(records, known if known and known.root == verified.root_version else None)
        number = max((record.edition for record in records.values()), default=0)
        return Edition(number, verified.issued(), expired, records, files, verified)

    def _part(self, name: str, limit: int, parts: Mapping[str, bytes]) -> bytes:
        data = parts.get(name)
        if data is None:
            return self._fetch(name, limit)
        if len(data) > limit:
            raise TooLongError(f"{name} is longer than {limit:,} bytes")
        return data

    def _target(
        self, target: str, info: TargetFile, parts: Mapping[str, bytes], limit: int
    ) -> bytes:
        if "sha256" not in info.hashes or info.length > limit:
            raise BadFormatError(f"{target} is signed for without a sha-256, or as too long")
        data = self._part(layout.target_name(target, info.hashes["sha256"]), info.length, parts)
        with workflow.said_in_our_words():
            info.verify_length_and_hashes(data)
        return data

    def _shard_of(self, index: str, key: bytes) -> Shard:
        record = self.edition.records[index]
        number = number_of(key, record.depth)
        shard = self._shards.get((record.root, number))
        if shard is None:
            if len(self._shards) >= _KEPT_SHARDS:
                self._shards.clear()
            shard = self._shards[record.root, number] = self.shard(index, number).shard
        return shard

    def _object(self, slot: Slot, *, packed: bool) -> bytes:
        name = layout.object_name(slot.sha256.hex(), brotli=packed)
        data = self._fetch(name, slot.length + (layout.BROTLI_MORE if packed else 0))
        return unpack(data, slot) if packed else verify(data, slot)


def verify(data: bytes, slot: Slot) -> bytes:
    """The bytes, if they are those of the entry. Raises ``TamperedError``."""
    if len(data) != slot.length or hashlib.sha256(data).digest() != slot.sha256:
        raise TamperedError(f"{slot.sha256.hex()} has other bytes than its name says")
    return data


def unpack(data: bytes, slot: Slot) -> bytes:
    """The entry's bytes out of brotli's, never more than its length. Raises ``TamperedError``."""
    decompressor = brotli.Decompressor()
    made = b""
    try:
        made = decompressor.process(data, output_buffer_limit=slot.length + 1)
        while len(made) <= slot.length and not decompressor.is_finished():
            more = decompressor.process(b"", output_buffer_limit=slot.length + 1 - len(made))
            if not more:
                break
            made += more
    except brotli.error as error:
        raise TamperedError(f"{slot.sha256.hex()}.br is not compressed with brotli") from error
    if not decompressor.is_finished():
        raise TamperedError(f"{slot.sha256.hex()}.br does not end where its entry says")
    return verify(made, slot)


def _shown(slot: Slot) -> tuple[bytes, int, int, int]:
    """What readers notice of an entry: the same bytes withdrawn, or of another type, are not the
    same page."""
    return slot.sha256, slot.length, slot.status, slot.media


def _check_records(records: Mapping[str, Record], known: memory.Memory | None) -> None:
    """Raises ``TamperedError`` and ``RollbackError``."""
    base = records["base"].edition if "base" in records else 0
    if "recent" in records and records["recent"].since != base:
        raise TamperedError("the recent index is laid over another base than the one beside it")
    for index, edition in (known.editions if known else {}).items():
        record = records.get(index)
        if record is None or record.edition < edition:
            raise RollbackError(f"the {index} index is older than the one seen, edition {edition}")
