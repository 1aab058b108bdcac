# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers get from a mirror: looks at its public address as one of them would.

What always holds: it reads a few kB and believes nothing that is not proven; whatever a server
does, a look ends, and says so in words. It looks like any reader: no cookie, no name of ours.

What is not done here: pushing, when to look (``rounds``), noting what was seen (``state``).
"""

from __future__ import annotations

import random
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import urllib3

from tamizdat.config import MirrorSettings
from tamizdat.edition.signed import layout
from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.errors import MissingError, UnreachableError, VerifyError
from tamizdat.edition.signed.fetch import HttpFetcher
from tamizdat.edition.signed.shards import Slot
from tamizdat.edition.store import compressible
from tamizdat.mirrors.state import Look

SILENCE: Final = 5.0  # seconds; tried three times
LAG: Final = 900.0  # seconds that caches and volunteers may be behind
LONGEST: Final = 300  # seconds for which what is replaced may be kept
_SHARDS: Final = 8  # that are tried at most: a third of a sealed paper's may be empty
_LARGEST: Final = 500_000  # bytes of the object that is tried
_ORIGIN: Final = "https://reader.example"  # any: what is sent for one must be sent for all
_AGE = re.compile(r"(?:^|[,\s])(?:s-maxage|max-age)\s*=\s*\"?(\d+)", re.IGNORECASE)


def announced(mirrors: Sequence[MirrorSettings]) -> dict[str, str]:
    """Public addresses by the name under which a look is noted."""
    return {mirror.name or mirror.url: mirror.url for mirror in mirrors if mirror.url}


def look_at_all(
    places: dict[str, str], known: dict[str, Look], look: Callable[[str, Look | None], Look]
) -> dict[str, Look]:
    """All of them side by side."""
    with ThreadPoolExecutor(max(1, min(8, len(places)))) as pool:
        asked = {n: pool.submit(look, url, known.get(n)) for n, url in places.items()}
        return {name: found.result() for name, found in asked.items()}


def look(url: str, root: bytes, ours: int, now: float, before: Look | None = None) -> Look:
    """Look at a mirror's public address. ``root`` is the newsroom's first one, ``ours`` the
    edition that should be there."""
    fetch = _Noticing(url)
    try:
        edition, word, error = _read(fetch, root, now)
    except (VerifyError, OSError) as failure:
        edition, (word, error) = None, _said(failure)
    finally:
        fetch.close()
    behind = _first(before.behind if before else None, now, edition is not None and edition < ours)
    if not word and behind is not None and now - behind > LAG:
        word = "old for readers"
        error = f"readers find edition {edition} there, ours is {ours}: is its copy refreshed?"
    since = _first(before.since if before else None, now, bool(word))
    return Look(
        url=url, checked=now, edition=edition, word=word, error=error, since=since, behind=behind
    )


def _first(before: float | None, now: float, still: bool) -> float | None:
    return (before if before is not None else now) if still else None


def _read(fetch: _Noticing, root: bytes, now: float) -> tuple[int, str, str]:
    """The edition there, and a word and a sentence of what readers lack. Raises ``VerifyError``."""
    clock = datetime.fromtimestamp(now, UTC)
    with tempfile.TemporaryDirectory(prefix="tamizdat-look-") as state:
        reader = SignedReader(fetch, Path(state), root, lambda: clock, parallel=2)
        edition = reader.refresh()
        _try_one(reader)
    word, error = next(_lacking(fetch), ("", ""))
    return edition.number, word, error


def _try_one(reader: SignedReader) -> None:
    """Read an object of the edition: any, but one that travels packed where there is one. Raises
    ``VerifyError``."""
    found: list[Slot] = []
    for index, record in reader.edition.records.items():
        shards = 1 << record.depth if record.count else 0
        for number in random.sample(range(shards), min(_SHARDS, shards)):
            found += [
                slot
                for slot in reader.shard(index, number).shard.slots()
                if slot.status == layout.OK and 0 < slot.length <= _LARGEST
            ]
            packed = [slot for slot in found if compressible(layout.media_type(slot.media))]
            if packed:
                reader.object(random.choice(packed))  # noqa: S311 - guards nothing
                return
    if found:
        reader.object(random.choice(found))  # noqa: S311 - as above


def _lacking(fetch: _Noticing) -> Iterator[tuple[str, str]]:
    """What its web server does not send."""
    for name, headers in fetch.heads.items():
        if headers.get("Access-Control-Allow-Origin") != "*":
            yield (
                "closed to readers",
                f"{name} comes without Access-Control-Allow-Origin: *, so that readers' browsers "
                "refuse it: see docs/operating/mirrors.md",
            )
        if name.endswith(".br") and headers.get("Content-Encoding") != "br":
            yield (
                "not unpacked",
                f"{name} comes without Content-Encoding: br, so that readers fetch everything "
                "twice, and larger",
            )
        if name in (layout.TIMESTAMP, layout.CURRENT):
            kept = _lifetime(headers)
            if kept is None or kept > LONGEST:
                said = "does not say for how long" if kept is None else f"says for {kept:,} seconds"
                yield (
                    "kept too long",
                    f"{name} {said} it may be kept (Cache-Control): it must be 60 seconds, else "
                    "readers get old editions",
                )


def _lifetime(headers: urllib3.HTTPHeaderDict) -> int | None:
    """Seconds for which caches may keep an answer; None where that is left to them."""
    said = headers.get("Cache-Control", "")
    if re.search(r"no-(?:store|cache)", said, re.IGNORECASE):
        return 0
    ages = [int(age) for age in _AGE.findall(said)]
    return max(ages) if ages else None


def _said(error: VerifyError | OSError) -> tuple[str, str]:
    if isinstance(error, UnreachableError):
        return "no answer to readers", f"readers get no answer: {error}"
    if isinstance(error, MissingError):
        return "empty for readers", f"readers do not find it: {error}"
    if isinstance(error, VerifyError):
        return "false for readers", f"what readers get there is not ours: {error}"
    return "not looked at", f"it could not be looked at from here: {error}"


class _Noticing(HttpFetcher):
    """Remembers with which headers files came."""

    def __init__(self, url: str) -> None:
        super().__init__(url, timeout=SILENCE, connections=2)
        self.heads: dict[str, urllib3.HTTPHeaderDict] = {}

    def _open(self, name: str) -> urllib3.BaseHTTPResponse:
        response = super()._open(name)
        self.heads[name] = response.headers
        return response

    def _headers(self, name: str) -> dict[str, str]:
        # A bucket sends what other origins need only to who names one.
        return {**super()._headers(name), "Origin": _ORIGIN}
