# SPDX-License-Identifier: AGPL-3.0-or-later
"""Photos, and the files made of them for readers.

What always holds: ``Photo.file`` is a cleaned copy of what was uploaded (see ``photos``): no
place, device or owner is in it. It is never served to readers; they get ``PhotoFile`` rows, each
named by its sha-256 and never changed.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from wagtail.images.models import AbstractImage, AbstractRendition
from wagtail.search import index

from tamizdat.desk.newsroom.text import new_uri


class Photo(AbstractImage):
    """A picture. ``description`` (Wagtail's field) is the alternative text."""

    uri = models.CharField(max_length=200, unique=True, default=new_uri, editable=False)
    caption = models.TextField(
        blank=True, help_text="What the picture shows: who, where, when. Readers see it."
    )
    credit = models.CharField(
        max_length=255,
        blank=True,
        help_text="Photographer and agency, as they want to be named. Taken from the file if "
        "it names them.",
    )
    taken_on = models.DateField("date taken", null=True, blank=True, help_text="If known.")
    file_photo = models.BooleanField(
        "file photo",
        default=False,
        help_text="Tick if it was not taken at the event it is shown with. Readers are told.",
    )
    licence = models.CharField(
        max_length=255,
        blank=True,
        help_text="What allows us to print it: “own”, “CC BY-SA 4.0”, the agency's contract.",
    )
    source_sha256 = models.CharField(
        max_length=64,
        blank=True,
        db_index=True,
        editable=False,
        help_text="The sha-256 of the file as it came, so that nothing is taken in twice.",
    )
    import_key = models.CharField(
        max_length=255,
        unique=True,
        null=True,
        blank=True,
        editable=False,
        help_text="Where an importer took it from, so that nothing is taken in twice.",
    )

    admin_form_fields: ClassVar = (
        "title",
        "file",
        "description",
        "caption",
        "credit",
        "taken_on",
        "file_photo",
        "licence",
        "collection",
        "tags",
        "focal_point_x",
        "focal_point_y",
        "focal_point_width",
        "focal_point_height",
    )
    search_fields: ClassVar = [
        *AbstractImage.search_fields,
        index.SearchField("caption"),
        index.SearchField("credit"),
        index.AutocompleteField("caption"),
        index.FilterField("file_photo"),
    ]

    class Meta(AbstractImage.Meta):
        verbose_name = "photo"
        verbose_name_plural = "photos"
        ordering: ClassVar = ["-created_at"]

    @property
    def alt_text(self) -> str:
        """What a screen reader says. Empty where nobody has written it yet."""
        return self.description


class Rendition(AbstractRendition):
    """Wagtail's own small pictures inside the desk."""

    image = models.ForeignKey(Photo, related_name="renditions", on_delete=models.CASCADE)

    class Meta:
        unique_together: ClassVar = [("image", "filter_spec", "focal_point_key")]


class PhotoFile(models.Model):
    """One file of a photo as readers get it: a width in a format. Sizes in pixels and bytes."""

    photo = models.ForeignKey(Photo, related_name="files", on_delete=models.CASCADE)
    media_type = models.CharField(max_length=40)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64, db_index=True)

    class Meta:
        ordering: ClassVar = ["photo", "media_type", "width"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["photo", "media_type", "width"], name="photo_file_made_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.media_type} {self.width}×{self.height}"
