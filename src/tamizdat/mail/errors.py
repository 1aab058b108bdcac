# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with mail.

::

    MailError
    ├── LayoutError      a content cannot be laid out
    ├── MessageError     a message cannot be made: a header or an address that no mail may have
    ├── SigningError     a key for DKIM is missing, too short or no key
    └── RelayError       a relay cannot be used; ``permanent``: trying again is of no use
        └── BrokenError  a connection ended before its time; nothing more goes over it
            └── GarbageError  what came over it is no SMTP
"""

from __future__ import annotations


class MailError(Exception):
    """Base of all; the message says what to do and never names an address."""


class LayoutError(MailError):
    """A content cannot be laid out."""


class MessageError(MailError):
    """A message cannot be made."""


class SigningError(MailError):
    """There is no usable key to sign with."""


class RelayError(MailError):
    """A relay cannot be used."""

    def __init__(self, message: str, *, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class BrokenError(RelayError):
    """A connection ended before its time; ``code`` and ``enhanced`` if the relay said why."""

    def __init__(self, message: str, *, code: int = 0, enhanced: str = "") -> None:
        super().__init__(message)
        self.code, self.enhanced = code, enhanced


class GarbageError(BrokenError):
    """What came over a connection is no SMTP."""
