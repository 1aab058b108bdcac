# SPDX-License-Identifier: AGPL-3.0-or-later
"""What editors put at the top of a front, in their order."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from wagtail.models import Locale


class FrontPin(models.Model):
    """One story at the top of a language's front page, or of a section's where one is named."""

    locale = models.ForeignKey(
        Locale, on_delete=models.CASCADE, related_name="+", verbose_name="language"
    )
    section = models.ForeignKey(
        "newsroom.Section",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="pins",
        help_text="Empty for the front page itself.",
    )
    article = models.ForeignKey("newsroom.Article", on_delete=models.CASCADE, related_name="pins")
    order = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "pinned story"
        verbose_name_plural = "pinned stories"
        ordering: ClassVar = ["locale", "section", "order"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["locale", "section", "article"],
                name="pinned_once",
                nulls_distinct=None,
            ),
            models.UniqueConstraint(
                fields=["locale", "article"],
                condition=models.Q(section__isnull=True),
                name="pinned_once_on_the_front",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order}: {self.article}"
