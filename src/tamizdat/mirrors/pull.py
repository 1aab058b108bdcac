# SPDX-License-Identifier: AGPL-3.0-or-later
"""A volunteer's copy: fetches an edition, verifies all of it, then shows it.

What always holds:

- Every byte was proven from the newsroom's root before readers can be led to it: objects and
  shards lie under names that nothing leads to until the metadata is switched, ``timestamp.json``
  and ``current`` last. A pull that fails or is killed leaves the last whole edition.
- No file is in memory as a whole but metadata and shards, whatever its size.
- It never goes back behind what it has seen (``SignedReader``), and downloads no more than is
  signed for.
- What it has, it does not fetch again: a pull that was cut off goes on where it was.
- What no edition leads to is removed two editions later.

What is not done here: serving the copy, choosing from whom to pull. No newsroom is needed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, NamedTuple

from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from tamizdat.edition.signed import current, layout, roles, shards, streams
from tamizdat.edition.signed.client import INDEXES, Edition, SignedReader
from tamizdat.edition.signed.errors import (
    BadFormatError,
    MissingError,
    TamperedError,
    TooLongError,
    UnreachableError,
    VerifyError,
)
from tamizdat.edition.signed.fetch import Fetcher, side_by_side
from tamizdat.edition.signed.memory import TRUSTED
from tamizdat.edition.store import Store, compressible
from tamizdat.mirrors.errors import BusyError, FullError, MisconfiguredError
from tamizdat.mirrors.manifest import Manifest
from tamizdat.mirrors.ports import FOLDERS, Held
from tamizdat.mirrors.source import digest, shard_names

PRIVATE = ".pull"  # in the copy: what is remembered; no server shows it
CONNECTIONS = 4
_ATTEMPTS = 3
Progress = Callable[[int, int], None]


class Pulled(NamedTuple):
    """``edition`` is shown now, as of ``as_of`` (RFC 3339); ``new`` says whether it came with this
    pull, ``stale`` whether its signatures are past their time. ``files`` and ``length`` (bytes)
    were fetched."""

    edition: int
    as_of: str
    new: bool
    stale: bool
    files: int
    length: int
    removed: int
    seconds: float


def pull(
    fetch: Fetcher,
    folder: Path,
    root: bytes | None = None,
    *,
    progress: Progress = lambda done, of: None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Pulled:
    """Bring the copy in ``folder`` to the newest edition of another copy. ``root`` is needed the
    first time (``first_root``). Raises ``VerifyError``, ``MirrorError``, ``OSError``."""
    with _alone(folder), _noted(folder) as noted:
        counting = _Counting(fetch)
        known = _pinned(folder, root)
        reader = SignedReader(counting, folder / PRIVATE, known, clock, parallel=CONNECTIONS)
        return _Pull(counting, folder, reader, noted, progress).run()


def first_root(fetch: Fetcher) -> bytes:
    """The first root that a copy offers: to be compared with what the newsroom says of itself."""
    return fetch.fetch(layout.metadata_name("root", 1), layout.ROOT_LIMIT)


def known_root(folder: Path) -> bytes | None:
    """The root that a copy was begun with."""
    try:
        return (folder / PRIVATE / "root.json").read_bytes()
    except FileNotFoundError:
        return None


def read_root(path: Path) -> bytes:
    """The root in a file: a ``root.json``, or what ``tamizdat keys export`` writes. Raises
    ``MisconfiguredError``."""
    data = path.read_bytes()
    try:
        said = json.loads(data)
        if isinstance(said, dict) and "signed" not in said and "root" in said:
            return json.dumps(said["root"], ensure_ascii=False, separators=(",", ":")).encode()
        Metadata[Root].from_bytes(data)
    except (ValueError, RepositoryError) as error:
        raise MisconfiguredError(
            f"{path} is no root of a newsroom: ask it for what “tamizdat keys export” writes"
        ) from error
    return data


class _Pull:
    def __init__(
        self,
        fetch: _Counting,
        folder: Path,
        reader: SignedReader,
        noted: Manifest,
        progress: Progress,
    ) -> None:
        self._fetch = fetch
        self._folder = folder
        self._reader = reader
        self._noted = noted
        self._progress = progress

    def run(self) -> Pulled:
        began = time.monotonic()
        edition = self._reader.refresh()
        stamp = digest(edition.files[layout.TIMESTAMP])
        new = self._noted.meta("stamp") != stamp
        removed = self._bring(edition, stamp) if new else 0
        return Pulled(
            edition.number,
            f"{edition.as_of:%Y-%m-%dT%H:%M:%SZ}",
            new,
            edition.stale,
            self._fetch.files,
            self._fetch.length,
            removed,
            time.monotonic() - began,
        )

    def _bring(self, edition: Edition, stamp: str) -> int:
        metadata = self._metadata(edition)
        if not self._noted.meta("known"):
            self._noted.rebuild(_held(self._folder))
            self._noted.set_meta("known", "yes")
        with self._noted.transaction():  # So that a pull that never ends leaves nothing for ever.
            self._noted.need(self._small(edition, metadata))
        self._shards()
        slots = self._slots(edition)
        self._note(edition, metadata, slots)
        self._objects(slots)
        Store(self._folder).sync()
        self._switch(edition, metadata)
        self._noted.set_meta("stamp", stamp)
        if self._noted.meta("edition") != str(edition.number):
            self._noted.set_meta("generation", str(self._noted.generation + 1))
            self._noted.set_meta("edition", str(edition.number))
        return self._clean()

    # What the edition has

    def _metadata(self, edition: Edition) -> dict[str, bytes]:
        files = dict(edition.files)
        for target in (layout.SITE, layout.MIRRORS):
            if info := edition.verified.targets.get(target):
                name = layout.target_name(target, info.hashes["sha256"])
                files[name] = self._reader.target(target)
        return {**self._older_roots(edition), **files}

    def _older_roots(self, edition: Edition) -> dict[str, bytes]:
        """Roots before ours, for readers who began with them: each must have signed the next."""
        found: dict[str, bytes] = {}
        version = min(edition.verified.roots)
        following = Metadata[Root].from_bytes(edition.verified.roots[version])
        while (version := version - 1) > 0:
            name = layout.metadata_name("root", version)
            try:
                data = self._fetch.fetch(name, layout.ROOT_LIMIT)
                older = _older_root(data, version, following)
            except (MissingError, TooLongError, BadFormatError, RepositoryError, ValueError):
                break  # Nobody who began with it could follow to ours.
            found[name], following = data, older
        return found

    def _shards(self) -> None:
        """Fetch the shards that are not here, or are not what they should be."""
        records = self._reader.edition.records

        def wanted(index: str, number: int) -> bool:
            record = records[index]
            return _own_shard(self._folder, record, number) is None

        for walked in self._reader.walk_shards(wanted):
            _write(self._folder / walked.name, walked.data)

    def _slots(self, edition: Edition) -> dict[bytes, shards.Slot]:
        """What lies at each path, by the sha-256: of an object that several paths have, one."""
        seen: set[bytes] = set()
        found: dict[bytes, shards.Slot] = {}
        for index in INDEXES:
            record = edition.records.get(index)
            for number in range(1 << record.depth if record and record.count else 0):
                shard = _own_shard(self._folder, record, number) if record else None
                if shard is None:
                    raise BadFormatError(f"{self._folder} was changed meanwhile: pull again")
                for slot in shard.slots():
                    if slot.key not in seen and slot.status != layout.GONE:
                        found.setdefault(slot.sha256, slot)
                    seen.add(slot.key)
        return found

    def _note(
        self, edition: Edition, metadata: dict[str, bytes], slots: dict[bytes, shards.Slot]
    ) -> None:
        def files() -> Iterator[tuple[str, int]]:
            yield from self._small(edition, metadata)
            for sha256, slot in slots.items():
                for brotli in (False, True):
                    yield layout.object_name(sha256.hex(), brotli=brotli), slot.length

        with self._noted.transaction():
            self._noted.need_all(files())

    def _small(self, edition: Edition, metadata: dict[str, bytes]) -> Iterator[tuple[str, int]]:
        """Metadata and shards."""
        for name, data in metadata.items():
            if name != layout.TIMESTAMP:
                yield name, len(data)
        for record in edition.records.values():
            for name in shard_names(record):
                yield name, 0

    # Fetching

    def _objects(self, slots: dict[bytes, shards.Slot]) -> None:
        missing = [slot for slot in slots.values() if not self._has(slot)]
        failures: list[VerifyError] = []

        def one(slot: shards.Slot) -> VerifyError | None:
            try:
                self._patiently(slot)
            except VerifyError as error:
                return error
            return None

        for done, error in enumerate(side_by_side(one, missing, CONNECTIONS), 1):
            self._progress(done, len(missing))
            if error is not None:
                failures.append(error)
                if len(failures) >= 20 or isinstance(error, UnreachableError):
                    break
        if failures:
            raise failures[0]

    def _has(self, slot: shards.Slot) -> bool:
        path = self._folder / layout.object_name(slot.sha256.hex())
        try:
            return path.stat().st_size == slot.length
        except FileNotFoundError:
            return False

    def _patiently(self, slot: shards.Slot) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                self._object(slot)
                break
            except UnreachableError:
                if attempt == _ATTEMPTS - 1:
                    raise
                time.sleep(0.5 * 2**attempt)

    def _object(self, slot: shards.Slot) -> None:
        """Fetch one object, packed where it is to be had so: then both files are kept."""
        sha256 = slot.sha256.hex()
        plain, packed = (layout.object_name(sha256, brotli=brotli) for brotli in (False, True))
        if compressible(layout.media_type(slot.media)) and slot.length:
            with contextlib.suppress(MissingError, TamperedError, TooLongError):
                self._packed(slot, packed, plain)
                return
        coming = streams.parts_of(self._fetch, plain, slot.length)
        with contextlib.closing(coming), _new(self._folder / plain) as file:
            streams.through(streams.copied(streams.proven(coming, slot), file))

    def _packed(self, slot: shards.Slot, packed: str, plain: str) -> None:
        """Both files of an object, from the packed one. Raises ``VerifyError``."""
        coming = streams.parts_of(self._fetch, packed, slot.length + layout.BROTLI_MORE)
        with (
            contextlib.closing(coming),
            _new(self._folder / packed) as first,
            _new(self._folder / plain) as second,
        ):
            proven = streams.proven(streams.unpacked(streams.copied(coming, first)), slot)
            streams.through(streams.copied(proven, second))

    # Showing

    def _switch(self, edition: Edition, metadata: dict[str, bytes]) -> None:
        heads = (layout.TIMESTAMP, layout.CURRENT)
        roots = {name for name in metadata if name.endswith(".root.json")}
        for name in sorted(set(metadata) - roots - set(heads)):
            _write(self._folder / name, metadata[name])
        for name in sorted(roots):
            _write(self._folder / name, metadata[name])
        Store(self._folder).sync()
        _write(self._folder / layout.TIMESTAMP, edition.files[layout.TIMESTAMP])
        _write(self._folder / layout.CURRENT, _current(edition))

    def _clean(self) -> int:
        removed, last = 0, ""
        while names := self._noted.to_remove(500, last):
            last = names[-1]
            for name in names:
                path = self._folder / name
                path.unlink(missing_ok=True)
                _aside(path).unlink(missing_ok=True)  # Left by a pull that was killed.
                with contextlib.suppress(OSError):
                    path.parent.rmdir()
                    path.parent.parent.rmdir()
            self._noted.removed(names)
            removed += len(names)
        return removed


class _Counting:
    """A fetcher that counts."""

    def __init__(self, fetch: Fetcher) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self.files = self.length = 0

    def fetch(self, name: str, limit: int) -> bytes:
        return b"".join(self.stream(name, limit))

    def stream(self, name: str, limit: int) -> Iterator[bytes]:
        length = 0
        for part in streams.parts_of(self._fetch, name, limit):
            length += len(part)
            yield part
        with self._lock:
            self.files += 1
            self.length += length


def _current(edition: Edition) -> bytes:
    meta = edition.verified.metadata("snapshot").signed.meta
    version = edition.verified.metadata("timestamp").signed.snapshot_meta.version
    names = [layout.TIMESTAMP, layout.metadata_name("snapshot", version)]
    for role in ("targets", "live", "archive"):
        names.append(layout.metadata_name(role, meta[f"{role}.json"].version))
    for target in INDEXES.values():
        if info := edition.verified.targets.get(target):
            names.append(layout.target_name(target, info.hashes["sha256"]))
    return current.encode({name: edition.files[name] for name in names})


def _own_shard(folder: Path, record: shards.Record, number: int) -> shards.Shard | None:
    try:
        data = (folder / layout.shard_name(record.root.hex(), number)).read_bytes()
        return shards.decode(data, record, number)
    except (FileNotFoundError, VerifyError):
        return None


def _held(folder: Path) -> Iterator[Held]:
    for part in FOLDERS:
        for path, _, names in os.walk(folder / part):
            for name in names:
                file = Path(path, name)
                yield Held(str(file.relative_to(folder)), file.stat().st_size)


def _write(path: Path, data: bytes) -> None:
    """Put a file there, whole."""
    with _new(path) as file:
        file.write(data)


@contextlib.contextmanager
def _new(path: Path) -> Iterator[IO[bytes]]:
    """A file that has its name once all of it is written, and is gone where that fails."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(path)
    try:
        with aside.open("wb") as file:
            yield file
        aside.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _older_root(data: bytes, version: int, following: Metadata[Root]) -> Metadata[Root]:
    """A root that was in force: by its own word and by that of the one that came after it."""
    older = roles.decode(data, Root)
    if older.signed.version != version:
        raise BadFormatError(f"root {version} has another version than its name says")
    for root in (older, following):
        older.signed.verify_delegate("root", root.signed_bytes, root.signatures)
    return older


def _pinned(folder: Path, root: bytes | None) -> bytes:
    """The root that this copy is verified from: the one it was begun with. Raises
    ``MisconfiguredError``."""
    known = known_root(folder)
    if not (folder / PRIVATE / TRUSTED).exists() and root is not None:
        known = None  # Nothing was verified with it yet: it may be damaged, or mistaken.
    if known is None and root is None:
        raise MisconfiguredError("a new copy must be told the newsroom's root: --root FILE")
    if known is not None and root is not None and not _same(known, root):
        raise MisconfiguredError(
            f"{folder} was begun with another root than this: it is another newsroom's, or the "
            "root is false. Use another folder, or ask the newsroom"
        )
    if known is None and root is not None:
        _write(folder / PRIVATE / "root.json", root)
        return root
    return known or b""


def _same(known: bytes, root: bytes) -> bool:
    return bool(json.loads(known) == json.loads(root))


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    private = folder / PRIVATE
    private.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(private / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise BusyError(f"another pull works in {folder} now") from None
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _noted(folder: Path) -> Iterator[Manifest]:
    try:
        with contextlib.closing(Manifest(folder / PRIVATE / "held.sqlite3")) as noted:
            yield noted
    except sqlite3.Error as error:
        raise FullError(
            f"{folder} gives trouble ({error}): is its disk full? The copy is as it was; pull again"
        ) from error


def is_foreign(folder: Path) -> bool:
    """Whether a folder has other things in it than a copy."""
    return folder.is_dir() and any(folder.iterdir()) and not (folder / PRIVATE).exists()
