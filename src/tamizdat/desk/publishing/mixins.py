# SPDX-License-Identifier: AGPL-3.0-or-later
"""What makes an article's Publish end in the paper, whichever way it was asked for.

Put ``PublishedMixin`` before Wagtail's ``DraftStateMixin``. Every way Wagtail has of publishing
(the editor's button, the last approval of a workflow, ``publish_scheduled``, ``Revision.publish``)
calls ``publish`` on the model; ``unpublish`` likewise. Both become the one named action.
"""

from __future__ import annotations

from typing import Any

from django.db import models


class PublishedMixin(models.Model):
    """Publishing and withdrawing are actions of ``tamizdat.desk.publishing``; adds no columns."""

    class Meta:
        abstract = True

    def publish(
        self,
        revision: Any,
        user: Any = None,
        changed: bool = True,
        log_action: bool | str = True,
        previous_revision: Any = None,
        skip_permission_checks: bool = False,
    ) -> None:
        from tamizdat.desk.publishing import actions  # The actions need this model loaded.

        actions.publish_revision(
            article=self,  # type: ignore[arg-type]  # Only Article inherits this.
            revision=revision,
            acting_user=user,
            changed=changed,
            log_action=log_action,
            previous_revision=previous_revision,
            skip_permission_checks=skip_permission_checks,
        )

    def unpublish(
        self,
        set_expired: bool = False,
        commit: bool = True,
        user: Any = None,
        log_action: bool | str = True,
    ) -> None:
        from tamizdat.desk.publishing import actions  # The actions need this model loaded.

        actions.unpublish(
            article=self,  # type: ignore[arg-type]  # Only Article inherits this.
            acting_user=user,
            set_expired=set_expired,
            commit=commit,
            log_action=log_action,
        )

    def wagtail_publish(self, revision: Any, **options: Any) -> None:
        """What Wagtail does on Publish; only for the action."""
        super().publish(revision, **options)  # type: ignore[misc]  # DraftStateMixin comes next.

    def wagtail_unpublish(self, **options: Any) -> None:
        """What Wagtail does on Unpublish; only for the action, which checks who may: Wagtail's
        own check asks the model for something that only its pages have."""
        super().unpublish(**options)  # type: ignore[misc]  # DraftStateMixin comes next.
