# SPDX-License-Identifier: AGPL-3.0-or-later
"""Starting an issue: what it says and who gets it are settled, then it goes.

What always holds:

- ``start`` keeps the contents and turns the issue to ``starting``, once: a second one finds it
  started and does nothing.
- ``gather`` adds its readers in bounded pieces, each in one transaction with how far it is; killed,
  it goes on there; two at once do no harm. Only when all are there, and the issue's page is out
  (``paper.awaited``), it turns to ``sending``: no mail leaves before.
- In it are those who get this newsletter now, whose consent is in force, whose pause is over and
  who are not suppressed; each once. Who belongs to no cohort falls to one (``cohorts``).

What is not done here: approving, making contents (``newsletter.content``), sending (``worker``).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from tamizdat.desk.audit import actions as audit
from tamizdat.desk.newsletter import paper
from tamizdat.desk.newsletter.content import content_of, told_to_cohorts
from tamizdat.desk.newsletter.engine import cohorts, tallies
from tamizdat.desk.newsletter.engine.errors import StateError
from tamizdat.desk.newsletter.engine.tallies import DESK, Of
from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.outgoing import clock
from tamizdat.desk.staff.models import User
from tamizdat.mail.content import Content, Text, Told, encode

State = Issue.State
Made = tuple[Content, dict[str, bytes]]
STARTABLE = (State.APPROVED, State.SCHEDULED, State.HELD)
UNDER_WAY = (State.STARTING, State.SENDING, State.PAUSED, State.SENT)
ALL = 2**63 - 1  # gathered up to here: everybody
PIECE = 20_000

_UP_TO = """
SELECT id FROM newsletter_subscription
WHERE newsletter_id = %s AND state = 'active' AND id > %s ORDER BY id LIMIT 1 OFFSET %s
"""
_GATHER = """
INSERT INTO newsletter_delivery
  (issue_id, subscription_id, state, text, domain, attempts, worker, relay, code, said, resent)
SELECT %s, s.id, 'queued', CASE WHEN s.text = 'full' THEN %s ELSE 'summary' END,
  '', 0, '', '', '', '', %s
FROM newsletter_subscription s JOIN readers_reader r ON r.id = s.reader_id
WHERE s.newsletter_id = %s AND s.state = 'active' AND s.id > %s AND s.id <= %s
  AND (s.paused_until IS NULL OR s.paused_until <= %s) AND r.erased IS NULL
  AND NOT EXISTS (SELECT 1 FROM outgoing_suppression x
                  WHERE x.reader_id = r.id AND x.lifted IS NULL)
  AND (SELECT c.event FROM readers_consent c
       WHERE c.reader_id = r.id AND c.purpose = 'newsletter' AND c.subject = %s
         AND c.event <> 'asked' ORDER BY c.id DESC LIMIT 1) IN ('confirmed', 'imported')
ORDER BY s.id
ON CONFLICT DO NOTHING
"""


@transaction.atomic
def start(
    *,
    issue: Issue,
    acting_user: User | None,
    now: datetime | None = None,
    contents: Mapping[str, Made] | None = None,
) -> bool:
    """Settle what the issue says and have its readers gathered; False where it was started before.

    ``contents`` by form (``summary``, ``full``); made from the issue where they are not given.
    Raises ``StateError`` for an issue that nobody approved or that was cancelled.
    """
    found = Issue.objects.select_for_update().get(pk=issue.pk)
    if found.state in UNDER_WAY:
        return False
    if found.state not in STARTABLE:
        raise StateError(f"{found} is “{found.get_state_display()}”: have it approved first")
    found.started = now or clock.now()
    made = contents if contents is not None else _contents(found)
    found.frozen = frozen(made, *told_to_cohorts(found.newsletter))
    found.state, found.finished = State.STARTING, None
    found.gathered_to = found.audience = 0
    found.save(update_fields=["frozen", "state", "started", "finished", "gathered_to", "audience"])
    paper.publish_issue(issue=found, acting_user=acting_user, now=found.started)
    note("start", found, acting_user)
    return True


def _contents(issue: Issue) -> dict[str, Made]:
    forms: tuple[Text, ...] = ("summary", "full") if issue.newsletter.full_text else ("summary",)
    return {form: content_of(issue, text=form) for form in forms}


def frozen(
    contents: Mapping[str, Made], told: Mapping[str, Told], more: Mapping[str, bytes]
) -> dict[str, Any]:
    """As ``Issue.frozen`` keeps it: the encoded contents by form, what cohorts are told alone by
    name, the files by SHA-256."""
    files = {name: data for _, made in contents.values() for name, data in made.items()} | {**more}
    return {
        **{form: encode(content).decode() for form, (content, _) in contents.items()},
        "cohorts": {name: msgspec.to_builtins(one) for name, one in told.items()},
        "files": {name: base64.b64encode(data).decode() for name, data in sorted(files.items())},
    }


def note(what: str, issue: Issue, acting_user: User | None, **data: Any) -> None:
    """Write to the audit trail what was done to an issue."""
    audit.record(
        action=f"tamizdat.issue.{what}",
        acting_user=acting_user,
        name="" if acting_user else "the engine, or the command line",
        kind="newsletter.issue",
        object_id=str(issue.pk),
        label=str(issue),
        data=data,
    )


def gather(issue: int, *, piece: int = PIECE) -> bool:
    """Add the next piece of the audience. False where there was nothing to add any more."""
    with transaction.atomic():
        found = Issue.objects.select_for_update().filter(pk=issue, state=State.STARTING).first()
        if found is None:
            return False
        upto = _piece_end(found, piece)
        cohorts.draw(found.newsletter_id, found.gathered_to, upto)
        added = _add(found, upto, timezone.localdate())
        found.gathered_to, found.audience = upto, found.audience + added
        if upto == ALL and not paper.awaited(found, clock.now()):
            found.state = State.SENDING
        found.save(update_fields=["gathered_to", "audience", "state"])
        tallies.add(found.pk, DESK, {Of("state", "queued"): added})
    return upto != ALL


def _piece_end(issue: Issue, piece: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_UP_TO, [issue.newsletter_id, issue.gathered_to, piece - 1])
        row = cursor.fetchone()
    return ALL if row is None else int(row[0])


def _add(issue: Issue, upto: int, today: date) -> int:
    form = "full" if "full" in issue.frozen else "summary"
    newsletter = issue.newsletter
    with connection.cursor() as cursor:
        cursor.execute(
            _GATHER,
            [issue.pk, form, False, newsletter.pk, issue.gathered_to, upto, today.isoformat(),
             newsletter.slug],
        )  # fmt: skip
        return max(cursor.rowcount, 0)
