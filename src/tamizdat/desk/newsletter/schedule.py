# SPDX-License-Identifier: AGPL-3.0-or-later
"""When an issue goes out: the newsletter's weekday and hour in its zone, and what is due now.

What always holds:

- Clocks on the wall are read as the zone has them. An hour that a day does not have (clocks go
  forward) is as much later as they go forward: 02:30 is sent at 03:30. Of an hour that a day has
  twice (clocks go back) it is the first.
- What is due is begun once, whichever worker comes first: the state changes by one conditional
  update in the transaction that begins sending. A crash leaves it due.
- An hour that was missed by more than the newsletter's ``missed_hours`` is held or sent, as the
  newsletter says. What may not go out (not approved as it is now, a story withdrawn) is held, with
  the reason, and tried no more by itself.

What is not done here: waiting (``publishing.worker``), sending (``engine``).
"""

from __future__ import annotations

import logging
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import DatabaseError, transaction

from tamizdat.desk.newsletter.errors import IssueError
from tamizdat.desk.newsletter.models import Issue, Newsletter

log = logging.getLogger("tamizdat.newsletter")
State = Issue.State


def moment(day: datetime, clock: time, zone: str) -> datetime:
    """The moment at which this zone's clocks show ``clock`` on the date of ``day``, in the zone."""
    here = ZoneInfo(zone)
    wall = datetime.combine(day.date(), clock.replace(tzinfo=None, fold=0), here)
    return wall.astimezone(ZoneInfo("UTC")).astimezone(here)


def of_wall(wall: datetime, zone: str) -> datetime:
    """The moment of a date and time as typed, without a zone, by the same rule."""
    return moment(wall, wall.time(), zone)


def next_hour(newsletter: Newsletter, after: datetime) -> datetime:
    """The next time that this newsletter goes out by its own habit, later than ``after``."""
    local = after.astimezone(ZoneInfo(newsletter.zone))
    for days in range(8):
        day = local + timedelta(days=days)
        if day.weekday() != newsletter.weekday:
            continue
        found = moment(day, newsletter.hour, newsletter.zone)
        if found > after:
            return found
    return moment(local + timedelta(days=7), newsletter.hour, newsletter.zone)


def missed(issue: Issue, now: datetime) -> bool:
    """Whether its hour lies further back than the newsletter lets pass."""
    if issue.scheduled_for is None:
        return False
    allowed = timedelta(hours=issue.newsletter.missed_hours)
    return now - issue.scheduled_for > allowed


def carry_out(now: datetime) -> int:
    """Begin or hold the issues whose hour has come (called by the worker). How many began."""
    due = Issue.objects.filter(state=State.SCHEDULED, scheduled_for__lte=now)
    begun = 0
    for issue in due.select_related("newsletter").order_by("scheduled_for", "pk")[:20]:
        begun += _begin_or_hold(issue, now)
    return begun


def _begin_or_hold(issue: Issue, now: datetime) -> int:
    from tamizdat.desk.newsletter import actions  # It schedules by this module.

    hold = Newsletter.Missed.HOLD
    if missed(issue, now) and issue.newsletter.missed == hold:
        actions.hold(issue=issue, problem=_late(issue), now=now)
        return 0
    try:
        with transaction.atomic():
            return int(actions.begin_due(issue=issue, now=now))
    except IssueError as error:
        actions.hold(issue=issue, problem=str(error), now=now)
    except DatabaseError:
        raise  # It passes; the worker waits it out and comes again.
    except Exception as error:
        log.exception("an issue that was due could not be begun")
        why = f"It could not be begun: {type(error).__name__}. The worker's log says more."
        actions.hold(issue=issue, problem=why, now=now)
    return 0


def _late(issue: Issue) -> str:
    when = issue.scheduled_for.astimezone(ZoneInfo(issue.newsletter.zone))  # type: ignore[union-attr]  # due
    return (
        f"It was due on {when:%d.%m.%Y at %H:%M} ({issue.newsletter.zone}) and nothing ran then. "
        "Send it now, or give it another time."
    )
