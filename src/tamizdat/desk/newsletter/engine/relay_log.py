# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a relay's log says of mails, by Message-ID: Postfix's format.

::

    … postfix/cleanup[71]: 4F2A1: message-id=<ID@DOMAIN>       it began to take the mail
    … postfix/qmgr[12]: 4F2A1: from=<…>, size=…, nrcpt=1 (queue active)   it took it
    … postfix/smtp[80]: 4F2A1: to=<…>, …, dsn=2.0.0, status=sent (…)      it passed it on

What always holds: a mail counts as taken only where the queue has it (``qmgr``) or it was passed
on; a connection that broke before the final dot leaves only the first line. Read as a stream;
nothing but codes is kept of a line.
When the log begins and ends is told along: of what may have stood before it, it says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

_ID = re.compile(rb"/cleanup\[\d+\]: ([0-9A-Za-z]+): message-id=<([^@>\s]+)@")
_TAKEN = re.compile(rb"/qmgr\[\d+\]: ([0-9A-Za-z]+): from=<[^>]*>, size=")
_STATUS = re.compile(
    rb"\]: ([0-9A-Za-z]+): to=<[^>]*>.*, dsn=(\d\.\d+\.\d+), status=(sent|bounced|deferred|expired)"
)
_SYSLOG = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2}) (\d\d:\d\d:\d\d) ")
_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


class Fate(NamedTuple):
    """What became of a mail that the relay took. ``code`` is its status, where it has one."""

    bounced: bool
    code: str


class Found(NamedTuple):
    """``fates`` of those that the relay took, by the part of the Message-ID before the @. The log
    goes back to ``begins`` (None: nobody can tell) and was last written to at ``written``."""

    fates: dict[str, Fate]
    begins: datetime | None
    written: datetime


def look_up(path: Path, wanted: set[str]) -> Found:
    """What the log says of these. Raises ``OSError``."""
    queue: dict[bytes, str] = {}
    fates: dict[str, Fate] = {}
    written, begins = datetime.fromtimestamp(path.stat().st_mtime, UTC), None
    for number, line in enumerate(_lines(path)):
        if not number:
            begins = _time(line, written)
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
    return Found(fates, begins, written)


def _time(line: bytes, written: datetime) -> datetime | None:
    """When a line was written: ``2026-11-27T07:00:01.5+01:00`` or, in this machine's zone and
    without its year, ``Nov 27 07:00:01``."""
    text = line[:64].decode("ascii", "replace")
    try:
        return datetime.fromisoformat(text.split(" ", 1)[0]).astimezone(UTC)
    except ValueError:
        found = _SYSLOG.match(text)
    if found is None or found[1] not in _MONTHS:
        return None
    month, day, clock = _MONTHS.index(found[1]) + 1, int(found[2]), found[3]
    for year in (written.year + 1, written.year, written.year - 1):
        try:
            wall = datetime.fromisoformat(f"{year}-{month:02}-{day:02}T{clock}")
        except ValueError:
            continue
        told = wall.replace(tzinfo=_zone()).astimezone(UTC)
        if told <= written + timedelta(days=1):
            return told
    return None


def _zone() -> tzinfo:
    """This machine's own: Django has set another for this process."""
    try:
        with Path("/etc/localtime").open("rb") as file:
            return ZoneInfo.from_file(file)
    except (OSError, ValueError):
        return UTC


def _lines(path: Path) -> Iterator[bytes]:
    """The log before this one, where it was turned over, then this one."""
    for file in (path.with_name(f"{path.name}.1"), path):
        if file == path or file.exists():
            with file.open("rb") as lines:
                yield from lines
