# SPDX-License-Identifier: AGPL-3.0-or-later
"""The words for what people and sources did. The values are those of ``edition.story``."""

from __future__ import annotations

from django.db import models


class BylineRole(models.TextChoices):
    AUTHOR = "author", "Author"
    REPORTER = "reporter", "Reporting"
    PHOTOGRAPHER = "photographer", "Photos"
    EDITOR = "editor", "Editing"
    TRANSLATOR = "translator", "Translation"
    ILLUSTRATOR = "illustrator", "Illustration"


class SourceKind(models.TextChoices):
    AGENCY = "agency", "News agency or other media"
    OFFICIAL = "official", "Official statement"
    DOCUMENT = "document", "Document"
    RECORDING = "recording", "Photo, audio or video recording"
    WITNESS = "witness", "Witness"
    OWN = "own-reporting", "Our own reporting"
