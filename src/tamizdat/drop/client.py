# SPDX-License-Identifier: AGPL-3.0-or-later
"""Collecting from a drop: the port ``Letterbox``, over HTTPS and from a folder.

What always holds: only outbound; nothing is removed but by its SHA-256; what a drop sends is cut
off where it is longer than it may be, and nothing it says is believed but the bytes themselves.

What is not done here: opening what was collected (``batches.slots``, ``envelope.open_sealed``) and
acting upon it (the desk).
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tamizdat.drop.batches import Batch


class Letterbox(Protocol):
    """Where sealed submissions wait. Every method raises ``LetterboxError``."""

    def batches(self) -> list[Batch]:
        """Those that are closed, oldest first, 1,000 at most. Asks to close the open ones."""

    def read(self, name: str) -> bytes:
        """A batch's bytes. ``permanent`` is False where it is gone or cut off: list again."""

    def remove(self, name: str, sha256: str) -> None:
        """Gone, on the disk too. Removing what is not there is no error."""

    def close(self) -> None:
        """Let go of connections and locks."""


def letterbox(*, url: str = "", folder: str = "", key: Ed25519PrivateKey) -> Letterbox:
    """The drop in a ``folder`` of this machine or, where that is empty, at a ``url``."""
    from tamizdat.drop.client_folder import FolderLetterbox
    from tamizdat.drop.client_https import HttpsLetterbox

    return FolderLetterbox(Path(folder)) if folder else HttpsLetterbox(url, key)


def login_message(host: str, nonce: str) -> bytes:
    """What a collector signs. ``host`` is the name in the drop's URL, lower case, no port."""
    return f"tamizdat-collect-v1\n{host}\n{nonce}".encode()


def host_of(url: str) -> str:
    """The host of a URL as it is signed."""
    host = (urlsplit(url).hostname or "").lower()
    return f"[{host}]" if ":" in host else host
