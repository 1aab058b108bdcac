# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the newsroom says about itself. Name, address and languages are in ``tamizdat.toml``."""

from __future__ import annotations

from typing import ClassVar

from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from modelcluster.fields import ParentalKey
from modelcluster.models import ClusterableModel
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel
from wagtail.contrib.settings.models import BaseGenericSetting
from wagtail.models import Locale

_colour = RegexValidator(r"\A#[0-9a-fA-F]{6}\Z", "Write a colour like #8c1c13.")


class NewsroomSettings(BaseGenericSetting, ClusterableModel):
    """One row: what is the same in every language of the paper."""

    organisation = models.CharField(
        max_length=200, blank=True, help_text="Who publishes the paper, as in the imprint."
    )
    contact = models.EmailField(blank=True, help_text="Where readers and lawyers write to.")
    accent = models.CharField(
        "accent colour",
        max_length=7,
        default="#8c1c13",
        validators=[_colour],
        help_text="The one colour of the paper, on white.",
    )
    accent_dark = models.CharField(
        "accent colour in the dark",
        max_length=7,
        default="#f0907f",
        validators=[_colour],
        help_text="The same on near black: brighter, so that it can be read.",
    )
    read_more = models.PositiveSmallIntegerField(
        "related stories",
        default=4,
        validators=[MaxValueValidator(10)],
        help_text="How many stand under “Read more”.",
    )
    front_stories = models.PositiveSmallIntegerField(
        "stories on a front",
        default=30,
        validators=[MaxValueValidator(200)],
        help_text="How many a front page shows.",
    )

    panels: ClassVar = [
        FieldPanel("organisation"),
        FieldPanel("contact"),
        InlinePanel("texts", heading="Words in each language", label="language"),
        FieldRowPanel([FieldPanel("accent"), FieldPanel("accent_dark")]),
        FieldRowPanel([FieldPanel("read_more"), FieldPanel("front_stories")]),
    ]

    class Meta:
        verbose_name = "the paper"


class LanguageText(models.Model):
    """What the paper says of itself in one language."""

    settings = ParentalKey(NewsroomSettings, on_delete=models.CASCADE, related_name="texts")
    locale = models.OneToOneField(
        Locale, on_delete=models.CASCADE, related_name="+", verbose_name="language"
    )
    name = models.CharField(
        "name of the paper",
        max_length=80,
        blank=True,
        help_text="In this language's letters, if it differs from the one in the settings file.",
    )
    tagline = models.CharField(
        max_length=120, blank=True, help_text="A few words under the name of the paper."
    )
    description = models.TextField(
        blank=True, help_text="One sentence for search engines and links shared by readers."
    )

    class Meta:
        verbose_name = "words in a language"
        verbose_name_plural = "words in each language"

    def __str__(self) -> str:
        return self.tagline
