# SPDX-License-Identifier: AGPL-3.0-or-later
"""What follows from an approval. Wagtail loads this before its models: none is imported here."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from wagtail.models import WorkflowState

    from tamizdat.desk.staff.models import User


def leave_to_publisher(review: WorkflowState, user: User | None = None) -> None:
    """A review ended with an approval: the text stays a draft, which the publish panel now lets a
    publisher send out (``four_eyes``)."""
