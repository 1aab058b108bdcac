# SPDX-License-Identifier: AGPL-3.0-or-later
"""What somebody can do to an issue on its way, or to one that was sent.

What always holds: a button stands there only where what it does is allowed now, to this person, so
that a page which is looked at again shows those of the state as it is.

What is not done here: doing it (``engine.actions``, ``paper``), where it is asked once more whether
that may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from django.urls import reverse

from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.newsletter.progress import MOVING, Progress

State = Issue.State


class Deed(NamedTuple):
    """``asks``: it cannot be undone, so that a page asks first."""

    name: str
    words: str
    url: str
    asks: bool = False


def deeds_of(
    issue: Issue, progress: Progress, *, may_send: bool, may_pause: bool
) -> tuple[Deed, ...]:
    """In the order in which they are shown."""
    found = _deeds(progress, may_send=may_send, may_pause=may_pause)
    return tuple(
        Deed(name, words, reverse(f"newsletter:{name}", args=[issue.pk]), asks)
        for name, words, asks in found
    )


def _deeds(
    progress: Progress, *, may_send: bool, may_pause: bool
) -> Iterator[tuple[str, str, bool]]:
    state, moving = progress.standing.state, progress.standing.state in MOVING
    if moving and may_pause:
        yield "pause", "Pause", False
    if state == State.PAUSED and may_pause:
        yield "resume", "Go on", False
    if not may_send:
        return
    if progress.standing.unknown and state != State.CANCELLED:
        yield "unknown", "Send again where it is not known", False
    if state == State.SENT:
        yield "rest", "Send to the rest", False
    if moving or state == State.PAUSED:
        yield "cancel", "Cancel for good…", True
    if progress.paper == "there" and not moving:
        yield "withdraw", "Withdraw its page…", True
    if progress.paper == "withdrawn" and not moving:
        yield "restore", "Put its page back", False
