# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writing an issue, part by part (``composition`` says how two people's changes meet).

What always holds: one transaction a save; what cannot be taken comes back with the reason, the
rest is kept; a story stands in an issue once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log

from tamizdat.desk.newsletter import composition
from tamizdat.desk.newsletter.actions import locked, refuse_uneditable
from tamizdat.desk.newsletter.composition import (
    FIELDS,
    ITEM_PART,
    MOST_HEADINGS,
    MOST_STORIES,
    STRUCTURE,
    Change,
    Outcome,
)
from tamizdat.desk.newsletter.errors import IssueError
from tamizdat.desk.newsletter.models import Issue, IssueItem, IssueSection
from tamizdat.desk.newsroom.models import Article, Photo

if TYPE_CHECKING:
    from tamizdat.desk.staff.models import User

_ONE_SITTING = timedelta(minutes=10)
# In characters, as the columns have them.
LONGEST = {
    "subject": 150,
    "preheader": 200,
    "note": 20_000,
    "signed": 100,
    "picture_caption": 300,
    "headline": 200,
    "blurb": 1_000,
}
SEVERAL_LINES = ("note", "blurb")
_UNFIT = re.compile(r"[\x00\ud800-\udfff]")
_BREAKS = re.compile(r"[\x01-\x1f\x7f-\x9f\u2028\u2029]+")


@transaction.atomic
def save_parts(
    *, issue: Issue, changes: Iterable[Change], acting_user: User, now: datetime | None = None
) -> Outcome:
    """Take what can be taken. Raises ``NotEditableError`` where the issue has moved on."""
    now = now or timezone.now()
    found, outcome = locked(issue), Outcome()
    refuse_uneditable(found)
    there = composition.parts_of(found)
    for change in sorted(changes, key=lambda one: one.part != STRUCTURE):
        _take(found, there, change, outcome)
        if change.part == STRUCTURE and STRUCTURE in outcome.taken:
            there = composition.parts_of(found) | {STRUCTURE: change.wanted}
    if outcome.taken:
        _note_edit(found, acting_user, now, outcome.taken)
    return outcome


def _take(issue: Issue, there: dict[str, Any], change: Change, outcome: Outcome) -> None:
    met = composition.meet(there, change)
    if met == "conflict" or (ITEM_PART.match(change.part) and change.part not in there):
        outcome.conflicts[change.part] = there.get(change.part)
        return
    if met == "same":
        return
    try:
        _set(issue, change.part, change.wanted)
    except IssueError as error:
        outcome.refused[change.part] = str(error)
    else:
        outcome.taken.append(change.part)


def _note_edit(issue: Issue, acting_user: User, now: datetime, parts: Sequence[str]) -> None:
    """Who changed it, and when. In the log once a sitting, not once a saved word."""
    sitting = issue.edited_by_id == acting_user.pk and now - issue.edited < _ONE_SITTING
    first = issue.edited == issue.created
    after_approval = issue.approved_at is not None and issue.approved_at >= issue.edited
    if parts != [part for part in parts if part.startswith("picked:")]:
        issue.edited_by, issue.edited = acting_user, now
    issue.save(update_fields=[*FIELDS, "edited_by", "edited"])
    if first or after_approval or not sitting:
        log(issue, "tamizdat.issue_edit", user=acting_user, data={"parts": sorted(parts)[:40]})


def _set(issue: Issue, part: str, wanted: Any) -> None:
    if part == STRUCTURE:
        _arrange(issue, wanted)
    elif part == "picture":
        issue.picture = _photo(wanted)
    elif part in FIELDS:
        setattr(issue, part, _text(wanted, part))
    else:
        _set_item(issue, part, wanted)


def _set_item(issue: Issue, part: str, wanted: Any) -> None:
    named = ITEM_PART.match(part)
    if named is None:
        raise IssueError("That is not a part of an issue. Reload the page and try again.")
    name, key = named[1], int(named[2])
    value = _number(wanted) if name == "picked" else _text(wanted, name)
    IssueItem.objects.filter(section__issue=issue, article_id=key).update(**{name: value})


def _text(wanted: Any, part: str) -> str:
    """Words as they came; those of one line stay on one, as a mail's header must."""
    if not isinstance(wanted, str) or _UNFIT.search(wanted):
        raise IssueError("That could not be read. Reload the page and try again.")
    longest = LONGEST[part]
    if part not in SEVERAL_LINES:
        wanted = _BREAKS.sub(" ", wanted)
    if len(wanted) > longest:
        raise IssueError(
            f"At most {longest:,} characters fit here; these are {len(wanted):,}. It is not saved "
            "until it is shorter."
        )
    return wanted


def _number(wanted: Any) -> int:
    if not isinstance(wanted, int) or isinstance(wanted, bool) or not 0 <= wanted < 2**31:
        raise IssueError("That could not be read. Reload the page and try again.")
    return wanted


def _photo(wanted: Any) -> Photo | None:
    if wanted is None:
        return None
    photo = Photo.objects.filter(pk=_number(wanted)).first()
    if photo is None:
        raise IssueError("This photo is gone: somebody deleted it. Choose another.")
    return photo


def _arrange(issue: Issue, wanted: Any) -> None:
    """Make headings and stories be these, in this order; words of stories that stay are kept."""
    headings = _read(wanted)
    keys = [key for _, items in headings for key in items]
    kept = {row.article_id: row for row in composition.items_of(issue)}
    fresh = _fresh(issue, [key for key in keys if key not in kept])
    # A story that moves must not meet itself: rows stand aside while headings are made anew.
    IssueSection.objects.filter(issue=issue).delete()
    for order, (title, items) in enumerate(headings):
        section = IssueSection.objects.create(issue=issue, title=title, order=order)
        IssueItem.objects.bulk_create(
            _row(section, at, key, kept, fresh) for at, key in enumerate(items)
        )


def _row(
    section: IssueSection, at: int, key: int, kept: dict[int, IssueItem], fresh: dict[int, int]
) -> IssueItem:
    old = kept.get(key)
    if old is None:
        return IssueItem(section=section, article_id=key, order=at, picked=fresh[key])
    return IssueItem(
        section=section,
        article_id=key,
        order=at,
        headline=old.headline,
        blurb=old.blurb,
        picked=old.picked,
    )


def _read(wanted: Any) -> list[tuple[str, list[int]]]:
    """Headings as they came, checked."""
    try:
        read = [(str(one["title"]).strip(), [_number(k) for k in one["items"]]) for one in wanted]
    except (TypeError, KeyError) as error:
        raise IssueError("That could not be read. Reload the page and try again.") from error
    keys = [key for _, items in read for key in items]
    if len(read) > MOST_HEADINGS or len(keys) > MOST_STORIES:
        raise IssueError(
            f"An issue holds at most {MOST_HEADINGS} headings and {MOST_STORIES} stories."
        )
    if len(set(keys)) != len(keys):
        raise IssueError("A story stands in this issue twice. Take one of them out.")
    if any(not title or len(title) > 60 for title, _ in read):
        raise IssueError("A heading has between 1 and 60 characters.")
    return read


def _fresh(issue: Issue, keys: Sequence[int]) -> dict[int, int]:
    """The newest version of each story that is picked now: published, and in this language."""
    articles = Article.objects.filter(
        pk__in=keys, live=True, withdrawn_at=None, locale__language_code=issue.newsletter.language
    ).only("pk", "story_uri")
    newest = composition.newest_versions(articles)
    found = {a.pk: newest[a.story_uri] for a in articles if a.story_uri in newest}
    if len(found) != len(keys):
        raise IssueError(
            "A story of this list is not published, was withdrawn, or is in another language. "
            "Reload the page and try again."
        )
    return found
