# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signing what was built: follows the builder's pointer, as the plain tree does.

What always holds:

- What ``timestamp.json`` leads to is whole on the disk before it is put there, in one rename; a
  crash at any instant leaves the last signed edition whole, and the next run signs the present.
- Versions of metadata and editions of records never go back; no name is given to other bytes.
- What one publication signs does not grow with the paper: ``recent`` alone is written, until it
  would hold more than ``RECENT_LIMIT`` entries. Then ``base`` is written anew, in one stream.
- A clock that cannot be right signs nothing (``ClockError``); one that is behind by less than a
  week signs with the time of the last signature.
- The caller holds the builder's lock.

What is not done here: the holders' signatures (``ceremony``), the builder's own objects.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Root, Snapshot, Targets, Timestamp

from tamizdat.edition.index import Difference, Index, differences
from tamizdat.edition.signed import current, keys, layout, roles, shards, slots, versions
from tamizdat.edition.signed.errors import (
    BadFormatError,
    CeremonyError,
    ClockError,
    CollisionError,
    KeyFileError,
    VerifyError,
)
from tamizdat.edition.signed.folder import Folder
from tamizdat.edition.signed.request import Request, offline_after, offline_before
from tamizdat.edition.signed.shards import KEY, NO_ROOT, Record, key_of
from tamizdat.edition.signed.state import State
from tamizdat.edition.signed.told import Mirror, mirrors_json
from tamizdat.edition.store import Pointer, Store

STATE: Final = "signing"
PENDING: Final = "ceremony.json"
NEXT_KEY: Final = "online-key.next"
RENEW_AFTER: Final = timedelta(hours=23)
_CLEANED: Final = 300  # files a publication removes
_DAY = timedelta(days=1)
_LAST: Final = 1 << 23  # editions that a newsroom may have published


class Signed(NamedTuple):
    """The present signed edition, as it lies in the folder."""

    timestamp: Metadata[Timestamp]
    snapshot: Metadata[Snapshot]
    live: Metadata[Targets]
    recent: Record
    base: Record


class Signer:
    """Signs the edition in a folder with the online key in a file. Without keys it does nothing."""

    def __init__(
        self,
        folder: Path,
        key: Path,
        *,
        mirrors: Sequence[Mirror] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.folder = Folder(Path(folder).absolute())
        self._key_file, self._secrets = key, key.parent
        self._mirrors = tuple(mirrors)
        self._clock = clock
        self._state: tuple[tuple[int, int, int], State] | None = None

    @property
    def ready(self) -> bool:
        """Whether this newsroom has keys."""
        return self.folder.has("metadata/1.root.json") and self._key_file.exists()

    @property
    def edition(self) -> int:
        """The number of the edition that was signed last; 0 where none was."""
        return self._load().edition if self.ready else 0

    @property
    def number(self) -> int:
        """The number of the last edition that readers may have seen, also where what is kept
        beside it was lost; 0 where that cannot be known."""
        try:
            found = self._whole() if self.ready else None
        except OSError:
            return 0
        return found.recent.edition if found and found.recent.edition < _LAST else 0

    @property
    def days(self) -> slots.Days:
        """On which days editions were built."""
        return self._load().days

    def follow(self, index: Index, pointer: Pointer, *, full: bool = False) -> bool:
        """Sign the present edition where it is not signed yet; whether it was. ``full`` writes
        ``base`` anew. Raises ``OSError``, ``KeyFileError``, ``ClockError``."""
        if not self.ready:
            return False
        request = self.pending()
        if request is not None:
            return self._install(request, index, pointer)
        state, offline = self._load(), self.offline()
        if not full and self._is_signed(state, pointer):
            return False
        self._sign(state, offline, index, pointer, full=full)
        return True

    def resign(self) -> bool:
        """Sign the timestamp anew where it is a day old, live and snapshot too where they would
        expire within the quarter or name other mirrors; whether anything was signed."""
        if not self.ready or self.pending() is not None:
            return False
        found, state = self._whole(), self._load()
        if found is None or not state.names:
            return False
        now, last = self._clock(), roles.issued(found.timestamp)
        mirrors = hashlib.sha256(mirrors_json(self._mirrors, self._secrets)).hexdigest()
        told = roles.target_sha256(found.live, layout.MIRRORS) == mirrors
        if told and -roles.WEEK <= now - last < RENEW_AFTER:
            return False
        offline = self.offline()
        key = self._key(offline)
        moment = self._moment(offline, found, now)
        ends = min(found.live.signed.expires, found.snapshot.signed.expires)
        if not told or ends < moment + 90 * _DAY:
            self._publish(state, offline, key, (found.recent, found.base), moment)
        else:
            version = versions.following(self.folder, key, moment)["timestamp"]
            stamp = roles.timestamp(version, found.snapshot.signed.version, key, moment)
            self._seal(state, offline, roles.encode(stamp), clean=20_000)
        return True

    # What lies in the folder

    def offline(self) -> roles.Offline:
        """What the holders signed last. Raises ``BadFormatError``."""
        return roles.Offline(
            self._newest("root", Root),
            self._newest("targets", Targets),
            self._newest("archive", Targets),
        )

    def signed(self) -> Signed | None:
        """The present signed edition; None where nothing was signed yet."""
        if not self.folder.has(layout.TIMESTAMP):
            return None
        stamp = roles.decode(self.folder.read(layout.TIMESTAMP), Timestamp)
        version = stamp.signed.snapshot_meta.version
        name = layout.metadata_name("snapshot", version)
        snapshot = roles.decode(self.folder.read(name), Snapshot)
        if (meta := snapshot.signed.meta.get("live.json")) is None:
            raise BadFormatError("the snapshot names no live role")
        name = layout.metadata_name("live", meta.version)
        live = roles.decode(self.folder.read(name), Targets)
        recent, base = (self._record(live, name) for name in (layout.RECENT, layout.BASE))
        if recent is None or base is None:
            raise BadFormatError("the live role names no index")
        return Signed(stamp, snapshot, live, recent, base)

    def _whole(self) -> Signed | None:
        """The same; None also where it is damaged: then it is made anew."""
        try:
            return self.signed()
        except (FileNotFoundError, VerifyError):
            return None

    def archive(self, offline: roles.Offline) -> Record | None:
        """The record of the sealed archive; None before the first sealing."""
        return self._record(offline.archive, layout.ARCHIVE)

    def pending(self) -> Request | None:
        """What a ceremony decided and is not in force yet."""
        try:
            data = self.folder.read(PENDING)
        except FileNotFoundError:
            return None
        try:
            return Request.decode(data, self.folder.path / PENDING)
        except CeremonyError as error:
            advice = "remove it, and give the signed files to tamizdat keys finish again"
            raise CeremonyError(f"{error}; {advice}") from error

    def keep(self, names: Iterable[str]) -> None:
        """Let these names be, though nothing leads to them yet; what was kept before is not."""
        state = self._load()
        state.prepared = list(names)
        self._save(state)

    def _newest(self, role: str, kind: type[Root] | type[Targets]) -> Metadata:  # type: ignore[type-arg]  # either kind
        found = self.folder.versions(role)
        if not found:
            raise BadFormatError(
                f"{self.folder.path}/metadata has no {role}.json: restore it from a backup or a "
                "mirror (tamizdat mirror pull)"
            )
        return roles.decode(self.folder.read(layout.metadata_name(role, found[-1])), kind)

    def _record(self, metadata: Metadata[Targets], target: str) -> Record | None:
        sha256 = roles.target_sha256(metadata, target)
        return Record.decode(self.folder.target(target, sha256)) if sha256 else None

    # Signing

    def _is_signed(self, state: State, pointer: Pointer) -> bool:
        if (state.root, state.edition) != (pointer.root, pointer.edition):
            return False
        try:
            stamp = hashlib.sha256(self.folder.read(layout.TIMESTAMP)).hexdigest()
        except FileNotFoundError:
            return False
        return state.timestamp == stamp and self._whole() is not None

    def _sign(
        self,
        state: State,
        offline: roles.Offline,
        index: Index,
        pointer: Pointer,
        *,
        full: bool = False,
        root: bytes = b"",
    ) -> None:
        key, found = self._key(offline), self._whole()
        moment = self._moment(offline, found, self._clock())
        built = datetime.fromisoformat(pointer.built)
        state.days = slots.note_day(state.days, pointer.edition, layout.day_number(built))
        records = None if full else self._recent(state, offline, index, pointer, found)
        records = records or self._fold(state, offline, index, pointer)
        state.root, state.edition, state.base = pointer.root, pointer.edition, records[1].root
        self._publish(state, offline, key, records, moment, root=root)

    def _recent(
        self,
        state: State,
        offline: roles.Offline,
        index: Index,
        pointer: Pointer,
        found: Signed | None,
    ) -> tuple[Record, Record] | None:
        """Lay what changed over ``base``; None where ``base`` must be written anew."""
        if found is None or not state.names or state.base != found.base.root:
            return None
        archive = self.archive(offline)
        lower = (found.base, archive)
        day = slots.day_of(state.days, pointer.edition)
        laid = {slot[:KEY]: slot for slot in _cut(state.recent)}
        try:
            for change in differences(index, state.root, pointer.root):
                self._lay(laid, change, lower, state.days, slots.gone(b"", pointer.edition, day))
                if len(laid) > layout.RECENT_LIMIT:
                    return None
        except (FileNotFoundError, VerifyError):  # The builder's index is gone, or our base.
            return None
        ordered = [laid[key] for key in sorted(laid)]
        per_shard = shards.PER_SHARD_SEALED if archive and archive.count else shards.PER_SHARD
        record = self.folder.write_index(ordered, count=len(ordered), per_shard=per_shard)
        state.recent = b"".join(ordered)
        recent = _dated(record, pointer)._replace(since=found.base.edition)
        return recent, found.base

    def _lay(
        self,
        laid: dict[bytes, bytes],
        change: Difference,
        lower: tuple[Record | None, ...],
        days: slots.Days,
        gone: bytes,
    ) -> None:
        old, new = change
        key = key_of((new or old).path)  # type: ignore[union-attr]  # one of them is there
        if new is not None:
            present = None if old else laid.get(key) or self._beneath(lower, key)
            if present is not None and not slots.is_gone(present):
                raise CollisionError(new.path)
            laid[key] = slots.pack(new, slots.day_of(days, new.edition))
            return
        below = self._beneath(lower, key)
        if below is None or slots.is_gone(below):
            laid.pop(key, None)
        else:
            laid[key] = key + gone[KEY:]

    def _beneath(self, lower: tuple[Record | None, ...], key: bytes) -> bytes | None:
        return next((s for r in lower if (s := self.folder.find(r, key))), None)

    def _fold(
        self, state: State, offline: roles.Offline, index: Index, pointer: Pointer
    ) -> tuple[Record, Record]:
        """Write ``base`` anew: what differs from the archive. ``recent`` is empty then."""
        archive = self.archive(offline)
        entries = slots.packed(index.walk(pointer.root), state.days)
        if archive is None or not archive.count:
            record = self.folder.write_index(entries, count=pointer.files)
        else:
            day = slots.day_of(state.days, pointer.edition)
            differing = slots.over(
                entries,
                self.folder.slots(archive),
                lambda key: slots.gone(key, pointer.edition, day),
            )
            record = self.folder.write_index(differing, per_shard=shards.PER_SHARD_SEALED)
        state.recent = b""
        base = _dated(record, pointer)
        empty = _dated(Record(0, 0, 0, 0, 0, NO_ROOT), pointer)
        return empty._replace(since=base.edition), base

    def _publish(
        self,
        state: State,
        offline: roles.Offline,
        key: CryptoSigner,
        records: tuple[Record, Record],
        moment: datetime,
        *,
        root: bytes = b"",
    ) -> None:
        """Targets, live and snapshot onto the disk, then the timestamp. ``root`` is a new root,
        which appears just before it."""
        contents = {
            layout.RECENT: records[0].encode(),
            layout.BASE: records[1].encode(),
            layout.MIRRORS: mirrors_json(self._mirrors, self._secrets),
        }
        state.names = [self.folder.put_target(name, data) for name, data in contents.items()]
        state.names += [f"shards/{r.root.hex()}" for r in records if r.count]
        state.names += self._offline_names(offline)
        new = versions.following(self.folder, key, moment)
        live = roles.live(new["live"], contents, key, moment)
        snapshot = roles.snapshot(new["snapshot"], offline, new["live"], key, moment)
        for role, metadata in (("live", roles.encode(live)), ("snapshot", roles.encode(snapshot))):
            name = layout.metadata_name(role, new[role])
            self.folder.write(name, metadata)
            state.names.append(name)
        stamp = roles.timestamp(new["timestamp"], new["snapshot"], key, moment)
        Store(self.folder.path).sync()
        if root:
            version = roles.decode(root, Root).signed.version
            self.folder.write(layout.metadata_name("root", version), root)
        self._seal(state, offline, roles.encode(stamp))

    def _seal(
        self, state: State, offline: roles.Offline, stamp: bytes, clean: int = _CLEANED
    ) -> None:
        """The timestamp, which makes it the edition, then ``current``, then what is kept here."""
        self.folder.write(layout.TIMESTAMP, stamp, durable=True)
        found = self.signed()
        if found is not None:
            self.folder.write(layout.CURRENT, self._current(found, offline))
        state.timestamp = hashlib.sha256(stamp).hexdigest()
        names = set(state.names) | set(state.prepared)
        known = {name for _, name in state.removed}
        state.removed = [(e, n) for e, n in state.removed if n not in names]
        state.removed += [(state.edition, n) for n in sorted(self.folder.left() - names - known)]
        self._clean(state, clean)
        self._save(state)

    def _current(self, found: Signed, offline: roles.Offline) -> bytes:
        meta = found.snapshot.signed.meta
        names = [layout.TIMESTAMP, layout.metadata_name("snapshot", found.snapshot.signed.version)]
        names += [
            layout.metadata_name(role, meta[f"{role}.json"].version)
            for role in ("targets", "live", "archive")
        ]
        for metadata, target in (
            (found.live, layout.RECENT),
            (found.live, layout.BASE),
            (offline.archive, layout.ARCHIVE),
        ):
            sha256 = roles.target_sha256(metadata, target)
            names += [layout.target_name(target, sha256)] if sha256 else []
        return current.encode({name: self.folder.read(name) for name in names})

    def _offline_names(self, offline: roles.Offline) -> list[str]:
        names = [
            layout.metadata_name("targets", offline.targets.signed.version),
            layout.metadata_name("archive", offline.archive.signed.version),
        ]
        for metadata, target in ((offline.targets, layout.SITE), (offline.archive, layout.ARCHIVE)):
            sha256 = roles.target_sha256(metadata, target)
            names += [layout.target_name(target, sha256)] if sha256 else []
        record = self.archive(offline)
        return names + ([f"shards/{record.root.hex()}"] if record and record.count else [])

    def _key(self, offline: roles.Offline) -> CryptoSigner:
        """The online key. Raises ``KeyFileError`` where it is not the one in force."""
        key = keys.read_online(self._key_file)
        if key.public_key.keyid in roles.online(offline.root):
            return key
        raise KeyFileError(
            "the online key in secrets/ is not the one that the root names: restore it from a "
            "backup, or let the holders name another: tamizdat keys rotate online"
        )

    def _moment(self, offline: roles.Offline, found: Signed | None, now: datetime) -> datetime:
        """The time to sign with. Raises ``ClockError``."""
        now = now.astimezone(UTC).replace(microsecond=0)
        made = max(part.signed.expires for part in offline) - roles.LONG
        if now < made - _DAY:
            raise ClockError(
                f"the clock says {now:%Y-%m-%d %H:%M} UTC, before the holders signed on "
                f"{made:%Y-%m-%d}: set it (timedatectl set-ntp true); nothing was signed"
            )
        if now >= (ends := roles.expires_first(offline)):
            raise ClockError(
                f"the clock says {now:%Y-%m-%d %H:%M} UTC, and the holders' signatures ended on "
                f"{ends:%Y-%m-%d}: set it, or renew them: tamizdat keys renew"
            )
        last = roles.issued(found.timestamp) if found else now
        return last if timedelta(0) < last - now <= roles.WEEK else now

    # Ceremonies

    def install(self, request: Request, index: Index, pointer: Pointer | None) -> None:
        """Put into force what a ceremony decided. From the moment that it is on the disk, every
        later run finishes it."""
        keys.write_private(self.folder.path / PENDING, request.encode(), replace=True)
        self._install(request, index, pointer)

    def _install(self, request: Request, index: Index, pointer: Pointer | None) -> bool:
        offline, state = offline_after(request), self._load()
        roles.check(offline, offline_before(request))
        if request.site:
            self.folder.put_target(layout.SITE, request.site.encode())
        if request.record:
            self.folder.put_target(layout.ARCHIVE, bytes.fromhex(request.record))
        for role, metadata in (("targets", offline.targets), ("archive", offline.archive)):
            name = layout.metadata_name(role, metadata.signed.version)
            self.folder.write(name, roles.encode(metadata))
        self._take_next_key(offline)
        root = roles.encode(offline.root)
        if pointer is None:
            self.folder.write(layout.metadata_name("root", offline.root.signed.version), root)
        else:
            fold = request.kind in ("seal", "online") or not state.names
            if request.kind == "seal":
                state.prepared = []
            self._sign(state, offline, index, pointer, full=fold, root=root)
        (self.folder.path / PENDING).unlink()
        return pointer is not None

    def _take_next_key(self, offline: roles.Offline) -> None:
        """The new online key takes its place where the root names it."""
        waiting = self._key_file.with_name(NEXT_KEY)
        if waiting.exists():
            keyid = keys.read_online(waiting).public_key.keyid
            if keyid in roles.online(offline.root):
                waiting.replace(self._key_file)

    # What is kept here

    def _clean(self, state: State, most: int) -> None:
        """Remove what no edition has led to for two editions, at most so many files."""
        due = [name for edition, name in state.removed if edition <= state.edition - 2]
        gone = set()
        for name in due:
            most -= self.folder.remove(name, most)
            if most <= 0:
                break
            gone.add(name)
        state.removed = [(e, n) for e, n in state.removed if n not in gone]

    def _load(self) -> State:
        path = self.folder.path / STATE
        try:
            stat = path.stat()
            stamp = (stat.st_mtime_ns, stat.st_ino, stat.st_size)
            if self._state is None or self._state[0] != stamp:
                self._state = (stamp, msgspec.msgpack.decode(path.read_bytes(), type=State))
            return msgspec.structs.replace(self._state[1])
        except (FileNotFoundError, msgspec.DecodeError):
            return State()  # ``base`` is written anew then.

    def _save(self, state: State) -> None:
        self.folder.write(STATE, msgspec.msgpack.encode(state))
        stat = (self.folder.path / STATE).stat()
        self._state = ((stat.st_mtime_ns, stat.st_ino, stat.st_size), state)


def _dated(record: Record, pointer: Pointer) -> Record:
    built = int(datetime.fromisoformat(pointer.built).timestamp())
    return record._replace(edition=pointer.edition, built=built)


def _cut(packed: bytes) -> Iterable[bytes]:
    size = len(slots.gone(bytes(KEY), 0, 0))
    return (packed[at : at + size] for at in range(0, len(packed), size))
