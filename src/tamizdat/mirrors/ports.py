# SPDX-License-Identifier: AGPL-3.0-or-later
"""The port: what pushing asks of a place that keeps bytes.

What every adapter promises (``tests/mirrors/test_targets.py`` holds them and the fake to it):

- A file is whole or not there: readers never see the half of one, whatever is cut off.
- ``put`` returns when every file of the batch is kept; where it raises, any of them may be.
- ``put`` and ``remove`` may be repeated; removing what is not there is no error.
- Nothing but what was named is written or removed. ``names`` may tell of more than we wrote.
- Exceptions are ``MirrorError``s that say what to do. No call waits for ever.
- One target is used by one thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

YEAR = "public, max-age=31536000, immutable"
MINUTE = "public, max-age=60"


class Outgoing(NamedTuple):
    """A file to be kept at ``name`` (relative, with ``/``). ``source`` is where its bytes lie, or
    the bytes; ``length`` counts them."""

    name: str
    source: Path | bytes
    length: int

    def read(self) -> bytes:
        """Raises ``FileNotFoundError``."""
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()


class Held(NamedTuple):
    """A file that a mirror has."""

    name: str
    length: int


class Target(Protocol):
    """A place that keeps bytes."""

    def prepare(self) -> None:
        """Make a place ready that was never pushed to. Raises where that cannot be."""

    def put(self, files: Sequence[Outgoing]) -> None:
        """Keep files, replacing what is there. Raises ``FileNotFoundError`` where a source is
        gone."""

    def remove(self, names: Sequence[str]) -> None:
        """Remove files, and folders that are empty then where there are folders."""

    def read(self, name: str, limit: int) -> bytes | None:
        """The first ``limit`` bytes of a small file; None where there is none."""

    def names(self, folders: Iterable[str]) -> Iterator[Held]:
        """All files below these folders (``metadata``, ``objects``…); for when our own list of
        them is lost."""

    def close(self) -> None:
        """Let go of connections."""


def cache_lifetime(name: str) -> str:
    """``Cache-Control`` of a file: an immutable name for a year, everything else a minute."""
    mutable = name in ("metadata/timestamp.json", "metadata/current")
    return MINUTE if mutable or not is_signed(name) else YEAR


FOLDERS = ("metadata", "targets", "shards", "objects")


def is_signed(name: str) -> bool:
    """Whether a name is one of the signed folder's (docs/format/edition-v1.md, section 1)."""
    return name.partition("/")[0] in FOLDERS
