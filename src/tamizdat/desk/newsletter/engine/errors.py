# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong when issues are sent.

::

    EngineError
    ├── StateError     an issue is not in a state in which that can be done
    └── LostError      others took over what this worker had claimed: it must stop
"""

from __future__ import annotations


class EngineError(Exception):
    """Base of all; the message says what to do."""


class StateError(EngineError):
    """The issue is not in a state in which that can be done."""


class LostError(EngineError):
    """This worker was taken for dead."""
