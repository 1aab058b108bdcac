# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with letters.

::

    LettersError
    ├── LetterError     what somebody wanted done with a message cannot be done
    └── KeyDoubtError   nothing opens: it is left in the drop, for the key may be the wrong one

``permanent`` says whether trying the same again can help.
"""

from __future__ import annotations


class LettersError(Exception):
    permanent = True


class LetterError(LettersError):
    """What somebody wanted done with a message cannot be done."""


class KeyDoubtError(LettersError):
    """More cannot be opened than can be kept, and nothing else shows that the key is right."""

    permanent = False
