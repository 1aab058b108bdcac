# SPDX-License-Identifier: AGPL-3.0-or-later
"""Questions about the rows of a million, asked so that an index answers them.

What always holds: states stand in the statements themselves (a partial index is not used for a
value that comes along with it), and ``OPEN`` is word for word the index's own condition.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection

OPEN = "state IN ('sending', 'deferred', 'unknown', 'refused')"
WAITING = ("queued", "sending", "deferred")

_EXISTS = "SELECT 1 FROM newsletter_delivery WHERE {} LIMIT 1"


def of_state(state: str) -> str:
    """A condition. ``state`` is one of ours."""
    return f"state = '{state}'" + ("" if state == "queued" else f" AND {OPEN}")


def any_waiting(issue: int) -> bool:
    """Whether anything of it is still to be sent."""
    return any(any_in(issue, state) for state in WAITING)


def any_in(issue: int, state: str) -> bool:
    return _found(f"issue_id = %s AND {of_state(state)}", issue)


def any_sending() -> bool:
    return _found(of_state("sending"))


def any_sending_of(worker: str) -> bool:
    """Whether rows are being sent by this worker, or were when it was last heard of."""
    return _found(f"worker = %s AND {of_state('sending')}", worker)


def any_of(worker: str) -> bool:
    """Whether rows stand under this worker's name that are not settled."""
    return _found(f"worker = %s AND (state = 'sending' OR state = 'unknown') AND {OPEN}", worker)


def _found(condition: str, *values: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_EXISTS.format(condition), values)
        return cursor.fetchone() is not None


def moment(value: datetime) -> Any:
    """A time as the database takes it in a statement."""
    return connection.ops.adapt_datetimefield_value(value)
