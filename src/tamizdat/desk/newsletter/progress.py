# SPDX-License-Identifier: AGPL-3.0-or-later
"""How far an issue is, as the desk shows it."""

from __future__ import annotations

from dataclasses import dataclass

from tamizdat.desk.newsletter.models import Issue

MOVING = (Issue.State.STARTING, Issue.State.SENDING)


@dataclass(frozen=True)
class Progress:
    """To be filled from ``engine.standing``."""

    words: str


def progress_of(issue: Issue) -> Progress:
    return Progress(issue.get_state_display())
