# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ledger: one row an issue and subscription, from queued to its end.

What always holds (the database refuses anything else): a subscription stands once in an issue; a
row is ``sending`` from before its first byte leaves until the relay's answer is kept.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from tamizdat.desk.newsletter.models.issue import Issue
from tamizdat.desk.newsletter.models.subscription import Subscription
from tamizdat.desk.outgoing.models import State


class Delivery(models.Model):
    """``domain`` is the receiving domain where it is one of the large receivers, else empty: a
    domain of one's own would name its owner. ``said`` is what the relay answered, no address in
    it. ``worker`` claimed the row; ``bounced`` is the day on which it came back."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="deliveries")
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="deliveries"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    text = models.CharField(max_length=10, default="summary")
    domain = models.CharField(max_length=60, blank=True)
    not_before = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=80, blank=True)
    relay = models.CharField(max_length=40, blank=True)
    code = models.CharField(max_length=20, blank=True)
    said = models.CharField(max_length=300, blank=True)
    finished = models.DateTimeField(null=True)
    bounced = models.DateField(null=True)
    resent = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["issue", "id"],
                condition=Q(state="queued"),
                name="newsletter_delivery_queued",
            ),
            models.Index(
                fields=["issue", "state", "not_before"],
                condition=Q(state__in=["sending", "deferred", "unknown", "refused"]),
                name="newsletter_delivery_open",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["issue", "subscription"], name="newsletter_one_delivery"
            ),
            models.CheckConstraint(
                condition=Q(state__in=State.values), name="newsletter_delivery_state"
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | ~Q(worker=""),
                name="newsletter_sending_has_worker",
            ),
        ]

    def __str__(self) -> str:
        return f"delivery {self.pk}, {self.get_state_display()}"
