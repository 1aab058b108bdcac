# SPDX-License-Identifier: AGPL-3.0-or-later
"""One sealed submission, taken exactly once.

What always holds:

- The id and the effects of its handler are one transaction: whoever dies before its end has done
  nothing, whoever comes after it does nothing. Of two collectors one writes the id; the other waits
  for it and then knows.
- ``take`` returns only when what it was given is done or lies in the database, sealed. A handler
  that raises, a kind that nobody handles, bytes that nobody can open: each is kept, once.
- Why a handler failed is told without what it said: that could name a reader.
- Unreadable ones are kept up to ``MOST_UNREADABLE``. Beyond it they are forgotten, but only where
  something else from this drop was opened lately, so that the key is known to be right; else the
  batch stays in the drop.
- Of what can be opened ``MOST_ASIDE`` are kept aside; what comes beyond that stays in the drop.

What is not done here: fetching and deleting (``collecting``).
"""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

import pyrage
from django.db import connection, transaction
from django.db.models import Q

from tamizdat.desk.letters import handlers
from tamizdat.desk.letters.errors import CrowdedError, KeyDoubtError
from tamizdat.desk.letters.models import Aside, Drop, Handled
from tamizdat.drop.envelope import Submission, open_sealed
from tamizdat.drop.errors import SealError, SubmissionError

log = logging.getLogger("tamizdat.letters")
MOST_UNREADABLE = 2_000
MOST_ASIDE = 10_000
PROVEN = timedelta(days=1)  # for so long an opened submission shows that the key is right
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(days=1)
_RETRIED = 200  # at a time

State = Aside.State
Identities = Sequence[pyrage.x25519.Identity]


class Outcome(StrEnum):
    """What became of one. ``known``: it was taken before. ``forgotten``: unreadable, too many."""

    HANDLED = "handled"
    KNOWN = "known"
    WAITING = "waiting"
    FAILED = "failed"
    UNREADABLE = "unreadable"
    FORGOTTEN = "forgotten"


class Origin(NamedTuple):
    """From which drop, in which hour."""

    drop: str
    hour: datetime


def take(sealed: bytes, keys: Identities, origin: Origin, now: datetime) -> Outcome:
    """Raises ``StaysError`` and ``DatabaseError``; then it must stay where it is."""
    try:
        submission = open_sealed(sealed, keys)
    except (SealError, SubmissionError) as error:
        return keep_unreadable(sealed, str(error), origin, now)
    return _hand_on(submission, sealed, origin, now)


def _hand_on(submission: Submission, sealed: bytes, origin: Origin, now: datetime) -> Outcome:
    handle = handlers.of(submission.kind)
    if handle is None:
        return _keep(submission, sealed, origin, state=State.WAITING, reason="", now=now)
    try:
        done = _hand_over(submission, handle, origin.hour, now)
    except Exception as error:
        reason = told(error)
        log.error("a %s could not be handled: %s", submission.kind, reason)
        return _keep(submission, sealed, origin, state=State.FAILED, reason=reason, now=now)
    return Outcome.HANDLED if done else Outcome.KNOWN


@transaction.atomic
def _hand_over(
    submission: Submission, handle: handlers.Handler, hour: datetime, now: datetime
) -> bool:
    """Whether it was new. The id first: another collector then waits here for our end."""
    fresh = _remember(submission.id, now)
    if fresh:
        handle(submission, arrived_hour=hour)
    Aside.objects.filter(submission=submission.id).delete()
    return fresh


def _remember(submission_id: str, now: datetime) -> bool:
    """Whether nobody took it before. One statement: another collector's waits for our end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO letters_handled (submission, day) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [submission_id, now.date()],
        )
        return cursor.rowcount == 1


@transaction.atomic
def _keep(
    submission: Submission,
    sealed: bytes,
    origin: Origin,
    *,
    state: Aside.State,
    reason: str,
    now: datetime,
) -> Outcome:
    """Keep one that could be opened; where it lies here already, note how it went.

    Raises ``CrowdedError``.
    """
    if Handled.objects.filter(pk=submission.id).exists():
        return Outcome.KNOWN
    failed = state == State.FAILED
    found = Aside.objects.filter(submission=submission.id).first()
    attempts = (found.attempts if found else 0) + failed
    changes = {
        "state": state,
        "reason": reason,
        "attempts": attempts,
        "next_try": now + pause_after(attempts) if failed else None,
    }
    if found is not None:
        Aside.objects.filter(pk=found.pk).update(**changes)
        return Outcome.FAILED if failed else Outcome.KNOWN
    _require_room()
    digest = hashlib.sha256(sealed).hexdigest()
    # One that could not be read before is given its id now.
    Aside.objects.filter(digest=digest, submission=None).delete()
    row = Aside(
        sealed=sealed,
        digest=digest,
        submission=submission.id,
        kind=submission.kind,
        drop=origin.drop,
        hour=origin.hour,
        **changes,
    )
    Aside.objects.bulk_create([row], ignore_conflicts=True)
    return Outcome.FAILED if failed else Outcome.WAITING


@transaction.atomic
def keep_unreadable(sealed: bytes, reason: str, origin: Origin, now: datetime) -> Outcome:
    """Keep the bytes and why they cannot be read. Raises ``KeyDoubtError``."""
    digest = hashlib.sha256(sealed).hexdigest()
    if Aside.objects.filter(digest=digest).exists():
        return Outcome.KNOWN
    if Aside.objects.filter(state=State.UNREADABLE).count() >= MOST_UNREADABLE:
        return _forget(origin, now)
    row = Aside(
        state=State.UNREADABLE,
        sealed=sealed,
        digest=digest,
        drop=origin.drop,
        hour=origin.hour,
        reason=shown(reason),
    )
    Aside.objects.bulk_create([row], ignore_conflicts=True)
    return Outcome.UNREADABLE


def _require_room() -> None:
    if Aside.objects.exclude(state=State.UNREADABLE).count() >= MOST_ASIDE:
        raise CrowdedError(
            f"{MOST_ASIDE:,} submissions wait or failed already: somebody seems to flood the desk. "
            f"What comes stays in the drop until they are done (Reports, Kept aside)"
        )


def _forget(origin: Origin, now: datetime) -> Outcome:
    if Drop.objects.filter(name=origin.drop, opened__gt=now - PROVEN).exists():
        return Outcome.FORGOTTEN
    raise KeyDoubtError(
        f"{MOST_UNREADABLE:,} submissions could not be opened and lately none could: is "
        f"secrets/letterbox-key the one that the drop seals to? Nothing more is taken from it "
        f"until one opens, or until the unreadable ones are discarded: "
        f"tamizdat drop collect --discard-unreadable"
    )


def retry(keys: Identities, now: datetime, *, everything: bool = False) -> list[Outcome]:
    """Take up what failed and is due, and what waits for a handler that is there now.

    ``everything``: also what is not due yet, and what could not be read.
    """
    due = Q(state=State.FAILED) | Q(state=State.WAITING, kind__in=handlers.known())
    if everything:
        due |= Q(state=State.UNREADABLE)
    else:
        due &= Q(next_try=None) | Q(next_try__lte=now)
    found = Aside.objects.filter(due).order_by("pk").values_list("pk", flat=True)
    wanted = list(found if everything else found[:_RETRIED])
    return [outcome for pk in wanted if (outcome := _again(pk, keys, now)) is not None]


def _again(pk: int, keys: Identities, now: datetime) -> Outcome | None:
    """None where somebody else has done it meanwhile."""
    row = Aside.objects.filter(pk=pk).first()
    if row is None:
        return None
    sealed, origin = bytes(row.sealed), Origin(row.drop, row.hour)
    try:
        submission = open_sealed(sealed, keys)
    except (SealError, SubmissionError) as error:
        attempts = row.attempts + 1
        later = None if row.state == State.UNREADABLE else now + pause_after(attempts)
        Aside.objects.filter(pk=pk).update(
            reason=shown(str(error)), attempts=attempts, next_try=later
        )
        return Outcome.UNREADABLE
    try:
        outcome = _hand_on(submission, sealed, origin, now)
    except CrowdedError:  # It is readable now, and stays where it is.
        return Outcome.UNREADABLE
    if row.submission is None and outcome in (Outcome.HANDLED, Outcome.KNOWN):
        Aside.objects.filter(pk=pk, submission=None).delete()
    return outcome


def pause_after(attempts: int) -> timedelta:
    """How long a failed one waits: a minute, four, sixteen …, a day at most."""
    return min(FIRST_PAUSE * 4 ** min(attempts - 1, 8), LONGEST_PAUSE)


def shown(reason: str) -> str:
    """A reason as it can be stored and shown: it may quote what a stranger wrote."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in reason)[:300]


def told(error: BaseException) -> str:
    """Which error, and where; never what it says."""
    name = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return name
    return f"{name} in {Path(frames[-1].filename).name}, line {frames[-1].lineno}"
