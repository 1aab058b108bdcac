# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that editors and time do to an issue before it is sent.

What always holds: each is one transaction with its row in the desk's log; an issue on its way to
readers is not changed here any more; nothing is sent that is not approved as it is (``approval``)
or that ``checks`` blocks.

What is not done here: composing (``composing``), sending, pausing, resending (``engine``).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from wagtail.log_actions import log

from tamizdat.desk.newsletter import approval, checks, composition, paper, schedule
from tamizdat.desk.newsletter.engine import start as engine
from tamizdat.desk.newsletter.errors import (
    ApprovalError,
    IssueError,
    NotEditableError,
    NotReadyError,
    TooLateError,
)
from tamizdat.desk.newsletter.models import Issue, IssueItem, IssueSection, Newsletter
from tamizdat.desk.newsroom.models import Person

if TYPE_CHECKING:
    from tamizdat.desk.staff.models import User

State = Issue.State
FIRST_HEADING = "News"


@transaction.atomic
def create_issue(
    *, newsletter: Newsletter, acting_user: User | None, now: datetime | None = None
) -> Issue:
    """Begin the next issue: the next number, the newsletter's headings, its next hour proposed."""
    now = now or timezone.now()
    Newsletter.objects.select_for_update().get(pk=newsletter.pk)
    last = newsletter.issues.aggregate(last=Max("number"))["last"] or 0
    issue = Issue.objects.create(
        newsletter=newsletter,
        number=last + 1,
        signed=_name_of(acting_user, newsletter.language),
        scheduled_for=schedule.next_hour(newsletter, now),
        created_by=acting_user,
        edited_by=acting_user,
        created=now,
        edited=now,
    )
    titles = [section.title for section in newsletter.sections.all()] or [FIRST_HEADING]
    IssueSection.objects.bulk_create(
        IssueSection(issue=issue, title=title, order=order) for order, title in enumerate(titles)
    )
    log(issue, "tamizdat.issue_create", user=acting_user)
    return issue


def _name_of(user: User | None, language: str) -> str:
    """As readers know this person in a language; empty where they do not. What an account is called
    never leaves the desk."""
    person = Person.objects.filter(account=user).first() if user else None
    return person.name_in(language)[:100] if person else ""


@transaction.atomic
def approve(*, issue: Issue, digest: str, acting_user: User, now: datetime | None = None) -> Issue:
    """Say that it may go out as it is. ``digest`` is of what was looked at."""
    found = locked(issue)
    refuse_uneditable(found)
    verdict = approval.may_approve(found, acting_user)
    if not verdict.allowed:
        raise ApprovalError(verdict.words)
    if approval.digest_of(found) != digest:
        raise TooLateError("The issue was changed while you looked at it. Look at it once more.")
    _refuse_unready(found)
    found.approved_by, found.approved_hash = acting_user, digest
    found.approved_at = now or timezone.now()
    if found.state == State.DRAFT:
        found.state = State.APPROVED
    found.save(update_fields=["approved_by", "approved_hash", "approved_at", "state"])
    _seen(found)
    log(found, "tamizdat.issue_approve", user=acting_user, data={"sha256": digest})
    return found


@transaction.atomic
def schedule_issue(
    *, issue: Issue, when: datetime, acting_user: User | None, now: datetime | None = None
) -> Issue:
    """Have the worker send it at ``when``."""
    found = locked(issue)
    refuse_uneditable(found)
    if when <= (now or timezone.now()):
        raise IssueError("That time has passed. Choose a later one, or send it now.")
    _refuse_unsendable(found)
    found.state, found.scheduled_for, found.problem = State.SCHEDULED, when, ""
    found.save(update_fields=["state", "scheduled_for", "problem"])
    log(found, "tamizdat.issue_schedule", user=acting_user, data={"when": when.isoformat()})
    return found


@transaction.atomic
def unschedule(*, issue: Issue, acting_user: User | None) -> Issue:
    """Do not send it by itself; its approval stays."""
    found = locked(issue)
    if found.state not in (State.SCHEDULED, State.HELD):
        raise TooLateError("It is not scheduled any more. Reload the page to see where it stands.")
    found.state = State.APPROVED if found.approved_hash else State.DRAFT
    found.problem = ""
    found.save(update_fields=["state", "problem"])
    log(found, "tamizdat.issue_unschedule", user=acting_user)
    return found


@transaction.atomic
def send_now(*, issue: Issue, acting_user: User | None, now: datetime | None = None) -> Issue:
    """Begin to send it. Raises ``IssueError`` where that may not be; then nothing is sent."""
    found = locked(issue)
    refuse_uneditable(found)
    _refuse_unsendable(found)
    _begin(found, acting_user, now)
    return found


@transaction.atomic
def begin_due(*, issue: Issue, now: datetime) -> bool:
    """Begin an issue whose hour has come (called by the worker). False where somebody already
    did, or took its hour away."""
    due = Issue.objects.filter(pk=issue.pk, state=State.SCHEDULED, scheduled_for__lte=now)
    if not due.update(state=State.APPROVED):
        return False
    found = locked(issue)
    _refuse_unsendable(found)
    _begin(found, None, now)
    return True


@transaction.atomic
def hold(*, issue: Issue, problem: str, now: datetime) -> bool:
    """Keep an issue that was due, and why (called by the worker). Sent by people alone, then."""
    due = Issue.objects.filter(pk=issue.pk, state=State.SCHEDULED, scheduled_for__lte=now)
    if not due.update(state=State.HELD, problem=problem[:500]):
        return False
    log(issue, "tamizdat.issue_hold", user=None, data={"why": problem[:500]})
    return True


@transaction.atomic
def discard(*, issue: Issue, acting_user: User) -> None:
    """Delete an issue that was never sent and is the newest, so that numbers have no gap."""
    found = locked(issue)
    refuse_uneditable(found)
    newer = Issue.objects.filter(newsletter=found.newsletter, number__gt=found.number)
    if newer.exists():
        raise IssueError("There is a newer issue. Only the newest can be discarded.")
    log(found, "tamizdat.issue_discard", user=acting_user)
    found.delete()


def _begin(issue: Issue, acting_user: User | None, now: datetime | None) -> None:
    """Settle what it says, have its readers gathered, and its page made for the paper."""
    if engine.start(issue=issue, acting_user=acting_user, now=now):
        started = Issue.objects.select_related("newsletter").get(pk=issue.pk)
        paper.publish_issue(issue=started, acting_user=acting_user, now=now)


def locked(issue: Issue) -> Issue:
    """The issue as it is now, kept from others until this transaction ends."""
    found = Issue.objects.select_for_update(of=("self",)).filter(pk=issue.pk)
    row = found.select_related("newsletter", "edited_by", "approved_by").defer("frozen").first()
    if row is None:
        raise TooLateError("This issue is gone: somebody discarded it.")
    return row


def refuse_uneditable(issue: Issue) -> None:
    if not composition.editable(issue):
        raise NotEditableError(
            f"This issue {_STANDS.get(State(issue.state), 'has moved on')}: it can no longer be "
            "changed. Reload the page to see where it stands."
        )


_STANDS = {
    State.STARTING: "is being sent",
    State.SENDING: "is being sent",
    State.PAUSED: "is being sent, and paused",
    State.SENT: "was sent",
    State.CANCELLED: "was cancelled",
}


def _refuse_unready(issue: Issue) -> None:
    found = [f"{check.words} {check.todo}".strip() for check in checks.of(issue) if check.blocking]
    if found:
        raise NotReadyError(found)


def _refuse_unsendable(issue: Issue) -> None:
    gone = composition.withdrawn(issue)
    if gone:
        names = ", ".join(f"“{headline}”" for headline in gone)
        raise NotReadyError([f"Withdrawn since it was picked: {names}. Take it out of the issue."])
    verdict = approval.approved(issue)
    if not verdict.allowed:
        raise ApprovalError(verdict.words)
    _refuse_unready(issue)


def _seen(issue: Issue) -> None:
    """Whoever approves has seen every story as it is now."""
    rows = composition.items_of(issue)
    newest = composition.newest_versions([row.article for row in rows])
    for row in rows:
        row.picked = newest.get(row.article.story_uri, row.picked)
    IssueItem.objects.bulk_update(rows, ["picked"])
