# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with a file of subscribers.

::

    TransferError          the message says what to do, and quotes nothing of the file's rows
    ├── TableError         the file is no table that can be read
    ├── TooLongError       the file is longer than the desk takes
    ├── EvidenceError      nothing says that these readers agreed
    ├── CohortError        the settings know no such cohort
    └── TooLateError       what was looked at is no longer what there is
"""

from __future__ import annotations


class TransferError(Exception):
    permanent = True


class TableError(TransferError):
    """The file is no table that can be read."""


class TooLongError(TransferError):
    """The file is longer than the desk takes."""


class TooLateError(TransferError):
    """What was looked at is no longer what there is."""


class EvidenceError(TransferError):
    """Nothing says that these readers agreed."""


class CohortError(TransferError):
    """The settings know no such cohort."""
