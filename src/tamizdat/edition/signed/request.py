# SPDX-License-Identifier: AGPL-3.0-or-later
"""The file that travels between the desk and the holders' machines: what is to be signed.

What always holds: it is whole in itself: what the holders signed last, what they are to sign, and
the bytes that it names; a holder's machine needs nothing else, and believes nothing in it that it
has not checked (``ceremony``). No secret is in it.

What is not done here: files, signatures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
from tuf.api.metadata import Metadata, Root, Targets

from tamizdat.edition.signed import roles
from tamizdat.edition.signed.errors import BadFormatError, CeremonyError

Kind = Literal["holder", "online", "site", "renew", "seal"]
_MADE: dict[str, type[Root] | type[Targets]] = {
    "root": Root,
    "targets": Targets,
    "archive": Targets,
}


class Request(msgspec.Struct, kw_only=True, omit_defaults=True):
    """``before`` and ``after`` are metadata by role; ``after`` has what changes only, and gathers
    signatures. ``holders`` are names by key identifier, for people; ``site`` is the text of
    site.json, ``record`` the archive's index record in hexadecimal, where these change."""

    tamizdat: str = "request"
    format: int = 1
    kind: Kind
    newsroom: str
    made: str
    holders: dict[str, str]
    before: dict[str, Any]
    after: dict[str, Any]
    site: str = ""
    site_before: str = ""
    record: str = ""
    record_before: str = ""

    def encode(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n"

    @classmethod
    def decode(cls, data: bytes, path: Path) -> Request:
        """Raises ``CeremonyError``."""
        try:
            request = msgspec.json.decode(data, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise CeremonyError(f"{path} is not a request of a ceremony: {error}") from error
        if request.tamizdat != "request" or request.format != 1:
            raise CeremonyError(f"{path} is of another version of this program: use the same one")
        if set(request.before) != set(roles.OFFLINE) or not set(request.after) <= set(
            roles.OFFLINE
        ):
            raise CeremonyError(f"{path} is damaged: parts of it are missing")
        return request


def metadata_of(parts: dict[str, Any], path: str = "the request") -> dict[str, Metadata[Any]]:
    """The metadata in a request by role. Raises ``CeremonyError``."""
    try:
        return {
            role: roles.decode(msgspec.json.encode(part), _MADE[role])
            for role, part in parts.items()
        }
    except BadFormatError as error:
        raise CeremonyError(f"{path} is damaged: {error}") from error


def offline_before(request: Request) -> roles.Offline:
    """What the holders signed last, as the request says. Raises ``CeremonyError``."""
    return roles.Offline(**metadata_of(request.before))


def offline_after(request: Request) -> roles.Offline:
    """What is in force when the request is. Raises ``CeremonyError``."""
    return roles.Offline(**(metadata_of(request.before) | metadata_of(request.after)))
