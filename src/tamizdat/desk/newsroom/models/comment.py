# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the staff say to each other about an article. Nothing of it ever leaves the desk."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models


class ArticleComment(models.Model):
    """A comment or a reply to one. A thread is resolved at its first comment."""

    article = models.ForeignKey(
        "newsroom.Article", on_delete=models.CASCADE, related_name="comments"
    )
    parent = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.CASCADE, related_name="replies"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    text = models.TextField(help_text="What should be said, asked or changed.")
    field = models.CharField(
        max_length=80, blank=True, help_text="The part of the article that is meant."
    )
    created = models.DateTimeField(auto_now_add=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = "comment"
        ordering: ClassVar = ["created", "pk"]
        indexes: ClassVar = [models.Index(fields=["article", "resolved_at"])]

    def __str__(self) -> str:
        return self.text[:60]
