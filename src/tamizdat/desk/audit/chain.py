# SPDX-License-Identifier: AGPL-3.0-or-later
"""The audit trail as a chain of hashes (docs/operating/audit.md is its specification).

What always holds:

- An entry is canonical JSON: one way to write what was done, by whom, to what, when.
- A row's hash covers its entry, its number and the hash before it, so no row can be changed,
  removed, put in or moved without every later hash changing.
- No address of anybody is in an entry: what looks like one is replaced where the entry is made.

What is not done here: the database (``models``, ``triggers``), files (``anchors``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

NOTHING_BEFORE = "0" * 64
MOST_DATA = 10_000
MOST_LABEL = 300
_ADDRESS = re.compile(r"[^\s@<>\"'(),;:]+@[^\s@<>\"'(),;:]+")


class Row(NamedTuple):
    """One row as it is kept. ``previous`` and ``hash``: lower-case hex."""

    number: int
    entry: str
    previous: str
    hash: str


class Anchor(NamedTuple):
    """What was noted outside the database: then, the newest row had this number and hash."""

    number: int
    hash: str
    noted: str


def entry(
    *,
    time: datetime,
    action: str,
    account: int | None = None,
    name: str = "",
    object: str = "",
    label: str = "",
    data: Mapping[str, Any] | None = None,
) -> str:
    """The canonical JSON of one thing that was done. ``object`` is ``app.model:id``, or empty."""
    told = plain(dict(data or {}))
    if len(canonical(told)) > MOST_DATA:
        told = {"left_out": f"more than {MOST_DATA} characters"}
    return canonical(
        {
            "account": account,
            "action": action,
            "data": told,
            "label": plain(label)[:MOST_LABEL],
            "name": name,
            "object": object,
            "time": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "v": 1,
        }
    )


def canonical(value: Any) -> str:
    """JSON with members in the order of their names, no spaces, nothing escaped without need."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def plain(value: Any) -> Any:
    """The same in JSON's own kinds, numbers whole, without addresses and half characters."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        # In order: of two names that are the same without their addresses, the last one stays.
        named = sorted(((str(name), one) for name, one in value.items()), key=lambda pair: pair[0])
        return {str(plain(name)): plain(one) for name, one in named}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return _ADDRESS.sub("(address)", text.encode("utf-8", "replace").decode())


def hash_of(entry: str, number: int, previous: str) -> str:
    """SHA-256 over ``{"entry":…,"number":…,"previous":"…"}``, in hex."""
    text = f'{{"entry":{entry},"number":{number},"previous":"{previous}"}}'
    return hashlib.sha256(text.encode()).hexdigest()


def faults(rows: Iterable[Row], anchors: Iterable[Anchor] = ()) -> Iterator[str]:
    """What is wrong with a trail, in words; nothing where it is whole.

    ``rows`` come in the order of their numbers. Each fault is told where it shows; what stands
    after one is compared with what is there, so that one fault is told once.
    """
    noted: dict[int, list[Anchor]] = {}
    for anchor in anchors:
        noted.setdefault(anchor.number, []).append(anchor)
    number, previous = 0, NOTHING_BEFORE
    for row in rows:
        yield from _faults_of(row, number, previous)
        for anchor in noted.pop(row.number, ()):
            if anchor.hash != row.hash:
                yield f"row {row.number} is not the one that was noted on {anchor.noted}"
        number, previous = row.number, row.hash
    for at in sorted(at for at in noted if at):
        yield f"row {at} was there on {noted[at][0].noted} and is gone; the trail ends at {number}"


def _faults_of(row: Row, number: int, previous: str) -> Iterator[str]:
    if row.number != number + 1:
        yield f"after row {number} comes row {row.number}: rows were taken out or put in"
    elif row.previous != previous:
        yield f"row {row.number} does not follow row {number}: one of them was put in or changed"
    if row.hash != hash_of(row.entry, row.number, row.previous):
        yield f"row {row.number} was changed"
