# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which backups this machine made: ``run/backups.json``, so that ``shred`` can name the copies."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from tamizdat.config import Newsroom

NAME = "backups.json"
MOST = 200


class Made(msgspec.Struct, frozen=True):
    """One backup: when (RFC 3339), where, and where its copy of the vault's key."""

    made: str
    backup: str
    key: str = ""


def read(newsroom: Newsroom) -> list[Made]:
    """The backups made, oldest first; none where the list is missing or damaged."""
    try:
        return msgspec.json.decode((newsroom.run / NAME).read_bytes(), type=list[Made])
    except (OSError, msgspec.DecodeError):
        return []


def note(newsroom: Newsroom, made: Made) -> None:
    """Write one down."""
    newsroom.run.mkdir(mode=0o700, exist_ok=True)
    known = [*read(newsroom), made][-MOST:]
    aside = newsroom.run / f".{NAME}.{os.getpid()}"
    aside.write_bytes(msgspec.json.encode(known))
    aside.replace(newsroom.run / NAME)


def copies_of_the_key(newsroom: Newsroom) -> list[Path]:
    """Where copies of the vault's key were put; those that are known to be gone are left out
    (a medium that is not mounted may still hold one)."""
    paths = [Path(made.key) for made in read(newsroom) if made.key]
    return [path for path in dict.fromkeys(paths) if path.exists() or not path.parent.exists()]
