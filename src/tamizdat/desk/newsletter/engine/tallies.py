# SPDX-License-Identifier: AGPL-3.0-or-later
"""Counts beside the ledger, so that nobody has to count a million rows to show a page.

What always holds: ``add`` runs in the transaction that changes the ledger, after it; each worker
has rows of its own. ``recount`` makes them exact where erasing readers took rows away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from django.db import connection, transaction
from django.db.models import Count, Sum

from tamizdat.desk.newsletter.models import Delivery, Tally

DESK = "desk"  # changes that no worker made


class Of(NamedTuple):
    """``kind``: ``state`` (name: one of them), ``relay`` (name: who took it), ``refused`` (name: a
    large receiving domain, or nothing for all others), ``left`` (before it was sent to them)."""

    kind: str
    name: str


_ADD = (
    "INSERT INTO newsletter_tally (issue_id, worker, kind, name, count) "
    "VALUES (%s, %s, %s, %s, %s) "
    "ON CONFLICT (issue_id, worker, kind, name) "
    "DO UPDATE SET count = newsletter_tally.count + excluded.count"
)


def add(issue: int, worker: str, changes: Mapping[Of, int]) -> None:
    """Change counts. Sorted, so that two who change the same rows do not wait for each other."""
    rows = [(issue, worker, *of, by) for of, by in sorted(changes.items()) if by]
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(_ADD, rows)


def moved(before: str, after: str, count: int) -> Counter[Of]:
    """The change when so many rows go from one state to another, or stay in theirs."""
    changes = Counter({Of("state", before): -count})
    changes[Of("state", after)] += count
    return changes


def of(issue: int) -> dict[Of, int]:
    """All counts of an issue."""
    rows = Tally.objects.filter(issue=issue).values_list("kind", "name").annotate(n=Sum("count"))
    return {Of(kind, name): int(n) for kind, name, n in rows.order_by() if n}


@transaction.atomic
def recount(issue: int) -> None:
    """Count the rows themselves. For an issue on which nobody works: it reads them all."""
    found = Delivery.objects.filter(issue=issue).order_by()
    Tally.objects.filter(issue=issue).delete()
    states = found.values_list("state").annotate(n=Count("id"))
    changes = {Of("state", state): n for state, n in states}
    by_relay = found.filter(state="sent").values_list("relay").annotate(n=Count("id"))
    changes |= {Of("relay", relay): n for relay, n in by_relay}
    over = found.filter(state="refused")
    changes[Of("left", "")] = over.filter(code="left").count()
    refused = over.exclude(code="left").values_list("domain").annotate(n=Count("id"))
    changes |= {Of("refused", domain): n for domain, n in refused}
    add(issue, DESK, changes)
