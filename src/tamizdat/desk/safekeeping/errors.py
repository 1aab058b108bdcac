# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with backups.

::

    BackupError
    ├── DumpError         the database cannot be copied or filled
    ├── BrokenError       the file is no backup, is damaged, cut off, or says what is not inside
    ├── IdentityError     this is not the operator's identity, or not the one it was sealed to
    └── TargetError       it cannot be written or restored there

None is helped by trying the same again.
"""

from __future__ import annotations


class BackupError(Exception):
    permanent = True


class DumpError(BackupError):
    """The database cannot be copied or filled."""


class BrokenError(BackupError):
    """The file is not a whole backup."""


class IdentityError(BackupError):
    """It was not sealed to this identity."""


class TargetError(BackupError):
    """It cannot be written or restored there."""
