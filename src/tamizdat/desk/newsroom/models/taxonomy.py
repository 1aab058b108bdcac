# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a story is filed under. Every term belongs to one language and knows its translations.

What always holds: within one language no two terms of a kind share an address (``slug``).
"""

from __future__ import annotations

from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from wagtail.models import TranslatableMixin
from wagtail.search import index

from tamizdat.desk.newsroom.text import slug_from
from tamizdat.edition.site import RESERVED_SLUGS


def refuse_taken(row: models.Model) -> None:
    """Say that an address is taken in this language. (Forms do not show the language, so Django
    leaves its own check out and only the database would refuse.)"""
    values = {"locale_id": row.locale_id, "slug": row.slug}  # type: ignore[attr-defined]  # of terms and pages
    if type(row)._default_manager.filter(**values).exclude(pk=row.pk).exists():
        raise ValidationError({"slug": f"“{values['slug']}” is taken: choose another address."})


class Term(TranslatableMixin, index.Indexed, models.Model):
    """Base of sections, topics, places and series."""

    title = models.CharField(max_length=120, help_text="The name as readers see it.")
    slug = models.SlugField(
        "address",
        max_length=100,
        allow_unicode=True,
        blank=True,
        help_text="The part of the web address. Left empty, it is made from the name.",
    )
    description = models.TextField(
        blank=True, help_text="One or two sentences at the top of its page. May stay empty."
    )

    search_fields: ClassVar = [
        index.SearchField("title", boost=3),
        index.AutocompleteField("title"),
        index.FilterField("locale_id"),
    ]

    class Meta(TranslatableMixin.Meta):
        abstract = True
        unique_together: ClassVar = [("translation_key", "locale"), ("locale", "slug")]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        super().clean()
        self.slug = self.slug or slug_from(self.title, fallback=self._meta.model_name or "term")
        if self.slug.isdigit():
            raise ValidationError({"slug": "An address cannot be only digits: add a word."})
        refuse_taken(self)


class Section(Term):
    """A part of the paper: News, Culture. Each story is in one."""

    order = models.PositiveIntegerField(
        default=0, help_text="Sections are listed by this number, the smallest first."
    )

    class Meta(Term.Meta):
        verbose_name = "section"
        ordering: ClassVar = ["order", "title"]

    def clean(self) -> None:
        super().clean()
        if self.slug in RESERVED_SLUGS:
            raise ValidationError({"slug": f"“{self.slug}” is used by the paper itself."})


class Topic(Term):
    """What a story is about. A story has as many as are useful."""

    class Meta(Term.Meta):
        verbose_name = "topic"
        ordering: ClassVar = ["title"]


class Place(Term):
    """Where a story happens or where it matters."""

    class Meta(Term.Meta):
        verbose_name = "place"
        ordering: ClassVar = ["title"]


class Series(Term):
    """Stories that belong together and are read in order."""

    class Meta(Term.Meta):
        verbose_name = "series"
        verbose_name_plural = "series"
        ordering: ClassVar = ["title"]
