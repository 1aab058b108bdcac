# SPDX-License-Identifier: AGPL-3.0-or-later
"""Four eyes: nobody publishes alone what they were the last to change.

What always holds, with ``desk.four_eyes`` on, whatever the role:

- What counts is who changed the text, not who saved it: saving it unchanged makes nobody its
  author, and an approval given to an earlier wording does not cover a later one.
- A correction's note or another address, put to a text that is already published, needs no second
  person: that text was seen by two.
- Where no person publishes (the worker, at a time that was set), it was checked when it was set.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.conf import settings
from wagtail.admin.templatetags.wagtailadmin_tags import user_display_name
from wagtail.models import Revision, TaskState

from tamizdat.desk.publishing.errors import FourEyesError

if TYPE_CHECKING:
    from tamizdat.desk.newsroom.models import Article
    from tamizdat.desk.staff.models import User

# What changes without the text changing: Wagtail's and the desk's own record keeping.
_RECORDS = frozenset(
    {
        *("pk", "live", "has_unpublished_changes", "first_published_at", "last_published_at"),
        *("live_revision", "expired", "latest_revision", "go_live_at", "expire_at"),
        *("locked", "locked_at", "locked_by", "path", "updated_at"),
        *("edited_by", "created_at", "created_by", "working_headline", "withdrawn_at"),
        *("withdrawal_reason", "story_uri", "import_key", "imported_from", "original_url"),
        *("corrections", "slug", "embargoed_until", "translation_key"),
    }
)
_LOOK_BACK = 50


@dataclass(frozen=True)
class Verdict:
    """May this person publish this text alone? ``words`` say why, or what to do."""

    allowed: bool
    words: str


def judge(*, article: Article, revision: Revision, acting_user: User | None) -> Verdict:
    if not settings.NEWSROOM.settings.desk.four_eyes:
        return Verdict(True, "Four eyes is switched off in this newsroom.")
    if acting_user is None:
        return Verdict(True, "It was checked when the time was set.")
    if article.live_revision_id and _same(_text_of(revision), _text_of(article.live_revision)):
        return Verdict(True, "This text is already published; only its notes change.")
    same, author = _wording(revision)
    if author is None or author.pk != acting_user.pk:
        who = user_display_name(author) if author else "an import"
        return Verdict(True, f"The text was last changed by {who}; you are the second person.")
    approver = _approver(same, author)
    if approver:
        return Verdict(True, f"{user_display_name(approver)} approved this text.")
    return Verdict(
        False,
        "You were the last to change this text, so another person has to approve or publish it. "
        "Send it to review, or ask a colleague to open this page.",
    )


def check(*, article: Article, revision: Revision, acting_user: User | None) -> None:
    """Raise ``FourEyesError`` where this person may not publish this text alone."""
    verdict = judge(article=article, revision=revision, acting_user=acting_user)
    if not verdict.allowed:
        raise FourEyesError(verdict.words)


def author_of(revision: Revision) -> int | None:
    """The key of the person who wrote the wording that this revision has."""
    _, author = _wording(revision)
    return author.pk if author else None


def _text_of(revision: Revision) -> dict[str, Any]:
    text = {name: value for name, value in revision.content.items() if name not in _RECORDS}
    if isinstance(text.get("body"), str):  # PostgreSQL gives the names in it another order.
        text["body"] = json.loads(text["body"])
    return text


def _same(one: Any, other: Any) -> bool:
    """Equal but for the keys of rows, which saving may give anew."""
    if isinstance(one, dict) and isinstance(other, dict):
        names = (one.keys() | other.keys()) - {"pk", "article"}
        return all(_same(one.get(name), other.get(name)) for name in names)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _wording(revision: Revision) -> tuple[list[Revision], User | None]:
    """The revisions, up to this one, that have its text; and who wrote it."""
    text = _text_of(revision)
    same = [revision]
    earlier = (
        Revision.objects.filter(
            base_content_type_id=revision.base_content_type_id,
            object_id=revision.object_id,
            pk__lt=revision.pk,
        )
        .select_related("user")
        .order_by("-pk")[:_LOOK_BACK]
    )
    for other in earlier.iterator():
        if not _same(text, _text_of(other)):
            break
        same.append(other)
    return same, same[-1].user


def _approver(same: list[Revision], author: User) -> User | None:
    """Somebody else who approved one of these revisions after it had got this text."""
    approvals = TaskState.objects.filter(
        revision__in=same, status=TaskState.STATUS_APPROVED, finished_by__isnull=False
    ).exclude(finished_by=author)
    for approval in approvals.select_related("finished_by", "revision"):
        if approval.finished_at and approval.revision.created_at <= approval.finished_at:
            user: User = approval.finished_by
            return user
    return None
