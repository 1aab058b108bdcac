# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsletter: what readers sign up for."""

from __future__ import annotations

import re
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel

from tamizdat.desk.newsroom.models import Section, SitePage
from tamizdat.edition.site import NEWSLETTER_SLUG

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}\Z")


class Weekday(models.IntegerChoices):
    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class Newsletter(ClusterableModel):
    """``often`` says to readers how often it comes; ``weekday``, ``hour`` and ``zone`` when the
    next issue is due. ``missed`` is what becomes of an issue whose hour passed while nothing ran:
    within ``missed_hours`` it is sent, later it is held or sent all the same. ``attach_reader``:
    the single-file reader travels with whole articles."""

    class Missed(models.TextChoices):
        HOLD = "hold", "hold it and tell the desk"
        SEND = "send", "send it as soon as possible"

    class Pictures(models.TextChoices):
        NONE = "none", "no pictures"
        INLINE = "inline", "small pictures inside the mail"
        REMOTE = "remote", "pictures from the paper (mail programs tell it who reads)"

    slug = models.SlugField(max_length=60, unique=True)
    language = models.CharField(max_length=35)
    title = models.CharField(max_length=100)
    about = models.CharField(max_length=500, blank=True)
    often = models.CharField(max_length=100, blank=True)
    sender_name = models.CharField(max_length=100)
    sender_address = models.EmailField()
    reply_to = models.EmailField(blank=True)
    postal = models.CharField(max_length=300, blank=True)
    weekday = models.PositiveSmallIntegerField(choices=Weekday.choices, default=Weekday.FRIDAY)
    hour = models.TimeField()
    zone = models.CharField(max_length=60)
    missed = models.CharField(max_length=10, choices=Missed.choices, default=Missed.HOLD)
    missed_hours = models.PositiveSmallIntegerField(default=6)
    pictures = models.CharField(max_length=10, choices=Pictures.choices, default=Pictures.INLINE)
    full_text = models.BooleanField(default=False)
    attach_reader = models.BooleanField(default=False)
    active = models.BooleanField(default=True)

    class Meta:
        ordering = ["title"]
        constraints = [
            models.CheckConstraint(
                condition=Q(weekday__gte=0, weekday__lte=6), name="newsletter_weekday"
            )
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.language})"

    def clean(self) -> None:
        """Refuse what the paper could not show (``edition.site``)."""
        super().clean()
        if not _SLUG.match(self.slug or "") or self.slug.isdigit():
            raise ValidationError(
                {"slug": "Use small letters from a to z, digits and hyphens, and not digits alone."}
            )
        before = Newsletter.objects.filter(pk=self.pk).values_list("slug", flat=True).first()
        if before and before != self.slug and self.has_readers():
            raise ValidationError(
                {
                    "slug": f"What readers agreed to is kept under “{before}”, and issues stand "
                    "there in the paper: it stays as it is."
                }
            )
        if address_taken(self.language):
            raise ValidationError(
                {
                    "language": f"A section or page in this language has the address "
                    f"“{NEWSLETTER_SLUG}”, where readers will sign up. Give it another one first."
                }
            )

    def has_readers(self) -> bool:
        """Whether anybody ever asked for it, or an issue of it was begun."""
        return self.subscriptions.exists() or self.issues.exists()


def address_taken(language: str) -> bool:
    """Whether something else lies where readers of a language would sign up."""
    return any(
        model.objects.filter(locale__language_code=language, slug=NEWSLETTER_SLUG).exists()
        for model in (Section, SitePage)
    )


class NewsletterSection(models.Model):
    """A heading that each new issue starts with: News, Features, Analysis."""

    sort_order_field: ClassVar = "order"

    newsletter = ParentalKey(Newsletter, on_delete=models.CASCADE, related_name="sections")
    title = models.CharField(max_length=60)
    order = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["order", "id"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.title
