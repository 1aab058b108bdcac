# SPDX-License-Identifier: AGPL-3.0-or-later
"""Upload forms: what comes in is cleaned or refused before anything is kept."""

from __future__ import annotations

import hashlib
from typing import Any

from django import forms
from django.core.files.base import ContentFile, File
from django.core.files.uploadedfile import UploadedFile
from wagtail.documents.forms import BaseDocumentForm
from wagtail.images.fields import WagtailImageField
from wagtail.images.forms import BaseImageForm

from tamizdat.desk.newsroom import attachment_cleaning, attachments, photos
from tamizdat.desk.newsroom.errors import FileError, PhotoError
from tamizdat.desk.newsroom.photo_cleaning import MAX_BYTES, clean_photo


class CleanFile(ContentFile[bytes]):
    """An uploaded picture after cleaning. ``source_sha256`` is that of the file as it came."""

    def __init__(self, data: bytes) -> None:
        self.photo = clean_photo(data)
        self.source_sha256 = hashlib.sha256(data).hexdigest()
        # Never the name that the camera or its owner gave.
        name = f"photo-{self.source_sha256[:12]}.{self.photo.extension}"
        super().__init__(self.photo.data, name)


class PhotoField(WagtailImageField):
    """Cleans what comes in, or says in the form why it cannot be taken."""

    widget = forms.FileInput

    def to_python(self, data: Any) -> Any:
        upload = forms.FileField.to_python(self, data)
        if upload is None:
            return None
        upload.seek(0)
        try:
            return CleanFile(upload.read(MAX_BYTES + 1))
        except PhotoError as error:
            raise forms.ValidationError(str(error), code="photo") from error


class PhotoForm(BaseImageForm):
    """Base of every form by which a photo comes in (WAGTAILIMAGES_IMAGE_FORM_BASE)."""

    file = PhotoField(label="File")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "description" in self.fields:
            self.fields["description"].label = "Alternative text"
            self.fields[
                "description"
            ].help_text = "What somebody who cannot see the picture should know. A sentence."
        if "title" in self.fields:
            self.fields["title"].help_text = "A name to find it by. Readers do not see it."

    def save(self, commit: bool = True) -> Any:
        upload = self.cleaned_data.get("file")
        if isinstance(upload, CleanFile):
            self.instance.source_sha256 = upload.source_sha256
            self.instance.credit = self.instance.credit or upload.photo.credit
            if self.instance.pk:
                photos.forget_renditions(self.instance)
        return super().save(commit=commit)


class AttachmentForm(BaseDocumentForm):
    """Base of every form by which a file comes in (WAGTAILDOCS_DOCUMENT_FORM_BASE)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "file" in self.fields:
            self.fields["file"].help_text = (
                "Names, dates and places in the file's own notes are taken out. Look at the pages "
                "themselves, and listen: what must not be there stays there."
            )

    def clean_file(self) -> Any:
        upload = self.cleaned_data["file"]
        if not isinstance(upload, UploadedFile):
            return upload
        file: Any = upload.file
        if (upload.size or 0) > attachments.MAX_BYTES:
            raise forms.ValidationError("This file is larger than 500 MB.", code="file")
        try:
            self.instance.media_type = attachments.sniff(file, upload.name or "")
            cleaned = File(attachment_cleaning.clean(file, self.instance.media_type), upload.name)
        except FileError as error:
            raise forms.ValidationError(str(error), code="file") from error
        self.instance.sha256 = attachments.sha256_of(cleaned)
        cleaned.seek(0)
        return cleaned
