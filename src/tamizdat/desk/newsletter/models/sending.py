# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who sends issues, and how far each is: what the engine counts beside the ledger.

What always holds: a sender whose row is gone or says ``lost`` sends nothing any more (it looks
before each mail); tallies are changed in the transaction that changes the ledger.
"""

from __future__ import annotations

from django.db import models

from tamizdat.desk.newsletter.models.issue import Issue


class Sender(models.Model):
    """A process that sends. ``beat`` goes up while it works: others see that it lives by the
    number changing, never by a clock. ``place`` tells those on the same machine which process it
    is. ``rate`` is what it sends now, in mails a second."""

    name = models.CharField(max_length=40, unique=True)
    place = models.CharField(max_length=200)
    beat = models.BigIntegerField(default=0)
    lost = models.BooleanField(default=False)
    rate = models.FloatField(default=0.0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class Tally(models.Model):
    """How many mails of an issue stand so (``kind``: state, sent by relay, refused by domain …).
    The count is the sum over all ``worker``: each has rows of its own, so that none waits for
    another; one of them alone may be below nothing."""

    issue = models.ForeignKey(Issue, on_delete=models.CASCADE, related_name="tallies")
    worker = models.CharField(max_length=40)
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=60)
    count = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["issue", "worker", "kind", "name"], name="newsletter_one_tally"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.count}"
