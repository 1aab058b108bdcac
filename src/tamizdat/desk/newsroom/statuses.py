# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where an article stands, in one word, for lists and filters.

What always holds: the words of many articles cost four queries, whatever their number.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.contenttypes.models import ContentType
from django.db import models
from wagtail.models import Revision, TaskState, WorkflowState

from tamizdat.desk.newsroom.models import Article


class Status(models.TextChoices):
    DRAFT = "draft", "Draft"
    REVIEW = "review", "In review"
    CHANGES = "changes", "Changes wanted"
    APPROVED = "approved", "Approved, to be published"
    SCHEDULED = "scheduled", "Scheduled"
    LIVE = "live", "Published"
    LIVE_DRAFT = "live-draft", "Published, new draft"
    WITHDRAWN = "withdrawn", "Withdrawn"


def statuses_of(articles: Iterable[Article]) -> dict[int, Status]:
    """The status of each article by its primary key."""
    rows = list(articles)
    keys = [str(article.pk) for article in rows]
    scheduled = set(_scheduled().filter(object_id__in=keys).values_list("object_id", flat=True))
    reviews = dict(_reviews().filter(object_id__in=keys).values_list("object_id", "status"))
    latest = [article.latest_revision_id for article in rows]
    approved = set(_approvals().filter(revision__in=latest).values_list("revision_id", flat=True))
    return {
        a.pk: _status(
            a,
            scheduled=str(a.pk) in scheduled,
            review=reviews.get(str(a.pk), ""),
            approved=a.latest_revision_id in approved,
        )
        for a in rows
    }


def _status(article: Article, *, scheduled: bool, review: str, approved: bool) -> Status:
    if article.withdrawn_at:
        return Status.WITHDRAWN
    if scheduled:
        return Status.SCHEDULED
    if review == WorkflowState.STATUS_IN_PROGRESS:
        return Status.REVIEW
    if review == WorkflowState.STATUS_NEEDS_CHANGES:
        return Status.CHANGES
    if approved and (article.has_unpublished_changes or not article.live):
        return Status.APPROVED
    if article.live:
        return Status.LIVE_DRAFT if article.has_unpublished_changes else Status.LIVE
    return Status.DRAFT


def with_status(articles: models.QuerySet[Article], status: str) -> models.QuerySet[Article]:
    """Only those with this status."""
    if status == Status.WITHDRAWN:
        return articles.filter(withdrawn_at__isnull=False)
    if status == Status.SCHEDULED:
        return articles.filter(pk__in=_keys(_scheduled()))
    if status in (Status.REVIEW, Status.CHANGES):
        wanted = {
            Status.REVIEW: WorkflowState.STATUS_IN_PROGRESS,
            Status.CHANGES: WorkflowState.STATUS_NEEDS_CHANGES,
        }[Status(status)]
        return articles.filter(pk__in=_keys(_reviews().filter(status=wanted)))
    if status == Status.APPROVED:
        return approved_texts(articles)
    if status == Status.LIVE:
        return articles.filter(live=True)
    if status == Status.LIVE_DRAFT:
        return articles.filter(live=True, has_unpublished_changes=True)
    # Written as a list, for “NOT live” would keep SQLite from its index.
    return articles.filter(live__in=[False], withdrawn_at__isnull=True)


def approved_texts(articles: models.QuerySet[Article]) -> models.QuerySet[Article]:
    """Those whose newest text a second person approved and readers do not have yet."""
    return articles.filter(
        models.Q(live=False) | models.Q(has_unpublished_changes=True),
        models.Exists(_approvals().filter(revision=models.OuterRef("latest_revision"))),
        withdrawn_at__isnull=True,
    )


def _approvals() -> models.QuerySet[TaskState]:
    return TaskState.objects.filter(status=TaskState.STATUS_APPROVED)


def _content_type() -> ContentType:
    return ContentType.objects.get_for_model(Article)


def _scheduled() -> models.QuerySet[Revision]:
    return Revision.objects.filter(
        base_content_type=_content_type(), approved_go_live_at__isnull=False
    )


def _reviews() -> models.QuerySet[WorkflowState]:
    return WorkflowState.objects.filter(
        base_content_type=_content_type(),
        status__in=[WorkflowState.STATUS_IN_PROGRESS, WorkflowState.STATUS_NEEDS_CHANGES],
    )


def _keys(rows: models.QuerySet[Revision] | models.QuerySet[WorkflowState]) -> list[int]:
    """What waits is little: its keys as a list let the list's own index be used."""
    return [int(key) for key in rows.values_list("object_id", flat=True)]
