# SPDX-License-Identifier: AGPL-3.0-or-later
"""The vault: readers' addresses, sealed, and found by a keyed index.

::

    vault = Vault.open(newsroom)
    reader = vault.add("ada@post.example", "en")     # the one row of this address
    vault.find("Ada@post.example") == reader
    vault.address_of(reader) == "ada@post.example"
    for address in vault.addresses(Reader.objects.filter(language="en")): …

    with transaction.atomic():                       # texts of other apps (``sealed_columns``)
        message.sealed = vault.seal("letters.message", text.encode())
        message.save()
    vault.open_sealed("letters.message", message.sealed)

What always holds:

- An address lies in the database only under AES-256-GCM: a random nonce of 12 bytes, the address
  padded to 32, 64 … bytes, the tag. Row and key version are its associated data: what is copied to
  another row, or called of another key, does not open. Found it is by HMAC-SHA-256 over
  ``addresses.normalised`` under a key of its own.
- One row an address, also while keys change and others add the same one: who seals holds
  ``VaultState`` until the end of the transaction, so that from the moment a new key is in force
  nothing is sealed under the old one; who finds nothing looks whether the key file has changed
  meanwhile, and looks again.
- No key is used that is not in the file now (``keyring``).
- Errors and logs never carry an address.

What is not done here: consents, erasing, changing keys (``consents``, ``actions``, ``rotation``).
"""

from __future__ import annotations

import hmac
import os
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from cryptography.exceptions import InvalidTag
from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from tamizdat.config import Newsroom
from tamizdat.desk.readers.addresses import kept, normalised
from tamizdat.desk.readers.errors import (
    ErasedError,
    KeyFileError,
    SealedError,
    VaultError,
    VaultShutError,
)
from tamizdat.desk.readers.keyring import KeyFile, Keys
from tamizdat.desk.readers.models import Reader, random_id

NONCE = 12
PADDING = 32
AT_ONCE = 2_000
TRIES = 10
_ROW = struct.Struct(">7sIQ")
_VERSION = struct.Struct(">I")
_FIELDS = ("id", "blind", "key_version", "sealed", "language", "added", "erased")
Sealed = bytes | memoryview
_COLUMNS = ", ".join(_FIELDS)
_INSERT = (
    f"INSERT INTO readers_reader ({_COLUMNS}) "  # noqa: S608 - names and marks of ours
    f"VALUES ({', '.join(['%s'] * len(_FIELDS))}) ON CONFLICT DO NOTHING"
)


class Vault:
    """The vault of one newsroom. Threads may share one."""

    def __init__(self, newsroom: Newsroom) -> None:
        self.newsroom = newsroom
        self.file = KeyFile(newsroom)

    @classmethod
    def open(cls, newsroom: Newsroom) -> Vault:
        """The vault of a newsroom, with its key file there and readable.

        Raises ``VaultShutError`` and ``KeyFileError``.
        """
        vault = cls(newsroom)
        vault.file.keys()
        return vault

    # Addresses

    def add(self, address: str, language: str) -> Reader:
        """The row of this address: the one that is there, else a new one.

        An address that was erased is taken in again into the row that was left of it. The language
        is that of a new row only. Raises ``AddressError`` and ``VaultError``.
        """
        typed, wanted = kept(address), normalised(address)
        with transaction.atomic():
            keys = self.sealing_keys()
            for _ in range(TRIES):
                found = self._row(keys, wanted)
                if found is not None:
                    return self._taken_in_again(keys, found, typed, wanted, language)
                made = self._insert(keys, typed, wanted, language)
                if made is not None:
                    return made
        raise VaultError("the address could not be added; try again")

    def find(self, address: str, *, erased: bool = False) -> Reader | None:
        """The reader with this address, however it is spelt; None where there is none.

        With ``erased`` also the row that is left of somebody whose address was erased. Raises
        ``AddressError`` and ``VaultError``.
        """
        wanted = normalised(address)
        for _ in range(TRIES):
            keys = self.file.keys()
            found = self._row(keys, wanted)
            if found is not None:
                return found if erased or found.erased is None else None
            if self.file.unchanged(keys):
                return None
        raise VaultError("the keys change faster than an address can be found; try again")

    def mailboxes(self, address: str) -> list[str]:
        """Keyed fingerprints (hexadecimal) of the mailbox that an address may share with others:
        the same with and without a ``+tag``. One by each key of the file, that in force first.

        For limits alone: no reader is found by it. Raises ``AddressError`` and ``VaultError``.
        """
        local, _, domain = normalised(address).rpartition("@")
        wanted = f"mailbox\0{local.partition('+')[0] or local}@{domain}"
        keys = self.file.keys()
        versions = sorted(keys.blind, key=lambda version: version != keys.current)
        return [blind_of(keys.blind[version], wanted).hex() for version in versions]

    def address_of(self, reader: Reader) -> str:
        """The address as it was typed. Raises ``ErasedError``, ``SealedError``."""
        if reader.sealed and reader.key_version in (keys := self.file.keys()).data:
            return open_address(keys, reader.pk, reader.key_version, reader.sealed)
        return self._opened_anew(reader.pk)

    def addresses(self, readers: QuerySet[Reader] | Iterable[Reader]) -> Iterator[str]:
        """The addresses of many, in their order; those that were erased are passed over.

        A million take seconds; memory stays flat. A queryset is read in chunks.
        """
        for _, address in self.opened(readers):
            yield address

    def opened(self, readers: QuerySet[Reader] | Iterable[Reader]) -> Iterator[tuple[int, str]]:
        """The same with the id of each reader before the address."""
        keys = self.file.keys()
        for number, (pk, version, sealed) in enumerate(_rows(readers)):
            if number % AT_ONCE == 0:
                keys = self.file.keys()
            if not sealed:
                continue
            if version in keys.data:
                yield pk, open_address(keys, pk, version, sealed)
            else:
                yield pk, self._opened_anew(pk)

    def _opened_anew(self, pk: int) -> str:
        """The address by what the row says now: its key may have been changed since it was read."""
        for _ in range(TRIES):
            keys = self.file.keys()
            row = Reader.objects.filter(pk=pk).values_list("key_version", "sealed").first()
            if row is None or not row[1]:
                raise ErasedError("this reader's address was erased")
            if row[0] in keys.data:
                return open_address(keys, pk, row[0], row[1])
            if self.file.unchanged(keys):
                break
        raise SealedError("an address was sealed with a key that is lost: it cannot be read again")

    def _row(self, keys: Keys, wanted: str) -> Reader | None:
        blinds = [blind_of(key, wanted) for key in keys.blind.values()]
        marks = ", ".join(["%s"] * len(blinds))
        with connection.cursor() as cursor:
            # From a cursor: a queryset takes longer to be made than the database to answer.
            cursor.execute(
                f"SELECT {_COLUMNS} FROM readers_reader WHERE blind IN ({marks})",  # noqa: S608 - names and marks of ours
                blinds,
            )
            row = cursor.fetchone()
        return None if row is None else _reader(row)

    def _insert(self, keys: Keys, typed: str, wanted: str, language: str) -> Reader | None:
        """A new row, or None where somebody else made it at this moment."""
        reader = Reader(id=random_id(), language=language, added=timezone.localdate())
        self._fill(keys, reader, typed, wanted)
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, [getattr(reader, name) for name in _FIELDS])
            if not cursor.rowcount:
                return None
        reader._state.adding, reader._state.db = False, connection.alias
        return reader

    def _fill(self, keys: Keys, reader: Reader, typed: str, wanted: str) -> None:
        reader.key_version = keys.current
        reader.blind = blind_of(keys.blind[keys.current], wanted)
        reader.sealed = seal_address(keys, reader.pk, typed)

    def _taken_in_again(
        self, keys: Keys, found: Reader, typed: str, wanted: str, language: str
    ) -> Reader:
        if found.erased is None:
            return found
        self._fill(keys, found, typed, wanted)
        found.erased, found.language, found.added = None, language, timezone.localdate()
        found.save()
        return found

    # Texts of other apps

    def seal(self, purpose: str, data: bytes) -> bytes:
        """``data`` sealed for ``purpose``, to be stored in the transaction that runs now.

        The blob: key version (4 bytes, big endian), nonce, ciphertext, tag: 32 bytes more than
        ``data``. Register the column (``sealed_columns.register``), else it is lost when keys
        change. Raises ``VaultError``.
        """
        if not connection.in_atomic_block:
            raise VaultError(
                "what is sealed must be stored in the same transaction: open one first"
            )
        keys = self.sealing_keys()
        return seal_text(keys, purpose, data)

    def open_sealed(self, purpose: str, blob: Sealed) -> bytes:
        """What ``seal`` was given. Raises ``SealedError`` where it was altered, or sealed for
        another purpose, or its key is gone."""
        return open_text(self.file.keys(), purpose, bytes(blob))

    def sealing_keys(self) -> Keys:
        """The keys, ``current`` being the one in force until this transaction ends.

        Raises ``KeyFileError`` where the file does not have it.
        """
        version, keys = locked_version(), self.file.keys()
        if keys.current == version:
            return keys
        if version in keys.data:  # A rotation has written its key, which is not in force yet.
            return replace(keys, current=version)
        raise KeyFileError(
            f"the database seals with key {version}, which {self.file.path} does not have: "
            f"restore database and key file from the same day"
        )


def locked_version() -> int:
    """The key version in force, which stays in force until this transaction ends.

    Raises ``VaultShutError`` where no vault was ever made.
    """
    share = " FOR SHARE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT version FROM readers_vaultstate WHERE id = 1{share}")  # noqa: S608 - ours
        row = cursor.fetchone()
    if row is None:
        raise VaultShutError("this newsroom has no vault yet: run tamizdat init on its folder")
    return int(row[0])


def blind_of(key: bytes, wanted: str) -> bytes:
    return hmac.digest(key, wanted.encode(), "sha256")


def seal_address(keys: Keys, pk: int, address: str) -> bytes:
    nonce, plain = os.urandom(NONCE), address.encode()
    plain = plain.ljust(-len(plain) // PADDING * -PADDING, b"\0")
    bound = _ROW.pack(b"reader\0", keys.current, pk)
    return nonce + keys.data[keys.current].encrypt(nonce, plain, bound)


def open_address(keys: Keys, pk: int, version: int, sealed: Sealed) -> str:
    sealed = bytes(sealed)
    try:
        plain = keys.data[version].decrypt(
            sealed[:NONCE], sealed[NONCE:], _ROW.pack(b"reader\0", version, pk)
        )
    except InvalidTag:
        raise SealedError(
            "an address cannot be opened: its row was altered, or the key file is another one"
        ) from None
    return plain.rstrip(b"\0").decode()


def seal_text(keys: Keys, purpose: str, data: bytes) -> bytes:
    nonce, version = os.urandom(NONCE), _VERSION.pack(keys.current)
    bound = version + b"text\0" + purpose.encode()
    return version + nonce + keys.data[keys.current].encrypt(nonce, data, bound)


def open_text(keys: Keys, purpose: str, blob: bytes) -> bytes:
    start = _VERSION.size + NONCE
    if len(blob) < start + 16:
        raise SealedError("what is sealed here is cut off")
    version = blob[: _VERSION.size]
    key = keys.data.get(_VERSION.unpack(version)[0])
    if key is None:
        raise SealedError("what is sealed here was sealed with a key that is lost")
    try:
        bound = version + b"text\0" + purpose.encode()
        return key.decrypt(blob[_VERSION.size : start], blob[start:], bound)
    except InvalidTag:
        raise SealedError("what is sealed here was altered, or sealed for something else") from None


def version_of(blob: Sealed) -> int:
    """Under which key version a text is sealed."""
    return int(_VERSION.unpack(bytes(blob[: _VERSION.size]))[0])


def _rows(readers: QuerySet[Reader] | Iterable[Reader]) -> Iterator[tuple[int, int, Sealed]]:
    if isinstance(readers, QuerySet):
        wanted = readers.values_list("pk", "key_version", "sealed")
        yield from wanted.iterator(chunk_size=AT_ONCE)
    else:
        for reader in readers:
            yield reader.pk, reader.key_version, reader.sealed


def _reader(row: Sequence[Any]) -> Reader:
    return Reader.from_db(connection.alias, _FIELDS, row)
