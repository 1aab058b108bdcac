# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be wrong with what somebody showed at the door.

    AccessError
    ├── PasskeyError
    │   └── CopiedPasskeyError
    └── LastFactorError

The message is written for the person at the keyboard and tells nobody whether an account exists.
"""

from __future__ import annotations


class AccessError(Exception):
    permanent = True


class PasskeyError(AccessError):
    """This passkey opens nothing here."""


class CopiedPasskeyError(PasskeyError):
    """Its counter went back: somebody else has the same one."""


class LastFactorError(AccessError):
    """The newsroom demands a second factor and this is the only one."""
