# SPDX-License-Identifier: AGPL-3.0-or-later
"""The audit trail, and how often people signed in.

What always holds (the database refuses anything else, see ``triggers``):

- A ``Record`` is never changed and never deleted; numbers go from 1 without a gap.
- ``entry`` is the whole of it; ``time``, ``account``, ``action``, ``kind`` and ``object_id`` are
  copies to look for, and ``verify`` compares them.
- On PostgreSQL ``number``, ``previous`` and ``hash`` are filled in as the transaction ends.

``SignIns`` are counters of the running day; when it is over they become records and go.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from wagtail.models import ModelLogEntry, PageLogEntry
from wagtail.models.audit_log import ModelLogEntryManager
from wagtail.models.pages import PageLogEntryManager

from tamizdat.desk.audit.chain import NOTHING_BEFORE


class Record(models.Model):
    """One thing that was done. ``account`` is the id of who did it, empty for the command line and
    the desk itself."""

    number = models.PositiveBigIntegerField(unique=True, null=True)
    time = models.DateTimeField()
    account = models.PositiveBigIntegerField(null=True)
    action = models.CharField(max_length=255)
    kind = models.CharField(max_length=200, blank=True)
    object_id = models.CharField(max_length=255, blank=True)
    entry = models.TextField()
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        default_permissions = ("view",)
        verbose_name = "audit trail"
        verbose_name_plural = "audit trail"
        indexes: ClassVar = [
            models.Index(fields=["account", "number"], name="audit_by_person"),
            models.Index(fields=["action", "number"], name="audit_by_action"),
            models.Index(fields=["kind", "number"], name="audit_by_kind"),
            models.Index(fields=["kind", "object_id", "number"], name="audit_by_object"),
            models.Index(fields=["time", "number"], name="audit_by_time"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(number__gte=1), name="audit_number_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.action}"

    @classmethod
    def newest(cls) -> tuple[int, str]:
        """Number and hash of the last row; of an empty trail 0 and 64 noughts."""
        rows = cls.objects.filter(number__isnull=False).order_by("-number")
        number, hash_ = rows.values_list("number", "hash").first() or (0, NOTHING_BEFORE)
        return number or 0, hash_


class SignIns(models.Model):
    """How often somebody signed in or out, or failed to, on a day. Account 0 is no account."""

    class What(models.TextChoices):
        IN = "in", "signed in"
        OUT = "out", "signed out"
        FAILED = "failed", "failed to sign in"

    day = models.DateField()
    account = models.PositiveBigIntegerField(default=0)
    what = models.CharField(max_length=6, choices=What.choices)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["day", "account", "what"], name="audit_sign_ins_once"),
            models.CheckConstraint(
                condition=Q(what__in=["in", "out", "failed"]), name="audit_sign_ins_what"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.count} {self.get_what_display()}"


class _Recorded:
    """Writes a record in the transaction of each of Wagtail's log entries."""

    def log_action(self, instance: Any, action: str, **kwargs: Any) -> Any:
        from tamizdat.desk.audit.actions import log_and_record

        return log_and_record(
            instance=instance,
            write=lambda: super(_Recorded, self).log_action(instance, action, **kwargs),  # type: ignore[misc]  # The manager that it is mixed into has it.
        )


class RecordedEntryManager(_Recorded, ModelLogEntryManager):
    """Of entries about everything but Wagtail's own pages."""


class RecordedPageEntryManager(_Recorded, PageLogEntryManager):
    """Of entries about Wagtail's own pages, which the newsroom does not use."""


class RecordedEntry(ModelLogEntry):
    """Wagtail's log entry, whose every writing is recorded too."""

    objects = RecordedEntryManager()

    class Meta:
        proxy = True
        default_permissions = ()


class RecordedPageEntry(PageLogEntry):
    """The same for Wagtail's own pages."""

    objects = RecordedPageEntryManager()

    class Meta:
        proxy = True
        default_permissions = ()
