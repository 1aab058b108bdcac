# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything in a copy, checked: what is missing, altered, stale or rolled back, and who signed.

What always holds: a copy without findings is whole; every entry that decides of a path was proven
and its bytes were compared. Nothing is shown or kept but what was seen of the newsroom (``state``).

What is not checked: sealed entries that later ones lie over, as the bytes of a withdrawn story
may be gone; files that nothing leads to.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from securesystemslib.exceptions import UnverifiedSignatureError, VerificationError
from tuf.api.exceptions import RepositoryError
from tuf.api.metadata import Metadata, Root

from tamizdat.edition.signed import current, layout, roles, streams, workflow
from tamizdat.edition.signed.client import Edition, SignedReader, WalkedShard
from tamizdat.edition.signed.errors import MissingError, VerifyError
from tamizdat.edition.signed.fetch import Fetcher, side_by_side
from tamizdat.edition.signed.shards import Slot
from tamizdat.edition.store import compressible

KINDS: Final = {
    "missing": "missing",
    "tampered": "altered",
    "too-long": "altered",
    "format": "altered",
    "signer": "not signed by this newsroom",
    "rollback": "rolled back",
    "stale": "stale",
    "unreachable": "unreachable",
}
Progress = Callable[[int, int], None]


class Finding(msgspec.Struct, frozen=True):
    """What is wrong with a file: ``kind`` is one of the words of ``KINDS``."""

    kind: str
    file: str
    message: str


class Signer(msgspec.Struct, frozen=True):
    """A key that signed, what it is to the newsroom (``holder``, ``online`` or ``unknown``), and
    whether its signature holds."""

    keyid: str
    who: str
    valid: bool


class Report(msgspec.Struct):
    """The outcome. ``fingerprint`` is the sha-256 of the trusted root; ``trusted`` is false where
    that root was taken from the copy itself. Sizes are in bytes."""

    fingerprint: str
    trusted: bool
    edition: int = 0
    as_of: str = ""
    root_version: int = 0
    signers: dict[str, list[Signer]] = {}
    shards: int = 0
    entries: int = 0
    objects: int = 0
    bytes: int = 0
    findings: list[Finding] = []

    @property
    def ok(self) -> bool:
        return not self.findings

    def add(self, file: str, error: VerifyError) -> None:
        self.findings.append(Finding(KINDS.get(error.code, error.code), file, str(error)))


def check(
    fetch: Fetcher,
    *,
    root: bytes | None = None,
    state: Path | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    parallel: int = 1,
    progress: Progress = lambda done, of: None,
) -> Report:
    """Check a copy. ``root`` is what is trusted; without it the copy's own first root is, which
    proves that the copy is whole but not whose it is. ``state`` remembers what was seen, so that a
    copy that goes back is noticed. ``progress`` is told (entries done, of how many).

    Raises ``VerifyError`` only where the copy has no root to begin with.
    """
    trusted = root
    if trusted is None:
        trusted = fetch.fetch(layout.metadata_name("root", 1), layout.ROOT_LIMIT)
    report = Report(hashlib.sha256(trusted).hexdigest(), root is not None, findings=[], signers={})
    with tempfile.TemporaryDirectory(prefix="tamizdat-") as fresh:
        reader = _open(fetch, trusted, state, Path(fresh), clock, parallel, report)
        if reader is not None:
            _look_at(reader, fetch, clock, report)
            slots = _deciding(reader, parallel, report, progress)
            for checked in side_by_side(lambda slot: _faults(fetch, slot), slots, parallel):
                report.objects += 1
                report.bytes += checked.length
                for name, fault in checked.faults:
                    report.add(name, fault)
    return report


class _Singly:
    """A copy without ``current``, which is checked against the files that it is made of."""

    def __init__(self, inner: Fetcher) -> None:
        self._inner = inner

    def fetch(self, name: str, limit: int) -> bytes:
        if name == layout.CURRENT:
            raise MissingError(f"{name} is not asked for")
        return self._inner.fetch(name, limit)


def _open(
    fetch: Fetcher,
    root: bytes,
    state: Path | None,
    fresh: Path,
    clock: Callable[[], datetime],
    parallel: int,
    report: Report,
) -> SignedReader | None:
    """A reader of what is signed here. What only the memory refuses is rolled back: that is said,
    and the copy is checked all the same."""
    refused: VerifyError | None = None
    for memory in (state, fresh) if state else (fresh,):
        reader = SignedReader(_Singly(fetch), memory, root, clock, parallel=parallel)
        try:
            reader.refresh()
        except VerifyError as error:
            refused = error
            continue
        if refused is not None:
            message = f"older than what was seen before: {refused}"
            report.findings.append(Finding(KINDS["rollback"], "metadata", message))
        return reader
    if refused is not None:
        report.add("metadata", refused)
    report.signers = _signers_of_anything(fetch, root)
    return None


def _look_at(
    reader: SignedReader, fetch: Fetcher, clock: Callable[[], datetime], report: Report
) -> None:
    """Metadata, ``current`` and the targets beside the indexes."""
    edition = reader.edition
    report.edition, report.as_of = edition.number, f"{edition.as_of:%Y-%m-%dT%H:%M:%SZ}"
    report.root_version = edition.verified.root_version
    report.signers = signers(edition.verified)
    for role in edition.expired:
        expires = edition.verified.metadata(role).signed.expires
        report.findings.append(
            Finding("stale", role, f"{role} was to be signed anew by {expires:%Y-%m-%d %H:%M} UTC")
        )
    for target in (layout.SITE, layout.MIRRORS):
        try:
            reader.target(target)
        except VerifyError as error:
            report.add(target, error)
    for name, data in edition.files.items():
        _compare(fetch, name, data, report)
    _check_current(fetch, edition, report)


def _compare(fetch: Fetcher, name: str, data: bytes, report: Report) -> None:
    """A file that is remembered must lie in the copy too."""
    try:
        if fetch.fetch(name, max(len(data), layout.TIMESTAMP_LIMIT)) != data:
            report.findings.append(Finding("altered", name, f"{name} is not what was verified"))
    except VerifyError as error:
        report.add(name, error)


def _check_current(fetch: Fetcher, edition: Edition, report: Report) -> None:
    """What readers ask for first must be of this edition and hold nothing else; they can do
    without it."""
    try:
        parts = current.decode(fetch.fetch(layout.CURRENT, layout.CURRENT_LIMIT))
    except VerifyError as error:
        report.add(layout.CURRENT, error)
        return
    if parts.get(layout.TIMESTAMP) != edition.files[layout.TIMESTAMP]:
        message = "current is not of timestamp.json's edition: it is of an older one, or altered"
        report.findings.append(Finding("stale", layout.CURRENT, message))
        return
    for name in parts:
        if edition.files.get(name) != parts[name]:
            message = f"its part {name} is not what was signed"
            report.findings.append(Finding("altered", layout.CURRENT, message))


def signers(verified: workflow.Verified) -> dict[str, list[Signer]]:
    """Who signed each role."""
    root, targets = (verified.metadata(role).signed for role in ("root", "targets"))
    holders = set(root.roles["root"].keyids)
    known = {**(targets.delegations.keys if targets.delegations else {}), **root.keys}
    found = {}
    for role in ("root", *verified.files):
        metadata = verified.metadata(role)
        found[role] = [
            Signer(
                keyid,
                "holder" if keyid in holders else "online" if keyid in known else "unknown",
                keyid in known and _holds(known[keyid], signature, metadata.signed_bytes),
            )
            for keyid, signature in metadata.signatures.items()
        ]
    return found


def _signers_of_anything(fetch: Fetcher, root: bytes) -> dict[str, list[Signer]]:
    """Whose signatures lie there, where the copy could not be verified: by the root's keys."""
    found: dict[str, list[Signer]] = {}
    with suppress(VerifyError, ValueError, RepositoryError):
        keys = roles.decode(root, Root).signed.keys
        data = fetch.fetch(layout.TIMESTAMP, layout.TIMESTAMP_LIMIT)
        metadata: Metadata[Any] = Metadata.from_bytes(data)
        for keyid, signature in metadata.signatures.items():
            valid = keyid in keys and _holds(keys[keyid], signature, metadata.signed_bytes)
            who = "online" if keyid in keys else "unknown"
            found.setdefault("timestamp", []).append(Signer(keyid, who, valid))
    return found


def _holds(key: Any, signature: Any, data: bytes) -> bool:
    try:
        key.verify_signature(signature, data)
    except (UnverifiedSignatureError, VerificationError):
        return False
    return True


def _deciding(
    reader: SignedReader, parallel: int, report: Report, progress: Progress
) -> Iterator[Slot]:
    """The entries that decide of a path and have bytes, each of these once."""
    records = reader.edition.records
    total = sum(record.count for record in records.values())
    upper: set[bytes] = set()
    seen: set[bytes] = set()

    def look(place: tuple[str, int]) -> tuple[str, WalkedShard | VerifyError, tuple[str, int]]:
        record = records[place[0]]
        name = layout.shard_name(record.root.hex(), place[1])
        try:
            return name, reader.shard(*place), place
        except VerifyError as error:
            return name, error, place

    places = ((i, n) for i, r in records.items() for n in range(1 << r.depth if r.count else 0))
    for name, found, (index, _) in side_by_side(look, places, parallel):
        if isinstance(found, VerifyError):
            report.add(name, found)
            continue
        report.shards += 1
        for slot in found.shard.slots():
            report.entries += 1
            if slot.key in upper:
                continue
            if index != "archive":
                upper.add(slot.key)
            if slot.status != layout.GONE and slot.sha256 not in seen:
                seen.add(slot.sha256)
                yield slot
        progress(report.entries, total)


class _Checked(NamedTuple):
    length: int
    faults: list[tuple[str, VerifyError]]


def _faults(fetch: Fetcher, slot: Slot) -> _Checked:
    """What is wrong with the two files of an entry; the compressed one may be missing."""
    name = layout.object_name(slot.sha256.hex())
    faults: list[tuple[str, VerifyError]] = []
    try:
        with closing(streams.parts_of(fetch, name, slot.length)) as parts:
            streams.through(streams.proven(parts, slot))
    except VerifyError as error:
        faults.append((name, error))
    if compressible(layout.media_type(slot.media)) and slot.length:
        try:
            limit = slot.length + layout.BROTLI_MORE
            with closing(streams.parts_of(fetch, f"{name}.br", limit)) as parts:
                streams.through(streams.proven(streams.unpacked(parts), slot))
        except MissingError:
            pass  # Readers take the plain one.
        except VerifyError as error:
            faults.append((f"{name}.br", error))
    return _Checked(slot.length, faults)
