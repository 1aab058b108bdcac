# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is due: schedules and embargoes that end, articles that expire, work of the hour and day.

What always holds:

- Something due is carried out once, whichever worker comes first, in one transaction with what it
  does; a crash leaves it due.
- What cannot be carried out is not tried every second: it becomes a failed request with its
  reason, which the dashboard shows.

What is not done here: waiting (``worker``).
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.core.management import call_command
from django.db import IntegrityError, transaction
from wagtail.models import Revision

from tamizdat.desk.audit import actions as trail
from tamizdat.desk.audit import anchors
from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.publishing import actions, queue
from tamizdat.desk.publishing.models import ActionToken, BuildRequest, DailyRun, WorkerHeartbeat

log = logging.getLogger("tamizdat.publishing")


def carry_out(now: datetime) -> int:
    """Publish and take down what is due. Returns how many articles."""
    done = 0
    for revision in Revision.objects.filter(approved_go_live_at__lte=now).order_by(
        "approved_go_live_at"
    )[:100]:
        done += _publish(revision, now)
    expired = Article.objects.filter(live=True, expire_at__lte=now).order_by("expire_at")
    for article in expired[:100]:
        done += _expire(article, now)
    return done


def _publish(revision: Revision, now: datetime) -> int:
    due = Revision.objects.filter(pk=revision.pk, approved_go_live_at__lte=now)
    try:
        with transaction.atomic():
            if not due.update(approved_go_live_at=None):
                return 0
            actions.publish_due(revision=revision, now=now)
    except Exception as error:
        log.exception("a scheduled article could not be published")
        with transaction.atomic():
            if due.update(approved_go_live_at=None):
                _note_failure(revision.content_object, error, now)
        return 0
    return 1


def _note_failure(subject: object, error: Exception, now: datetime) -> None:
    BuildRequest.objects.create(
        kind=queue.Kind.STORIES,
        state=queue.State.FAILED,
        article=subject if isinstance(subject, Article) else None,
        error=f"It was due but could not be published: {error or type(error).__name__}",
        finished=now,
    )


def _expire(article: Article, now: datetime) -> int:
    due = Article.objects.filter(pk=article.pk, live=True, expire_at__lte=now)
    try:
        with transaction.atomic():
            if not due.update(expire_at=None):
                return 0
            actions.expire_article(article=article)
    except Exception as error:
        log.exception("an article could not be taken down")
        with transaction.atomic():
            due.update(expire_at=None)
            _note_failure(article, error, now)
        return 0
    return 1


def regular(now: datetime) -> None:
    """What is done once an hour and once a day."""
    if _first("hourly", now, timedelta(hours=1)):
        queue.enqueue(kind=queue.Kind.REFRESH, acting_user=None)
    if _first("daily", now, timedelta(days=1)):
        call_command("clearsessions")
        ActionToken.objects.filter(created__lt=now - timedelta(days=2)).delete()
        WorkerHeartbeat.objects.filter(beat__lt=now - timedelta(days=1)).delete()
        old = BuildRequest.objects.filter(
            created__lt=now - timedelta(days=30), state=queue.State.LIVE, versions=None
        )
        old.delete()
        trail.close_days(now=now)
        anchors.note(settings.NEWSROOM.run, now)


def _first(name: str, now: datetime, every: timedelta) -> bool:
    """Whether it is time, and this worker the one to do it."""
    if DailyRun.objects.filter(name=name, last__lte=now - every).update(last=now):
        return True
    if DailyRun.objects.filter(name=name).exists():
        return False
    try:
        with transaction.atomic():
            DailyRun.objects.create(name=name, last=now)
    except IntegrityError:
        return False
    return True
