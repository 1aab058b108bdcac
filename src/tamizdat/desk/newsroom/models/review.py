# SPDX-License-Identifier: AGPL-3.0-or-later
"""Review by a second person.

What always holds: with ``desk.four_eyes`` on, nobody approves a text that they sent to review
or that they were the last to change, whatever their role.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from wagtail.models import AbstractGroupApprovalTask


class FourEyesTask(AbstractGroupApprovalTask):
    """A step of review that a person's own text cannot pass by that person's hand."""

    class Meta:
        verbose_name = "review by a second person"
        verbose_name_plural = "reviews by a second person"

    def is_own(self, obj: Any, user: Any) -> bool:
        """Whether this person sent the text to review or wrote its present wording. Saving it
        once more without a change, as the editor's Approve does, makes nobody its author."""
        if not settings.NEWSROOM.settings.desk.four_eyes:
            return False
        from tamizdat.desk.publishing.four_eyes import author_of  # It needs our models loaded.

        state = obj.current_workflow_state
        revision = obj.get_latest_revision()
        return user.pk in {
            state.requested_by_id if state else None,
            author_of(revision) if revision else None,
        }

    def get_actions(self, obj: Any, user: Any) -> list[tuple[str, str, bool]]:
        actions: list[tuple[str, str, bool]] = super().get_actions(obj, user)
        if actions and self.is_own(obj, user):
            return [action for action in actions if action[0] != "approve"]
        return actions

    def on_action(self, task_state: Any, user: Any, action_name: str, **kwargs: Any) -> None:
        """Refuse an approval by the author even where a request was made by hand."""
        obj = task_state.workflow_state.content_object
        if action_name == "approve" and self.is_own(obj, user):
            raise OwnTextError
        super().on_action(task_state, user, action_name, **kwargs)

    @classmethod
    def get_description(cls) -> str:
        return "Somebody other than the author approves the text"


class OwnTextError(Exception):
    """A person tried to approve their own text."""
