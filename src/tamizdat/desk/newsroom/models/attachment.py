# SPDX-License-Identifier: AGPL-3.0-or-later
"""Our own recordings, films and documents.

What always holds: the media type is read from the bytes, not believed from the name; inside the
desk a file is only ever handed out to staff, as an attachment.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from wagtail.documents.models import AbstractDocument

from tamizdat.desk.newsroom.text import new_uri


class Attachment(AbstractDocument):
    """A recording, film or document."""

    uri = models.CharField(max_length=200, unique=True, default=new_uri, editable=False)
    media_type = models.CharField(max_length=100, blank=True, editable=False)
    sha256 = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    caption = models.TextField(blank=True, help_text="What it is, in a sentence. Readers see it.")
    credit = models.CharField(max_length=255, blank=True, help_text="Who made it.")
    import_key = models.CharField(
        max_length=255, unique=True, null=True, blank=True, editable=False
    )

    admin_form_fields: ClassVar = ("title", "file", "caption", "credit", "collection", "tags")

    class Meta(AbstractDocument.Meta):
        verbose_name = "recording or document"
        verbose_name_plural = "recordings and documents"
        ordering: ClassVar = ["-created_at"]

    @property
    def kind(self) -> str:
        """``audio``, ``video`` or ``document``."""
        major = self.media_type.partition("/")[0]
        return major if major in ("audio", "video") else "document"
