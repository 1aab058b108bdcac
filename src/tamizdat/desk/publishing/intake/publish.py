# SPDX-License-Identifier: AGPL-3.0-or-later
"""Imported articles to stories, many together.

What always holds: what an editor's Publish refuses (``problems``) is refused here too and stays a
draft; versions are appended by ``versions`` alone; nothing is built until the import is through
(``finish``), then everything in one go. Versions of our own export are appended as they are, byte
for byte.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.publishing import problems, queue, stories, versions
from tamizdat.desk.publishing.errors import PublishingError
from tamizdat.desk.publishing.intake import records
from tamizdat.desk.publishing.intake.articles import Draft
from tamizdat.desk.publishing.models import BuildRequest, StoryVersion
from tamizdat.edition.story import Story, decode, encode
from tamizdat.edition.views import Card

_RELATED = 4
_KEPT = 12


class Related:
    """Stories of this import by topic and section, the newest few of each, for “Read more”."""

    def __init__(self) -> None:
        self._by_term: defaultdict[str, deque[Card]] = defaultdict(lambda: deque(maxlen=_KEPT))

    def of(self, story: Story) -> list[Card]:
        """Those that share most with it, then the newest."""
        scores: dict[str, int] = {}
        cards: dict[str, Card] = {}
        for term in _terms(story):
            for card in self._by_term.get(term, ()):
                scores[card.uri] = scores.get(card.uri, 0) + (
                    1 if term.startswith("section") else 3
                )
                cards[card.uri] = card
        best = sorted(cards, key=lambda uri: (scores[uri], cards[uri].published), reverse=True)
        return [cards[uri] for uri in best[:_RELATED]]

    def add(self, story: Story) -> None:
        card = Card(
            uri=story.uri,
            path=story.path,
            language=story.language or "",
            headline=story.headline,
            published=story.first_created or "",
            updated=story.version_created or "",
        )
        for term in _terms(story):
            self._by_term[term].append(card)


def _terms(story: Story) -> list[str]:
    return [f"{t.rel} {story.language} {t.literal}" for t in story.subjects if t.literal]


@dataclass(slots=True)
class Publisher:
    """Publishes the drafts of one import."""

    related: Related
    count: int = 0
    versions: int = 0

    def publish(self, drafts: Sequence[Draft]) -> None:
        """Publish these drafts. Call it in the transaction that wrote them."""
        foreign = [d for d in drafts if not d.taken.versions and self._ready(d)]
        own = [d for d in drafts if d.taken.versions]
        if foreign:
            self._foreign(foreign)
        if own:
            self._own(own)

    @staticmethod
    def _ready(draft: Draft) -> bool:
        found = [p.words for p in problems.of(draft.article) if p.blocking]
        draft.notes += [f"it stays a draft: {words}" for words in found]
        return not found

    def _foreign(self, drafts: Sequence[Draft]) -> None:
        now = timezone.now()
        taken: set[str] = set()
        news: list[versions.New] = []
        for draft in drafts:
            story = self._story(draft, taken)
            story = stories.with_related(story, self.related.of(story))
            self.related.add(story)
            draft.article.path = story.path
            draft.article.last_published_at = now
            news.append(_new(draft, story))
        versions.append_many(news, request=None)
        _live([d.article for d in drafts])
        self.count += len(drafts)
        self.versions += len(drafts)

    @staticmethod
    def _story(draft: Draft, taken: set[str]) -> Story:
        """The first version of its story, at an address that nobody has."""
        article = draft.article
        first = article.first_published_at or article.created_at
        article.first_published_at = first
        slug = article.slug
        number = 1
        while (path := stories.free_path(article, first)) in taken:
            number += 1
            article.slug = f"{slug[:95]}-{number}"
        taken.add(path)
        return stories.story_from_article(
            article,
            version=1,
            first=first,
            now=max(article.updated_at, first),
            path=path,
            former=[old for old in draft.taken.old_paths if old != path],
        )

    def _own(self, drafts: Sequence[Draft]) -> None:
        """Append every version of our own export exactly as it was."""
        longest = max(len(d.taken.versions) for d in drafts)
        for number in range(longest):
            news = [
                _new(d, _unchanged(d.taken.versions[number]))
                for d in drafts
                if number < len(d.taken.versions)
            ]
            versions.append_many(news, request=None)
            self.versions += len(news)
        for draft in drafts:
            last = decode(draft.taken.versions[-1])
            draft.article.path = last.path
            draft.article.last_published_at = last.updated
            if last.withdrawn:
                draft.article.withdrawn_at = last.updated
                draft.article.withdrawal_reason = last.withdrawal_reason
        _live([d.article for d in drafts])
        self.count += len(drafts)


def _unchanged(raw: bytes) -> Story:
    story = decode(raw)
    if encode(story) != raw:
        raise PublishingError(f"{story.uri}: this version was not written by us, byte for byte")
    return story


def _new(draft: Draft, story: Story) -> versions.New:
    return versions.New(
        story=story,
        reason=StoryVersion.Reason.IMPORTED,
        article=draft.article,
        revision=draft.article.latest_revision_id,
        created=story.updated,
    )


def _live(articles: Iterable[Article]) -> None:
    """Make the articles live with their only revision; withdrawn ones are not."""
    rows = list(articles)
    for article in rows:
        article.live = article.withdrawn_at is None
        article.live_revision_id = article.latest_revision_id if article.live else None
        article.has_unpublished_changes = False
    records.log_many(rows, "wagtail.publish")
    Article.objects.bulk_update(
        rows,
        [
            *("live", "live_revision", "has_unpublished_changes", "path", "slug"),
            *("first_published_at", "last_published_at", "withdrawn_at", "withdrawal_reason"),
        ],
    )


@transaction.atomic
def finish() -> BuildRequest | None:
    """Ask for all that was imported and waits to be built, in one go."""
    waiting = StoryVersion.objects.filter(
        request=None, edition=None, reason=StoryVersion.Reason.IMPORTED
    )
    if not waiting.exists():
        return None
    request = queue.enqueue(kind=queue.Kind.STORIES, acting_user=None)
    waiting.update(request=request)
    return request
