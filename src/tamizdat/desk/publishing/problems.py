# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an editor should know before publishing: what is missing, what is too long.

What always holds: ``blocking`` problems are those with which a reader would get no whole story;
everything else is advice, and the editor decides. Pure reading, a constant number of queries.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tamizdat.desk.newsroom.models import Article, Photo

MAIL_HEADLINE = 90


@dataclass(frozen=True)
class Problem:
    """One sentence of what is wrong and what to do; ``field`` is where."""

    words: str
    blocking: bool = False
    field: str = ""


def of(article: Article) -> list[Problem]:
    """What is wrong with this text, the blocking first."""
    found = [*_words(article), *_people(article), *_pictures(article), *_talk(article)]
    return sorted(found, key=lambda problem: not problem.blocking)


def _words(article: Article) -> Iterator[Problem]:
    if not article.headline.strip():
        yield Problem("It has no headline.", blocking=True, field="headline")
    if len(article.headline) > MAIL_HEADLINE:
        yield Problem(
            f"The headline has {len(article.headline)} characters; mail programs cut it after "
            f"{MAIL_HEADLINE}.",
            field="headline",
        )
    if not article.standfirst.strip():
        yield Problem(
            "It has no standfirst: lists and feeds will show only the headline.", field="standfirst"
        )
    if not len(article.body):
        yield Problem("It has no text.", blocking=True, field="body")
    if article.section_id is None:
        yield Problem("It is in no section: choose one.", blocking=True, field="section")


def _people(article: Article) -> Iterator[Problem]:
    if not article.bylines.all():
        yield Problem("It has no byline: nobody is named as its author.", field="bylines")
    if not article.sources.all():
        yield Problem("It names no source: say who reported it, even if we did.", field="sources")


def _pictures(article: Article) -> Iterator[Problem]:
    lead = article.lead_photo
    if lead is not None:
        if not (article.lead_alt or lead.alt_text).strip():
            yield Problem(
                "The lead photo has no alternative text: who cannot see it will not know "
                "what it shows.",
                field="lead_photo",
            )
        if not lead.credit.strip():
            yield Problem("The lead photo has no credit.", field="lead_photo")
    for photo, alt in _photos(article.body):
        if photo is None:
            yield Problem("A photo in the text no longer exists.", blocking=True, field="body")
        elif not (alt or photo.alt_text).strip():
            yield Problem(f"The photo “{photo.title}” has no alternative text.", field="body")


def _photos(body: Any) -> Iterator[tuple[Photo | None, str]]:
    for block in body:
        if block.block_type == "photo":
            yield block.value.get("photo"), block.value.get("alt") or ""
        elif block.block_type == "gallery":
            for value in block.value.get("photos") or ():
                yield value.get("photo"), value.get("alt") or ""


def _talk(article: Article) -> Iterator[Problem]:
    if article._state.adding:
        return
    open_ = article.comments.filter(parent=None, resolved_at=None).count()
    if open_:
        words = "A comment is" if open_ == 1 else f"{open_} comments are"
        yield Problem(f"{words} not resolved.", field="comments")
