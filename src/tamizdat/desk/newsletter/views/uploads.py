# SPDX-License-Identifier: AGPL-3.0-or-later
"""Subscribers from a file, at the desk: hand it in, see what would happen, say yes.

What always holds: nobody outside the readers' desk gets here; a file is never written to a disk in
clear, neither on its way in; a page names rows by their numbers, and no browser keeps one.
"""

from __future__ import annotations

import io
import uuid
from typing import Any

from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.csrf import csrf_exempt, csrf_protect

from tamizdat.desk.newsletter.forms import UploadForm
from tamizdat.desk.newsletter.models import Newsletter, Upload
from tamizdat.desk.newsletter.transfer import uploads
from tamizdat.desk.newsletter.transfer.errors import EvidenceError, TransferError
from tamizdat.desk.newsletter.transfer.told import told
from tamizdat.desk.newsletter.views.base import DeskView, ForReadersDesk, PostView, person
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.publishing import heartbeat
from tamizdat.desk.readers.errors import VaultError

State = Upload.State
SHOWN = 20
WAITING = (State.LOOKING, State.TAKING)


class InMemory(FileUploadHandler):
    """Holds a file in memory, whatever its length: a temporary file would lie on the disk in clear.
    What is longer than ``uploads.MOST`` is passed over, and said by ``too_long``."""

    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request)
        self.too_long = False
        self._data = io.BytesIO()

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._data = io.BytesIO()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if start + len(raw_data) > uploads.MOST:
            self.too_long, self._data = True, io.BytesIO()
            raise SkipFile
        self._data.write(raw_data)

    def file_complete(self, file_size: int) -> InMemoryUploadedFile:
        self._data.seek(0)
        return InMemoryUploadedFile(
            self._data, self.field_name, self.file_name or "", "", file_size, None
        )


@method_decorator(csrf_exempt, name="dispatch")
class UploadsView(ForReadersDesk, DeskView):
    """The form, and the files of the last weeks. Its token is asked for by ``post``: how a file
    comes in has to be settled before anything of the form is read."""

    page_title = "Bring subscribers in"
    header_icon = "group"
    template_name = "newsletter/uploads.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        self.handler = InMemory(request)
        request.upload_handlers = [self.handler]
        return super().dispatch(request, *args, **kwargs)

    @method_decorator(csrf_protect)
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = UploadForm(request.POST, request.FILES, too_long=self.handler.too_long)
        made = self._handed_in(form) if form.is_valid() else None
        if made:
            return redirect("newsletter:upload", made.pk)
        if form.is_valid():  # The same form a second time.
            return redirect("newsletter:uploads")
        return self.render_to_response(self.get_context_data(form=form))

    @transaction.atomic
    def _handed_in(self, form: UploadForm) -> Upload | None:
        sent = form.cleaned_data
        if not publishing.first_time(sent["token"]):
            return None
        try:
            with transaction.atomic():
                return uploads.hand_in(
                    newsletter=sent["newsletter"],
                    data=sent["file"].read(),
                    name=sent["file"].name,
                    wanted=sent["format"],
                    evidence=sent["evidence"],
                    cohort=sent.get("cohort", ""),
                    acting_user=person(self.request),
                )
        except (TransferError, VaultError) as error:
            field = "evidence" if isinstance(error, EvidenceError) else "file"
            form.add_error(field, _sentence(error))
            transaction.set_rollback(True)
            return None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        kwargs.setdefault("form", UploadForm(initial={"token": uuid.uuid4()}))
        found = Upload.objects.select_related("newsletter", "made_by")[:SHOWN]
        return {
            **super().get_context_data(**kwargs),
            "newsletters": Newsletter.objects.exists(),
            "uploads": found,
        }


def _sentence(error: Exception) -> str:
    said = str(error)
    return f"{said[:1].upper()}{said[1:]}."


class OneUpload(ForReadersDesk):
    @cached_property
    def upload(self) -> Upload:
        found = Upload.objects.select_related("newsletter", "made_by")
        return get_object_or_404(found, pk=self.kwargs["pk"])

    def standing(self) -> dict[str, Any]:
        """What changes while the page is open."""
        upload = self.upload
        return {
            "upload": upload,
            "told": told(upload) if upload.report else None,
            "percent": upload.read * 100 // upload.size if upload.size else 0,
            "idle": upload.state in WAITING and not upload.worker and not heartbeat.alive(),
            "token": uuid.uuid4(),
        }


class UploadView(OneUpload, DeskView):
    """How far it is, what would happen, and the button that does it."""

    page_title = "Bring subscribers in"
    header_icon = "group"
    template_name = "newsletter/upload.html"

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": reverse("newsletter:uploads"), "label": self.page_title},
            {"url": "", "label": str(self.upload.newsletter)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        waiting = "yes" if self.upload.state in WAITING else "no"
        return {**super().get_context_data(**kwargs), **self.standing(), "waiting": waiting}


class UploadStateView(OneUpload):
    """How it stands, alone, for the page to ask again and again."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = render(request, "newsletter/includes/upload.html", self.standing())
        response["X-Waiting"] = "yes" if self.upload.state in WAITING else "no"
        return response


class TakeInView(OneUpload, PostView):
    """Yes: do what was shown."""

    then = "newsletter:upload"

    def act(self, form: Any) -> str:
        uploads.take_in(upload=self.upload, acting_user=person(self.request))
        return "They are taken in now. You may leave this page."


class ThrowAwayView(OneUpload, PostView):
    """No: forget the file."""

    then = "newsletter:upload"

    def act(self, form: Any) -> str:
        uploads.throw_away(upload=self.upload, acting_user=person(self.request))
        return "The file is gone, and nobody was taken in."

    def target(self) -> str:
        if Upload.objects.filter(pk=self.kwargs["pk"]).exists():
            return super().target()
        return reverse("newsletter:uploads")
