# SPDX-License-Identifier: AGPL-3.0-or-later
"""Readers and what they agreed to.

What always holds (the database refuses anything else, see ``triggers``):

- One row an address: ``blind``, the keyed index of the normalised address, is unique.
- Without the key file no row says whose it is. Ids are drawn at random, so that not even the order
  in which people came is told; days are days, not times.
- ``Consent`` is append-only. Its rows go only where nothing was ever confirmed, when what was
  agreed to is done, or when the last word is a withdrawal older than the term in ``Term``.

What is not done here: sealing and finding (``vault``), deciding (``consents``, ``actions``).
"""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q


def random_id() -> int:
    """A positive number of 62 bits that says nothing."""
    return secrets.randbits(62) or 1


class Reader(models.Model):
    """Somebody who left an address. ``sealed`` is empty once it was erased. ``cohort`` names the
    readers who share this one's entries; it says nothing of the person."""

    id = models.BigIntegerField(primary_key=True, default=random_id)
    blind = models.BinaryField(max_length=32, unique=True)
    key_version = models.PositiveIntegerField()
    sealed = models.BinaryField()
    language = models.CharField(max_length=35)
    cohort = models.CharField(max_length=40, blank=True, default="", db_default="")
    added = models.DateField()
    erased = models.DateField(null=True)

    class Meta:
        indexes = [models.Index(fields=["key_version", "id"], name="readers_by_key")]
        default_permissions = ("view",)
        permissions = [("export_reader", "Can export"), ("erase_reader", "Can erase")]

    def __str__(self) -> str:
        return f"reader {self.pk:x}"


class Consent(models.Model):
    """One word of a reader: what was asked, confirmed or withdrawn, when, and how we know."""

    class Event(models.TextChoices):
        ASKED = "asked", "asked for"
        CONFIRMED = "confirmed", "confirmed"
        IMPORTED = "imported", "brought along"
        WITHDRAWN = "withdrawn", "withdrawn"
        FULFILLED = "fulfilled", "done"

    reader = models.ForeignKey(Reader, on_delete=models.PROTECT, related_name="consents")
    purpose = models.SlugField(max_length=50)
    subject = models.SlugField(max_length=100, blank=True)
    event = models.CharField(max_length=10, choices=Event.choices)
    day = models.DateField()
    form = models.SlugField(max_length=100)
    privacy = models.PositiveIntegerField(null=True)
    language = models.CharField(max_length=35)
    proof = models.CharField(max_length=64, blank=True)
    evidence = models.CharField(max_length=500, blank=True)

    class Meta:
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["reader", "purpose", "subject"], name="readers_consent_of"),
            models.Index(fields=["event", "day"], name="readers_consent_by_day"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(event="confirmed") | ~Q(proof=""), name="readers_confirmed_has_proof"
            ),
            models.CheckConstraint(
                condition=~Q(event__in=("asked", "confirmed")) | Q(privacy__isnull=False),
                name="readers_consent_names_policy",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.event} on {self.day}"


class Term(models.Model):
    """For how many days something is kept, as the database's own rules read it."""

    name = models.SlugField(primary_key=True, max_length=50)
    days = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.days} days"


class VaultState(models.Model):
    """Which key version is in force; one row, number 1. Whoever seals locks it (``vault``)."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    version = models.PositiveIntegerField()
    shredded = models.DateField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=Q(id=1), name="readers_one_vault")]

    def __str__(self) -> str:
        return f"key version {self.version}"


class RetentionRun(models.Model):
    """What a rule of retention did on a day: counts and nothing else."""

    rule = models.SlugField(max_length=50)
    day = models.DateField()
    erased = models.PositiveIntegerField()
    refused = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["rule", "day"], name="readers_one_run_a_day")
        ]

    def __str__(self) -> str:
        return f"{self.rule} on {self.day}: {self.erased}"
