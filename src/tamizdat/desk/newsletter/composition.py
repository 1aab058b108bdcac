# SPDX-License-Identifier: AGPL-3.0-or-later
"""An issue as the composer shows it, and how two people's changes to it meet.

What always holds: an issue is made of named parts (its subject, the stories under its headings, a
story's own words, …). A change says what its author saw (``was``) and what it is to be (``is``).
It is taken where the part is still what they saw; else it is a conflict and comes back with what
the part is now. So two people who write in different parts both get their way, and nobody's words
are written over unseen.

Only reading and comparing is done here; ``actions.save_parts`` writes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import formats
from wagtail.admin.templatetags.wagtailadmin_tags import user_display_name

from tamizdat.desk.newsletter.models import Issue, IssueItem
from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.publishing.models import StoryHead, StoryVersion

State = Issue.State
EDITABLE = (State.DRAFT, State.APPROVED, State.SCHEDULED, State.HELD)
MOST_STORIES = 60
MOST_HEADINGS = 20
FIELDS = ("subject", "preheader", "note", "signed", "picture", "picture_caption")
STRUCTURE = "stories"
ITEM_PART = re.compile(r"(headline|blurb|picked):([1-9][0-9]{0,17})\Z", re.ASCII)


class Change(NamedTuple):
    """One part: what its author saw, and what it is to be."""

    part: str
    was: Any
    wanted: Any


@dataclass
class Outcome:
    """What came of changes: parts that were taken, those that others changed meanwhile, and those
    that cannot be as they are wanted, with the reason."""

    taken: list[str] = field(default_factory=list)
    conflicts: dict[str, Any] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def editable(issue: Issue) -> bool:
    return issue.state in EDITABLE


def items_of(issue: Issue) -> list[IssueItem]:
    """All stories of an issue, in order, with their articles (no texts)."""
    return list(
        IssueItem.objects.filter(section__issue=issue)
        .select_related("section", "article__section")
        .defer("article__body")
        .order_by("section__order", "section_id", "order", "pk")
    )


def parts_of(issue: Issue) -> dict[str, Any]:
    """Every part and what it is now, in values that JSON has."""
    parts: dict[str, Any] = {
        name: getattr(issue, "picture_id" if name == "picture" else name) for name in FIELDS
    }
    rows = items_of(issue)
    under: defaultdict[int, list[int]] = defaultdict(list)
    for row in rows:
        under[row.section_id].append(row.article_id)
        parts[f"headline:{row.article_id}"] = row.headline
        parts[f"blurb:{row.article_id}"] = row.blurb
        parts[f"picked:{row.article_id}"] = row.picked
    parts[STRUCTURE] = [
        {"title": section.title, "items": under[section.pk]} for section in issue.sections.all()
    ]
    return parts


def shown(issue: Issue) -> dict[str, Any]:
    """All that the composer's script knows of an issue."""
    rows = items_of(issue)
    picked = {row.article_id: row.picked for row in rows}
    return {
        "parts": parts_of(issue),
        "stories": cards([row.article for row in rows], picked),
        "edited": _edited(issue),
        "state": issue.state,
        "approved": bool(issue.approved_hash),
        "editable": editable(issue),
    }


def _edited(issue: Issue) -> dict[str, Any]:
    local = issue.edited.astimezone(ZoneInfo(issue.newsletter.zone))
    return {
        "by": user_display_name(issue.edited_by) if issue.edited_by else "",
        "key": issue.edited_by_id,
        "at": formats.date_format(local, "j F, H:i"),
    }


def cards(articles: Iterable[Article], picked: dict[int, int] | None = None) -> dict[str, Any]:
    """What the composer shows of each of these articles, by key. Three queries, however many."""
    found = {article.pk: article for article in articles}
    heads = newest_versions(found.values())
    flags = flags_of(found.values(), picked or {}, heads)
    viewset = Article.snippet_viewset
    return {
        str(pk): {
            "key": pk,
            "headline": article.headline,
            "standfirst": article.standfirst,
            "section": str(article.section or ""),
            "day": _day(article),
            "edit": reverse(viewset.get_url_name("edit"), args=[pk]),
            "version": heads.get(article.story_uri, 0),
            "flag": flags[pk][0],
            "said": flags[pk][1],
        }
        for pk, article in found.items()
    }


def _day(article: Article) -> str:
    first = article.first_published_at
    return formats.date_format(first, "j F Y") if first else ""


def newest_versions(articles: Iterable[Article]) -> dict[str, int]:
    """The number of each story's newest version, by its uri."""
    uris = [article.story_uri for article in articles]
    rows = StoryHead.objects.filter(uri__in=uris).values_list("uri", "version__version")
    return dict(rows)


def flags_of(
    articles: Iterable[Article], picked: dict[int, int], heads: dict[str, int]
) -> dict[int, tuple[str, str]]:
    """``withdrawn``, ``corrected`` (since it was picked or looked at) or nothing, with words."""
    rows = {article.pk: article for article in articles}
    notes: defaultdict[int, int] = defaultdict(int)
    corrected = StoryVersion.objects.filter(
        article__in=list(rows), reason=StoryVersion.Reason.CORRECTED
    )
    for article, version in corrected.order_by("version").values_list("article_id", "version"):
        notes[article] = version
    return {pk: _flag(row, notes[pk], picked.get(pk), heads) for pk, row in rows.items()}


def _flag(
    article: Article, corrected: int, picked: int | None, heads: dict[str, int]
) -> tuple[str, str]:
    if article.withdrawn_at or not article.live or article.story_uri not in heads:
        return "withdrawn", "Withdrawn: readers cannot read it any more. Take it out."
    if picked is not None and corrected > picked:
        return "corrected", "Corrected since it was picked: see whether your words still hold."
    return "", ""


def withdrawn(issue: Issue) -> list[str]:
    """The headlines of stories that readers can no longer read."""
    rows = items_of(issue)
    articles = [row.article for row in rows]
    flags = flags_of(articles, {}, newest_versions(articles))
    return [str(a.headline) for a in articles if flags[a.pk][0] == "withdrawn"]


def meet(now: dict[str, Any], change: Change) -> str:
    """``same``: nothing to do; ``taken``: its author saw what there is; else ``conflict``."""
    there = now.get(change.part)
    if there == change.wanted:
        return "same"
    if there == change.was or (_empty(there) and _empty(change.was)):
        return "taken"
    return "conflict"


def _empty(value: Any) -> bool:
    return value in (None, "", 0)
