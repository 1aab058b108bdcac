# SPDX-License-Identifier: AGPL-3.0-or-later
"""The time by the database's clock, which all workers share.

What always holds: what one machine writes and another compares (limits, when to try again) is
never read from the machine's own clock, which may be wrong or stand still. On SQLite there is one
machine and its clock.
"""

from __future__ import annotations

import datetime

from django.db import connection
from django.utils import timezone


def now() -> datetime.datetime:
    """What time it is, by the database."""
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found = cursor.fetchone()[0]
    assert isinstance(found, datetime.datetime)  # noqa: S101 - what PostgreSQL promises
    return found
