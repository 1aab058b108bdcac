# SPDX-License-Identifier: AGPL-3.0-or-later
"""Empties the Maildir into which the mail server of this machine puts what comes back.

What always holds: a mail is removed after what follows from it is in the database, and acts once
even where the process dies between the two (``reports``). Only plain files in ``new/`` are read.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.outgoing import reports
from tamizdat.mail.reports import MOST

AT_ONCE = 1_000


def folder_of(newsroom: Newsroom) -> Path | None:
    """The Maildir of the settings, relative to the newsroom's folder or a whole path."""
    named = newsroom.settings.mail.reports
    return newsroom.folder / named if named else None


def empty(newsroom: Newsroom, *, stopped: Callable[[], bool] = lambda: False) -> int:
    """Take in what lies in ``new/``, the oldest first; how many.

    Raises ``ConfigError`` where there is no such folder, else what ``reports.take`` does; what was
    not taken stays.
    """
    folder = folder_of(newsroom)
    if folder is None:
        return 0
    taken = 0
    for path in _waiting(folder / "new"):
        if stopped():
            break
        data = _read(path)
        if data is not None:
            reports.take(newsroom, data)
            path.unlink(missing_ok=True)
            taken += 1
    return taken


def _waiting(folder: Path) -> list[Path]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name[:1] != ".")
    except OSError as error:
        raise ConfigError(
            f"[mail] reports: {folder} cannot be read ({error.strerror}). It has to be a Maildir "
            "that the desk may read and empty; see docs/operating/mail.md."
        ) from error
    return [folder / name for name in names[:AT_ONCE]]


def _read(path: Path) -> bytes | None:
    """The beginning of a plain file; None for anything else, and where another worker took it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None  # A symbolic link is no mail.
        raise ConfigError(f"{path.parent}: a mail cannot be read ({error.strerror})") from error
    with os.fdopen(handle, "rb") as file:
        return file.read(MOST) if stat.S_ISREG(os.fstat(handle).st_mode) else None
