# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cohorts: readers who are told of mirrors that others are not (edition-v1.md, section 8).

What always holds: whoever has the signed folder and no cohort's key learns how many cohorts there
are, and nothing of their mirrors; one cohort's key opens no other's list. The same content gives
the same bytes.

What is not done here: signing the lists, giving keys to readers (``programs`` does).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tamizdat.edition.signed.errors import BadFormatError, KeyFileError

FILE: Final = "cohort-key"  # in the newsroom's secrets/
_PAD: Final = 256  # bytes: the length of a list does not tell how many mirrors stand in it
_NONCE: Final = 12


class Cohort(NamedTuple):
    """Under which name a cohort's list stands in ``mirrors.json``, and its key of AES-256-GCM."""

    identifier: str
    key: bytes

    @property
    def told(self) -> str:
        """What its readers carry."""
        return f"{self.identifier} {self.key.hex()}"


def of(told: str) -> Cohort | None:
    """From what its readers carry; None of nothing. Raises ``BadFormatError``."""
    identifier, _, key = told.partition(" ")
    if not told:
        return None
    try:
        return Cohort(identifier, bytes.fromhex(key))
    except ValueError as error:
        raise BadFormatError("a cohort is told by its identifier and its key") from error


def secret(folder: Path) -> bytes:
    """The newsroom's secret, from which the keys of all cohorts come; made where it is missing.
    Raises ``KeyFileError``."""
    path = folder / FILE
    if not path.exists():
        _make(path)
    try:
        found = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as error:
        raise KeyFileError(f"{path} cannot be read: restore it from a backup ({error})") from error
    if len(found) != 32:
        raise KeyFileError(f"{path} is not what it was: restore it from a backup")
    return found


def cohort(secret: bytes, name: str) -> Cohort:
    def derive(what: bytes) -> bytes:
        return hmac.digest(secret, what + b"\0" + name.encode(), "sha256")

    return Cohort(derive(b"name")[:8].hex(), derive(b"key"))


def seal(found: Cohort, listed: bytes) -> str:
    """A list of mirrors that this cohort alone can read: nonce and ciphertext, in hexadecimal."""
    padded = listed + b" " * (-len(listed) % _PAD)
    nonce = hashlib.sha256(found.key + padded).digest()[:_NONCE]
    return (nonce + AESGCM(found.key).encrypt(nonce, padded, None)).hex()


def unseal(found: Cohort, sealed: Mapping[str, Any]) -> bytes | None:
    """The list of this cohort, out of all; None where there is none. Raises ``BadFormatError``."""
    said = sealed.get(found.identifier)
    if said is None:
        return None
    try:
        data = bytes.fromhex(said)
        aead = AESGCM(found.key)
        return aead.decrypt(data[:_NONCE], data[_NONCE:], None)
    except (TypeError, ValueError, InvalidTag) as error:
        raise BadFormatError(f"the list of the cohort {found.identifier} is damaged") from error


def urls(found: Cohort, mirrors: Mapping[str, Any]) -> list[str]:
    """The mirrors of a cohort, from what ``mirrors.json`` says. Raises ``BadFormatError``."""
    sealed = mirrors.get("sealed")
    listed = unseal(found, sealed) if isinstance(sealed, dict) else None
    try:
        said = msgspec.json.decode(listed or b'{"mirrors":[]}', type=_List)
    except msgspec.DecodeError as error:
        raise BadFormatError(f"the list of the cohort {found.identifier} is damaged") from error
    return [mirror.url for mirror in said.mirrors]


class _Url(msgspec.Struct):
    url: str


class _List(msgspec.Struct):
    mirrors: list[_Url]


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):  # Another process made it meanwhile: theirs holds.
        os.link(aside, path)
    aside.unlink()
