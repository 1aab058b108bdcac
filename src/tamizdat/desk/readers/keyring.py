# SPDX-License-Identifier: AGPL-3.0-or-later
"""The vault's keys and the file that they lie in: ``secrets/vault-key.age``.

The file is an age file to two recipients: the operator's, who keeps the identity elsewhere, and
the desk's own, whose identity lies at ``[vault] identity``. Inside is JSON::

    {"tamizdat": "vault key", "format": 1, "current": 2,
     "keys": {"1": {"index": base64}, "2": {"index": base64, "data": base64}}}

What always holds:

- The file appears whole by one rename, after its bytes are on the disk; what it replaces is
  overwritten before it is let go.
- ``KeyFile.keys`` looks at the file each time (one ``stat``): a key that is gone from the disk is
  not used a moment longer by any process, and a new one is used at once.
- A version without ``data`` opens nothing any more; its index key is kept for the rows of people
  who were erased, whose index cannot be made anew.

What is not done here: sealing (``vault``) and deciding when a key ends (``rotation``). Python
cannot wipe memory: what a running process has read stays in its memory until it ends or reuses it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pyrage
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.readers.errors import KeyFileError, VaultShutError
from tamizdat.letterbox import LETTERBOX, ensure_keys

NAME = "vault-key.age"
OPERATOR = "operator-recipient"
KEY = 32  # bytes: AES-256, HMAC-SHA-256


class StoredKey(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One version: base64 of 32 bytes each."""

    index: str
    data: str = ""


class Keyring(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What is inside the file."""

    tamizdat: str = "vault key"
    format: int = 1
    current: int
    keys: dict[int, StoredKey]

    @property
    def opening(self) -> list[int]:
        """The versions that can open something, ascending."""
        return sorted(version for version, key in self.keys.items() if key.data)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys ready for use, as the file had them when ``stamp`` was taken."""

    current: int
    data: dict[int, AESGCM]
    blind: dict[int, bytes]
    stamp: tuple[int, ...]


def new_key() -> StoredKey:
    return StoredKey(
        index=b64encode(secrets.token_bytes(KEY)).decode(),
        data=b64encode(secrets.token_bytes(KEY)).decode(),
    )


class KeyFile:
    """The key file of a newsroom. Threads may share one."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.folder = newsroom.secrets
        self.path = newsroom.secrets / NAME
        self.identity_path = newsroom.folder / newsroom.settings.vault.identity
        self._keys: Keys | None = None

    def exists(self) -> bool:
        return self.path.exists()

    def keys(self) -> Keys:
        """The keys as the file has them now. Raises ``VaultShutError`` and ``KeyFileError``."""
        stamp = self._stamp()
        known = self._keys
        if known is not None and known.stamp == stamp:
            return known
        ring = self.read()
        found = Keys(
            current=ring.current,
            data={v: AESGCM(_raw(k.data)) for v, k in ring.keys.items() if k.data},
            blind={v: _raw(key.index) for v, key in ring.keys.items()},
            stamp=stamp,
        )
        self._keys = found
        return found

    def unchanged(self, keys: Keys) -> bool:
        """Whether the file is still the one that these came from."""
        return self._stamp() == keys.stamp

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self.path.stat()
        except OSError:
            self._keys = None
            raise VaultShutError(
                f"the vault is shut: {self.path} is not there. Without it no reader's address can "
                f"be found or opened; everything else works. See: tamizdat vault status"
            ) from None
        return (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)

    def read(self) -> Keyring:
        """Raises ``VaultShutError`` and ``KeyFileError``."""
        self._stamp()
        return open_keyring(self.path.read_bytes(), self._identity())

    def _identity(self) -> pyrage.x25519.Identity:
        try:
            return pyrage.x25519.Identity.from_str(self.identity_path.read_text().strip())
        except OSError as error:
            raise KeyFileError(
                f"the vault's identity {self.identity_path} cannot be read ({error.strerror}): "
                f"put in the medium that it lies on, or restore it from the backup"
            ) from None
        except (pyrage.IdentityError, ValueError):
            raise KeyFileError(f"{self.identity_path} is not an age identity") from None

    def recipients(self) -> list[pyrage.x25519.Recipient]:
        """The desk's own and the operator's."""
        return [self._identity().to_public(), operator_recipient(self.folder)]

    def write(self, ring: Keyring) -> None:
        """Put a keyring in the place of what is there; that is overwritten, and so is what a
        writer who was killed left behind. Within ``exclusively``."""
        sealed = pyrage.encrypt(msgspec.json.encode(ring), self.recipients())
        aside = self.path.with_name(f".{NAME}.{os.getpid()}")
        write_durably(aside, sealed)
        with _overwritten(self.path):
            aside.replace(self.path)
            sync_folder(self.folder)
        for left in self.folder.glob(f".{NAME}.*"):
            destroy(left)

    @contextlib.contextmanager
    def exclusively(self) -> Iterator[None]:
        """One process at a time changes the file; the system frees the lock of who dies."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self.folder / ".vault-lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def open_keyring(sealed: bytes, identity: pyrage.x25519.Identity) -> Keyring:
    """The keyring in an age file. Raises ``KeyFileError``."""
    try:
        plain = pyrage.decrypt(sealed, [identity])
        ring = msgspec.json.decode(plain, type=Keyring)
        sound = all(
            len(_raw(raw)) == KEY
            for key in ring.keys.values()
            for raw in (key.index, key.data or key.index)
        )
    except (pyrage.DecryptError, msgspec.DecodeError, UnicodeDecodeError, ValueError):
        raise KeyFileError(
            f"{NAME} cannot be opened: it is damaged, or made for another newsroom or identity. "
            f"Restore it and the identity from the same backup"
        ) from None
    if not sound or ring.current not in ring.opening:
        raise KeyFileError(f"{NAME} does not hold the keys that it names")
    return ring


def _raw(text: str) -> bytes:
    return b64decode(text, validate=True)


def operator_recipient(folder: Path) -> pyrage.x25519.Recipient:
    """The operator's age recipient, to whom backups and the key file are sealed.

    Raises ``ConfigError`` where there is none.
    """
    path = folder / OPERATOR
    try:
        return recipient_of(path.read_text())
    except OSError:
        raise ConfigError(
            f"{path} is not there: it says to whom backups are sealed. "
            f"Run: tamizdat init {folder.parent}"
        ) from None


def recipient_of(text: str) -> pyrage.x25519.Recipient:
    """An age recipient (``age1…``). Raises ``ConfigError``."""
    try:
        return pyrage.x25519.Recipient.from_str(text.strip())
    except (pyrage.RecipientError, ValueError):
        raise ConfigError(f"“{text.strip()[:80]}” is not an age recipient (age1…)") from None


def write_durably(path: Path, data: bytes) -> None:
    """Write a private file whose bytes are on the disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Names that came or went in a folder are on the disk when this returns."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _overwritten(path: Path) -> Iterator[None]:
    """Overwrite the file that lies at ``path`` now after the block put another in its place."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        yield
        return
    try:
        yield
        _overwrite(descriptor)
    finally:
        os.close(descriptor)


def _overwrite(descriptor: int) -> None:
    os.pwrite(descriptor, secrets.token_bytes(os.fstat(descriptor).st_size), 0)
    os.fsync(descriptor)


def destroy(path: Path) -> bool:
    """Overwrite a file, remove it, and wait until the disk knows. Whether it was there."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        _overwrite(descriptor)
        path.unlink()
    finally:
        os.close(descriptor)
    sync_folder(path.parent)
    return True


def found(newsroom: Newsroom, operator: pyrage.x25519.Recipient) -> KeyFile:
    """Make what is missing of a newsroom's vault: the desk's identity and the operator's
    recipient. The key file itself is written by who knows its version (``actions.begin``)."""
    newsroom.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = KeyFile(newsroom)
    if not file.identity_path.exists():
        identity = str(pyrage.x25519.Identity.generate())
        write_durably(file.identity_path, identity.encode() + b"\n")
    path = newsroom.secrets / OPERATOR
    if not path.exists():
        write_durably(path, str(operator).encode() + b"\n")
    return file


class Shredded(msgspec.Struct, frozen=True):
    """What was destroyed, by its path, and how long it took."""

    destroyed: list[str]
    seconds: float


def shred(newsroom: Newsroom) -> Shredded:
    """Destroy the key file, the desk's identity, and what opens letters that were not handled yet:
    sign-ups that wait bear addresses too. Needs no database and no Django.

    A new letterbox key is drawn in the old one's place, so that publishing goes on.

    An identity on a medium that is not there stays; alone it opens nothing. Running processes
    refuse from this moment on. Raises ``OSError``.
    """
    started, file = time.monotonic(), KeyFile(newsroom)
    asides = sorted(newsroom.secrets.glob(f".{NAME}.*"))
    letters = sorted(newsroom.secrets.glob(f"{LETTERBOX}*"))
    doomed = (file.path, *asides, file.identity_path, *letters)
    destroyed = [str(path) for path in doomed if destroy(path)]
    if letters:
        ensure_keys(newsroom)
    return Shredded(destroyed=destroyed, seconds=time.monotonic() - started)
