# SPDX-License-Identifier: AGPL-3.0-or-later
"""The roles of a signed edition (docs/format/edition-v1.md, section 2), made with python-tuf.

What always holds:

- Metadata in, metadata out: what was given is not changed, what comes out has one version more
  and no signatures, but for the online roles, which are signed here.
- ``check`` accepts a set of offline roles exactly when a TUF client that knows the last root does.

What is not done here: reading and writing files, the holders' signatures (``ceremony``), clocks.
"""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Key,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)
from tuf.api.serialization import DeserializationError
from tuf.api.serialization.json import JSONSerializer

from tamizdat.edition.signed import layout
from tamizdat.edition.signed.errors import BadFormatError, UnknownSignerError
from tamizdat.edition.signed.keys import KEYID

HOLDERS: Final = 3
THRESHOLD: Final = 2
LONG: Final = timedelta(days=3653)  # root, targets, archive
YEAR: Final = timedelta(days=365)  # snapshot, live
WEEK: Final = timedelta(days=7)  # timestamp
OFFLINE: Final = ("root", "targets", "archive")
_COMPACT = JSONSerializer(compact=True)
_S = TypeVar("_S", Root, Targets, Snapshot, Timestamp)


class Offline(NamedTuple):
    """What the holders sign."""

    root: Metadata[Root]
    targets: Metadata[Targets]
    archive: Metadata[Targets]

    def versions(self) -> tuple[int, int, int]:
        return (self.root.signed.version, self.targets.signed.version, self.archive.signed.version)


def encode(metadata: Metadata[_S]) -> bytes:
    """The bytes of a metadata file."""
    return metadata.to_bytes(_COMPACT)


def decode(data: bytes, kind: type[_S]) -> Metadata[_S]:
    """Metadata of one kind. Raises ``BadFormatError``."""
    try:
        metadata: Metadata[_S] = Metadata.from_bytes(data)
    except DeserializationError as error:
        raise BadFormatError(f"this is no metadata of an edition: {error}") from error
    if not isinstance(metadata.signed, kind):
        raise BadFormatError(f"this is not metadata of the kind “{kind.type}”")
    return metadata


# What the holders sign


def first(holders: list[SSlibKey], online: SSlibKey, site: bytes, now: datetime) -> Offline:
    """The first version of everything, unsigned."""
    root = Root(expires=now + LONG, consistent_snapshot=True)
    targets = Targets(expires=now + LONG)
    keys: dict[str, Key] = {key.keyid: key for key in [online, *holders]}
    names = [key.keyid for key in holders]
    targets.delegations = Delegations(
        keys,
        {
            "live": DelegatedRole("live", [online.keyid], 1, True, paths=["live/*"]),
            "archive": DelegatedRole("archive", names, THRESHOLD, True, paths=["archive/*"]),
        },
    )
    for key in holders:
        root.add_key(key, "root")
        root.add_key(key, "targets")
    for role in ("snapshot", "timestamp"):
        root.add_key(online, role)
    root.roles["root"].threshold = root.roles["targets"].threshold = THRESHOLD
    targets.targets[layout.SITE] = target(layout.SITE, site)
    archive = Targets(expires=now + LONG)
    return Offline(Metadata(root), Metadata(targets), Metadata(archive))


def with_site(now_signed: Offline, site: bytes, now: datetime) -> Offline:
    targets = _next(now_signed.targets, now)
    targets.signed.targets[layout.SITE] = target(layout.SITE, site)
    return now_signed._replace(targets=targets)


def with_online(now_signed: Offline, key: SSlibKey, now: datetime) -> Offline:
    """Another online key; the old one signs nothing any more."""
    root, targets = _next(now_signed.root, now), _next(now_signed.targets, now)
    for role in ("snapshot", "timestamp"):
        for old in list(root.signed.roles[role].keyids):
            root.signed.revoke_key(old, role)
        root.signed.add_key(key, role)
    for old in list(targets.signed.get_delegated_role("live").keyids):
        targets.signed.revoke_key(old, "live")
    targets.signed.add_key(key, "live")
    return now_signed._replace(root=root, targets=targets)


def with_holder(now_signed: Offline, old: str, key: SSlibKey, now: datetime) -> Offline:
    """Another key in the place of a holder's. The archive is signed anew, as it is: the old
    key's signature counts no more."""
    root, targets = _next(now_signed.root, now), _next(now_signed.targets, now)
    for role in ("root", "targets"):
        root.signed.revoke_key(old, role)
        root.signed.add_key(key, role)
    targets.signed.revoke_key(old, "archive")
    targets.signed.add_key(key, "archive")
    return Offline(root, targets, _next(now_signed.archive, now))


def with_archive(now_signed: Offline, record: bytes, now: datetime) -> Offline:
    archive = _next(now_signed.archive, now)
    archive.signed.targets[layout.ARCHIVE] = target(layout.ARCHIVE, record)
    return now_signed._replace(archive=archive)


def renewed(now_signed: Offline, now: datetime) -> Offline:
    """The same for another ten years."""
    return Offline(
        _next(now_signed.root, now), _next(now_signed.targets, now), _next(now_signed.archive, now)
    )


def holders(root: Metadata[Root]) -> list[str]:
    """The identifiers of the holders' keys."""
    return list(root.signed.roles["root"].keyids)


def online(root: Metadata[Root]) -> list[str]:
    """The identifiers of the keys that sign timestamps: one, ordinarily."""
    return list(root.signed.roles["timestamp"].keyids)


def expires_first(offline: Offline) -> datetime:
    return min(part.signed.expires for part in offline)


def target_sha256(targets: Metadata[Targets], name: str) -> str | None:
    """The sha-256 of a target in hexadecimal; None where there is no such target."""
    found = targets.signed.targets.get(name)
    return found.hashes.get("sha256") if found else None


def fingerprint(root: bytes) -> str:
    """The sha-256 of a root's file, in groups to be read out."""
    digits = hashlib.sha256(root).hexdigest()
    return " ".join(digits[at : at + 8] for at in range(0, 64, 8))


def check(offline: Offline, before: Offline | None) -> None:
    """Raises ``UnknownSignerError`` where signatures are missing, ``BadFormatError`` where the
    versions do not follow on those before or keys share an identifier."""
    _check_keys(offline)
    try:
        if before is None or offline.root.signed.version != before.root.signed.version:
            if before is not None:
                _follows(offline.root, before.root)
                before.root.signed.verify_delegate(
                    "root", offline.root.signed_bytes, offline.root.signatures
                )
            offline.root.signed.verify_delegate(
                "root", offline.root.signed_bytes, offline.root.signatures
            )
        for part, role, delegator in (
            (offline.targets, "targets", offline.root),
            (offline.archive, "archive", offline.targets),
        ):
            delegator.signed.verify_delegate(role, part.signed_bytes, part.signatures)
    except RepositoryError as error:
        raise UnknownSignerError(str(error)) from error
    except ValueError as error:
        raise BadFormatError(str(error)) from error


# What the online key signs


def live(
    version: int, contents: dict[str, bytes], key: CryptoSigner, now: datetime
) -> Metadata[Targets]:
    """``contents`` are the bytes of the targets by their names."""
    signed = Targets(version=version, expires=now + YEAR)
    for name, data in contents.items():
        signed.targets[name] = target(name, data)
    return _signed(signed, key)


def snapshot(
    version: int, offline: Offline, live_version: int, key: CryptoSigner, now: datetime
) -> Metadata[Snapshot]:
    signed = Snapshot(version=version, expires=now + YEAR)
    signed.meta = {
        "targets.json": MetaFile(offline.targets.signed.version),
        "live.json": MetaFile(live_version),
        "archive.json": MetaFile(offline.archive.signed.version),
    }
    return _signed(signed, key)


def timestamp(
    version: int, snapshot_version: int, key: CryptoSigner, now: datetime
) -> Metadata[Timestamp]:
    issued = now.astimezone(UTC).replace(microsecond=0)
    extra = {"issued": f"{issued:%Y-%m-%dT%H:%M:%SZ}"}
    signed = Timestamp(
        version=version,
        expires=issued + WEEK,
        snapshot_meta=MetaFile(snapshot_version),
        unrecognized_fields=extra,
    )
    return _signed(signed, key)


def issued(metadata: Metadata[Timestamp]) -> datetime:
    """When a timestamp was signed. Raises ``BadFormatError`` where it does not say."""
    said = metadata.signed.unrecognized_fields.get("issued", "")
    try:
        return datetime.strptime(said, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except (TypeError, ValueError) as error:
        raise BadFormatError("a timestamp does not say when it was signed") from error


def export(root: bytes, name: str, address: str) -> bytes:
    """What readers begin with: the newsroom's name and address, and its root with all keys."""
    metadata = decode(root, Root)
    keys = {
        keyid: {"public": key.keyval["public"], "roles": _roles_of(metadata, keyid)}
        for keyid, key in sorted(metadata.signed.keys.items())
    }
    found = {
        "format": 1,
        "name": name,
        "address": address,
        "fingerprint": hashlib.sha256(root).hexdigest(),
        "keys": keys,
        "root": json.loads(root),
    }
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _roles_of(root: Metadata[Root], keyid: str) -> list[str]:
    return sorted(name for name, role in root.signed.roles.items() if keyid in role.keyids)


def _signed(signed: _S, key: CryptoSigner) -> Metadata[_S]:
    metadata = Metadata(signed)
    metadata.sign(key)
    return metadata


def _next(metadata: Metadata[_S], now: datetime) -> Metadata[_S]:
    following = Metadata(copy.deepcopy(metadata.signed))
    following.signed.version += 1
    following.signed.expires = now + LONG
    return following


def target(name: str, data: bytes) -> TargetFile:
    """What metadata says of a target with these bytes."""
    return TargetFile(len(data), {"sha256": hashlib.sha256(data).hexdigest()}, name)


def _follows(part: Metadata[Root], before: Metadata[Root]) -> None:
    if part.signed.version != before.signed.version + 1:
        raise BadFormatError(
            f"root {part.signed.version} does not follow on the present one, "
            f"which is root {before.signed.version}"
        )


def _check_keys(offline: Offline) -> None:
    delegations = offline.targets.signed.delegations
    for keys in (offline.root.signed.keys, delegations.keys if delegations else {}):
        for keyid, key in keys.items():
            if keyid != _keyid(key):
                raise BadFormatError(f"the key {keyid} does not have its own identifier")


def _keyid(key: Key) -> str:
    plain = {"keytype": key.keytype, "keyval": key.keyval, "scheme": key.scheme}
    data = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(data.encode()).hexdigest()[:KEYID]
