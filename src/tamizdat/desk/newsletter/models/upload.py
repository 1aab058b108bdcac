# SPDX-License-Identifier: AGPL-3.0-or-later
"""A file of subscribers that was handed in at the desk.

What always holds: its rows lie here only sealed by the vault, and go as soon as they were taken in,
thrown away or a day old; what stays are numbers of rows, never an address.

What is not done here: reading it (``transfer``).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from tamizdat.desk.newsletter.models.newsletter import Newsletter


class Upload(models.Model):
    """``read`` of ``size`` bytes are looked at. ``cohort``: where those who are subscribed are put
    to; empty: what the file says, else the lot. ``report`` is the last
    ``transfer.importing.Report``, as JSON. ``worker`` carries it, and says so by ``beat``;
    ``problem`` is what stands in the way."""

    class State(models.TextChoices):
        LOOKING = "looking", "is looked at"
        LOOKED = "looked", "waits for a yes"
        TAKING = "taking", "is taken in"
        DONE = "done", "was taken in"
        FAILED = "failed", "cannot be read"

    newsletter = models.ForeignKey(Newsletter, on_delete=models.CASCADE, related_name="uploads")
    name = models.CharField(max_length=200)
    format = models.CharField(max_length=10)
    evidence = models.CharField(max_length=400, blank=True)
    cohort = models.CharField(max_length=40, blank=True, default="", db_default="")
    state = models.CharField(max_length=10, choices=State.choices, default=State.LOOKING)
    size = models.PositiveBigIntegerField()
    read = models.PositiveBigIntegerField(default=0)
    report = models.JSONField(default=dict)
    problem = models.CharField(max_length=300, blank=True)
    worker = models.CharField(max_length=40, blank=True)
    beat = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    made = models.DateTimeField()
    finished = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-pk"]
        default_permissions = ()
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["looking", "looked", "taking", "done", "failed"]),
                name="newsletter_upload_state",
            )
        ]

    def __str__(self) -> str:
        return f"list {self.pk}"


class UploadPart(models.Model):
    """A stretch of the file; all but the last are ``transfer.sealed_file.PART`` bytes long."""

    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="parts")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["upload", "number"], name="newsletter_one_part")
        ]

    def __str__(self) -> str:
        return f"part {self.number} of list {self.upload_id}"
