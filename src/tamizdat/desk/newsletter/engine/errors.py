# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong when issues are sent.

::

    EngineError
    ├── StateError     an issue is not in a state in which that can be done
    ├── LostError      others took over what this worker had claimed: it must stop
    └── WithheldError  a mail may not leave now: its row is not this worker's any more, or that it
                       left could not be noted (also a ``MailError``: see ``Outgoing.data``)
"""

from __future__ import annotations

from tamizdat.mail.errors import MailError


class EngineError(Exception):
    """Base of all; the message says what to do."""


class StateError(EngineError):
    """The issue is not in a state in which that can be done."""


class LostError(EngineError):
    """This worker was taken for dead."""


class WithheldError(EngineError, MailError):
    """The mail was not let out."""
