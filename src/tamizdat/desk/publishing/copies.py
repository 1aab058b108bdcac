# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the paper's mirrors stand, for the dashboard and the publish panel: pure reading.

What always holds: it reads small files of the newsroom's folder and asks no mirror, so it is as
quick with a dead one; mirrors added while the desk runs are seen. Trouble with these files costs
the display and nothing else.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.utils import formats, timezone

from tamizdat.config import ConfigError, MirrorSettings, Newsroom
from tamizdat.mirrors import words
from tamizdat.mirrors.errors import MirrorError
from tamizdat.mirrors.state import Standing
from tamizdat.mirrors.work import Work, pushed

log = logging.getLogger("tamizdat.publishing")


@dataclass(frozen=True)
class Copy:
    """One mirror: its name, one word, what there is to know, whether a person must act."""

    name: str
    word: str
    words: str
    bad: bool


@dataclass(frozen=True)
class Copies:
    """All of them: a sentence, and each."""

    words: str
    mirrors: list[Copy]


@dataclass(frozen=True)
class Spread:
    """How far an edition is: a sentence, empty where there are no mirrors; ``going`` while it is
    on its way to one that is well."""

    words: str = ""
    going: bool = False


NOWHERE = Spread()


def of_paper() -> Copies | None:
    """The newest signed edition on the mirrors; None where there are no mirrors."""
    try:
        standings = _standings()
        if not standings:
            return None
        edition = Work(settings.NEWSROOM).source.head().edition
    except (MirrorError, sqlite3.Error, OSError) as error:
        log.warning("how the mirrors stand is not known: %s", error)
        return Copies(f"Not known just now: {error}", [])
    shown = [
        Copy(s.name, words.word(s, edition), words.detail(s, edition, _when), bool(s.trouble))
        for s in standings
    ]
    return Copies(words.summary(standings, edition, _when), shown)


def of_edition(edition: int, *, withdrawn: bool = False) -> Spread:
    """How far this edition is on its way to the mirrors."""
    try:
        standings = _standings()
    except (sqlite3.Error, OSError) as error:
        log.warning("how the mirrors stand is not known: %s", error)
        return NOWHERE
    verb = "Withdrawn" if withdrawn else "Live"
    going = any(not s.trouble and not s.is_live(edition) for s in standings)
    return Spread(words.summary(standings, edition, _when, verb=verb), going)


def _standings() -> Sequence[Standing]:
    mirrors = _mirrors()
    state = Work(settings.NEWSROOM).state
    return state.all(mirror.name for mirror in mirrors) if mirrors else []


def _mirrors() -> list[MirrorSettings]:
    """Those in the settings file as it is now."""
    newsroom: Newsroom = settings.NEWSROOM
    try:
        found = newsroom.settings_file.stat()
        return _read(newsroom.folder, found.st_mtime_ns, found.st_ino)
    except (ConfigError, OSError):  # It is being written, or was spoilt: the worker says so.
        return pushed(newsroom)


@lru_cache(maxsize=4)
def _read(folder: Path, changed: int, inode: int) -> list[MirrorSettings]:
    return pushed(Newsroom(folder))


def _when(seconds: float) -> str:
    local = timezone.localtime(datetime.fromtimestamp(seconds, UTC))
    today = local.date() == timezone.localdate()
    return formats.date_format(local, "H:i" if today else "j F, H:i")
