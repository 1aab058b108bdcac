# SPDX-License-Identifier: AGPL-3.0-or-later
"""Building the whole paper from its stories.

What always holds:

- Stories stream: nothing is held in memory for each of them. The parent writes the story log and
  the catalogue; workers read the log, render, write objects and, of a large paper, the index.
- A story that cannot be published is named among the problems and stops nothing else: its last
  published version stays if there is one and it still renders, else it is left out.
- The paper is built beside the last one; the caller switches.

What is not done here: the lock and the switch (``paper``), what a page holds (``compose``).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tamizdat.edition import paths
from tamizdat.edition.batches import Batch
from tamizdat.edition.catalogue import Catalogue
from tamizdat.edition.index import EMPTY, STREAMED, Entry, Index, Subtree
from tamizdat.edition.media import MediaSource
from tamizdat.edition.merging import Merge, last_entries
from tamizdat.edition.parallel import Pool, Task
from tamizdat.edition.publishing import INDEXED
from tamizdat.edition.site import Site
from tamizdat.edition.sources import StorySource
from tamizdat.edition.spill import Spill, spilled
from tamizdat.edition.storylog import StoryLog
from tamizdat.edition.workshop import Failure

BATCH = 200
_ROWS = 500  # at once into the catalogue: sorted, they are quicker to insert
_PROBLEMS = 1000
_DIGITS = "0123456789abcdef"
_T = TypeVar("_T")
Progress = Callable[[int, int], None]


class Last(NamedTuple):
    """The last paper's catalogue and story log: where a broken story's last version is."""

    catalogue: Catalogue
    log: StoryLog

    def close(self) -> None:
        self.catalogue.close()
        self.log.close()


class Bench(NamedTuple):
    """What a build works with; all of it is new but ``last``."""

    catalogue: Catalogue
    log: StoryLog
    spill: Spill
    pool: Pool
    site: Site
    media: MediaSource | None
    last: Last | None
    progress: Progress


class Totals(NamedTuple):
    """What differs from the last paper: HTML pages, files of any kind, files removed."""

    pages: int
    files: int
    removed: int


class Build:
    """One full build: ``stories``, then ``lists``, then ``index``."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._catalogue = bench.catalogue
        self._turn = 0
        self._done = 0
        self._total = 1
        self.catalogue = bench.catalogue
        self._rescued: set[str] = set()
        self.problems: list[str] = []

    def stories(self, source: StorySource) -> int:
        """Catalogue all stories and make their pages; returns how many there are."""
        self._total = max(1, source.count())
        self._catalogue.db.execute("BEGIN")
        broken: list[Failure] = []
        for rows, failures in self._rows(source):
            self._catalogue.insert_batch(rows)
            broken += failures[: _PROBLEMS - len(broken)]
            self._advance(len(rows.stories) + len(failures), self._total * 2)
        self._resolve_duplicates()
        for failure in broken:
            self._rescue(failure)
        self._resolve_addresses()
        self._pages()
        return self._ids()[2]

    def _rows(self, source: StorySource) -> Iterator[tuple[Batch, list[Failure]]]:
        """Rows in the order of their stories: that of ids, in which they are quick to insert."""
        waiting: dict[int, tuple[Batch, list[Failure]]] = {}
        due = 1
        for first, rows, failures in self._bench.pool.run(self._log_tasks(source)):
            waiting[first] = rows, failures
            while due in waiting:
                yield waiting.pop(due)
                due += _ROWS

    def _log_tasks(self, source: StorySource) -> Iterator[Task]:
        for number, items in enumerate(_batches(source.raw_stories(), _ROWS)):
            yield Task("rows", (1 + number * _ROWS, self._bench.log.append(items)))

    def _resolve_duplicates(self) -> None:
        """Of a story that came more than once, keep the newest version."""
        try:
            self._catalogue.add_indexes()
        except sqlite3.IntegrityError:
            db = self._catalogue.db
            db.execute("CREATE INDEX duplicates ON stories (uri)")
            query = "SELECT uri FROM stories GROUP BY uri HAVING count(*) > 1"
            for (uri,) in db.execute(query).fetchall():
                order = (
                    "SELECT id FROM stories WHERE uri = ? "
                    "ORDER BY version DESC, updated DESC, id DESC"
                )
                ids = [number for (number,) in db.execute(order, [uri])]
                for kept in list(self._catalogue.stories(ids[1:])):
                    self._catalogue.delete(kept)
            db.execute("DROP INDEX duplicates")
            self._catalogue.add_indexes()

    def _resolve_addresses(self) -> None:
        """Of two stories that claim one address, the one published first keeps it."""
        query = "SELECT path FROM stories GROUP BY path HAVING count(*) > 1"
        for (path,) in self._catalogue.db.execute(query).fetchall():
            order = "SELECT id FROM stories WHERE path = ? ORDER BY rank, uri"
            ids = [number for (number,) in self._catalogue.db.execute(order, [path])]
            kept = {one.id: one for one in self._catalogue.stories(ids)}
            for number in ids[1:]:
                self._problem(
                    f"two stories claim the address {path}: {kept[ids[0]].row.uri} has it, "
                    f"{kept[number].row.uri} is left out. Give it another slug."
                )
                self._catalogue.delete(kept[number])

    def _rescue(self, failure: Failure) -> bool:
        """Put the last published version of a broken story in its place."""
        last = self._bench.last
        old = last.catalogue.story(failure.uri) if last and failure.uri else None
        if not (last and old) or self._catalogue.story(failure.uri):
            self._problem(f"left out: {failure.message}")
            return False
        place = self._bench.log.append([last.log.read(old.start, old.length)])
        task = Task("rows", (self._catalogue.next_id(), place))
        for _, rows, failures in self._bench.pool.run([task]):
            self._catalogue.insert_batch(rows)
            if failures or not rows.stories:
                self._problem(f"left out: {failure.message}")
                return False
        self._problem(f"its last published version stays: {failure.message}")
        return True

    # Pages of stories

    def _pages(self) -> None:
        first, last, _ = self._ids()
        turn = self._next_turn()
        cuts = self._cuts(first, last + 1)
        made = self._run([self._page_tasks(turn, *cut) for cut in pairwise(cuts)], BATCH)
        broken = [failure for failures in made for failure in failures]
        if broken:
            self._drop(broken)

    def _cuts(self, first: int, after: int) -> list[int]:
        """Where each worker's share begins, and the end of the last one."""
        size = self._bench.pool.size
        return [first + (after - first) * worker // size for worker in range(size + 1)]

    def _page_tasks(self, turn: int, first: int, after: int) -> Iterator[Task]:
        for start in range(first, after, BATCH):
            yield Task("stories", (turn, start, min(start + BATCH, after) - 1))

    def _run(self, shares: Iterable[Iterable[Task]], step: int) -> list[list[Failure]]:
        found = []
        for made, failures in self._bench.pool.run(*shares):
            self._bench.spill.add(made)
            self._advance(step, self._total * 2)
            if failures:
                found.append(failures)
        return found

    def _drop(self, broken: list[Failure]) -> None:
        """Replace stories whose pages cannot be made, and make anew what leads to them."""
        while broken:
            again: set[int] = set()
            self._catalogue.db.execute("BEGIN")
            for failure in broken:
                again |= self._take_out(failure)
            turn = self._next_turn()
            broken = []
            tasks = (Task("stories", (turn, number, number)) for number in sorted(again))
            for made, failures in self._bench.pool.run(tasks):
                self._bench.spill.replace(made)
                broken += failures

    def _take_out(self, failure: Failure) -> set[int]:
        """Returns the ids of the stories to make again."""
        kept = self._catalogue.story(failure.uri)
        if kept is None:
            return set()
        self._catalogue.delete(kept)
        again = set(self._catalogue.references(failure.uri))
        for group in self._catalogue.translations([kept.row.translation]).values():
            again.update(number for number, _, _ in group)
        if failure.uri in self._rescued:
            self._problem(f"left out: {failure.message}")
        elif self._rescue(failure):
            self._rescued.add(failure.uri)
            rescued = self._catalogue.story(failure.uri)
            again.update([rescued.id] if rescued else [])
        return again

    # Lists

    def lists(self) -> None:
        """Count, name and make every list, feed and sitemap, and the paper's other files."""
        self._count()
        turn = self._next_turn()
        for made in self._bench.pool.run(*self._list_shares(turn)):
            self._bench.spill.add(made)
        if self._bench.media is not None:
            self._media(self._bench.media)

    def _count(self) -> None:
        """Workers look at the lists, and nobody writes meanwhile; then what they found is kept."""
        db, turn = self._catalogue.db, self._next_turn()
        numbers = db.execute("SELECT id FROM listings").fetchall()
        parts = _batches((number for (number,) in numbers), 16)
        found = list(chain(*self._bench.pool.run(Task("survey", (turn, part)) for part in parts)))
        self._begin()
        db.execute(
            "INSERT INTO periods SELECT listing, period, count(*) FROM members "
            "WHERE listing IN (SELECT id FROM listings WHERE kind = 'site') GROUP BY 1, 2"
        )
        db.execute(
            "INSERT INTO months SELECT month, max(updated) FROM stories WHERE live = 1 GROUP BY 1"
        )
        for one in found:
            values = [one.stories, one.title, one.listing]
            db.execute("UPDATE listings SET stories = ?, title = ? WHERE id = ?", values)
            self._catalogue.set_volumes(one.listing, (), one.volumes)

    def _list_tasks(self, turn: int) -> Iterator[Task]:
        db, site = self._catalogue.db, self._bench.site
        yield Task("site", (turn,))
        for language in site.languages:
            code = language.code
            slugs = {row.slug for row in self._catalogue.listings("section", code)}
            slugs |= {section.slug for section in language.sections}
            yield Task("language", (turn, code))
            for part in _batches(["", *sorted(slugs)], 8):
                yield Task("feeds", (turn, code, part))
            for kind in INDEXED:
                yield Task("indexes", (turn, kind, code))
            yield Task("fronts", (turn, [("section", code, slug) for slug in sorted(slugs)]))
            letters = {row.slug for row in self._catalogue.listings("newsletter", code)}
            if site.letters.drops:
                letters |= {letter.slug for letter in language.newsletters}
            yield Task("newsletters", (turn, code, sorted(letters)))
        query = (
            "SELECT kind, language, slug FROM listings "
            "WHERE stories > 0 AND kind NOT IN ('site', 'section', 'newsletter')"
        )
        for fronts in _batches(db.execute(query), 16):
            yield Task("fronts", (turn, fronts))
        for months in _batches(self._catalogue.months(), 4):
            yield Task("months", (turn, [month for month, _ in months]))

    def _list_shares(self, turn: int) -> list[Iterator[Task]]:
        """All lists. Older pages go by time, a stretch of it for each worker, so that one that has
        cards at hand makes all pages that show them."""
        periods, volumes = self._shares("periods", "period"), self._shares("volumes", "first")
        shares: list[Iterator[Task]] = [
            chain(
                (Task("periods", (turn, part)) for part in _batches(months, 4)),
                (Task("volumes", (turn, part)) for part in _batches(begun, 16)),
            )
            for months, begun in zip(periods, volumes, strict=True)
        ]
        shares[0] = chain(self._list_tasks(turn), shares[0])
        return shares

    def _shares(self, table: str, column: str) -> list[Iterable[tuple[int, int]]]:
        """The older pages of lists in one of their tables, divided among the workers."""
        db = self._catalogue.db
        count: int = db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 (constants)
        query = f"SELECT listing, {column} FROM {table} ORDER BY 2 LIMIT ? OFFSET ?"  # noqa: S608 (constants)
        cuts = pairwise(self._cuts(0, count))
        return [db.execute(query, [after - first, first]) for first, after in cuts]

    def _media(self, media: MediaSource) -> None:
        found = ((path, sha, media.file(sha)) for path, sha in self._catalogue.shown_files())
        tasks = (Task("adopt", (part,)) for part in _batches(found, 16))
        missing: set[str] = set()
        for results in self._bench.pool.run(tasks):
            for path, sha256, length in results:
                if length is None:
                    missing.add(path)
                else:
                    entry = Entry(path, sha256, length, 0, paths.media_type(path))
                    self._bench.spill.add([spilled(entry)])
        for path, uri in self._catalogue.shown_by(missing).items() if missing else ():
            self._problem(f"story {uri}: the file {path} is missing")

    # The index

    def index(self, index: Index, last: str, edition: int) -> tuple[Subtree, Totals]:
        """Write the index. What did not change keeps the edition in which it last did."""
        spill = self._bench.spill
        self._begin()  # Everything from here to ``close`` is one transaction.
        count = spill.settle()
        if count > STREAMED:
            return self._parts(index, last)
        left_out: list[bytes] = []
        entries = spill.entries(edition, left_out)
        merge = Merge(last_entries(index, last))
        tree = index.build(merge.run(entries), len(entries))
        spill.count_objects(self._catalogue)
        spill.leave_out(self._catalogue, left_out)
        return tree, Totals(merge.pages, merge.files, merge.removed)

    def _parts(self, index: Index, last: str) -> tuple[Subtree, Totals]:
        """The same by all workers, while objects are counted here."""
        children, totals = dict.fromkeys(_DIGITS, EMPTY), [0, 0, 0]
        left_out: list[bytes] = []
        for made, others in self._bench.pool.run(self._part_tasks(last)):
            left_out += others
            for digit, part, counts in made:
                children[digit] = part
                totals = [sum(pair) for pair in zip(totals, counts, strict=True)]
        self._bench.spill.leave_out(self._catalogue, left_out)
        return index.join(list(children.values())), Totals(*totals)

    def _part_tasks(self, last: str) -> Iterator[Task]:
        spill, size = self._bench.spill, self._bench.pool.size
        for worker in range(size):
            yield Task("shards", (spill.path, last, _DIGITS[worker::size]))
        spill.count_objects(self._catalogue)  # When all have something to do.

    # Small things

    def close(self) -> None:
        """Close what the catalogue and the log are written through, before the switch."""
        if self._catalogue.db.in_transaction:
            self._catalogue.db.execute("COMMIT")
        self._catalogue.close()

    def _ids(self) -> tuple[int, int, int]:
        query = "SELECT coalesce(min(id), 1), coalesce(max(id), 0), count(*) FROM stories"
        found: tuple[int, int, int] = self._catalogue.db.execute(query).fetchone()
        return found

    def _begin(self) -> None:
        if not self._catalogue.db.in_transaction:
            self._catalogue.db.execute("BEGIN")

    def _next_turn(self) -> int:
        """Let workers see the catalogue as it is now."""
        if self._catalogue.db.in_transaction:
            self._catalogue.db.execute("COMMIT")
        self._turn += 1
        return self._turn

    def _advance(self, step: int, total: int) -> None:
        self._done = min(self._done + step, total)
        self._bench.progress(self._done // 2, self._total)

    def _problem(self, message: str) -> None:
        if len(self.problems) < _PROBLEMS:
            self.problems.append(message)


def open_last(catalogue: Path, log: Path) -> Last | None:
    """The last paper's stories, or None where there is no paper or it cannot be read."""
    if not (catalogue.exists() and log.exists()):
        return None
    try:
        found = Catalogue(catalogue, "read")
        if found.usable:
            return Last(found, StoryLog(log))
        found.close()
    except sqlite3.Error:
        return None  # A damaged catalogue is no loss: it is made anew from the stories.
    return None


def _batches(items: Iterable[_T], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch
