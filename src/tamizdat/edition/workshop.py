# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a worker does in a full build: stories to rows, and pages to objects.

What always holds: a worker reads the catalogue, which nobody writes meanwhile, and writes
objects and parts of the index; only the builder writes the catalogue and joins the parts. A story
that cannot be published is named in the answer and stops nothing else.

What is not done here: sharing out the work (``builder``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from tamizdat.edition import media, paths
from tamizdat.edition.batches import Batch, Placed, batch
from tamizdat.edition.catalogue import Catalogue, Kept
from tamizdat.edition.compose import Composer, Output
from tamizdat.edition.errors import StoryError
from tamizdat.edition.index import Index, Subtree, differences
from tamizdat.edition.merging import Merge, last_entries
from tamizdat.edition.rows import peek_uri, read_row
from tamizdat.edition.site import ListingKind, Site
from tamizdat.edition.spill import Spilled, settled, spilled
from tamizdat.edition.store import Store
from tamizdat.edition.storylog import StoryLog
from tamizdat.edition.survey import Surveyed, survey
from tamizdat.edition.tree import Tree
from tamizdat.edition.views import Renderer
from tamizdat.edition.writer import make_entry

Place = tuple[int, int]
Made = list[Spilled]


class Failure(NamedTuple):
    """A story that cannot be published: its uri (empty where it has none), and why."""

    uri: str
    message: str


class Part(NamedTuple):
    """A part of the index: its digit, its tree, and how many HTML pages and files differ from the
    last index and are gone."""

    digit: str
    tree: Subtree
    counts: tuple[int, int, int]


class ShopPlan(NamedTuple):
    """Everything a worker needs to begin."""

    folder: Path
    catalogue: Path
    log: Path
    site: Site
    renderer: Callable[[Site], Renderer]
    now: datetime
    edition: int
    brotli: bool

    def open(self) -> Workshop:
        return Workshop(self)


class Workshop:
    """The tasks. Arguments and results are plain, since they cross between processes."""

    def __init__(self, plan: ShopPlan) -> None:
        self._plan = plan
        self._store = Store(plan.folder, brotli=plan.brotli)
        self._renderer = plan.renderer(plan.site)
        self._log: StoryLog | None = None
        self._catalogue: Catalogue | None = None
        self._composer: Composer | None = None
        self._turn = -1

    def close(self) -> None:
        if self._catalogue is not None:
            self._catalogue.close()
        if self._log is not None:
            self._log.close()

    def rows(self, first: int, places: list[Place]) -> tuple[int, Batch, list[Failure]]:
        """The rows of stories in the log, with ids from ``first`` on; withheld ones are left
        out. Answers with ``first``, so that what comes in any order can be put in one."""
        plan, failures = self._plan, []
        found: list[Placed] = []
        for place in places:
            raw = self._read(place)
            try:
                row = read_row(raw, self._renderer, plan.site, plan.now)
            except StoryError as error:
                failures.append(Failure(peek_uri(raw), str(error)))
            else:
                if row is not None:
                    found.append(Placed(row, place))
        return first, batch(found, first), failures

    def stories(self, turn: int, first: int, last: int) -> tuple[Made, list[Failure]]:
        """The pages of the stories with ids in a range."""
        composer = self._at(turn)
        assert self._catalogue is not None  # noqa: S101 (made by _at)
        kept = list(self._catalogue.range(first, last))
        try:
            return self._make(composer.stories(kept)), []
        except StoryError:
            return self._one_by_one(composer, kept)

    def _one_by_one(self, composer: Composer, kept: list[Kept]) -> tuple[Made, list[Failure]]:
        made: Made = []
        failures = []
        for one in kept:
            try:
                made += self._make(composer.stories([one]))
            except StoryError as error:
                failures.append(Failure(one.row.uri, str(error)))
        return made, failures

    def survey(self, turn: int, numbers: list[int]) -> list[Surveyed]:
        """What is to be said of lists, counted and cut into volumes."""
        self._at(turn)
        assert self._catalogue is not None  # noqa: S101 (made by _at)
        zone = paths.zone(self._plan.site.timezone)
        return [survey(self._catalogue, number, zone) for number in numbers]

    def periods(self, turn: int, wanted: list[tuple[int, int]]) -> Made:
        composer = self._at(turn)
        return self._make(o for number, month in wanted for o in composer.period(number, month))

    def volumes(self, turn: int, wanted: list[tuple[int, int]]) -> Made:
        composer = self._at(turn)
        return self._make(o for number, first in wanted for o in composer.volume(number, first))

    def fronts(self, turn: int, wanted: list[tuple[ListingKind, str, str]]) -> Made:
        composer = self._at(turn)
        return self._make(o for one in wanted for o in composer.listing_front(*one))

    def indexes(self, turn: int, kind: ListingKind, language: str) -> Made:
        return self._make(self._at(turn).kind_index(kind, language))

    def months(self, turn: int, months: list[int]) -> Made:
        composer = self._at(turn)
        return self._make(o for month in months for o in composer.month(month)[0])

    def feeds(self, turn: int, language: str, sections: list[str]) -> Made:
        composer = self._at(turn)
        return self._make(o for section in sections for o in composer.feeds(language, section))

    def newsletters(self, turn: int, language: str, slugs: list[str]) -> Made:
        composer = self._at(turn)
        made = self._make(o for slug in slugs for o in composer.newsletter(language, slug))
        return made + self._make(composer.newsletters(language))

    def language(self, turn: int, language: str) -> Made:
        composer = self._at(turn)
        made = self._make(composer.front(language, self._plan.edition))
        return made + self._make(composer.fragments(language))

    def site(self, turn: int) -> Made:
        composer = self._at(turn)
        made = self._make(composer.furniture())
        return made + self._make(composer.sitemap_index()) + self._make(composer.news())

    def adopt(
        self, wanted: list[tuple[str, str, Path | None]]
    ) -> list[tuple[str, str, int | None]]:
        """Copy files into the edition: path, sha-256 and length, None where it is missing."""
        found = []
        for path, sha256, source in wanted:
            length = media.adopt(self._store, _Known(source), sha256)
            found.append((path, sha256, length))
        return found

    def shards(self, spill: Path, last: str, digits: str) -> tuple[list[Part], list[bytes]]:
        """The parts of the index whose keys begin with these digits, and the sha-256 of what
        stands at no path since something else does."""
        made: list[Part] = []
        left_out: list[bytes] = []
        index = Index(self._store)
        for digit, entries in settled(spill, self._plan.edition, digits, left_out):
            merge = Merge(last_entries(index, last, digit))
            part = index.build_part(merge.run(entries))
            made.append(Part(digit, part, (merge.pages, merge.files, merge.removed)))
        return made, left_out

    def tree(self, step: str, before: str, root: str) -> None:
        """Lay out what changed between two subtrees of the index."""
        Tree(self._store).run(step, differences(Index(self._store), before, root))

    def _read(self, place: Place) -> bytes:
        if self._log is None:
            self._log = StoryLog(self._plan.log)
        return self._log.read(*place)

    def _at(self, turn: int) -> Composer:
        """The composer of this turn: the catalogue changes between turns, never in one."""
        if self._turn != turn or self._composer is None:
            if self._catalogue is not None:
                self._catalogue.close()
            self._catalogue = Catalogue(self._plan.catalogue, "built")
            self._log = self._log or StoryLog(self._plan.log)
            plan = self._plan
            self._composer = Composer(
                self._catalogue, self._log, self._renderer, plan.site, plan.now
            )
            self._turn = turn
        return self._composer

    def _make(self, outputs: Iterable[Output]) -> Made:
        store, edition = self._store, self._plan.edition
        return [spilled(make_entry(store, output, edition), output.rank) for output in outputs]


class _Known(NamedTuple):
    path: Path | None

    def file(self, sha256: str) -> Path | None:
        return self.path
