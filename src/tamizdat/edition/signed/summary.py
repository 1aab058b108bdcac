# SPDX-License-Identifier: AGPL-3.0-or-later
"""What signing a request means, in sentences for a holder.

What always holds:

- What is signed is said of the metadata themselves. The request only lends names: its newsroom's,
  and those by which the desk calls the holders.
- Nothing in a request can move a cursor, hide or reorder what a terminal shows, or end a line.
- In an address every letter beyond ASCII is spelt out, as two may look like one.

What is not done here: deciding whether a request may be signed (``ceremony.examine``).
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

import msgspec

from tamizdat.edition.signed import layout, roles
from tamizdat.edition.signed.errors import BadFormatError, CeremonyError
from tamizdat.edition.signed.plain import plain
from tamizdat.edition.signed.request import Request, offline_after, offline_before
from tamizdat.edition.signed.shards import Record

_PROSE: Final = ("name", "languages")  # members of site.json that are no addresses


def name_of(request: Request, keyid: str) -> str:
    """How the desk calls the holder of a key."""
    return plain(request.holders.get(keyid, f"an unknown holder ({keyid})"))


def record_of(digits: str) -> Record:
    """The index record in a request. Raises ``CeremonyError``."""
    try:
        return Record.decode(bytes.fromhex(digits))
    except (BadFormatError, ValueError) as error:
        raise CeremonyError(f"the request's archive cannot be read: {error}") from error


def site_of(text: str) -> dict[str, Any]:
    """The members of the site.json in a request. Raises ``CeremonyError``."""
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise CeremonyError("the request's site.json cannot be read") from error


def words(request: Request) -> list[str]:
    """What signing this means, a sentence a line. Raises ``CeremonyError``."""
    before, after = offline_before(request), offline_after(request)
    changed = {role: getattr(after, role).signed for role in request.after}
    made = min(part.expires for part in changed.values()) - roles.LONG
    lines = [f"For {plain(request.newsroom)[:200]}, prepared {made:%Y-%m-%d %H:%M} UTC:"]
    lines += _keys_words(roles.holders(before.root), roles.holders(after.root), request)
    lines += _online_words(before, after)
    lines += _site_words(request, before, after)
    lines += _archive_words(request, before, after)
    if len(lines) == 1:
        lines.append("The same keys, site and archive as before, for longer.")
    for role, part in changed.items():
        lines.append(f"{role}, version {part.version}, valid until {part.expires:%Y-%m-%d}.")
    return lines


def _keys_words(old: list[str], new: list[str], request: Request) -> list[str]:
    lines = []
    for keyid in old:
        if keyid not in new:
            lines.append(f"The key {keyid} of {name_of(request, keyid)} counts no more.")
    for keyid in new:
        if keyid not in old:
            lines.append(
                f"The key {keyid} of {name_of(request, keyid)} signs from now on. Ask the holder, "
                "by another way than this file, whether this is the key."
            )
    return lines


def _online_words(before: roles.Offline, after: roles.Offline) -> list[str]:
    old, new = roles.online(before.root), roles.online(after.root)
    if old == new:
        return []
    return [f"The online key is {new[0]} from now on; the key {old[0]} signs nothing any more."]


def _site_words(request: Request, before: roles.Offline, after: roles.Offline) -> list[str]:
    hashes = [roles.target_sha256(o.targets, layout.SITE) for o in (before, after)]
    if hashes[0] == hashes[1]:
        return []
    was = request.site_before
    if hashlib.sha256(was.encode()).hexdigest() != hashes[0]:
        was = ""
    return _members(site_of(was), site_of(request.site))


def _members(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    lines = []
    for name in sorted(old.keys() | new.keys()):
        shown = [_shown(site, name) for site in (old, new)]
        if shown[0] != shown[1]:
            lines.append(f"site.json, {plain(name)}: {shown[0]} becomes {shown[1]}.")
    return lines or ["site.json says the same in other letters."]


def _shown(site: dict[str, Any], name: str) -> str:
    """A member as JSON; what is not there as nothing at all."""
    return plain(json.dumps(site[name], ensure_ascii=name not in _PROSE)) if name in site else "–"


def _archive_words(request: Request, before: roles.Offline, after: roles.Offline) -> list[str]:
    if roles.target_sha256(before.archive, layout.ARCHIVE) == roles.target_sha256(
        after.archive, layout.ARCHIVE
    ):
        return []
    record = record_of(request.record)
    line = (
        f"The archive is sealed: {record.count:,} addresses, all up to edition {record.edition}, "
        f"with the root {record.root.hex()}."
    )
    old = record_of(request.record_before) if request.record_before else None
    signed = roles.target_sha256(before.archive, layout.ARCHIVE)
    if old is None or hashlib.sha256(old.encode()).hexdigest() != signed:
        return [line]
    return [line, f"Before, it had {old.count:,} addresses, up to edition {old.edition}."]
