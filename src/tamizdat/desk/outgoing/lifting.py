# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writing to a reader again who was suppressed: one reader, found by the whole address.

What always holds: only the readers' desk gets here, with the right to change suppressions; a reason
is asked for and stands in the audit trail, without the address; what a reader's own complaint ended
nobody here begins again.

What is not done here: deciding (``suppression.lift``), finding the reader (``readers.views``).
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from tamizdat.desk.outgoing import suppression
from tamizdat.desk.outgoing.errors import SuppressionError
from tamizdat.desk.outgoing.models import Suppression
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.offers import Offer
from tamizdat.desk.readers.views import AddressForm, ReadersView

CHANGE = "outgoing.change_suppression"
TITLE = "Not written to"


class WhyForm(AddressForm):
    """The address again, unseen, and why it may be written to."""

    address = forms.CharField(max_length=254, widget=forms.HiddenInput)
    why = forms.CharField(
        max_length=200,
        label="Why we may write to them again",
        error_messages={"required": "Say why in a few words: it stands in the audit trail."},
    )

    def clean_why(self) -> str:
        typed: str = self.cleaned_data["why"]
        if "@" in typed:
            raise forms.ValidationError("Leave addresses out of it: it stands in the audit trail.")
        return typed


class LiftView(ReadersView):
    """Says what stands against it, asks why, and lets mail go there again."""

    http_method_names = ["post"]
    template_name = "outgoing/lift.html"
    page_title = "Write to a reader again"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(CHANGE):
            raise PermissionDenied
        typed = AddressForm(request.POST)
        if not typed.is_valid():
            return self.show(trouble="Find the reader first.")
        address = typed.cleaned_data["address"]
        reader = self.vault().find(address)
        held = suppression.in_force(reader) if reader else None
        if reader is None or held is None:
            return self.show(trouble="Nothing keeps us from writing to this address.")
        form = WhyForm(
            request.POST if "really" in request.POST else None, initial=typed.cleaned_data
        )
        shown = {"address": address, "words": words_of(held), "form": form}
        if held.reason == Suppression.Reason.COMPLAINT or not form.is_valid():
            return self.show(**shown, complained=held.reason == Suppression.Reason.COMPLAINT)
        return self._lifted(reader, form.cleaned_data["why"], shown)

    def _lifted(self, reader: Reader, why: str, shown: dict[str, Any]) -> HttpResponse:
        try:
            suppression.lift(reader=reader, why=why, acting_user=self.person)
        except SuppressionError as error:
            said = str(error)
            return self.show(**shown, trouble=f"{said[:1].upper()}{said[1:]}.")
        return self.show(done=shown["address"])


def words_of(held: Suppression) -> str:
    """Why, since when, and what the mail server said."""
    answer = f"{held.code} {held.said}".strip()
    said = f" The mail server said: {answer}" if answer else ""
    return f"{held.get_reason_display().capitalize()}, since {held.day:%-d %B %Y}.{said}"


def offer(reader: Reader) -> Offer | None:
    held = suppression.in_force(reader)
    if held is None:
        return None
    if held.reason == Suppression.Reason.COMPLAINT:
        return Offer(TITLE, f"{words_of(held)} Only they can end that, by signing up again.")
    return Offer(TITLE, words_of(held), reverse("suppressions:lift"), "Write to them again…")
