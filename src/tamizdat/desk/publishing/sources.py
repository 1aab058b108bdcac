# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk as a source of stories and of media, for the edition's builder.

What always holds: stories are streamed in pieces, by key, so that memory stays flat and no
reader keeps the database from cleaning up; a file is found by its sha-256 alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from tamizdat.desk.newsroom import photos
from tamizdat.desk.newsroom.models import Attachment, PhotoFile
from tamizdat.desk.publishing.models import StoryHead

_CHUNK = 500


class DeskSource:
    """The newest version of every story, withdrawn ones included, in the order of their first
    appearance (``StorySource``)."""

    def count(self) -> int:
        """How many there are, for progress; only whole builds ask."""
        return StoryHead.objects.count()

    def raw_stories(self) -> Iterator[bytes]:
        last = 0
        while True:
            rows = list(
                StoryHead.objects.filter(pk__gt=last)
                .order_by("pk")
                .values_list("pk", "version__item")[:_CHUNK]
            )
            for _, item in rows:
                yield item.encode()
            if len(rows) < _CHUNK:
                return
            last = rows[-1][0]


class DeskMedia:
    """Files that readers get, by sha-256 (``MediaSource``)."""

    def file(self, sha256: str) -> Path | None:
        """Where its bytes lie, or None where the desk does not have them."""
        photo = PhotoFile.objects.filter(sha256=sha256).exists()
        if photo:
            return photos.file_path(sha256)
        attachment = Attachment.objects.filter(sha256=sha256).first()
        if attachment is None:
            return None
        path = Path(settings.MEDIA_ROOT) / attachment.file.name
        return path if path.is_file() else None
