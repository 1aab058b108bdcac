# SPDX-License-Identifier: AGPL-3.0-or-later
"""What was published, and what waits to be built.

What always holds (the database refuses anything else, see ``triggers``):

- ``StoryVersion`` is append-only: its content is never updated and its rows never deleted. Only
  where it stands (``request``, ``edition``) and whose account made it may change.
- A story's versions are numbered from 1 without two alike; ``StoryHead`` points to the newest.
- An address belongs to one story for ever, also after the story moved away from it.
- A build request is in exactly one state; what is being built has a claim and a lease.

What is not done here: deciding (``actions``), claiming and building (``queue``, ``builder``).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class BuildRequest(models.Model):
    """Something that the worker has to build. Bursts are claimed, and built, together."""

    class Kind(models.TextChoices):
        STORIES = "stories", "stories"
        REFRESH = "refresh", "fronts and pages"
        FULL = "full", "the whole paper"

    class State(models.TextChoices):
        QUEUED = "queued", "queued"
        BUILDING = "building", "being built"
        LIVE = "live", "live"
        FAILED = "failed", "failed"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    created = models.DateTimeField(default=timezone.now, db_index=True)
    acting_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    article = models.ForeignKey(
        "newsroom.Article", null=True, on_delete=models.SET_NULL, related_name="+"
    )
    not_before = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    claim = models.CharField(max_length=100, blank=True)
    lease_until = models.DateTimeField(null=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    edition = models.PositiveBigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "created"], name="publishing_by_state"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["stories", "refresh", "full"]), name="publishing_kind"
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "building", "live", "failed"]),
                name="publishing_state",
            ),
            models.CheckConstraint(
                condition=~Q(state="building") | (~Q(claim="") & Q(lease_until__isnull=False)),
                name="publishing_building_is_claimed",
            ),
            models.CheckConstraint(
                condition=~Q(state="failed") | ~Q(error=""), name="publishing_failure_has_reason"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_state_display()}"


class StoryVersion(models.Model):
    """One version of a story, as it goes out: the ninjs item exactly as it was encoded.

    ``acting_user`` and ``revision`` are the desk's own and are never in the item. ``edition`` is
    the number of the edition in which it (or a newer version in its place) went live.
    """

    class Reason(models.TextChoices):
        PUBLISHED = "published", "published"
        CORRECTED = "corrected", "corrected"
        WITHDRAWN = "withdrawn", "withdrawn"
        RESTORED = "restored", "restored"
        MOVED = "moved", "address changed"
        IMPORTED = "imported", "imported"

    uri = models.CharField(max_length=255)
    version = models.PositiveIntegerField()
    language = models.CharField(max_length=20)
    pub_status = models.CharField(max_length=10)
    item = models.TextField()
    created = models.DateTimeField(default=timezone.now)
    reason = models.CharField(max_length=10, choices=Reason.choices)
    article = models.ForeignKey(
        "newsroom.Article", null=True, on_delete=models.PROTECT, related_name="story_versions"
    )
    revision = models.PositiveBigIntegerField(null=True)
    acting_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    request = models.ForeignKey(
        BuildRequest, null=True, on_delete=models.PROTECT, related_name="versions"
    )
    edition = models.PositiveBigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["-created"], name="publishing_newest"),
            models.Index(
                fields=["request"], condition=Q(edition__isnull=True), name="publishing_waiting"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["uri", "version"], name="publishing_version_once"),
            models.CheckConstraint(condition=Q(version__gte=1), name="publishing_version_from_1"),
            models.CheckConstraint(
                condition=Q(pub_status__in=["usable", "withheld", "canceled"]),
                name="publishing_pub_status",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.uri} version {self.version}"


class StoryHead(models.Model):
    """The newest version of each story: what a whole build streams, by ``id``."""

    uri = models.CharField(max_length=255, unique=True)
    version = models.OneToOneField(StoryVersion, on_delete=models.PROTECT, related_name="head")
    language = models.CharField(max_length=20)
    path = models.CharField(max_length=500, unique=True)
    pub_status = models.CharField(max_length=10)

    def __str__(self) -> str:
        return self.path


class Address(models.Model):
    """An address that a story has or had: no other story can ever take it."""

    path = models.CharField(max_length=500, unique=True)
    uri = models.CharField(max_length=255, db_index=True)

    def __str__(self) -> str:
        return self.path


class ActionToken(models.Model):
    """A form that was sent: sending it twice does its work once."""

    token = models.UUIDField(primary_key=True)
    created = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return str(self.token)


class WorkerHeartbeat(models.Model):
    """A worker says that it lives. ``name`` is in the claims it holds."""

    name = models.CharField(max_length=100, unique=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started = models.DateTimeField(default=timezone.now)
    beat = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return self.name


class DailyRun(models.Model):
    """Work that is done once an hour or a day, by whichever worker comes first."""

    name = models.CharField(max_length=50, unique=True)
    last = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
