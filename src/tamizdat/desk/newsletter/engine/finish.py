# SPDX-License-Identifier: AGPL-3.0-or-later
"""When an issue is done: nothing waits, nothing is leaving, nothing is put off.

What always holds: rows in doubt do not keep an issue from being done; they are shown with it until
somebody decides.
"""

from __future__ import annotations

import logging

from django.db import transaction

from tamizdat.desk.newsletter.engine import rows, tallies
from tamizdat.desk.newsletter.engine.tallies import Of
from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.outgoing import clock

log = logging.getLogger("tamizdat.newsletter")
State = Issue.State


def look() -> list[int]:
    """The issues that are being sent, the oldest first, without those that are done by now."""
    sending = Issue.objects.filter(state=State.SENDING).order_by("started", "pk")
    return [issue for issue in sending.values_list("pk", flat=True) if not done(issue)]


def done(issue: int) -> bool:
    """End it where nothing is left to be sent."""
    if rows.any_waiting(issue):
        return False
    with transaction.atomic():
        found = Issue.objects.select_for_update().filter(pk=issue, state=State.SENDING)
        if not found.values_list("pk").first():
            return True
        if rows.any_waiting(issue):
            return False
        Issue.objects.filter(pk=issue).update(state=State.SENT, finished=clock.now())
        counts = tallies.of(issue)
        if any(counts.get(Of("state", state)) for state in ("queued", "sending", "deferred")):
            tallies.recount(issue)  # Readers were erased meanwhile.
    log.info("an issue was sent")
    return True


def reopen(issue: int) -> None:
    """An issue that was done has rows to be sent again."""
    Issue.objects.filter(pk=issue, state=State.SENT).update(state=State.SENDING, finished=None)
