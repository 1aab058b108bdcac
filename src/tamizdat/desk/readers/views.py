# SPDX-License-Identifier: AGPL-3.0-or-later
"""The readers' page of the desk: find one person, show, export, erase. Thin: ``requests`` acts.

What always holds: nobody outside the readers' desk gets past ``dispatch``, a superuser neither; an
address travels in the body of a POST and stands in no address of the desk; no browser keeps a page;
one person is found at a time, by the whole address, and each look is in the audit trail.
"""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from tamizdat.desk.readers import answers, offers, requests
from tamizdat.desk.readers.addresses import normalised
from tamizdat.desk.readers.errors import AddressError, ReadersError
from tamizdat.desk.readers.vault import Vault
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import sees_readers

TYPES = {"html": "text/html; charset=utf-8", "json": "application/json"}


class AddressForm(forms.Form):
    """One address, as a person types it."""

    address = forms.CharField(max_length=254, label="The reader's whole address")

    def clean_address(self) -> str:
        address = str(self.cleaned_data["address"])
        try:
            normalised(address)
        except AddressError as error:
            raise forms.ValidationError(f"{str(error)[0].upper()}{str(error)[1:]}.") from None
        return address


class SureForm(AddressForm):
    """The address again, unseen, and that somebody made sure."""

    address = forms.CharField(max_length=254, widget=forms.HiddenInput)
    sure = forms.BooleanField(
        label="The person who owns this address asked for it, and I made sure of that",
        error_messages={"required": "Make sure first: anybody can ask in another person's name."},
    )


class ReadersView(WagtailAdminTemplateMixin, TemplateView):
    """Base of the pages about one reader."""

    header_icon = "group"
    page_title = "Readers"
    _show_breadcrumbs = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not sees_readers(request.user):
            raise PermissionDenied
        try:
            response = super().dispatch(request, *args, **kwargs)
        except ReadersError as error:
            response = self.show(trouble=str(error))
        response.headers["Cache-Control"] = "no-store, private"
        return response

    @property
    def person(self) -> User:
        """Who is signed in: ``dispatch`` lets nobody else through."""
        return cast("User", self.request.user)

    def vault(self) -> Vault:
        return Vault.open(settings.NEWSROOM)

    def show(self, **more: Any) -> HttpResponse:
        context = self.get_context_data(**{"form": AddressForm(), **more})
        return self.render_to_response(context)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": "", "label": self.page_title},
        ]


class FindView(ReadersView):
    """One field; under it what is held about who has that address."""

    template_name = "readers/find.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self.show()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self.show(form=form)
        address = form.cleaned_data["address"]
        vault = self.vault()
        found = requests.look_up(vault=vault, address=address, acting_user=self.person)
        return self.show(form=form, found=found, offers=offers.for_reader(vault.find(address)))


class ExportView(ReadersView):
    """A file for the person: a page to read, or JSON to take along."""

    http_method_names = ["post"]
    template_name = "readers/find.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form, kind = AddressForm(request.POST), request.POST.get("kind", "html")
        if not form.is_valid() or kind not in TYPES:
            return self.show(form=form)
        address = form.cleaned_data["address"]
        found = requests.export(vault=self.vault(), address=address, acting_user=self.person)
        response = HttpResponse(answers.export_as(found, kind), content_type=TYPES[kind])
        response.headers["Content-Disposition"] = f'attachment; filename="your-data.{kind}"'
        return response


class EraseView(ReadersView):
    """Asks once more, erases, and shows the receipt."""

    http_method_names = ["post"]
    template_name = "readers/erase.html"
    page_title = "Erase a reader's data"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asked = "really" in request.POST
        form = SureForm(request.POST if asked else None, initial=request.POST.dict())
        address = AddressForm(request.POST)
        if not address.is_valid():
            return self.show(form=form, trouble="Find the reader first.")
        if not asked or not form.is_valid():
            return self.show(form=form, address=address.cleaned_data["address"])
        receipt = requests.erase(
            vault=self.vault(), address=address.cleaned_data["address"], acting_user=self.person
        )
        return self.show(receipt=receipt, text=answers.receipt_as_text(receipt))
