# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that people do to an issue on its way: each one transaction, with its row in the
audit trail. Raises ``StateError`` where it cannot be done in the state in which the issue is.

What is not done here: approving and scheduling (``newsletter.actions``).
"""

from __future__ import annotations

from django.db import connection, transaction

from tamizdat.desk.newsletter import paper
from tamizdat.desk.newsletter.engine import rows, tallies, unknown
from tamizdat.desk.newsletter.engine.errors import StateError
from tamizdat.desk.newsletter.engine.rows import moment
from tamizdat.desk.newsletter.engine.start import ALL, note, start
from tamizdat.desk.newsletter.engine.tallies import DESK
from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.outgoing import clock
from tamizdat.desk.staff.models import User

__all__ = ["cancel", "pause", "resend_unknown", "resume", "send_rest", "start"]

State = Issue.State
_DUE_NOW = f"""
UPDATE newsletter_delivery SET not_before = %s WHERE issue_id = %s AND {rows.of_state("deferred")}
"""  # noqa: S608 - ours
_RETRY = f"""
UPDATE newsletter_delivery SET state = 'queued', finished = NULL
WHERE issue_id = %s AND {rows.of_state("refused")} AND code <> 'left' AND code LIKE '4%%'
"""  # noqa: S608 - ours


@transaction.atomic
def pause(*, issue: Issue, acting_user: User | None) -> None:
    """No further mail of it is claimed; those that are leaving now (a window for each connection)
    are still sent."""
    _from(issue, (State.STARTING, State.SENDING), State.PAUSED)
    note("pause", issue, acting_user)


@transaction.atomic
def resume(*, issue: Issue, acting_user: User | None) -> None:
    """It goes on where it was."""
    found = _from(issue, (State.PAUSED,), State.SENDING)
    if found.gathered_to != ALL or paper.awaited(found, clock.now()):
        Issue.objects.filter(pk=issue.pk).update(state=State.STARTING)
    note("resume", issue, acting_user)


@transaction.atomic
def cancel(*, issue: Issue, acting_user: User | None) -> int:
    """No further mail of it, ever. How many readers do not get it. Its page goes where no mail can
    have left that leads to it."""
    found = _from(issue, (State.STARTING, State.SENDING, State.PAUSED), State.CANCELLED)
    Issue.objects.filter(pk=issue.pk).update(finished=clock.now())
    counts = tallies.of(issue.pk)
    left = sum(n for of, n in counts.items() if of.kind == "state" and of.name in rows.WAITING)
    begun = any(n for of, n in counts.items() if of.kind == "state" and of.name != "queued")
    if found.state == State.STARTING and not begun:
        paper.retract_issue(issue=issue, acting_user=acting_user)
    note("cancel", issue, acting_user, unsent=left)
    return left


@transaction.atomic
def send_rest(*, issue: Issue, acting_user: User | None) -> None:
    """To those who signed up since, and again, at once, to those whose mail was put off or given
    up after being put off for days."""
    _from(issue, (State.SENDING, State.SENT), State.STARTING)
    Issue.objects.filter(pk=issue.pk).update(gathered_to=0, finished=None)
    with connection.cursor() as cursor:
        cursor.execute(_DUE_NOW, [moment(clock.now()), issue.pk])
        cursor.execute(_RETRY, [issue.pk])
        again = int(cursor.rowcount)
    tallies.add(issue.pk, DESK, tallies.moved("refused", "queued", again))
    note("send_rest", issue, acting_user)


@transaction.atomic
def resend_unknown(*, issue: Issue, acting_user: User | None) -> int:
    """Send again what is in doubt, knowing that some may get it twice. How many."""
    found = Issue.objects.select_for_update().get(pk=issue.pk)
    if found.state == State.CANCELLED:
        raise StateError("the issue was cancelled: nothing of it is sent any more")
    count = unknown.resend(issue.pk)
    note("resend_unknown", issue, acting_user, mails=count)
    return count


def _from(issue: Issue, states: tuple[State, ...], to: State) -> Issue:
    found = Issue.objects.select_for_update().get(pk=issue.pk)
    if found.state not in states:
        raise StateError(f"that cannot be done to an issue that is “{found.get_state_display()}”")
    Issue.objects.filter(pk=issue.pk).update(state=to)
    issue.state = to
    return found
