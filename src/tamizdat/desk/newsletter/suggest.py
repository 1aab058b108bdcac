# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an issue could hold: the stories since the last one, the most prominent first.

What always holds: what was picked stays where it is; no story is proposed that stands in this
issue or stood in the last one; nothing is written here. The cost does not grow with the archive.

Prominent is, in this order: pinned to the front page, pinned to a section's, with a photo, newer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from wagtail.models import Locale

from tamizdat.desk.newsletter.models import Issue, IssueItem
from tamizdat.desk.newsroom.models import Article, FrontPin

WEEK = timedelta(days=7)
LONGEST = timedelta(days=31)
LOOKED_AT = 300
A_HEADING = 4
_UNPINNED = 10_000


@dataclass(frozen=True)
class Candidate:
    """A story that could be picked; ``section`` is the name of its section."""

    key: int
    section: str


def since(issue: Issue, now: datetime) -> datetime:
    """From when on stories are new to this newsletter's readers."""
    sent = Issue.objects.filter(newsletter=issue.newsletter, started__isnull=False)
    last = sent.exclude(pk=issue.pk).order_by("-started").values_list("started", flat=True).first()
    return max(last, now - LONGEST) if last else now - WEEK


def propose(issue: Issue, now: datetime) -> list[list[int]]:
    """For each heading of the issue, in order, the keys of stories to add at its end."""
    sections = list(issue.sections.prefetch_related("items"))
    there = [len(section.items.all()) for section in sections]
    return spread(candidates(issue, now), [s.title for s in sections], there)


def published(language: str) -> QuerySet[Article]:
    """What readers can read in a language. The language is looked up first: with its key the
    database follows the index by day."""
    locale = Locale.objects.filter(language_code=language).first()
    return Article.objects.filter(locale=locale, live=True, withdrawn_at=None)


def pickable(issue: Issue) -> QuerySet[Article]:
    """What may be picked, the newest first, by one index however large the archive is."""
    return (
        published(issue.newsletter.language)
        .select_related("section")
        .only(
            *("pk", "headline", "standfirst", "section__title", "first_published_at", "story_uri"),
            *("live", "withdrawn_at"),
        )
        .order_by("-first_published_at", "-pk")
    )


def candidates(issue: Issue, now: datetime) -> list[Candidate]:
    """New stories in the newsletter's language, the most prominent first."""
    articles = published(issue.newsletter.language).filter(
        first_published_at__gte=since(issue, now)
    )
    rows = articles.order_by("-first_published_at", "-pk").values_list(
        "pk", "section__title", "lead_photo_id"
    )[:LOOKED_AT]
    known, ranks = _known(issue), _ranks(issue.newsletter.language)
    fresh = [row for row in rows if row[0] not in known]
    order = sorted(fresh, key=lambda row: (ranks.get(row[0], _UNPINNED), row[2] is None))
    return [Candidate(pk, section or "") for pk, section, _ in order]


def _known(issue: Issue) -> set[int]:
    earlier = Issue.objects.filter(newsletter=issue.newsletter, number__lt=issue.number)
    last = earlier.order_by("-number").values_list("pk", flat=True).first()
    items = IssueItem.objects.filter(section__issue__in=[pk for pk in (issue.pk, last) if pk])
    return set(items.values_list("article_id", flat=True))


def _ranks(language: str) -> dict[int, int]:
    """The place of each pinned story, those of the front page before those of sections."""
    pins = FrontPin.objects.filter(locale__language_code=language)
    ranks: dict[int, int] = {}
    for article, section, order in pins.values_list("article_id", "section_id", "order"):
        rank = order if section is None else 1_000 + order
        ranks[article] = min(rank, ranks.get(article, _UNPINNED))
    return ranks


def spread(
    found: Sequence[Candidate], headings: Sequence[str], there: Sequence[int]
) -> list[list[int]]:
    """Put candidates under headings: a section's under the heading of its name, the other sections
    in turn under headings that no section has, where there are any, else under the first.

    ``there`` is how many stories each heading holds; none is filled beyond ``A_HEADING``."""
    filled: list[list[int]] = [[] for _ in headings]
    if not headings:
        return filled
    homes = _homes(found, headings)
    for candidate in found:
        at = homes[candidate.section]
        if there[at] + len(filled[at]) < A_HEADING:
            filled[at].append(candidate.key)
    return filled


def _homes(found: Sequence[Candidate], headings: Sequence[str]) -> Mapping[str, int]:
    by_name = {title.strip().casefold(): at for at, title in reversed(list(enumerate(headings)))}
    named = {c.section: by_name[c.section.casefold()] for c in found if _has(by_name, c.section)}
    free = [at for at in range(len(headings)) if at not in named.values()] or [0]
    homes: defaultdict[str, int] = defaultdict(int, named)
    others = dict.fromkeys(c.section for c in found if c.section not in named)
    for turn, section in enumerate(others):
        homes[section] = free[turn % len(free)]
    return homes


def _has(by_name: Mapping[str, int], section: str) -> bool:
    return section.casefold() in by_name
