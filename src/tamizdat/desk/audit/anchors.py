# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newest number and hash of the trail, noted outside of the database.

What always holds: a line (``2026-11-22T21:00:00Z NUMBER HASH``) is appended, flushed to the disk
and never rewritten; what a crash left of one is cut off. Whoever rewrites the whole trail, or cuts
off its end, cannot make it fit a copy of this file that lies elsewhere.
"""

from __future__ import annotations

import fcntl
import os
import re
from datetime import UTC, datetime
from pathlib import Path

from tamizdat.desk.audit.chain import Anchor
from tamizdat.desk.audit.errors import AnchorsError
from tamizdat.desk.audit.models import Record

NAME = "audit-anchors.log"
_LONGEST = 256  # bytes of a line, more than any has
_LINE = re.compile(r"(\S{1,40}) ([0-9]{1,18}) ([0-9a-f]{64})\Z")


def note(run: Path, now: datetime) -> Anchor:
    """Append the newest number and hash to ``run/audit-anchors.log``."""
    number, hash_ = Record.newest()
    anchor = Anchor(number, hash_, now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    run.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run / NAME, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        # Another worker may start just now; the lock goes with the descriptor.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _cut_torn_line(descriptor)
        os.write(descriptor, f"{anchor.noted} {anchor.number} {anchor.hash}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return anchor


def _cut_torn_line(descriptor: int) -> None:
    """Take off what a crash left of a line, or the next one would be glued to it."""
    length = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, _LONGEST, max(0, length - _LONGEST))
    torn = len(tail) - (tail.rfind(b"\n") + 1)
    if torn and torn < _LONGEST:
        os.ftruncate(descriptor, length - torn)


def read(path: Path) -> list[Anchor]:
    """Every line of such a file. Raises ``AnchorsError``. A last line cut short by a crash is
    passed over."""
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise AnchorsError(f"cannot read the anchors in {path}: {error}") from error
    lines = text.split("\n")[:-1]
    return [_anchor(line, f"{path}, line {at}") for at, line in enumerate(lines, 1)]


def _anchor(line: str, where: str) -> Anchor:
    found = _LINE.match(line)
    if not found:
        raise AnchorsError(f"{where} is not an anchor: it should read TIME NUMBER HASH")
    return Anchor(int(found[2]), found[3], found[1])
