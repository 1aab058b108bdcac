# SPDX-License-Identifier: AGPL-3.0-or-later
"""The newsroom's own pages: about, contact, corrections policy, privacy policy.

What always holds: a ``SitePageVersion`` is written once and never changed or deleted, and its
number never means another text: a reader's consent refers to it.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from wagtail.fields import RichTextField
from wagtail.models import TranslatableMixin

from tamizdat.desk.newsroom.models.taxonomy import refuse_taken
from tamizdat.desk.newsroom.text import slug_from
from tamizdat.edition.site import RESERVED_SLUGS

PAGE_FEATURES = ["h2", "h3", "bold", "italic", "link", "ol", "ul", "blockquote"]


class SitePage(TranslatableMixin, models.Model):
    """A page of the newsroom's own in one language. ``body`` is what is being worked on;
    readers see the newest ``SitePageVersion``."""

    class Kind(models.TextChoices):
        ABOUT = "about", "About us"
        CONTACT = "contact", "Contact"
        CORRECTIONS = "corrections", "Corrections policy"
        PRIVACY = "privacy", "Privacy policy"
        OTHER = "other", "Another page"

    kind = models.CharField(max_length=20, choices=Kind.choices, default=Kind.OTHER)
    title = models.CharField(max_length=120, help_text="The heading, and the words of the link.")
    slug = models.SlugField(
        "address",
        max_length=100,
        allow_unicode=True,
        blank=True,
        help_text="The part of the web address. Left empty, it is made from the title.",
    )
    body = RichTextField(features=PAGE_FEATURES, blank=True, help_text="The text of the page.")
    in_footer = models.BooleanField(
        "link at the foot of every page", default=True, help_text="Readers look for it there."
    )
    order = models.PositiveIntegerField(
        default=0, help_text="Links are listed by this number, the smallest first."
    )

    class Meta(TranslatableMixin.Meta):
        verbose_name = "page"
        ordering: ClassVar = ["order", "title"]
        unique_together: ClassVar = [("translation_key", "locale"), ("locale", "slug")]
        permissions: ClassVar = [("publish_sitepage", "Can publish page")]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        super().clean()
        self.slug = self.slug or slug_from(self.title, fallback="page")
        if self.slug in RESERVED_SLUGS or self.slug.isdigit():
            raise ValidationError({"slug": f"“{self.slug}” cannot be the address of a page."})
        refuse_taken(self)

    @property
    def published(self) -> SitePageVersion | None:
        """The text that readers see; None where nothing was published yet."""
        return self.versions.order_by("-number").first()


class SitePageVersion(models.Model):
    """A page's text as it was published. Numbers count from 1."""

    page = models.ForeignKey(SitePage, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=120)
    html = models.TextField()
    published_at = models.DateTimeField()
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = "version of a page"
        ordering: ClassVar = ["page", "-number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["page", "number"], name="page_version_number_once"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="page_version_from_1"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.number})"
