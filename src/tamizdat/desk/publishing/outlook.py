# SPDX-License-Identifier: AGPL-3.0-or-later
"""What publishing an article will do, in sentences an editor reads before doing it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.utils import timezone

from tamizdat.desk.publishing import state, stories, versions
from tamizdat.desk.settings.base import LANGUAGE_NAMES

if TYPE_CHECKING:
    from tamizdat.desk.newsroom.models import Article


def of(article: Article) -> list[str]:
    """What will happen to this text (an article as its newest revision has it)."""
    head = versions.newest(article.story_uri)
    previous = versions.stored(head.version) if head else None
    story = stories.next_address(article, previous, timezone.now())
    said = [*_pages(article), "The newsletter is not sent by this."]
    if previous is None:
        return [f"It appears at {state.web_address(story)}.", *said]
    if previous.withdrawn:
        return ["It was withdrawn; readers will see it again, at the same address.", *said]
    moved = previous.path != story
    replaces = "It replaces what readers see now, and says when it was changed."
    where = f"It moves to {state.web_address(story)}; the old address leads there."
    return [replaces, *([where] if moved else []), *said]


def _pages(article: Article) -> Iterator[str]:
    language = LANGUAGE_NAMES.get(article.language, article.language)
    yield f"It goes on the front page in {language}, into the feeds and the sitemap."
    listed = [f"the section {article.section.title}"] if article.section else []
    listed += _some("topic", [topic.title for topic in article.topics.all()])
    listed += _some("place", [place.title for place in article.places.all()])
    if article.series:
        listed.append(f"the series {article.series.title}")
    listed += _some("author", [byline.person.name for byline in article.bylines.all()])
    if listed:
        yield f"It is listed under {'; '.join(listed)}."


def _some(word: str, names: list[str]) -> list[str]:
    if not names:
        return []
    plural = word if len(names) == 1 else f"{len(names)} {word}s"
    return [f"{plural}: {', '.join(names)}" if len(names) > 1 else f"the {word} {names[0]}"]
