# SPDX-License-Identifier: AGPL-3.0-or-later
"""The whole of an import: an importer's results, in batches, into the desk.

What always holds:

- A batch is one transaction; an import that was interrupted goes on where it was when it is run
  again, as what is there already is found by its key.
- What an editor has touched is never overwritten; what did not change in its source is not
  touched.
- One item that cannot be written costs only itself: its batch is then written one by one.
- Memory is that of one batch, of the terms, and 8 bytes for each item's key.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from tamizdat.desk.newsroom import actions as newsroom
from tamizdat.desk.newsroom.errors import NewsroomError
from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.publishing import actions, problems
from tamizdat.desk.publishing.errors import PublishingError
from tamizdat.desk.publishing.intake import articles, pages, pictures, publish
from tamizdat.desk.publishing.intake.articles import Draft
from tamizdat.desk.publishing.intake.report import Report
from tamizdat.desk.publishing.intake.terms import Terms
from tamizdat.edition.errors import EditionError
from tamizdat.edition.paths import former
from tamizdat.importers import Importer, Left, Part, Taken

BATCH = 100
_BY_QUERY = (
    "addresses such as /?p=7 differ only after the question mark: the paper is files, which cannot "
    "tell them apart, so they lead to the front page; the other old addresses lead to their stories"
)
Progress = Callable[[int, int, int], None]
_OURS = (DatabaseError, PublishingError, NewsroomError, EditionError, ValidationError, LookupError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """``publish`` what was published at its source; ``dry_run`` writes nothing."""

    publish: bool = False
    dry_run: bool = False


def take_in(importer: Importer, options: Options, progress: Progress | None = None) -> Report:
    """Import everything. ``progress`` is told bytes done, bytes in all, and items taken."""
    intake = _Intake(importer, options)
    started = time.monotonic()
    for number, batch in enumerate(intake.batches()):
        intake.store(batch)
        if progress is not None and number % 2 == 0:
            progress(importer.done, importer.total, intake.report.taken)
    intake.tell_of_addresses()
    if options.publish and not options.dry_run:
        publish.finish()
    intake.report.seconds = time.monotonic() - started
    return intake.report


class _Intake:
    """One run."""

    def __init__(self, importer: Importer, options: Options) -> None:
        self.importer = importer
        self.options = options
        self.report = Report(importer.format, dry_run=options.dry_run)
        self.terms = Terms()
        self.publisher = publish.Publisher(publish.Related())
        self.default: str = settings.NEWSROOM.settings.languages[0]
        self.seen: set[int] = set()
        self.queries = 0

    def batches(self) -> Iterator[list[Taken]]:
        """The taken items in batches; everything else goes into the report at once."""
        batch: list[Taken] = []
        for result in self.importer:
            if isinstance(result, Left):
                self.report.leave(result)
            elif isinstance(result, Part):
                self.report.parts += 1
            elif hash(result.key) in self.seen:
                why = "an item with the same name came before it in this source"
                self.report.leave(Left(result.story.headline or result.key, why))
            else:
                self.seen.add(hash(result.key))
                self.queries += sum("?" in p and former(p) is None for p in result.old_paths)
                batch.append(result)
            if len(batch) >= BATCH:
                yield batch
                batch = []
        if batch:
            yield batch

    def tell_of_addresses(self) -> None:
        """Former addresses of the stories that were taken for which there can be no page."""
        if self.queries:
            self.report.leave(Left("former addresses", _BY_QUERY, self.queries, inside=True))

    def store(self, batch: Sequence[Taken]) -> None:
        """Take in one batch."""
        for taken in batch:
            if taken.kind == "page":
                self._guarded(taken, self._page)
        stories = [t for t in batch if t.kind == "story"]
        known = self._known(stories)
        fresh = [t for t in stories if t.key[:255] not in known]
        self._new(fresh)
        for taken in stories:
            if article := known.get(taken.key[:255]):
                self._guarded(taken, self._again, article)

    @staticmethod
    def _known(batch: Sequence[Taken]) -> dict[str, Article]:
        keys = [t.key[:255] for t in batch]
        found = {str(a.import_key): a for a in Article.objects.filter(import_key__in=keys)}
        uris = {t.story.uri: t.key[:255] for t in batch if t.key[:255] not in found}
        for article in Article.objects.filter(story_uri__in=list(uris)):
            found[uris[article.story_uri]] = article
        return found

    def _guarded(self, taken: Taken, work: Callable[..., None], *args: Any) -> None:
        """Do one item; where it cannot be done, say so and go on."""
        try:
            work(taken, *args)
        except _OURS as error:
            self.terms.forget()
            self.report.leave(
                Left(taken.story.headline or taken.key, f"it cannot be taken: {error}", failed=True)
            )

    def _page(self, taken: Taken) -> None:
        known = pages.known(taken)
        if known is not None:
            if self._goes_out(taken) and known.published is None and not self.options.dry_run:
                newsroom.publish_page(page=known, acting_user=None)
                self.report.updated += 1
            else:
                self.report.unchanged += 1
            return
        notes = list(taken.notes)
        if not self.options.dry_run:
            notes = pages.take(
                taken, self.terms, publish=self.options.publish, default=self.default
            )
        self.report.new += 1
        self.report.pages += 1
        self._tell(taken, notes)

    def _new(self, batch: Sequence[Taken]) -> None:
        if not batch:
            return
        if self.options.dry_run:
            for taken in batch:
                self._count_new(taken, [*taken.notes, *pictures_missing(taken)], live=False)
            return
        try:
            self._write(batch)
        except _OURS:
            # One of them cannot be written: one by one, so that only that one is left out.
            self.terms.forget()
            for taken in batch:
                self._guarded(taken, lambda one: self._write([one]))

    def _write(self, batch: Sequence[Taken]) -> None:
        media = [pictures.take(t, renditions=self._goes_out(t)) for t in batch]
        before = (self.publisher.count, self.publisher.versions)
        try:
            with transaction.atomic():
                drafts = [
                    articles.build(
                        t, self.terms, m, format_=self.importer.format, default=self.default
                    )
                    for t, m in zip(batch, media, strict=True)
                ]
                articles.write(drafts)
                self.publisher.publish([d for d in drafts if self._goes_out(d.taken)])
        except _OURS:
            self.publisher.count, self.publisher.versions = before
            raise
        for draft in drafts:
            self.report.photos += draft.media.new
            self._count_new(draft.taken, draft.notes, live=bool(draft.article.path))
        self.report.versions = self.publisher.versions

    def _goes_out(self, taken: Taken) -> bool:
        return bool(taken.versions) or (self.options.publish and not taken.draft)

    def _count_new(self, taken: Taken, notes: Sequence[str], *, live: bool) -> None:
        self.report.new += 1
        if live or (self.options.dry_run and self._goes_out(taken)):
            self.report.published += 1
        else:
            self.report.drafts += 1
        self._tell(taken, notes)

    def _tell(self, taken: Taken, notes: Sequence[str]) -> None:
        for note in notes:
            self.report.change(taken, note)

    def _again(self, taken: Taken, article: Article) -> None:
        """An item that is here already: leave it, bring it up to date, or publish it now."""
        same = article.imported_from == articles.fingerprint(taken, self.importer.format)
        touched = article.edited_by_id is not None
        waits = self._goes_out(taken) and not article.live and article.withdrawn_at is None
        if taken.versions or touched or (same and not waits):
            if touched and not same:
                self.report.change(
                    taken, "it changed in the source; an editor changed it here: kept"
                )
            self.report.unchanged += 1
            return
        done = self.options.dry_run or self._update(taken, article, changed=not same)
        if done:
            self.report.updated += 1
        else:
            self.report.unchanged += 1

    @transaction.atomic
    def _update(self, taken: Taken, article: Article, *, changed: bool) -> bool:
        """Bring an article up to date. Returns whether anything was done."""
        notes: list[str] = []
        if changed:
            media = pictures.take(taken, renditions=self._goes_out(taken))
            articles.fill(article, taken, self.terms, media, notes)
            article.imported_from = articles.fingerprint(taken, self.importer.format)
            Article.objects.filter(pk=article.pk).update(imported_from=article.imported_from)
            article.save_revision(log_action=True)
        blocking = [p.words for p in problems.of(article) if p.blocking]
        notes += [f"it stays as it was: {words}" for words in blocking]
        publishing = (article.live or self._goes_out(taken)) and not blocking
        if publishing:
            actions.publish_article(article=article, acting_user=None)
            self.report.published += 1
        self._tell(taken, notes)
        return changed or publishing


def pictures_missing(taken: Taken) -> list[str]:
    """What a dry run can tell of photos."""
    return pictures.missing_words([p for p in taken.photos if p.path is None])


__all__ = ["BATCH", "Draft", "Options", "take_in"]
