# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's two keys to its letterboxes, in the newsroom's ``secrets/``.

``letterbox-key`` is the age identity that opens submissions; older ones lie beside it as
``letterbox-key.1``, ``letterbox-key.2`` …. ``collector-key`` (Ed25519, PEM) proves to a drop that
it is the desk who collects.

What always holds: a key that is there is never written over; new ones belong to their owner alone
from the first byte (0600). A drop is given the public halves only.

What is not done here: opening (``drop.envelope``) and collecting (``drop.client``).
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pyrage
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from tamizdat.config import ConfigError, Newsroom

LETTERBOX = "letterbox-key"
COLLECTOR = "collector-key"


def ensure_keys(newsroom: Newsroom) -> None:
    """Draw the keys that are missing."""
    newsroom.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, draw in ((LETTERBOX, _new_identity), (COLLECTOR, _new_signer)):
        if not (newsroom.secrets / name).exists():
            _write_new(newsroom.secrets / name, draw())


def identities(newsroom: Newsroom) -> list[pyrage.x25519.Identity]:
    """What opens submissions: the present identity first, then the older ones.

    Raises ``ConfigError`` where the present one is missing or one of them is damaged.
    """
    older = sorted(newsroom.secrets.glob(f"{LETTERBOX}.[0-9]*"), key=_number)
    return [_identity(newsroom, name) for name in (LETTERBOX, *(path.name for path in older))]


def recipient(newsroom: Newsroom) -> str:
    """What everybody may know, to seal to the desk: ``age1…``. Raises ``ConfigError``."""
    return str(_identity(newsroom, LETTERBOX).to_public())


def collector_key(newsroom: Newsroom) -> Ed25519PrivateKey:
    """What the desk shows itself to a drop with. Raises ``ConfigError``."""
    pem = newsroom.secret(COLLECTOR).encode()
    with contextlib.suppress(ValueError):
        key = load_pem_private_key(pem, None)
        if isinstance(key, Ed25519PrivateKey):
            return key
    raise ConfigError(_damaged(newsroom, COLLECTOR))


def collector_public(newsroom: Newsroom) -> str:
    """What a drop must know of it: 32 bytes in hex. Raises ``ConfigError``."""
    public = collector_key(newsroom).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()


def _identity(newsroom: Newsroom, name: str) -> pyrage.x25519.Identity:
    try:
        return pyrage.x25519.Identity.from_str(newsroom.secret(name))
    except pyrage.IdentityError:
        raise ConfigError(_damaged(newsroom, name)) from None


def _damaged(newsroom: Newsroom, name: str) -> str:
    return f"{newsroom.secrets / name} is damaged: restore it from a backup"


def _number(path: Path) -> int:
    number = path.suffix.removeprefix(".")
    return int(number) if number.isdecimal() else 0


def _new_identity() -> bytes:
    return f"{pyrage.x25519.Identity.generate()}\n".encode()


def _new_signer() -> bytes:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _write_new(path: Path, data: bytes) -> None:
    """Write a file that does not exist yet, whole and on the disk; one that does is left alone."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
    finally:
        aside.unlink()
