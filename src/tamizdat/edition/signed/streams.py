# SPDX-License-Identifier: AGPL-3.0-or-later
"""Large files, proven while they come: nothing of them is held in memory but the present part.

What always holds: what went through ``proven`` to its end is the entry's bytes; before the end it
is not, so who writes it down gives it its name afterwards. Nothing is unpacked beyond the length
of the entry.

What is not done here: fetching (``fetch``), naming files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Iterator
from typing import IO, Final

import brotli

from tamizdat.edition.signed.errors import TamperedError
from tamizdat.edition.signed.fetch import Fetcher, Streaming
from tamizdat.edition.signed.shards import Slot

_PART: Final = 1 << 16


def parts_of(fetch: Fetcher, name: str, limit: int) -> Generator[bytes, None, None]:
    """A file of a copy, part by part; as ``fetch`` says, errors too. Close it where its end is not
    waited for: a connection hangs on it."""
    if isinstance(fetch, Streaming):
        yield from fetch.stream(name, limit)
    else:
        yield fetch.fetch(name, limit)


def proven(parts: Iterable[bytes], slot: Slot) -> Iterator[bytes]:
    """The same parts, held to the entry. Raises ``TamperedError``, at their end at the latest."""
    digest, length = hashlib.sha256(), 0
    for part in parts:
        length += len(part)
        if length > slot.length:
            break
        digest.update(part)
        yield part
    if length != slot.length or digest.digest() != slot.sha256:
        raise TamperedError(f"{slot.sha256.hex()} has other bytes than its name says")


def unpacked(parts: Iterable[bytes]) -> Iterator[bytes]:
    """What brotli packed, in parts of a bounded size. Raises ``TamperedError``."""
    decompressor = brotli.Decompressor()
    try:
        for part in parts:
            made = decompressor.process(part, output_buffer_limit=_PART)
            while made:
                yield made
                if decompressor.is_finished():
                    break
                made = decompressor.process(b"", output_buffer_limit=_PART)
    except brotli.error as error:
        raise TamperedError("it is not compressed with brotli, or goes on after its end") from error
    if not decompressor.is_finished():
        raise TamperedError("it does not end where its entry says")


def copied(parts: Iterable[bytes], file: IO[bytes]) -> Iterator[bytes]:
    """The same parts, written down as they pass."""
    for part in parts:
        file.write(part)
        yield part


def through(parts: Iterable[bytes]) -> None:
    """Take all of them, for the sake of what is raised."""
    for _ in parts:
        pass
