# SPDX-License-Identifier: AGPL-3.0-or-later
"""What came from the drops: what is done, what waits, what readers wrote.

What always holds (the database refuses anything else):

- A submission's id stands in ``Handled`` at most once, written in the transaction of its effects.
- ``Aside`` holds each sealed submission once, whatever a drop sends again.
- What a reader wrote, and a note about it, lie in the database only sealed (``safe``). Nothing in
  the clear columns says who wrote; hours are the finest time.

What is not done here: opening and handing on (``taking``), what staff do (``actions``).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import formats, timezone

ID = 22  # characters of a submission's id


class Drop(models.Model):
    """How collecting from one drop went. ``problem`` is empty while it answers; ``next_try`` is
    also the claim of who collects: of two workers one moves it on."""

    name = models.CharField(max_length=40, unique=True)
    next_try = models.DateTimeField(default=timezone.now)
    collected = models.DateTimeField(null=True)
    silent_since = models.DateTimeField(null=True)
    opened = models.DateTimeField(null=True)
    failures = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(problem="", silent_since=None, failures=0)
                | (~Q(problem="") & Q(silent_since__isnull=False, failures__gt=0)),
                name="letters_trouble_has_words",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Handled(models.Model):
    """An id that was acted upon, and the day: nothing else is remembered."""

    submission = models.CharField(max_length=ID, primary_key=True)
    day = models.DateField(db_index=True)

    class Meta:
        verbose_name = "handled submission"

    def __str__(self) -> str:
        return f"Handled on {self.day}"


class Aside(models.Model):
    """A sealed submission that is not done: it cannot be read, nothing handles its kind yet, or
    what handles it failed. ``sealed`` are the bytes as they came, ``digest`` their SHA-256."""

    class State(models.TextChoices):
        UNREADABLE = "unreadable", "cannot be read"
        WAITING = "waiting", "waits for a handler"
        FAILED = "failed", "failed, tried again later"

    state = models.CharField(max_length=10, choices=State.choices)
    sealed = models.BinaryField()
    digest = models.CharField(max_length=64, unique=True)
    submission = models.CharField(max_length=ID, null=True, unique=True)
    kind = models.CharField(max_length=100, blank=True)
    drop = models.CharField(max_length=40)
    hour = models.DateTimeField()
    reason = models.TextField(blank=True)
    attempts = models.PositiveIntegerField(default=0)
    next_try = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "submission kept aside"
        indexes = [models.Index(fields=["state", "next_try"], name="letters_aside_due")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["unreadable", "waiting", "failed"]),
                name="letters_aside_state",
            ),
            models.CheckConstraint(
                condition=Q(state="unreadable", submission=None)
                | (~Q(state="unreadable") & Q(submission__isnull=False)),
                name="letters_aside_readable_has_id",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | Q(next_try__isnull=False),
                name="letters_failed_is_tried_again",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()}, of {self.hour:%Y-%m-%d %H:00} UTC"


class Message(models.Model):
    """What a reader wrote to the desk, sealed; ``letter.open_letter`` opens it."""

    class State(models.TextChoices):
        NEW = "new", "new"
        ANSWERED = "answered", "answered"
        AWAY = "away", "put away"

    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    sealed = models.BinaryField()
    note = models.BinaryField(default=b"")
    arrived = models.DateTimeField()
    put_away = models.DateTimeField(null=True)
    deleted = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["deleted", "state", "-id"], name="letters_inbox"),
            models.Index(fields=["put_away"], name="letters_put_away"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["new", "answered", "away"]), name="letters_message_state"
            ),
            models.CheckConstraint(
                condition=Q(state="away", put_away__isnull=False)
                | (~Q(state="away") & Q(put_away=None)),
                name="letters_away_has_its_day",
            ),
        ]

    def __str__(self) -> str:
        """Says when, never who or what: it stands in the desk's log."""
        arrived = timezone.localtime(self.arrived)
        return f"Message of {formats.date_format(arrived, 'j F Y, H:i')}"
