# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of stories made ready for the catalogue, by whoever read them.

What always holds: a batch is a function of its rows and their ids, and holds all that the
catalogue gets of them but the numbers it gives to lists and files itself. What is sorted here is
quick to insert: a full build's one catalogue waits for nothing else as long.

What is not done here: writing (``catalogue``), what a row says (``rows``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from tamizdat.edition.rows import StoryRow
from tamizdat.edition.site import ListingKind

Columns = tuple[int, str, int, str, str, bool, int, int, str, str, bytes, int, int]
"""Of ``stories`` all but ``detail``, which comes last."""


class Placed(NamedTuple):
    """A row, and where its story lies in the log: start and length in bytes."""

    row: StoryRow
    place: tuple[int, int]


class Shown(NamedTuple):
    """A story's ``Detail`` as JSON, cut where the ids of its files belong; which of the batch's
    files they are."""

    before: bytes
    files: tuple[int, ...]
    after: bytes


class Group(NamedTuple):
    """The members that one list gets: period, rank and id of each."""

    kind: ListingKind
    language: str
    slug: str
    members: list[tuple[int, int, int]]


class Batch(msgspec.Struct, array_like=True):
    """``files``: each with the number of stories that show it; ``refs``: uri and story; ``former``:
    path and story. It crosses between processes as one MessagePack, which is much quicker than
    parts in pickles."""

    stories: list[Columns]
    details: list[Shown]
    groups: list[Group]
    files: list[tuple[str, int]]
    refs: list[tuple[str, int]]
    former: list[tuple[str, int]]

    def __reduce__(self) -> tuple[Callable[[bytes], Batch], tuple[bytes]]:
        return _unpack, (_pack(self),)


_pack = msgspec.msgpack.Encoder().encode
_unpacker = msgspec.msgpack.Decoder(Batch)
_encode = msgspec.json.Encoder().encode


def _unpack(raw: bytes) -> Batch:
    return _unpacker.decode(raw)


def batch(rows: Iterable[Placed], first: int) -> Batch:
    """The batch of rows whose stories have the ids from ``first`` on."""
    made = Batch([], [], [], [], [], [])
    groups: dict[tuple[ListingKind, str, str], list[tuple[int, int, int]]] = {}
    numbers: dict[str, int] = {}
    counts: Counter[str] = Counter()
    for story, (r, (start, length)) in enumerate(rows, first):
        language, rank = r.language, r.rank
        made.stories.append(
            (
                story, r.uri, r.version, language, r.path, r.live, r.month, rank, r.updated,
                r.translation, r.card, start, length,
            )
        )  # fmt: skip
        files = tuple([numbers.setdefault(path, len(numbers)) for path in r.files])
        counts.update(r.files)
        before, after = _encode((r.memberships, r.related)), _encode(r.former)
        made.details.append(Shown(before[:-1] + b",[", files, b"]," + after + b"]"))
        for kind, slug, _, period in r.memberships:
            key = (kind, language, slug)
            if (group := groups.get(key)) is None:
                group = groups[key] = []
            group.append((period, rank, story))
        made.refs += [(uri, story) for uri in r.related]
        made.former += [(path, story) for path in r.former]
    for group in groups.values():
        group.sort()  # Neighbours in a tree are quicker to insert one after another.
    made.refs.sort()
    made.former.sort()
    made.groups = [Group(*key, members) for key, members in groups.items()]
    made.files = [(path, counts[path]) for path in numbers]
    return made
