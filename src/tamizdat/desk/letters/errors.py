# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with letters.

::

    LettersError
    ├── LetterError     what somebody wanted done with a message cannot be done
    └── StaysError      it is left in the drop
        ├── KeyDoubtError   nothing opens: the key may be the wrong one
        └── CrowdedError    more waits here already than a desk should hold

``permanent`` says whether trying the same again can help.
"""

from __future__ import annotations


class LettersError(Exception):
    permanent = True


class LetterError(LettersError):
    """What somebody wanted done with a message cannot be done."""


class StaysError(LettersError):
    """It is left in the drop, and taken when there is help."""

    permanent = False


class KeyDoubtError(StaysError):
    """More cannot be opened than can be kept, and nothing else shows that the key is right."""


class CrowdedError(StaysError):
    """More is kept aside than a desk should hold: somebody floods it."""
