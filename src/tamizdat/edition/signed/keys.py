# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keys: the holders' files, which are carried away, and the online key, which stays.

What always holds:

- A key file is made for its owner's eyes only, whole or not at all, and never written over.
- A holder's private key touches a disk only under age (scrypt), with the holder's passphrase.
- The public half stands in clear beside it, and an opened file whose halves do not belong
  together is refused.

What is not done here: deciding what is signed (``roles``, ``ceremony``).
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import Final

import msgspec
import pyrage
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner, SSlibKey

from tamizdat.edition.signed.errors import KeyFileError

KEYID: Final = 16  # hexadecimal digits
PASSPHRASE: Final = 12  # characters at least
HOLDER = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}\Z")


class KeyFile(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A holder's file. ``public`` is hexadecimal, ``secret`` an armored age file with the private
    key (PKCS#8, PEM) inside."""

    tamizdat: str = "offline key"
    format: int = 1
    newsroom: str
    holder: str
    keyid: str
    public: str
    secret: str


def generate() -> CryptoSigner:
    """A new key pair."""
    return _signer(Ed25519PrivateKey.generate())


def public_key(public: str) -> SSlibKey:
    """The public key with these 64 hexadecimal digits, under the identifier that it has in an
    edition. Raises ``KeyFileError``."""
    try:
        found = SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)))
    except ValueError as error:
        raise KeyFileError(f"“{public[:80]}” is not a public key") from error
    found.keyid = found.keyid[:KEYID]
    return found


def public_hex(key: CryptoSigner) -> str:
    """The public half in hexadecimal digits."""
    return str(key.public_key.keyval["public"])


# A holder's key


def seal(key: CryptoSigner, *, holder: str, newsroom: str, passphrase: str) -> bytes:
    """A holder's file. Takes about a second: that is what guessing a passphrase costs too.

    Raises ``KeyFileError`` where the name or the passphrase will not do.
    """
    check_holder(holder)
    check_passphrase(passphrase)
    secret = pyrage.passphrase.encrypt(key.private_bytes, passphrase, armored=True)
    file = KeyFile(
        newsroom=newsroom,
        holder=holder,
        keyid=key.public_key.keyid,
        public=public_hex(key),
        secret=secret.decode(),
    )
    return msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"


def read(path: Path) -> KeyFile:
    """What a key file says in clear. Raises ``KeyFileError``."""
    try:
        file = msgspec.json.decode(path.read_bytes(), type=KeyFile)
    except OSError as error:
        raise KeyFileError(f"cannot read the key file {path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise KeyFileError(f"{path} is not a key file of a holder: {error}") from error
    if file.format != 1 or file.keyid != public_key(file.public).keyid:
        raise KeyFileError(f"{path} is damaged or of another version: take the holder's copy of it")
    check_holder(file.holder)
    return file


def unseal(file: KeyFile, passphrase: str) -> CryptoSigner:
    """The key in a holder's file. Raises ``KeyFileError`` where the passphrase is wrong."""
    try:
        pem = pyrage.passphrase.decrypt(file.secret.encode(), passphrase)
    except pyrage.DecryptError as error:
        raise KeyFileError(
            f"the key of {file.holder} does not open with this passphrase ({error})"
        ) from error
    key = _from_pem(pem, f"the file of {file.holder}")
    if public_hex(key) != file.public:
        raise KeyFileError(f"the file of {file.holder} holds another key than it says")
    return key


def check_holder(name: str) -> None:
    """Raises ``KeyFileError`` where this cannot be a holder's name in files."""
    if not HOLDER.match(name) or name == "online":
        raise KeyFileError(
            f"“{name}” cannot name a holder: use up to 32 letters a-z, digits and hyphens, "
            "a pseudonym rather than a name"
        )


def check_passphrase(passphrase: str) -> None:
    """Raises ``KeyFileError`` where a passphrase is too short."""
    if len(passphrase) < PASSPHRASE:
        raise KeyFileError(
            f"a passphrase needs {PASSPHRASE} characters at least; six words drawn at random "
            "are good and can be learned"
        )


# The online key


def read_online(path: Path) -> CryptoSigner:
    """The online key. Raises ``KeyFileError``."""
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"cannot read the online key {path} ({error.strerror}): restore it from a backup, or "
            "make a new one with the holders: tamizdat keys rotate online"
        ) from error
    return _from_pem(pem, str(path))


def write_online(path: Path, key: CryptoSigner) -> None:
    """Write an online key; one that is there is replaced. Raises ``KeyFileError``."""
    write_private(path, key.private_bytes, replace=True)


def write_private(path: Path, data: bytes, *, replace: bool = False) -> None:
    """Write a file for its owner alone, whole and on the disk, or not at all. Raises
    ``KeyFileError`` where it exists, unless ``replace``."""
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            aside.unlink()
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _put(aside, path, replace=replace)
    except FileExistsError as error:
        raise KeyFileError(f"{path} exists already: it is not written over") from error
    except OSError as error:
        raise KeyFileError(f"cannot write {path}: {error.strerror}") from error
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()


def _put(aside: Path, path: Path, *, replace: bool) -> None:
    if replace:
        aside.replace(path)
        return
    try:
        path.hardlink_to(aside)
    except FileExistsError:
        raise
    except OSError as error:  # A stick with FAT knows no links.
        if path.exists():
            raise FileExistsError(path) from error
        aside.replace(path)


def _signer(key: Ed25519PrivateKey) -> CryptoSigner:
    public = SSlibKey.from_crypto(key.public_key())
    public.keyid = public.keyid[:KEYID]
    return CryptoSigner(key, public)


def _from_pem(pem: bytes, where: str) -> CryptoSigner:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFileError(f"{where} holds no private key: restore it from a copy") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileError(f"{where} holds a key that is not Ed25519")
    return _signer(key)
