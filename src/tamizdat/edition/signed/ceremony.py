# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ceremonies: what the holders sign, in three steps: prepare, sign, finish.

What always holds:

- A holder's machine trusts nothing in a request: what is said to be in force must be signed by
  enough holders, the one who signs among them, and what is to be signed must have exactly the
  form that this program gives it. So only one of these can change, and ``summary`` names it: a
  holder's key, the online key, site.json, the archive's record; and how long it is valid.
- ``finish`` accepts what a reader would accept, on top of what is in force now, and nothing else.

What is not done here: passphrases, files of keys (``keys``), building indexes (``seal``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from securesystemslib.signer import CryptoSigner, SSlibKey
from tuf.api.metadata import Metadata, Targets

from tamizdat.edition.index import Index
from tamizdat.edition.signed import keys, layout, roles
from tamizdat.edition.signed.errors import CeremonyError, KeyFileError, VerifyError
from tamizdat.edition.signed.folder import Folder
from tamizdat.edition.signed.request import (
    Kind,
    Request,
    metadata_of,
    offline_after,
    offline_before,
)
from tamizdat.edition.signed.shards import Record
from tamizdat.edition.signed.signer import NEXT_KEY, Signer
from tamizdat.edition.signed.summary import name_of, record_of, site_of
from tamizdat.edition.store import Store

HOLDERS: Final = "holders.json"
_FIRST_YEAR: Final = 2020
_ANY_DAY: Final = datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)
_CHANGES: Final[dict[Kind, set[str]]] = {
    "holder": {"root", "targets", "archive"},
    "online": {"root", "targets"},
    "renew": {"root", "targets", "archive"},
    "site": {"targets"},
    "seal": {"archive"},
}


class Desk:
    """What a newsroom keeps for ceremonies: ``edition`` is the edition's folder, ``secrets`` has
    the online key and the holders' names, which are nobody else's business."""

    def __init__(self, name: str, edition: Path, secrets: Path, signer: Signer) -> None:
        self.name = name
        self.folder = Folder(edition)
        self.secrets = secrets
        self.signer = signer

    @property
    def key_file(self) -> Path:
        return self.secrets / "online-key"

    def holders(self) -> dict[str, str]:
        """Names by key identifier; empty where the file was lost."""
        try:
            return msgspec.json.decode((self.secrets / HOLDERS).read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return {}

    def keyid_of(self, holder: str) -> str:
        """The key of a holder in force. Raises ``CeremonyError``."""
        present = roles.holders(self.signer.offline().root)
        names = self.holders()
        found = [k for k in present if names.get(k) == holder or k == holder]
        if not found:
            known = ", ".join(names.get(k, k) for k in present)
            raise CeremonyError(f"no holder is called {holder}: they are {known}")
        return found[0]

    def write_holders(self, names: dict[str, str]) -> None:
        present = set(roles.holders(self.signer.offline().root))
        kept = {keyid: name for keyid, name in names.items() if keyid in present}
        keys.write_private(self.secrets / HOLDERS, msgspec.json.encode(kept), replace=True)


def found(desk: Desk, holders: dict[str, CryptoSigner], site: bytes, now: datetime) -> bytes:
    """Make the first root, targets and archive, signed by all holders, and the online key. Returns
    the root. Raises ``CeremonyError`` where the newsroom has keys already."""
    if desk.folder.has("metadata/1.root.json"):
        raise CeremonyError(
            "this newsroom has its keys already: see tamizdat keys status; a lost one is replaced "
            "by tamizdat keys revoke HOLDER"
        )
    if len(holders) != roles.HOLDERS:
        raise CeremonyError(f"name {roles.HOLDERS} holders, each once")
    online = keys.generate()
    keys.write_online(desk.key_file, online)
    now = now.replace(microsecond=0)
    made = roles.first([k.public_key for k in holders.values()], online.public_key, site, now)
    for part in made:
        for key in holders.values():
            part.sign(key, append=True)
    roles.check(made, None)
    desk.folder.put_target(layout.SITE, site)
    for role, part in (("targets", made.targets), ("archive", made.archive)):
        desk.folder.write(layout.metadata_name(role, 1), roles.encode(part), durable=True)
    names = {key.public_key.keyid: name for name, key in holders.items()}
    keys.write_private(desk.secrets / HOLDERS, msgspec.json.encode(names), replace=True)
    # Last: with it the keys are made, and are never made again.
    root = roles.encode(made.root)
    desk.folder.write(layout.metadata_name("root", 1), root, durable=True)
    return root


# Prepare


def prepare_online(desk: Desk, now: datetime) -> Request:
    """Another online key. It waits in ``secrets/`` until the holders have signed."""
    before, key = _present(desk), keys.generate()
    keys.write_online(desk.key_file.with_name(NEXT_KEY), key)
    return _request(desk, "online", before, roles.with_online(before, key.public_key, _whole(now)))


def prepare_holder(desk: Desk, holder: str, new: keys.KeyFile, now: datetime) -> Request:
    """Another key in a holder's place. Raises ``CeremonyError``."""
    before, old = _present(desk), desk.keyid_of(holder)
    key = keys.public_key(new.public)
    if key.keyid in before.root.signed.keys:
        raise CeremonyError(f"the key of {new.holder} is in use already: make a new one")
    after = roles.with_holder(before, old, key, _whole(now))
    others = {n for k, n in desk.holders().items() if k != old and k in roles.holders(before.root)}
    if new.holder in others:
        raise CeremonyError(f"another holder is called {new.holder} already: choose another name")
    request = _request(desk, "holder", before, after)
    request.holders[key.keyid] = new.holder
    return request


def prepare_site(desk: Desk, site: bytes, now: datetime) -> Request:
    """Another site.json. Raises ``CeremonyError`` where it is the one in force."""
    before = _present(desk)
    was = present_site(desk)
    if was == site:
        raise CeremonyError("site.json is up to date: there is nothing to sign")
    request = _request(desk, "site", before, roles.with_site(before, site, _whole(now)))
    request.site, request.site_before = site.decode(), was.decode()
    return request


def prepare_renewal(desk: Desk, now: datetime) -> Request:
    """The same for another ten years."""
    before = _present(desk)
    return _request(desk, "renew", before, roles.renewed(before, _whole(now)))


def prepare_archive(desk: Desk, record: Record, now: datetime) -> Request:
    """Another archive; ``seal`` wrote its shards."""
    before, data = _present(desk), record.encode()
    request = _request(desk, "seal", before, roles.with_archive(before, data, _whole(now)))
    was = desk.signer.archive(before)
    request.record, request.record_before = data.hex(), was.encode().hex() if was else ""
    return request


def present_site(desk: Desk) -> bytes:
    """site.json as the holders signed it last."""
    sha256 = roles.target_sha256(desk.signer.offline().targets, layout.SITE)
    return desk.folder.target(layout.SITE, sha256) if sha256 else b""


def _present(desk: Desk) -> roles.Offline:
    if not desk.folder.has("metadata/1.root.json"):
        raise CeremonyError("this newsroom has no keys yet: tamizdat keys init")
    if desk.signer.pending() is not None:
        raise CeremonyError(
            "the last ceremony is decided, but not in force yet: run tamizdat publish"
        )
    return desk.signer.offline()


def _request(desk: Desk, kind: Kind, before: roles.Offline, after: roles.Offline) -> Request:
    old, new = parts(before), parts(after)
    changed = {role: _plain(new[role]) for role in old if new[role] is not old[role]}
    return Request(
        kind=kind,
        newsroom=desk.name,
        made=f"{max(part.signed.expires for part in after) - roles.LONG:%Y-%m-%d %H:%M} UTC",
        holders=desk.holders(),
        before={role: _plain(part) for role, part in old.items()},
        after=changed,
    )


# Sign


def sign(request: Request, key: CryptoSigner, holder: str = "") -> Request:
    """The request with one holder's signatures. ``holder`` is what the key's file calls them.
    Raises ``CeremonyError`` where the request is not one that this holder should sign."""
    examine(request)
    keyid = key.public_key.keyid
    if keyid not in roles.holders(offline_before(request).root):
        raise CeremonyError("this key is not one of the holders' in force: it has no say in this")
    if holder and request.holders.get(keyid, holder) != holder:
        raise CeremonyError(
            f"the request calls the holder of this key {request.holders[keyid]}, not {holder}: it "
            "may name others falsely too. Sign nothing, and ask who wrote it"
        )
    after = metadata_of(request.after)
    for metadata in after.values():
        metadata.sign(key, append=True)
    return msgspec.structs.replace(
        request, after={role: _plain(metadata) for role, metadata in after.items()}
    )


def examine(request: Request) -> None:
    """Raises ``CeremonyError`` where a request is not built on what the holders signed, or asks
    for anything that this program does not prepare."""
    before, after = offline_before(request), offline_after(request)
    try:
        roles.check(before, None)
    except VerifyError as error:
        raise CeremonyError(f"what is said to be in force is not signed: {error}") from error
    for offline in (before, after):
        _check_form(offline)
    for role in request.after:
        old, new = (getattr(o, role).signed.version for o in (before, after))
        if new != old + 1:
            raise CeremonyError(f"{role} {new} does not follow on {role} {old}")
    _check_kind(request, before, after)
    _check_names(request, {*roles.holders(before.root), *roles.holders(after.root)})
    site, record = _bytes_of(request)
    _check_bytes(before.targets, after.targets, layout.SITE, site)
    _check_bytes(before.archive, after.archive, layout.ARCHIVE, record)


def _check_kind(request: Request, before: roles.Offline, after: roles.Offline) -> None:
    """One thing changes, it is the one that the request says, and all of it ends on one day."""
    old, new = (set(roles.holders(offline.root)) for offline in (before, after))
    hashes = [
        (
            roles.target_sha256(o.targets, layout.SITE),
            roles.target_sha256(o.archive, layout.ARCHIVE),
        )
        for o in (before, after)
    ]
    changed: dict[Kind, bool] = {
        "holder": old != new,
        "online": roles.online(before.root) != roles.online(after.root),
        "site": hashes[0][0] != hashes[1][0],
        "seal": hashes[0][1] != hashes[1][1],
    }
    kinds: list[Kind] = [kind for kind, is_new in changed.items() if is_new] or ["renew"]
    if kinds != [request.kind] or set(request.after) != _CHANGES[request.kind]:
        raise CeremonyError("the request does other things than it says: sign nothing")
    if len(new - old) > 1:
        raise CeremonyError("the request replaces more than one holder at once: sign nothing")
    ends = {getattr(after, role).signed.expires for role in request.after}
    if len(ends) > 1 or min(ends).year < _FIRST_YEAR:
        raise CeremonyError("the request ends on days that this program does not choose")


def _check_names(request: Request, present: set[str]) -> None:
    """Holders are called by names that look like no other, each by one."""
    names = [name for keyid, name in request.holders.items() if keyid in present]
    try:
        for name in request.holders.values():
            keys.check_holder(name)
    except KeyFileError as error:
        raise CeremonyError(f"the request names holders falsely: {error}") from error
    if len(set(names)) < len(names):
        raise CeremonyError("the request calls two holders by one name: sign nothing")


def _bytes_of(request: Request) -> tuple[bytes, bytes]:
    """site.json and the archive's record, in the form that this program writes."""
    site, record = request.site.encode(), b""
    if site and (
        len(site) > layout.SITE_LIMIT or msgspec.json.encode(site_of(request.site)) != site
    ):
        raise CeremonyError("the request's site.json is not as this program writes it")
    if request.record:
        record = record_of(request.record).encode()
    return site, record


def _check_form(offline: roles.Offline) -> None:
    """Whatever stands in it beyond names, keys, versions and dates is what ``roles`` makes."""
    root, targets, archive = offline.root.signed, offline.targets.signed, offline.archive.signed
    names, online = roles.holders(offline.root), roles.online(offline.root)
    try:
        holders = [_key(root, keyid) for keyid in names]
        expected = roles.first(holders, _key(root, online[0]), b"", _ANY_DAY)
    except (LookupError, TypeError) as error:
        raise CeremonyError("the request names keys that it does not have") from error
    expected.targets.signed.targets = {
        name: target for name, target in targets.targets.items() if name == layout.SITE
    }
    expected.archive.signed.targets = {
        name: target for name, target in archive.targets.items() if name == layout.ARCHIVE
    }
    given = parts(offline)
    for role, made in parts(expected).items():
        signed = given[role].signed
        made.signed.version, made.signed.expires = signed.version, signed.expires
        if _sorted(made.signed.to_dict()) != _sorted(signed.to_dict()):
            raise CeremonyError(
                f"the request asks for something in {role} that this program does not prepare: "
                "sign nothing, and ask who wrote it"
            )
    if len(set(names)) != roles.HOLDERS or len(online) != 1 or online[0] in names:
        raise CeremonyError("the request names too few or too many keys: sign nothing")


def _check_bytes(
    before: Metadata[Targets], after: Metadata[Targets], target: str, data: bytes
) -> None:
    """A target that changes is the one that is shown."""
    old, new = (metadata.signed.targets.get(target) for metadata in (before, after))
    if new == old:
        return
    if new != roles.target(target, data):
        raise CeremonyError(f"the request shows another {target} than it asks to sign")


# Finish


def finish(desk: Desk, requests: Sequence[Request]) -> Request:
    """Put into force what enough holders signed; the edition is signed anew with it. Call it with
    the builder's lock. Raises ``CeremonyError``."""
    request = merge(requests)
    examine(request)
    before = _present(desk)
    if any(p.signed.to_dict() != request.before[r]["signed"] for r, p in parts(before).items()):
        raise CeremonyError(
            "something else was put into force since this was prepared: prepare it again"
        )
    _check_signatures(request, before)
    _check_ready(desk, request)
    store = Store(desk.folder.path)
    desk.signer.install(request, Index(store), store.pointer())
    desk.write_holders(request.holders | desk.holders())  # Ours hold: the files were carried.
    return request


def merge(requests: Iterable[Request]) -> Request:
    """One request with the signatures of all. Raises ``CeremonyError`` where they are not the
    same but for signatures."""
    first, *others = requests
    after = metadata_of(first.after)
    for other in others:
        more = metadata_of(other.after)
        if set(more) != set(after) or msgspec.structs.replace(other, after=first.after) != first:
            raise CeremonyError("these files are of different requests")
        for role, metadata in more.items():
            if metadata.signed != after[role].signed:
                raise CeremonyError("these files are of different requests")
            after[role].signatures.update(metadata.signatures)
    return msgspec.structs.replace(first, after={r: _plain(m) for r, m in after.items()})


def signers(request: Request) -> list[str]:
    """The names of those who signed every part of a request."""
    signed: list[set[str]] = [set(m.signatures) for m in metadata_of(request.after).values()]
    return sorted(name_of(request, keyid) for keyid in set.intersection(*signed))


def _check_signatures(request: Request, before: roles.Offline) -> None:
    try:
        roles.check(offline_after(request), before)
    except VerifyError as error:
        who = ", ".join(signers(request)) or "nobody"
        raise CeremonyError(
            f"not enough holders signed ({who} did; {roles.THRESHOLD} are needed): let another "
            f"sign the request and give all signed files to finish ({error})"
        ) from error


def _check_ready(desk: Desk, request: Request) -> None:
    after = offline_after(request)
    if request.kind == "online":
        key = keys.read_online(desk.key_file.with_name(NEXT_KEY))
        if key.public_key.keyid not in roles.online(after.root):
            raise CeremonyError(
                "this is not the last online key that was prepared: use its request"
            )
    if request.kind == "seal":
        record = record_of(request.record)
        if not desk.folder.whole(record):
            raise CeremonyError(
                "the shards that were prepared are not here any more: prepare the sealing again"
            )


def _key(root: Any, keyid: str) -> SSlibKey:
    return keys.public_key(root.keys[keyid].keyval["public"])


def _sorted(signed: object) -> object:
    """The same whatever the order of keys in lists."""
    if isinstance(signed, dict):
        return {name: _sorted(value) for name, value in signed.items()}
    if isinstance(signed, list):
        return sorted((_sorted(value) for value in signed), key=repr)
    return signed


def parts(offline: roles.Offline) -> dict[str, Metadata[Any]]:
    """The roles by their names."""
    return {"root": offline.root, "targets": offline.targets, "archive": offline.archive}


def _plain(metadata: Metadata[Any]) -> Any:
    return msgspec.json.decode(roles.encode(metadata))


def _whole(now: datetime) -> datetime:
    return now.replace(microsecond=0)
