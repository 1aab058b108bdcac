# SPDX-License-Identifier: AGPL-3.0-or-later
"""The edition: build the paper, publish into it, read it.

What always holds:

- ``edition.json`` is switched by one rename, after everything it leads to is on the disk and the
  catalogue that belongs to it is committed. A crash before leaves the last paper; a crash after
  is finished by the next run (``_recover``).
- One builder at a time, and it makes sure that the paper is still the one that it began with.
- ``publish`` is all or nothing. ``build`` publishes what it can and names the rest as problems.

What is not done here: what the files hold (``compose``), where they lie (``paths``).
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tamizdat.edition import catalogue as catalogues
from tamizdat.edition import cleanup
from tamizdat.edition.builder import Bench, Build, Last, Progress, open_last
from tamizdat.edition.catalogue import Catalogue
from tamizdat.edition.errors import EditionError, StoreError
from tamizdat.edition.index import Index, Known, Nodes, Subtree
from tamizdat.edition.media import MediaSource
from tamizdat.edition.parallel import Pool, Task, calm_collector
from tamizdat.edition.publishing import Publication, Tools, decode_site, encode_site
from tamizdat.edition.reader import Found, Reader
from tamizdat.edition.related import choose
from tamizdat.edition.rows import make_row
from tamizdat.edition.site import Site
from tamizdat.edition.sources import StorySource
from tamizdat.edition.spill import Spill
from tamizdat.edition.store import Pointer, Store, read_pointer, storage_errors
from tamizdat.edition.story import Story
from tamizdat.edition.storylog import StoryLog, log_name
from tamizdat.edition.tree import PASSES, Tree, tops
from tamizdat.edition.views import Card, Renderer
from tamizdat.edition.workshop import ShopPlan
from tamizdat.edition.writer import Writer

if TYPE_CHECKING:  # Workers do not sign: they are spared its imports.
    from tamizdat.edition.signed.signer import Signer

RendererFactory = Callable[[Site], Renderer]
_FEW = 500  # stories; fewer are built faster in one process


class Report(msgspec.Struct, kw_only=True):
    """What a run did. ``pages`` are the HTML pages and ``files`` all files that were written since
    they differ from the last edition's; ``removed`` are gone. ``problems`` say what could not be
    published and what to do. Where nothing changed, ``edition`` is the one there was."""

    edition: int
    stories: int
    pages: int
    files: int
    removed: int
    seconds: float
    full: bool
    problems: list[str] = []


def page_renderer(site: Site) -> Renderer:
    """The renderer that papers have."""
    from tamizdat.edition.render import PageRenderer  # Readers of an edition need no templates.

    return PageRenderer(site)


def utc_now() -> datetime:
    return datetime.now(UTC)


class Edition:
    """A folder with a paper in it. ``tree`` keeps a copy as plain files, ``brotli`` compresses
    what is written, ``workers`` is the number of processes of a full build. Without ``media``
    files that stories show are no part of the paper unless they are in it already. ``signer``
    signs each edition when it is out.

    Every method that writes raises ``BusyError`` where another builder works here and
    ``StoreError`` where the folder cannot be written; the last paper stays whole."""

    def __init__(
        self,
        folder: Path,
        *,
        media: MediaSource | None = None,
        tree: bool = True,
        brotli: bool = False,
        workers: int = 2,
        clock: Callable[[], datetime] = utc_now,
        renderer: RendererFactory = page_renderer,
        signer: Signer | None = None,
    ) -> None:
        self.folder = Path(folder).absolute()
        self._signer = signer
        self._media = media
        self._store = Store(self.folder, brotli=brotli)
        self._tree = Tree(self._store) if tree else None
        self._workers = workers
        self._clock = clock
        self._factory = renderer
        self._renderer: tuple[Site, Renderer] | None = None
        self._cards: tuple[Pointer | None, dict[int, Card]] = (None, {})
        self._nodes: Nodes = {}
        self._known: Known = {}
        self._reader = Reader(self.folder)

    @property
    def number(self) -> int:
        """The number of the edition published now; 0 where nothing was built."""
        pointer = self._reader.pointer()
        return pointer.edition if pointer else 0

    def read(self, path: str) -> Found | None:
        """What readers find at a path now; None where nothing lies there."""
        return self._reader.read(path)

    def related(self, story: Story, site: Site) -> list[Card]:
        """Published stories to show under this one, best first, at most ``site.read_more``. Empty
        where nothing was built yet. Raises ``StoryError``."""
        with storage_errors(self.folder):
            if not (self.folder / catalogues.NAME).exists():
                return []
            row = make_row(story, self._renderer_of(site), site, datetime.max.replace(tzinfo=UTC))
            with Catalogue(self.folder / catalogues.NAME, "read") as catalogue:
                return choose(catalogue, row, site.read_more) if catalogue.usable else []

    def needs_build(self, site: Site) -> bool:
        """True where only a whole build will do: nothing was built yet, the furniture of every
        page changed, or the catalogue is lost."""
        with storage_errors(self.folder):
            pointer = self._store.pointer_bytes()
            if not pointer or not (self.folder / catalogues.NAME).exists():
                return True
            try:
                with Catalogue(self.folder / catalogues.NAME, "read") as catalogue:
                    return self._outdated(catalogue, site)
            except sqlite3.DatabaseError:
                return True

    def publish(self, stories: Sequence[Story], site: Site) -> Report:
        """Put new, corrected and withdrawn stories into the paper; what does not show them is not
        touched. Raises ``StoryError`` (nothing was published then), and ``StoreError`` that says
        so where the whole paper must be built first."""
        return self._change(stories, site)

    def refresh(self, site: Site) -> Report:
        """Make the fronts, the newsroom's own pages and the lists' titles as the site says now,
        and forget what was news two days ago."""
        return self._change((), site)

    def build(self, source: StorySource, site: Site, *, progress: Progress | None = None) -> Report:
        """Build the whole paper from its stories. ``progress`` is told stories done and their
        total. Stories that cannot be published are named in the report's problems; their last
        published version stays."""
        site.check()
        began = time.monotonic()
        folder = storage_errors(self.folder)
        with folder, calm_collector(), self._store.exclusive() as lock, self._marked():
            with contextlib.suppress(sqlite3.DatabaseError, StoreError, OSError):
                self._recover()  # What is damaged is made anew.
            report = self._build(source, site, progress or (lambda *_: None), lock)
            self._sign(report)
        report.seconds = time.monotonic() - began
        return report

    def resign(self) -> bool:
        """Sign what is out and not signed yet, and the timestamp where it is a day old; whether
        anything was signed. Raises ``EditionError`` where it cannot be."""
        if self._signer is None or not self._signer.ready:
            return False
        with storage_errors(self.folder), self._store.exclusive():
            pointer = self._store.pointer()
            if pointer is None:
                return False
            signed = self._signer.follow(Index(self._store), pointer)
            return self._signer.resign() or signed

    # A few stories

    def _change(self, stories: Sequence[Story], site: Site) -> Report:
        site.check()
        began = time.monotonic()
        with storage_errors(self.folder), self._store.exclusive():
            if self.needs_build(site):
                raise StoreError(
                    f"the paper in {self.folder} must be built whole first (it is new, its theme "
                    "or furniture changed, or its catalogue is lost): tamizdat edition build"
                )
            with self._marked() as unfinished:
                self._recover()
                with Catalogue(self.folder / catalogues.NAME) as catalogue:
                    report = self._publish(catalogue, stories, site, sweep=unfinished)
            self._follow(report)
            self._sign(report)
        report.seconds = time.monotonic() - began
        return report

    def _publish(
        self, catalogue: Catalogue, stories: Sequence[Story], site: Site, *, sweep: bool
    ) -> Report:
        pointer = self._present(catalogue)
        self._known.clear()
        log = StoryLog(self.folder / catalogue.meta("log").decode(), write=True)
        tree = Subtree(pointer.root, pointer.files)
        writer = Writer(self._store, self._index(), tree, pointer.edition + 1)
        catalogue.db.execute("BEGIN IMMEDIATE")
        try:
            cleanup.collect(catalogue, self._store, self._kept(pointer.edition))
            tools = Tools(
                catalogue, log, self._renderer_of(site), site, writer, self._media, self._clock(),
                self._take_cards(pointer),
            )  # fmt: skip
            publication = Publication(tools)
            publication.apply(stories)
            last, present = catalogue.meta("site"), encode_site(site)
            publication.compose(decode_site(last))
            if present != last:
                catalogue.set_meta("site", present)
            self._commit(catalogue, writer, pointer, sweep=sweep)
            self._cards = (self._store.pointer(), tools.cards)
        except BaseException:
            if catalogue.db.in_transaction:
                catalogue.db.execute("ROLLBACK")
            raise
        finally:
            log.close()
        pages, files, removed = writer.totals()
        edition = writer.edition if writer.changes else pointer.edition
        return Report(
            edition=edition, stories=len(stories), pages=pages, files=files, removed=removed,
            seconds=0.0, full=False,
        )  # fmt: skip

    def _index(self) -> Index:
        return Index(self._store, self._nodes, self._known)

    def _take_cards(self, present: Pointer) -> dict[int, Card]:
        """The cards at hand where the last run here made the present paper, for one run."""
        made, cards = self._cards
        self._cards = (None, {})
        return cards if made == present else {}

    def _commit(
        self, catalogue: Catalogue, writer: Writer, before: Pointer, *, sweep: bool
    ) -> None:
        """Everything on the disk, then the catalogue, then the pointer."""
        if not writer.changes:
            catalogue.db.execute("COMMIT")
            return
        tree = writer.finish(catalogue)
        if sweep:
            cleanup.sweep(catalogue, self._store, writer.index, tree.root, writer.edition)
        raw = self._new_pointer(writer.edition, tree)
        catalogue.set_meta("pointer", raw)
        self._store.sync()
        self._unmoved(before)
        catalogue.db.execute("COMMIT")
        self._store.switch(raw)

    # All stories

    def _build(self, source: StorySource, site: Site, progress: Progress, lock: int) -> Report:
        before = self._store.pointer_bytes()
        edition = self._last_number(before) + 1
        work = self.folder / "building"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        count = source.count()
        plan = ShopPlan(
            self.folder, work / catalogues.NAME, self.folder / log_name(edition), site,
            self._factory, self._clock(), edition, self._store.brotli,
        )  # fmt: skip
        plan.log.unlink(missing_ok=True)
        self._furniture(site)  # What is made ready now need not be in each worker.
        workers = self._workers if count > _FEW else 1
        with contextlib.ExitStack() as opened, Pool(plan, workers, lock) as pool:
            opened.callback(shutil.rmtree, work, ignore_errors=True)
            opened.enter_context(self._store.syncing())  # A thread: workers begin before it.
            log = opened.enter_context(contextlib.closing(StoryLog(plan.log, write=True)))
            catalogue = opened.enter_context(Catalogue(plan.catalogue, "bulk"))
            spill = opened.enter_context(contextlib.closing(Spill(work / "spill.sqlite3")))
            if last := self._last():
                opened.callback(last.close)
            bench = Bench(catalogue, log, spill, pool, site, self._media, last, progress)
            report = self._run(Build(bench), source, site, plan, before)
            self._lay_out(pool, report)
        progress(count, count)
        return report

    def _run(
        self, build: Build, source: StorySource, site: Site, plan: ShopPlan, before: bytes
    ) -> Report:
        stories = build.stories(source)
        build.lists()
        catalogue, index = build.catalogue, Index(self._store)
        tree, totals = build.index(index, self._last_root(before), plan.edition)
        raw = self._new_pointer(plan.edition, tree)
        for key, value in {
            "pointer": raw,
            "site": encode_site(site),
            "log": plan.log.name.encode(),
            "furniture": self._furniture(site),
        }.items():
            catalogue.set_meta(key, value)
        cleanup.sweep(catalogue, self._store, index, tree.root, plan.edition)
        build.close()
        self._store.sync()
        if self._store.pointer_bytes() != before:
            raise StoreError(f"the paper in {self.folder} changed while it was built: build again")
        self._replace_catalogue(plan.catalogue)
        self._store.switch(raw)
        self._remove_logs(plan.log.name)
        return Report(
            edition=plan.edition, stories=stories, pages=totals.pages, files=totals.files,
            removed=totals.removed, seconds=0.0, full=True, problems=build.problems,
        )  # fmt: skip

    def _last_number(self, pointer: bytes) -> int:
        """The number of the last edition, also where its pointer is damaged."""
        with contextlib.suppress(StoreError):
            found = read_pointer(pointer, self.folder)
            return found.edition if found else self._signer.number if self._signer else 0
        try:
            with Catalogue(self.folder / catalogues.NAME, "read") as catalogue:
                found = read_pointer(catalogue.meta("pointer"), self.folder)
                return found.edition if found else 0
        except (sqlite3.Error, StoreError):
            return self._signer.number if self._signer else 0  # Else numbers begin again.

    def _last_root(self, pointer: bytes) -> str:
        with contextlib.suppress(StoreError):
            found = read_pointer(pointer, self.folder)
            return found.root if found else ""
        return ""

    def _last(self) -> Last | None:
        """The last paper's stories; its garbage goes now, all of it."""
        path = self.folder / catalogues.NAME
        with contextlib.suppress(sqlite3.DatabaseError, StoreError):
            if path.exists():
                with Catalogue(path) as catalogue:
                    pointer = self._present(catalogue)
                    cleanup.collect(catalogue, self._store, self._kept(pointer.edition), -1)
                    log = self.folder / catalogue.meta("log").decode()
                return open_last(path, log)
        return None

    def _replace_catalogue(self, new: Path) -> None:
        for suffix in ("-wal", "-shm"):
            (self.folder / f"{catalogues.NAME}{suffix}").unlink(missing_ok=True)
        new.replace(self.folder / catalogues.NAME)

    def _remove_logs(self, present: str) -> None:
        for log in self.folder.glob("stories-*.jsonl"):
            if log.name != present:
                log.unlink(missing_ok=True)

    # The plain tree

    def _lay_out(self, pool: Pool, report: Report) -> None:
        """The tree of a whole build, by all workers."""
        if self._tree is None:
            return None
        index, root = Index(self._store), self._pointer_now().root
        if self._tree.root() != "":
            return self._follow(report)
        try:
            for step in PASSES[:2]:
                list(pool.run(Task("tree", (step, "", top)) for top in tops(index, root)))
            self._tree.settle(root)
        except OSError as error:
            _lagging(report, error)

    def _follow(self, report: Report) -> None:
        """The paper is out by now: where its tree cannot follow, that is a problem, no error."""
        if self._tree is None:
            return
        try:
            self._tree.follow(self._index(), self._pointer_now().root)
        except OSError as error:
            _lagging(report, error)

    # Signatures

    def _sign(self, report: Report) -> None:
        """The paper is out by now: where it cannot be signed, that is a problem, no error."""
        if self._signer is None:
            return
        try:
            self._signer.follow(self._index(), self._pointer_now(), full=report.full)
        except (OSError, EditionError) as error:
            report.problems.append(
                f"the paper is out, but it could not be signed ({error}): readers and mirrors "
                "stay with the edition before; the next run signs it"
            )

    def _kept(self, present: int) -> int:
        """The edition before which nothing is needed: readers still use the one signed last."""
        if self._signer is None or not self._signer.ready:
            return present
        return min(present, self._signer.edition)

    # What holds it together

    @contextlib.contextmanager
    def _marked(self) -> Iterator[bool]:
        """Mark work under way; tells whether former work was cut short and left files behind."""
        marker = self.folder / "unfinished"
        found = marker.exists()
        marker.touch()
        yield found
        marker.unlink(missing_ok=True)

    def _recover(self) -> None:
        """Finish what a crash cut short: the switch, where the catalogue is one ahead; the tree."""
        path = self.folder / catalogues.NAME
        if path.exists():
            with Catalogue(path) as catalogue:
                ahead = catalogue.meta("pointer") if catalogue.usable else b""
            new, old = read_pointer(ahead, self.folder), self._store.pointer()
            if new and new.edition == (old.edition if old else 0) + 1:
                self._store.switch(ahead)
        pointer = self._store.pointer()
        if pointer and self._tree is not None:
            self._tree.follow(self._index(), pointer.root)

    def _present(self, catalogue: Catalogue) -> Pointer:
        raw = self._store.pointer_bytes()
        pointer = read_pointer(raw, self.folder)
        if pointer is None or not catalogue.usable or catalogue.meta("pointer") != raw:
            raise StoreError(
                f"the catalogue in {self.folder} is not that of the paper: build the whole paper"
            )
        return pointer

    def _pointer_now(self) -> Pointer:
        pointer = self._store.pointer()
        if pointer is None:
            raise StoreError(f"{self.folder}/edition.json is gone: build the whole paper")
        return pointer

    def _unmoved(self, before: Pointer) -> None:
        if self._store.pointer() != before:
            raise StoreError(f"the paper in {self.folder} was changed by another program meanwhile")

    def _outdated(self, catalogue: Catalogue, site: Site) -> bool:
        if not catalogue.usable or catalogue.meta("furniture") != self._furniture(site):
            return True
        found = read_pointer(catalogue.meta("pointer"), self.folder)
        present = self._store.pointer()
        ahead = found.edition - present.edition if found and present else -1
        log = self.folder / catalogue.meta("log").decode()
        return ahead not in (0, 1) or (ahead == 0 and found != present) or not log.exists()

    def _furniture(self, site: Site) -> bytes:
        """Changes when every page does."""
        parts = [self._renderer_of(site).fingerprint, site.address, site.timezone]
        parts += [language.code for language in site.languages]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest().encode()

    def _renderer_of(self, site: Site) -> Renderer:
        if self._renderer is None or self._renderer[0] != site:
            self._renderer = (site, self._factory(site))
        return self._renderer[1]

    def _new_pointer(self, edition: int, tree: Subtree) -> bytes:
        built = f"{self._clock().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        pointer = Pointer(edition=edition, root=tree.root, files=tree.size, built=built)
        return msgspec.json.encode(pointer) + b"\n"


def published_site(folder: Path) -> Site | None:
    """The site as the paper in a folder was built with; None where that is not known."""
    path = folder / catalogues.NAME
    with contextlib.suppress(sqlite3.Error, msgspec.DecodeError, OSError):
        if path.exists():
            with Catalogue(path, "read") as catalogue:
                return decode_site(catalogue.meta("site")) if catalogue.usable else None
    return None


def _lagging(report: Report, error: OSError) -> None:
    report.problems.append(
        f"the paper is out, but its plain tree could not follow ({error.strerror or error}): "
        "free or mend the disk; the next run does the rest"
    )
