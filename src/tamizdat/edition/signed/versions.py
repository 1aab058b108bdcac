# SPDX-License-Identifier: AGPL-3.0-or-later
"""The versions of what the online key signs: timestamp, snapshot and live.

What always holds: the next version is above every one that the key in force has signed, and above
every one that lies in the folder, unless somebody else counted up so far that nobody could go on;
also after a crash, or where the timestamp was lost.

What is not done here: writing.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, Snapshot, Targets, Timestamp

from tamizdat.edition.signed import current, layout, roles
from tamizdat.edition.signed.errors import VerifyError
from tamizdat.edition.signed.folder import Folder

_BEYOND: Final = 1 << 40  # nobody who signs once a second comes so far
_KINDS: Final[dict[str, type[Any]]] = {
    "snapshot": Snapshot,
    "live": Targets,
}


def following(folder: Folder, key: CryptoSigner, moment: datetime) -> dict[str, int]:
    """The version that each role is signed as next, by ``key`` at ``moment``."""
    stamps = list(_timestamps(folder))
    lying = {role: folder.versions(role) for role in ("snapshot", "live")}
    known = {
        "timestamp": [stamp.signed.version for stamp in stamps],
        "snapshot": lying["snapshot"] + [stamp.signed.snapshot_meta.version for stamp in stamps],
        "live": lying["live"] + list(_named(folder, lying["snapshot"])),
    }
    begun = any(known.values())
    return {role: _next(folder, role, found, key, moment, begun) for role, found in known.items()}


def _next(
    folder: Folder, role: str, known: list[int], key: CryptoSigner, moment: datetime, begun: bool
) -> int:
    if not known:  # Where it was lost: no count reaches the seconds since 1970.
        return int(moment.timestamp()) if begun else 1
    if max(known) < _BEYOND:
        return max(known) + 1
    ours = [int(m.signed.version) + 1 for m in _present(folder, role) if _is_by(m, key)]
    return max([int(moment.timestamp()), *ours])


def _named(folder: Folder, snapshots: list[int]) -> Iterator[int]:
    """The version of live that the newest snapshot names, which may be lost itself."""
    for snapshot in _read(folder, "snapshot", snapshots[-1:]):
        if meta := snapshot.signed.meta.get("live.json"):
            yield meta.version


def _present(folder: Folder, role: str) -> Iterator[Metadata[Any]]:
    """What lies here of a role, and can be read."""
    if role == "timestamp":
        return _timestamps(folder)
    return _read(folder, role, folder.versions(role))


def _read(folder: Folder, role: str, versions: list[int]) -> Iterator[Metadata[Any]]:
    for version in versions:
        with suppress(FileNotFoundError, VerifyError):
            data = folder.read(layout.metadata_name(role, version))
            yield roles.decode(data, _KINDS[role])


def _timestamps(folder: Folder) -> Iterator[Metadata[Timestamp]]:
    with suppress(FileNotFoundError, VerifyError):
        yield roles.decode(folder.read(layout.TIMESTAMP), Timestamp)
    with suppress(FileNotFoundError, VerifyError):
        parts = current.decode(folder.read(layout.CURRENT))
        yield from (roles.decode(d, Timestamp) for n, d in parts.items() if n == layout.TIMESTAMP)


def _is_by(metadata: Metadata[Any], key: CryptoSigner) -> bool:
    signature = metadata.signatures.get(key.public_key.keyid)
    if signature is None:
        return False
    try:
        key.public_key.verify_signature(signature, metadata.signed_bytes)
    except (UnverifiedSignatureError, VerificationError):
        return False
    return True
