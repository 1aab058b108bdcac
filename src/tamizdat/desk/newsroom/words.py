# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newsroom's words where Wagtail has its own: photos, review, what was saved."""

from __future__ import annotations

from typing import Any

from wagtail.admin.utils import get_latest_str
from wagtail.images.views.chooser import ImageChooserViewSet
from wagtail.images.widgets import AdminImageChooser
from wagtail.snippets.action_menu import (
    ActionMenuItem,
    CancelWorkflowMenuItem,
    RestartWorkflowMenuItem,
    SubmitForModerationMenuItem,
    WorkflowMenuItem,
)

SENT = "“{}” has been sent to review."
SAID = {
    "submit": SENT,
    "restart-workflow": SENT,
    "cancel-workflow": "“{}” has been taken back from review.",
    "approve": "You approved “{}”. It waits to be published.",
    "reject": "You asked for changes to “{}”.",
}


def of_photos() -> None:
    """Wagtail has no setting for these words: they are attributes of its classes."""
    for owner in (AdminImageChooser, ImageChooserViewSet):
        owner.choose_one_text = "Choose a photo"
        owner.choose_another_text = "Choose another photo"
    AdminImageChooser.link_to_chosen_text = "Edit this photo"
    ImageChooserViewSet.edit_item_text = "Edit this photo"


class SendItem(SubmitForModerationMenuItem):
    def get_context_data(self, parent_context: dict[str, Any]) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(parent_context)
        context["label"] = "Send to review"
        return context


class SendAgainItem(RestartWorkflowMenuItem):
    label = "Start the review again"


class TakeBackItem(CancelWorkflowMenuItem):
    label = "Take back from review"


_OURS = {
    SubmitForModerationMenuItem: SendItem,
    RestartWorkflowMenuItem: SendAgainItem,
    CancelWorkflowMenuItem: TakeBackItem,
}


def in_menu(items: list[ActionMenuItem]) -> list[ActionMenuItem]:
    """The same actions in words of a newsroom. An approval does not publish, whatever Wagtail
    says (see ``publishing.approval``)."""
    renamed = [_OURS[type(item)](item.order) if type(item) in _OURS else item for item in items]
    for item in renamed:
        if isinstance(item, WorkflowMenuItem) and item.name == "approve":
            item.label = "Approve with a comment" if item.launch_modal else "Approve"
        elif isinstance(item, WorkflowMenuItem) and item.name == "reject":
            item.label = "Ask for changes"
    return renamed


def what_was_done(article: Any, action: str) -> str:
    """The message after the editor's form was taken."""
    return SAID.get(action, "“{}” is saved.").format(get_latest_str(article))
