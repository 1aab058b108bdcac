# SPDX-License-Identifier: AGPL-3.0-or-later
"""Photos and files that lie in a folder, found by their sha-256 whatever they are called."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

_SHA256 = re.compile(r"[0-9a-f]{64}")


class MediaFolder:
    """A ``MediaSource`` of the edition. The folder is read once, when first asked; files named
    by their sha-256 are not opened for that."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, Path] | None = None

    def file(self, sha256: str) -> Path | None:
        """Where the file with this sha-256 lies; None where it is not here."""
        if self._files is None:
            self._files = {_name(path): path for path in self.folder.rglob("*") if path.is_file()}
        return self._files.get(sha256)


def _name(path: Path) -> str:
    if _SHA256.fullmatch(path.stem):
        return path.stem
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
