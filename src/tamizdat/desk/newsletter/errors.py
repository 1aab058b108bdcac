# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with an issue at the desk.

::

    IssueError            the message says what to do; nothing was changed
    ├── NotEditableError  the issue is on its way, or gone: its words stand
    ├── NotReadyError     something blocks approval or sending; lists what
    ├── ApprovalError     this person may not approve it, or nobody has
    └── TooLateError      the issue was changed, or has moved on, since it was looked at

None is helped by trying the same again: somebody has to do what the message says.
"""

from __future__ import annotations

from collections.abc import Sequence


class IssueError(Exception):
    """The action was refused; its message is written for the person who asked for it."""

    permanent = True


class NotEditableError(IssueError):
    """The issue is on its way to readers, or was sent, or was cancelled."""


class NotReadyError(IssueError):
    """``problems`` are sentences, in order."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(self.problems))


class ApprovalError(IssueError):
    """Whoever last changed an issue does not approve it; nothing goes out unapproved."""


class TooLateError(IssueError):
    """What was looked at is no longer what there is."""
