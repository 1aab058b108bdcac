# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can go wrong with the audit trail.

AuditError
└── AnchorsError   the file of anchors cannot be read
"""

from __future__ import annotations


class AuditError(Exception):
    """Base of the audit's errors; the message says what to do."""


class AnchorsError(AuditError):
    """The file of anchors is missing or has lines that are none."""
