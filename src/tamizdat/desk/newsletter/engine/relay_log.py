# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a relay's log says of mails, by Message-ID: Postfix's format.

::

    … postfix/cleanup[71]: 4F2A1: message-id=<ID@DOMAIN>       it began to take the mail
    … postfix/qmgr[12]: 4F2A1: from=<…>, size=…, nrcpt=1 (queue active)   it took it
    … postfix/smtp[80]: 4F2A1: to=<…>, …, dsn=2.0.0, status=sent (…)      it passed it on

What always holds: a mail counts as taken only where the queue has it (``qmgr``) or it was passed
on; a connection that broke before the final dot leaves only the first line. Read as a stream;
nothing but codes is kept of a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

_ID = re.compile(rb"/cleanup\[\d+\]: ([0-9A-Za-z]+): message-id=<([^@>\s]+)@")
_TAKEN = re.compile(rb"/qmgr\[\d+\]: ([0-9A-Za-z]+): from=<[^>]*>, size=")
_STATUS = re.compile(
    rb"\]: ([0-9A-Za-z]+): to=<[^>]*>.*, dsn=(\d\.\d+\.\d+), status=(sent|bounced|deferred|expired)"
)


class Fate(NamedTuple):
    """What became of a mail that the relay took. ``code`` is its status, where it has one."""

    bounced: bool
    code: str


def look_up(path: Path, wanted: set[str]) -> tuple[dict[str, Fate], datetime]:
    """The fates of those that the relay took, by the part of the Message-ID before the @, and when
    the log was last written to. Raises ``OSError``."""
    queue: dict[bytes, str] = {}
    fates: dict[str, Fate] = {}
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    for line in _lines(path):
        if found := _ID.search(line):
            name = found[2].decode("ascii", "replace")
            queue.pop(found[1], None)  # Numbers of the queue are used again.
            if name in wanted:
                queue[found[1]] = name
        elif (found := _TAKEN.search(line)) and found[1] in queue:
            fates.setdefault(queue[found[1]], Fate(False, "250"))
        elif (found := _STATUS.search(line)) and found[1] in queue:
            bounced = found[3] in (b"bounced", b"expired")
            fates[queue[found[1]]] = Fate(bounced, found[2].decode())
    return fates, written


def _lines(path: Path) -> Iterator[bytes]:
    """The log before this one, where it was turned over, then this one."""
    for file in (path.with_name(f"{path.name}.1"), path):
        if file == path or file.exists():
            with file.open("rb") as lines:
                yield from lines
