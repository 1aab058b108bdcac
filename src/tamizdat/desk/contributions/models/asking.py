# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the newsroom says to its readers to be supported.

What always holds: what readers see is an ``AskVersion``, appended when an ask was approved by
somebody else than who wrote it, and never changed; the ask itself is what is being written.

What is not done here: showing (``paper``), deciding (``actions``).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Place(models.TextChoices):
    RIBBON = "ribbon", "on top of every page"
    MESSAGE = "message", "in and after the article"
    THANKS = "thanks", "after somebody gave"


class Ask(models.Model):
    """One message. ``content`` is JSON (``content.AskContent``): the variants with their weights,
    texts by language, amounts, where it stands, how often, the goal. ``slug`` goes with gifts."""

    class State(models.TextChoices):
        DRAFT = "draft", "is being written"
        LIVE = "live", "readers see it"
        STOPPED = "stopped", "taken down"

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=100)
    place = models.CharField(max_length=10, choices=Place.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    content = models.JSONField(default=dict)
    begins = models.DateTimeField(null=True, blank=True)
    ends = models.DateTimeField(null=True, blank=True)
    changed = models.DateTimeField(auto_now=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        ordering = ["-changed"]
        permissions = [("approve_ask", "Can approve messages to readers")]
        constraints = [
            models.CheckConstraint(condition=Q(place__in=Place.values), name="contributions_place"),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "live", "stopped"]), name="contributions_ask_state"
            ),
            models.CheckConstraint(
                condition=Q(begins=None) | Q(ends=None) | Q(begins__lt=models.F("ends")),
                name="contributions_ask_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class AskVersion(models.Model):
    """What was approved: append-only (``triggers``). ``number`` counts from 1 for each ask."""

    ask = models.ForeignKey(Ask, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    content = models.JSONField()
    begins = models.DateTimeField(null=True)
    ends = models.DateTimeField(null=True)
    written_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["ask", "number"], name="contributions_ask_version")
        ]

    def __str__(self) -> str:
        return f"{self.ask_id}.{self.number}"
