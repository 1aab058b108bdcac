# SPDX-License-Identifier: AGPL-3.0-or-later
"""An issue: stories that editors picked by hand, under headings."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from tamizdat.desk.newsletter.models.newsletter import Newsletter


class Issue(models.Model):
    """``approved_hash`` is of what was approved: a change after it needs another approval.
    ``problem`` says why it was held.
    ``frozen`` are the encoded contents (``mail.content``) that went out, by form, and
    what cohorts were told beside (``mail.content.Told``)."""

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        APPROVED = "approved", "approved"
        SCHEDULED = "scheduled", "scheduled"
        HELD = "held", "held"
        STARTING = "starting", "its readers are gathered"
        SENDING = "sending", "is being sent"
        PAUSED = "paused", "paused"
        SENT = "sent", "sent"
        CANCELLED = "cancelled", "cancelled"

    newsletter = models.ForeignKey(Newsletter, on_delete=models.PROTECT, related_name="issues")
    number = models.PositiveIntegerField()
    subject = models.CharField(max_length=150)
    preheader = models.CharField(max_length=200, blank=True)
    note = models.TextField(blank=True)
    signed = models.CharField(max_length=100, blank=True)
    picture = models.ForeignKey(
        "newsroom.Photo", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    picture_caption = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    scheduled_for = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
    )
    approved_hash = models.CharField(max_length=64, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=500, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created = models.DateTimeField()
    edited = models.DateTimeField()
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    frozen = models.JSONField(default=dict)
    gathered_to = models.BigIntegerField(default=0)
    audience = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-number"]
        permissions = [
            ("approve_issue", "Can approve an issue"),
            ("send_issue", "Can schedule, send, pause and cancel an issue"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["newsletter", "number"], name="newsletter_one_number"),
            models.CheckConstraint(
                condition=~Q(state="scheduled") | Q(scheduled_for__isnull=False),
                name="newsletter_scheduled_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["sending", "paused", "sent"]) | Q(started__isnull=False),
                name="newsletter_sending_has_started",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.newsletter.title}, No. {self.number}"


class IssueSection(models.Model):
    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="sections")
    title = models.CharField(max_length=60)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.title


class IssueItem(models.Model):
    """A published story; ``blurb`` and ``headline`` are the issue's own where not empty.
    ``picked`` is the number of the story's version that the editors have seen."""

    section = models.ForeignKey(IssueSection, on_delete=models.CASCADE, related_name="items")
    article = models.ForeignKey("newsroom.Article", on_delete=models.PROTECT, related_name="+")
    headline = models.CharField(max_length=200, blank=True)
    blurb = models.TextField(blank=True, max_length=1_000)
    picked = models.PositiveIntegerField(default=0)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["section", "article"], name="newsletter_one_item_a_section"
            )
        ]

    def __str__(self) -> str:
        return self.headline or str(self.article)
