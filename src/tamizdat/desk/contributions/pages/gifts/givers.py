# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who gave: for the readers' desk alone.

What always holds: nobody else gets past ``dispatch``, a superuser neither; an address travels in
the body of a POST and stands in no address of the desk; each look is in the audit trail.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404

from tamizdat.desk.contributions.models import Gift, Payment
from tamizdat.desk.contributions.pages.gifts import lines, words
from tamizdat.desk.contributions.pages.gifts.base import VIEW, DeskView, ForReadersDesk
from tamizdat.desk.contributions.pages.gifts.payments import GiftView
from tamizdat.desk.readers import requests
from tamizdat.desk.readers.errors import ReadersError
from tamizdat.desk.readers.vault import Vault
from tamizdat.desk.readers.views import AddressForm


class FindView(ForReadersDesk, DeskView):
    """One field; under it what is given by who has that address."""

    template_name = "contributions/gifts/find.html"
    page_title = "Find a giver"
    tab = "find"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {"form": AddressForm(), **super().get_context_data(**kwargs)}

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self._show(422, form=form)
        address = form.cleaned_data["address"]
        try:
            vault = Vault.open(settings.NEWSROOM)
            reader = requests.find(vault=vault, address=address, acting_user=self.person)
        except ReadersError as error:
            return self._show(422, form=form, trouble=str(error))
        mine = Gift.objects.filter(reader=reader) if reader else Gift.objects.none()
        return self._show(200, form=form, address=address, gifts=self._gifts(mine))

    def _gifts(self, gifts: Any) -> list[dict[str, Any]]:
        newest = Payment.objects.order_by("-day", "-pk").select_related("gift")
        found = gifts.prefetch_related(Prefetch("payments", queryset=newest))
        return [
            {
                "gift": one,
                "kind": words.kind(one),
                "amount": words.money(one.amount, one.currency) if one.currency else "",
                "state": words.gift(one),
                "lines": lines.of_payments(list(one.payments.all()), self.person),
            }
            for one in found.order_by("-day", "-number")
        ]

    def _show(self, status: int, **more: Any) -> HttpResponse:
        return self.render_to_response(self.get_context_data(**more), status=status)


class GiverView(ForReadersDesk, GiftView):
    """The page of what somebody gives, with their address on it."""

    http_method_names = ["post"]

    def admits(self, request: HttpRequest) -> bool:
        return super().admits(request) and bool(request.user.has_perm(VIEW))

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        gift = get_object_or_404(Gift.objects.select_related("reader"), pk=self.kwargs["pk"])
        if gift.reader is None:
            return self.render_to_response(self.get_context_data())
        try:
            vault = Vault.open(settings.NEWSROOM)
            address = requests.address_of(vault=vault, reader=gift.reader, acting_user=self.person)
        except ReadersError as error:
            return self.render_to_response(self.get_context_data(trouble=str(error)), status=422)
        return self.render_to_response(self.get_context_data(address=address))
