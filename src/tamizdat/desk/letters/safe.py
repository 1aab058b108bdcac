# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers wrote lies sealed in the database, under the vault's data key.

What always holds: a copy of the database without the key file shows no text, no name and no
contact; destroying the vault's key destroys the letters too.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from tamizdat.desk.readers import sealed_columns
from tamizdat.desk.readers.vault import Vault

LETTER = "letters.message"
NOTE = "letters.note"


def vault() -> Vault:
    """The newsroom's vault; its key file is looked at with each use."""
    return _vault(settings.NEWSROOM.folder)


@lru_cache(maxsize=4)
def _vault(_folder: Path) -> Vault:
    return Vault(settings.NEWSROOM)


def seal(purpose: str, data: bytes) -> bytes:
    """To be stored in the transaction that runs now. Raises ``VaultError``."""
    return vault().seal(purpose, data)


def open_sealed(purpose: str, blob: bytes | memoryview) -> bytes:
    """Raises ``VaultError``."""
    return vault().open_sealed(purpose, blob)


def register_columns() -> None:
    """So that a new key of the vault reaches them."""
    sealed_columns.register("letters.Message", "sealed", purpose=LETTER)
    sealed_columns.register("letters.Message", "note", purpose=NOTE)
