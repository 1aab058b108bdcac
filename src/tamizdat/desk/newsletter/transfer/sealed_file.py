# SPDX-License-Identifier: AGPL-3.0-or-later
"""A file that lies in the database, sealed part by part, read as if it were one.

What always holds: one part is open at a time, so that memory does not grow with the file; nothing
of it is ever written to a disk in clear.
"""

from __future__ import annotations

import io
from typing import BinaryIO

from tamizdat.desk.newsletter.models import Upload, UploadPart
from tamizdat.desk.readers.vault import Vault

PART = 1 << 20  # bytes
PURPOSE = "newsletter.upload"


def keep(upload: Upload, file: BinaryIO, vault: Vault) -> None:
    """Seal a file from its beginning. Inside a transaction; raises ``VaultError``."""
    file.seek(0)
    number = 0
    while data := file.read(PART):
        sealed = vault.seal(PURPOSE, data)
        UploadPart.objects.create(upload=upload, number=number, sealed=sealed)
        number += 1


def opened(upload: Upload, vault: Vault) -> io.BufferedReader:
    """The file again. Reading it raises ``VaultError``."""
    return io.BufferedReader(_Parts(upload, vault), PART)


class _Parts(io.RawIOBase):
    def __init__(self, upload: Upload, vault: Vault) -> None:
        self._upload, self._vault = upload, vault
        self._at = 0
        self._number, self._part = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._upload.size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview | bytearray) -> int:  # type: ignore[override]  # typeshed says only “writable buffer”
        if self._at >= self._upload.size:
            return 0
        number, start = divmod(self._at, PART)
        data = self._of(number)[start : start + len(buffer)]
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _of(self, number: int) -> bytes:
        if number != self._number:
            row = UploadPart.objects.get(upload=self._upload, number=number)
            self._number, self._part = number, self._vault.open_sealed(PURPOSE, row.sealed)
        return self._part
