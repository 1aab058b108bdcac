# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who wants to be reminded. The address lies in the vault; that they want it, in ``Consent``."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tamizdat.desk.readers.models import Reader, random_id


class Reminder(models.Model):
    """One a reader while it waits. ``due`` is the day from which it may go; ``sent`` counts its
    mails (two at most); the row goes the day after the last one went or it was stopped."""

    class State(models.TextChoices):
        ASKED = "asked", "not confirmed yet"
        WAITS = "waits", "waits for its day"
        DONE = "done", "sent, or not needed any more"
        STOPPED = "stopped", "not wanted any more"

    id = models.BigIntegerField(primary_key=True, default=random_id)
    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, related_name="reminders")
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    asked = models.DateField()
    due = models.DateField()
    months = models.PositiveSmallIntegerField()
    sent = models.PositiveSmallIntegerField(default=0)
    done = models.DateField(null=True)
    language = models.CharField(max_length=35)
    message = models.SlugField(max_length=60, blank=True)
    variant = models.SlugField(max_length=60, blank=True)

    class Meta:
        default_permissions = ("view",)
        indexes = [models.Index(fields=["state", "due"], name="contributions_reminder_due")]
        constraints = [
            models.UniqueConstraint(
                fields=["reader"],
                condition=Q(state__in=["asked", "waits"]),
                name="contributions_one_reminder",
            ),
            models.CheckConstraint(condition=Q(sent__lte=2), name="contributions_two_reminders"),
            models.CheckConstraint(
                condition=Q(state__in=["asked", "waits", "done", "stopped"]),
                name="contributions_reminder_state",
            ),
        ]

    def __str__(self) -> str:
        return f"reminder {self.pk:x}"
