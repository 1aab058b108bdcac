# SPDX-License-Identifier: AGPL-3.0-or-later
"""A reader of the demo's paper who has its three mirrors and nothing else.

What always holds: a page counts as read only when the verifying reader proved it from the
newsroom's root. A mirror that does not answer in time is left alone for some pages, for longer
each time; one that lies is asked in its turn, and refused each time.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tamizdat.cli.demo_check import CheckError
from tamizdat.cli.demo_mirrors import DemoMirror
from tamizdat.edition.signed.client import SignedReader
from tamizdat.edition.signed.errors import VerifyError
from tamizdat.edition.signed.fetch import HttpFetcher

PATIENCE: Final = (1.0, 5.0, 20.0)  # seconds without an answer; more where nobody answered
_RATE = 20_000  # bytes a second: what is slower counts as not answering
_LONGER = 4  # times as many pages, after each failure


class Told(msgspec.Struct):
    """How it went with a mirror: pages taken from it, and attempts of which nothing was taken, as
    it was false (``lies``), too slow or not there."""

    name: str
    kind: str
    url: str
    served: int = 0
    refused: int = 0
    lies: int = 0


class _Source:
    """One mirror, as this reader knows it."""

    def __init__(self, mirror: DemoMirror, state: Path, root: bytes) -> None:
        self.told = Told(mirror.name, mirror.kind, mirror.settings.url)
        self._readers = [
            SignedReader(
                HttpFetcher(mirror.settings.url, timeout=patience, rate=_RATE), state, root
            )
            for patience in PATIENCE
        ]
        self._failures = 0
        self._again_at = 0

    def rests(self, turn: int) -> bool:
        return turn < self._again_at

    def read(self, path: str, turn: int, attempt: int) -> bool:
        """Whether the page came from here and was proven."""
        try:
            self._readers[attempt].read(path)
        except VerifyError as error:
            self.told.refused += 1
            self.told.lies += error.permanent
            if not error.permanent:
                self._again_at = turn + _LONGER**self._failures + 1
                self._failures += 1
            return False
        self.told.served += 1
        self._failures = 0
        return True


def cope(
    mirrors: Sequence[DemoMirror],
    root: bytes,
    pages: Sequence[str],
    stopped: Callable[[], bool] = lambda: False,
) -> list[Told]:
    """Read every page through the mirrors, beginning with another one each time; how it went with
    each. Raises ``CheckError`` where a page could be had from none."""
    with tempfile.TemporaryDirectory(prefix="tamizdat-") as folder:
        sources = [_Source(mirror, Path(folder) / mirror.name, root) for mirror in mirrors]
        for turn, page in enumerate(pages):
            if stopped():
                break
            if not _read(sources, page, turn):
                raise CheckError(f"{page} could not be read, and proven, from any of the mirrors")
    return [source.told for source in sources]


def _read(sources: Sequence[_Source], page: str, turn: int) -> bool:
    first = turn % len(sources)
    order = [*sources[first:], *sources[:first]]
    for attempt in range(len(PATIENCE)):
        asked = [s for s in order if attempt or not s.rests(turn)]
        if any(source.read(page, turn, attempt) for source in asked):
            return True
    return False


def pages_of(tree: Path) -> Iterator[str]:
    """The paths of the pages that lie in the plain files, as readers ask for them; not those of
    the fragments that pages pull in."""
    for file in sorted(tree.rglob("*.html")):
        if "fragments" not in file.relative_to(tree).parts:
            yield "/" + file.relative_to(tree).as_posix().removesuffix("index.html")
