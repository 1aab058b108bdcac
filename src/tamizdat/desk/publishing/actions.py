# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that changes what readers see: publish, correct, withdraw, restore, move, schedule.

What always holds:

- Each action is one transaction: the article, the story's version, the audit row and the request
  to build it are written together or not at all. Building happens elsewhere, later.
- Every way of publishing ends in ``publish_revision`` (see ``mixins``), so none goes around the
  embargo, four eyes or what readers need.
- What accounts did is in the desk's log and in ``acting_user``, never in the story.

What is not done here: building (``builder``), waiting for the time (``schedule``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.models import Revision

from tamizdat.desk.newsroom.models import Article, Correction
from tamizdat.desk.publishing import four_eyes, problems, queue, services, stories, versions
from tamizdat.desk.publishing.errors import NothingPublishedError, NotReadyError, PublishingError
from tamizdat.desk.publishing.models import ActionToken, BuildRequest, StoryVersion

if TYPE_CHECKING:
    from uuid import UUID

    from tamizdat.desk.staff.models import User

Reason = StoryVersion.Reason
EXPIRED = "This article was published for a limited time, which has passed."


def publish_revision(
    *,
    article: Article,
    revision: Revision,
    acting_user: User | None,
    changed: bool = True,
    log_action: bool | str = True,
    previous_revision: Revision | None = None,
    skip_permission_checks: bool = False,
    reason: StoryVersion.Reason = Reason.PUBLISHED,
    now: datetime | None = None,
    seen_by_two: bool = False,
) -> StoryVersion | None:
    """Publish this text, or keep it for its time. Returns the version that was queued.

    ``seen_by_two`` says that this very text was published before.
    Raises ``FourEyesError`` and ``NotReadyError``; then nothing has changed.
    """
    now = now or timezone.now()
    subject = revision.as_object()
    stories.prepare(subject)
    with transaction.atomic():
        if not seen_by_two:
            four_eyes.check(article=article, revision=revision, acting_user=acting_user)
        if acting_user is not None:
            _refuse_unready(subject)
        _set_time(revision, subject, now)
        article.wagtail_publish(
            revision,
            user=acting_user,
            changed=changed,
            log_action=log_action,
            previous_revision=previous_revision,
            skip_permission_checks=skip_permission_checks,
        )
        published = Article.objects.get(pk=article.pk)
        if published.live_revision_id != revision.pk or not published.live:
            return None
        return _append(published, revision, acting_user, reason, now)


def publish_article(
    *,
    article: Article,
    acting_user: User | None,
    revision: Revision | None = None,
    reason: StoryVersion.Reason = Reason.PUBLISHED,
    now: datetime | None = None,
) -> StoryVersion | None:
    """Publish the newest text of an article (or the one given)."""
    chosen = revision or _latest(article)
    return publish_revision(
        article=article, revision=chosen, acting_user=acting_user, reason=reason, now=now
    )


@transaction.atomic
def schedule_article(
    *, article: Article, when: datetime, acting_user: User | None, revision: Revision | None = None
) -> None:
    """Have the worker publish it at ``when``. Raises as ``publish_revision`` does."""
    if when <= timezone.now():
        raise PublishingError("That time has passed. Choose a later one, or publish now.")
    chosen = revision or _latest(article)
    chosen.content["go_live_at"] = when.isoformat()
    publish_revision(article=article, revision=chosen, acting_user=acting_user)
    Article.objects.filter(pk=article.pk).update(go_live_at=when)


@transaction.atomic
def cancel_schedule(*, article: Article, acting_user: User | None) -> None:
    """Forget the time that was set; the text stays a draft."""
    scheduled = article.revisions.filter(approved_go_live_at__isnull=False)
    for revision in scheduled:
        revision.approved_go_live_at = None
        revision.content["go_live_at"] = None
        revision.save(update_fields=["approved_go_live_at", "content"])
        log(article, "wagtail.schedule.cancel", user=acting_user, revision=revision)
    Article.objects.filter(pk=article.pk).update(go_live_at=None)


def publish_due(*, revision: Revision, now: datetime) -> StoryVersion | None:
    """Publish what was kept for this moment (called by the worker)."""
    revision.content["go_live_at"] = None
    subject = revision.content_object
    if isinstance(subject, Article):
        return publish_revision(
            article=subject,
            revision=revision,
            acting_user=None,
            log_action="wagtail.publish.scheduled",
            now=now,
        )
    revision.publish(log_action="wagtail.publish.scheduled")
    return None


@transaction.atomic
def correct_article(
    *,
    article: Article,
    text: str,
    acting_user: User | None,
    date: datetime | None = None,
    with_changes: bool = True,
    now: datetime | None = None,
) -> StoryVersion | None:
    """Put a visible note to a published story, and publish it again.

    ``with_changes`` publishes what was changed since, together with the note; without it the
    changes stay a draft, with the note added. Raises as ``publish_revision`` does.
    """
    _refuse_unpublished(article)
    note = {"date": date or timezone.now(), "text": text.strip()}
    if not note["text"]:
        raise PublishingError("Write what was wrong and what is right.")
    draft = _draft(article)
    subject = draft.as_object() if draft and with_changes else Article.objects.get(pk=article.pk)
    subject.corrections.add(Correction(**note))
    version = _republish(subject, acting_user, Reason.CORRECTED, "tamizdat.correct", now)
    if draft and not with_changes:
        kept = draft.as_object()
        kept.corrections.add(Correction(**note))
        kept.save_revision(user=draft.user, clean=False)
    return version


@transaction.atomic
def change_slug(*, article: Article, slug: str, acting_user: User | None) -> StoryVersion | None:
    """Move a published story; the old address leads to the new one. A draft stays a draft."""
    _refuse_unpublished(article)
    draft = _draft(article)
    live = Article.objects.get(pk=article.pk)
    live.slug = slug
    version = _republish(live, acting_user, Reason.MOVED, "tamizdat.move")
    if draft:
        kept = draft.as_object()
        kept.slug = slug
        kept.save_revision(user=draft.user, clean=False)
    return version


@transaction.atomic
def withdraw_article(
    *, article: Article, reason: str, acting_user: User | None, now: datetime | None = None
) -> StoryVersion:
    """Take a story back: its page then says so, with the reason. Can be undone by restoring."""
    _refuse_stranger(acting_user)
    _refuse_unpublished(article)
    if not reason.strip():
        raise PublishingError("Write why it is withdrawn: readers will see the reason.")
    now = now or timezone.now()
    subject = Article.objects.get(pk=article.pk)
    subject.wagtail_unpublish(log_action=False)
    Article.objects.filter(pk=article.pk).update(withdrawn_at=now, withdrawal_reason=reason.strip())
    log(article, "tamizdat.withdraw", user=acting_user, data={"reason": reason.strip()})
    head = versions.newest(article.story_uri, lock=True)
    if head is None:
        raise NothingPublishedError("It was never published, so there is nothing to withdraw.")
    story = stories.withdrawn(versions.stored(head.version), reason.strip(), now)
    return versions.append(
        versions.New(
            story=story,
            reason=Reason.WITHDRAWN,
            article=subject,
            acting_user=acting_user,
            created=now,
        )
    )


@transaction.atomic
def restore_article(*, article: Article, acting_user: User | None) -> StoryVersion | None:
    """Publish again the text that was withdrawn, exactly as it was."""
    last = (
        StoryVersion.objects.filter(article=article, pub_status="usable", revision__isnull=False)
        .order_by("-version")
        .first()
    )
    revision = article.revisions.filter(pk=last.revision).first() if last else None
    if last is None or revision is None or revision.created_at > last.created:
        raise NothingPublishedError(
            "The text that was published is no longer kept as it was. Publish the newest text."
        )
    return publish_revision(
        article=article,
        revision=revision,
        acting_user=acting_user,
        seen_by_two=True,
        reason=Reason.RESTORED,
    )


@transaction.atomic
def unpublish(
    *,
    article: Article,
    acting_user: User | None,
    set_expired: bool = False,
    commit: bool = True,
    log_action: bool | str = True,
) -> None:
    """Wagtail's Unpublish: what readers could see is withdrawn, never silently gone."""
    if article.live and commit and versions.newest(article.story_uri):
        why = EXPIRED if set_expired else "The newsroom has withdrawn this article."
        withdraw_article(article=article, reason=why, acting_user=acting_user)
        article.refresh_from_db()
        if set_expired:
            Article.objects.filter(pk=article.pk).update(expired=True)
        return
    article.wagtail_unpublish(set_expired=set_expired, commit=commit, log_action=log_action)


def expire_article(*, article: Article) -> None:
    """Its time has passed (called by the worker)."""
    unpublish(article=article, acting_user=None, set_expired=True)


@transaction.atomic
def retry_build(*, request: BuildRequest, acting_user: User | None) -> bool:
    """Try again what failed. False where somebody else already did."""
    again = BuildRequest.objects.filter(pk=request.pk, state=queue.State.FAILED).update(
        state=queue.State.QUEUED, attempts=0, not_before=None, finished=None
    )
    if again and request.article:
        log(request.article, "tamizdat.retry", user=acting_user)
    return bool(again)


def rebuild_paper(*, acting_user: User | None) -> BuildRequest:
    """Queue the whole paper to be built anew."""
    return queue.enqueue(kind=queue.Kind.FULL, acting_user=acting_user)


def refresh_fronts(*, acting_user: User | None) -> BuildRequest:
    """Queue fronts and pages: after pins, the newsroom's pages or sections have changed."""
    return queue.enqueue(kind=queue.Kind.REFRESH, acting_user=acting_user)


def first_time(token: UUID) -> bool:
    """Whether a form with this token comes for the first time. Call it inside the transaction
    of what the form does, so that a refused action can be sent again."""
    _, created = ActionToken.objects.get_or_create(token=token)
    return created


def _append(
    article: Article,
    revision: Revision,
    acting_user: User | None,
    reason: StoryVersion.Reason,
    now: datetime,
) -> StoryVersion:
    head = versions.newest(article.story_uri, lock=True)
    previous = versions.stored(head.version) if head else None
    if previous and previous.withdrawn and reason == Reason.PUBLISHED:
        reason = Reason.RESTORED
    story = stories.next_version(article, previous, now)
    story = stories.with_related(story, services.related(story))
    Article.objects.filter(pk=article.pk).update(
        path=story.path,
        first_published_at=story.published,
        withdrawn_at=None,
        withdrawal_reason="",
        go_live_at=None,
    )
    return versions.append(
        versions.New(
            story=story,
            reason=reason,
            article=article,
            revision=revision.pk,
            acting_user=acting_user,
            created=now,
        )
    )


def _republish(
    subject: Article,
    acting_user: User | None,
    reason: StoryVersion.Reason,
    action: str,
    now: datetime | None = None,
) -> StoryVersion | None:
    """Save this state as a revision and publish it."""
    revision = subject.save_revision(user=acting_user, log_action=action)
    return publish_revision(
        article=subject, revision=revision, acting_user=acting_user, reason=reason, now=now
    )


def _latest(article: Article) -> Revision:
    latest = article.get_latest_revision()
    return latest or article.save_revision(user=None, changed=False)


def _draft(article: Article) -> Revision | None:
    """The newest text where it is not the published one."""
    latest = article.get_latest_revision()
    if not article.has_unpublished_changes or latest is None:
        return None
    return None if latest.pk == article.live_revision_id else latest


def _set_time(revision: Revision, subject: Article, now: datetime) -> None:
    """Let the later of schedule and embargo be when it goes out; a time that passed is now."""
    times: Sequence[datetime] = [
        time for time in (subject.go_live_at, subject.embargoed_until) if time and time > now
    ]
    revision.content["go_live_at"] = max(times).isoformat() if times else None
    revision.save(update_fields=["content"])


def _refuse_unready(subject: Article) -> None:
    found = [p.words for p in problems.of(subject) if p.blocking]
    if found:
        raise NotReadyError(found)


def _refuse_stranger(acting_user: User | None) -> None:
    if acting_user is not None and not acting_user.has_perm("newsroom.publish_article"):
        raise PermissionDenied("You may not publish or withdraw articles.")


def _refuse_unpublished(article: Article) -> None:
    if not article.live:
        raise NothingPublishedError("It is not published now, so there is nothing to change.")
