# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who gets a newsletter. The address lies in the vault; why we may write in ``readers.Consent``."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tamizdat.desk.newsletter.models.newsletter import Newsletter
from tamizdat.desk.readers.models import Reader, random_id


class Subscription(models.Model):
    """One a newsletter and reader. An issue goes to those that are ``active``, whose pause is over
    and whose reader is not suppressed. ``moves_to`` is the new address that its reader asked
    for and has not confirmed yet."""

    class State(models.TextChoices):
        PENDING = "pending", "not confirmed yet"
        ACTIVE = "active", "gets each issue"
        LEFT = "left", "left"

    class Text(models.TextChoices):
        SUMMARY = "summary", "headlines and a few sentences"
        FULL = "full", "whole articles"

    id = models.BigIntegerField(primary_key=True, default=random_id)
    newsletter = models.ForeignKey(
        Newsletter, on_delete=models.PROTECT, related_name="subscriptions"
    )
    reader = models.ForeignKey(Reader, on_delete=models.CASCADE, related_name="subscriptions")
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    text = models.CharField(max_length=10, choices=Text.choices, default=Text.SUMMARY)
    paused_until = models.DateField(null=True)
    since = models.DateField()
    left = models.DateField(null=True)
    moves_to = models.ForeignKey(Reader, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["newsletter", "state", "id"], name="newsletter_audience"),
            # Numbers that the desk shows: each is counted in one index, without the rows.
            models.Index(fields=["newsletter", "state", "text"], name="newsletter_numbers"),
            models.Index(fields=["since", "newsletter", "state"], name="newsletter_came"),
            models.Index(
                fields=["left", "newsletter"],
                condition=Q(left__isnull=False),
                name="newsletter_went",
            ),
            models.Index(
                fields=["newsletter", "state", "paused_until"],
                condition=Q(paused_until__isnull=False),
                name="newsletter_pausing",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["newsletter", "reader"], name="newsletter_one_subscription"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["pending", "active", "left"]),
                name="newsletter_subscription_state",
            ),
            models.CheckConstraint(
                condition=Q(state="left", left__isnull=False) | ~Q(state="left") & Q(left=None),
                name="newsletter_left_has_its_day",
            ),
        ]

    def __str__(self) -> str:
        return f"subscription {self.pk:x}"
