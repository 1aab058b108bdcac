# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a lying mirror, or a thief of the online key, can put into a folder."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import struct
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, TargetFile

from tamizdat.edition.signed import current, layout, roles
from tamizdat.edition.signed.shards import Record, Slot, decode, key_of, number_of

from .paper import NOW, Files, Press

Change = Mapping[str, bytes]


def replaced(files: Files, change: Change) -> Files:
    """The files with some replaced, also where they are parts of ``current``."""
    made = {**files, **change}
    if layout.CURRENT in files and layout.CURRENT not in change:
        parts = current.decode(files[layout.CURRENT])
        made[layout.CURRENT] = current.encode({n: change.get(n, d) for n, d in parts.items()})
    return made


def without(files: Files, *names: str) -> Files:
    return {name: data for name, data in files.items() if name not in names}


def singly(files: Files) -> Files:
    """The same without ``current``."""
    return without(files, layout.CURRENT)


def name_of(files: Files, role: str) -> str:
    """The name of the newest metadata of a role."""
    versions = [int(n.split("/")[1].split(".")[0]) for n in files if n.endswith(f".{role}.json")]
    return layout.TIMESTAMP if role == "timestamp" else layout.metadata_name(role, max(versions))


def resigned(
    data: bytes, change: Callable[[Any], object], signers: Iterable[CryptoSigner]
) -> bytes:
    """Metadata with its signed part changed by ``change`` and new signatures."""
    metadata: Metadata[Any] = Metadata.from_bytes(data)
    metadata.signatures.clear()
    change(metadata.signed)
    for key in signers:
        metadata.sign(key, append=True)
    return roles.encode(metadata)


def edited(data: bytes, change: Callable[[Any], object]) -> bytes:
    """Metadata changed as JSON; its signatures are left as they are."""
    found = json.loads(data)
    change(found)
    return json.dumps(found, separators=(",", ":")).encode()


def with_record(press: Press, files: Files, target: str, record: bytes, **signed: Any) -> Files:
    """The folder with another record, signed for by the online key."""
    info = TargetFile(len(record), {"sha256": hashlib.sha256(record).hexdigest()}, target)
    for name, value in signed.items():
        setattr(info, name, value)
    live, snapshot, stamp = (name_of(files, role) for role in ("live", "snapshot", "timestamp"))
    number = {
        role: version_of(files[name]) + 1
        for role, name in (("live", live), ("snapshot", snapshot), ("timestamp", stamp))
    }

    def change_live(signed: Any) -> None:
        signed.version = number["live"]
        signed.targets[target] = info

    def change_snapshot(signed: Any) -> None:
        signed.version = number["snapshot"]
        signed.meta["live.json"].version = number["live"]

    def change_stamp(signed: Any) -> None:
        signed.version = number["timestamp"]
        signed.snapshot_meta.version = number["snapshot"]

    by = [press.online]
    return singly({
        **files,
        layout.metadata_name("live", number["live"]): resigned(files[live], change_live, by),
        layout.metadata_name("snapshot", number["snapshot"]):
            resigned(files[snapshot], change_snapshot, by),
        stamp: resigned(files[stamp], change_stamp, by),
        layout.target_name(target, info.hashes["sha256"]): record,
    })  # fmt: skip


def version_of(data: bytes) -> int:
    return int(Metadata.from_bytes(data).signed.version)


def record_of(files: Files, target: str) -> Record:
    """The record that the newest metadata signs for."""
    role = "archive" if target == layout.ARCHIVE else "live"
    metadata: Metadata[Any] = Metadata.from_bytes(files[name_of(files, role)])
    return Record.decode(
        files[layout.target_name(target, metadata.signed.targets[target].hashes["sha256"])]
    )


def shard_of(files: Files, target: str, path: str) -> str:
    """The name of the shard in which an index has a path."""
    record = record_of(files, target)
    return layout.shard_name(record.root.hex(), number_of(key_of(path), record.depth))


def entries(files: Files, path: str) -> dict[str, Slot]:
    """What the indexes say of a path, by target, the one that decides first."""
    found = {}
    for target in (layout.RECENT, layout.BASE, layout.ARCHIVE):
        with contextlib.suppress(KeyError):
            record = record_of(files, target)
            number = number_of(key_of(path), record.depth)
            shard = decode(files[layout.shard_name(record.root.hex(), number)], record, number)
            if slot := shard.find(key_of(path)):
                found[target] = slot
    return found


def entry(files: Files, path: str) -> Slot:
    """What decides of a path."""
    return next(iter(entries(files, path).values()))


def objects(files: Files, path: str) -> tuple[str, str]:
    """The names of the two files of a page."""
    sha256 = entry(files, path).sha256.hex()
    return layout.object_name(sha256), layout.object_name(sha256, brotli=True)


def signed_shard(press: Press, files: Files, entries: bytes) -> Files:
    """The folder with a recent index of one shard that holds these bytes, signed for."""
    root = hashlib.sha256(b"\0" + entries).digest()
    record = record_of(files, layout.RECENT)._replace(depth=0, root=root)
    shard = b"TZS1" + struct.pack(">BI", 0, 0) + entries
    made = with_record(press, files, layout.RECENT, record.encode())
    return {**made, layout.shard_name(root.hex(), 0): shard}


def fast_forward(press: Press, files: Files, version: int = 2_000_000_000) -> Files:
    """What a thief of the online key publishes so that nothing after it is newer."""
    thief = copy.deepcopy(press)
    thief.files = dict(files)
    thief.live = thief.snapshot = thief.timestamp = version
    records = {t: record_of(files, t).encode() for t in (layout.RECENT, layout.BASE)}
    return thief.publish(NOW, records)
