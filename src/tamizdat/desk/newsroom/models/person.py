# SPDX-License-Identifier: AGPL-3.0-or-later
"""People who sign stories. They need no account and may write under another name.

What always holds: ``is_pseudonym``, ``staff_note`` and ``account`` are for the staff and never
leave the desk: no story, export, feed or log carries them.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.models import Locale
from wagtail.search import index

from tamizdat.desk.newsroom.text import slug_from


class Person(index.Indexed, ClusterableModel):
    """Somebody whose name stands at a story."""

    STAFF_ONLY: ClassVar = frozenset({"is_pseudonym", "staff_note", "account"})

    name = models.CharField(
        max_length=120, help_text="The name as printed, real or not, in its most used spelling."
    )
    slug = models.SlugField(
        "address",
        max_length=100,
        unique=True,
        allow_unicode=True,
        blank=True,
        help_text="The part of the web address. Left empty, it is made from the name.",
    )
    bio = models.TextField(
        "about", blank=True, help_text="A sentence or two for the person's page. May stay empty."
    )
    photo = models.ForeignKey(
        "newsroom.Photo",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="A portrait. Leave it empty where a face could harm somebody.",
    )
    is_pseudonym = models.BooleanField(
        "pseudonym",
        default=False,
        help_text="Tick if this is not the real name. Only staff see it.",
    )
    staff_note = models.TextField(
        blank=True,
        help_text="Only staff see this note; it never leaves the desk. Write as little as you can.",
    )
    account = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="person",
        help_text="The desk account of this person, if there is one. Only staff see the link.",
    )

    search_fields: ClassVar = [
        index.SearchField("name", boost=3),
        index.AutocompleteField("name"),
        index.RelatedFields("texts", [index.SearchField("name"), index.AutocompleteField("name")]),
    ]

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        super().clean()
        if not self.slug:
            self.slug = free_slug(slug_from(self.name, fallback="person"), self.pk)

    def name_in(self, language: str) -> str:
        """The name as it is written in a language of the paper (``ru``)."""
        text = self._text(language)
        return (text and text.name) or self.name

    def bio_in(self, language: str) -> str:
        """What is said about the person in a language; empty where nothing was written."""
        text = self._text(language)
        return (text and text.bio) or self.bio

    def _text(self, language: str) -> PersonText | None:
        return next((t for t in self.texts.all() if t.locale.language_code == language), None)


def free_slug(slug: str, pk: int | None) -> str:
    """The address itself, or with the first number that nobody else has."""
    taken = set(
        Person.objects.filter(slug__startswith=slug).exclude(pk=pk).values_list("slug", flat=True)
    )
    candidates = (slug, *(f"{slug}-{n}" for n in range(2, len(taken) + 3)))
    return next(c for c in candidates if c not in taken)


class PersonText(models.Model):
    """How a person is called and described in one language of the paper."""

    person = ParentalKey(Person, on_delete=models.CASCADE, related_name="texts")
    locale = models.ForeignKey(
        Locale, on_delete=models.CASCADE, related_name="+", verbose_name="language"
    )
    name = models.CharField(
        max_length=120, blank=True, help_text="The name in this language's letters."
    )
    bio = models.TextField("about", blank=True, help_text="About the person, in this language.")

    class Meta:
        verbose_name = "name in a language"
        verbose_name_plural = "names in other languages"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["person", "locale"], name="person_text_once")
        ]

    def __str__(self) -> str:
        return self.name
