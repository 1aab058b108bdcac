# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with contributions, in the desk.

::

    ContributionsError
    ├── LedgerError            the books
    │   ├── UnbalancedError    legs that do not sum to nothing in each currency
    │   └── BookedError        the same source was booked otherwise before
    ├── AskError               a message to readers that cannot be saved or shown so
    │   └── StaleAskError      somebody changed it since it was looked at
    └── RefundError            this cannot be given back
        └── FourEyesError      this person may not be the second pair of eyes

Messages name no person.
"""

from __future__ import annotations


class ContributionsError(Exception):
    """Base of all; the message says what to do."""


class LedgerError(ContributionsError):
    """The books cannot be written so."""


class UnbalancedError(LedgerError):
    """Legs that do not sum to nothing in each currency, or fewer than two."""


class BookedError(LedgerError):
    """The same source was booked otherwise before."""


class AskError(ContributionsError):
    """A message to readers that cannot be saved or shown so. For the person who tried."""


class StaleAskError(AskError):
    """Somebody changed it since it was looked at: nothing was written."""


class RefundError(ContributionsError):
    """This payment, or so much of it, cannot be given back. For the person who asked for it."""


class FourEyesError(RefundError):
    """Whoever asks for a refund does not approve it."""
