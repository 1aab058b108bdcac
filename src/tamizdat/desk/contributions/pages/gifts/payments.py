# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of payments, and the page of what somebody gives with all that became of it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from tamizdat.desk.contributions.models import Gift, Payment
from tamizdat.desk.contributions.pages.gifts import lines, searching, words
from tamizdat.desk.contributions.pages.gifts.base import DeskView
from tamizdat.desk.contributions.pages.gifts.searching import SearchForm
from tamizdat.desk.staff.roles import sees_readers


class PaymentsView(DeskView):
    """Fifty at a time, the newest first; filters and one field to search."""

    template_name = "contributions/gifts/payments.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        asked = self.request.GET
        form = SearchForm(asked)
        context = super().get_context_data(**kwargs) | {"form": form}
        if not form.is_valid():
            return context
        found = searching.matching(form.cleaned_data)
        page = searching.page(found, before=asked.get("before", ""), after=asked.get("after", ""))
        return context | {
            "lines": lines.of_payments(page.rows, self.person),
            "any": bool(page.rows) or Payment.objects.exists(),
            "filtered": form.filled,
            "newest": self._link() if page.newer else "",
            "newer": self._link(after=page.newer) if page.newer else "",
            "older": self._link(before=page.older) if page.older else "",
        }

    def _link(self, **place: str) -> str:
        query = self.request.GET.copy()
        for name in ("before", "after"):
            query.pop(name, None)
        query.update(place)
        return f"{reverse('contributions:gifts')}?{query.urlencode()}"


class GiftView(DeskView):
    """An agreement, its payments, what was given back, disputed and wished, and who did what."""

    template_name = "contributions/gifts/gift.html"
    page_title = "What somebody gives"

    def above(self) -> list[dict[str, Any]]:
        return [{"url": reverse("contributions:gifts"), "label": "Gifts"}]

    def gift(self) -> Gift | None:
        return get_object_or_404(Gift, pk=self.kwargs["pk"])

    def payments(self, gift: Gift | None) -> list[Payment]:
        mine = Payment.objects.filter(gift=gift).select_related("gift")
        return list(mine.order_by("-day", "-pk"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        gift = self.gift()
        paid = lines.of_payments(self.payments(gift), self.person)
        refunds = [one.refund for line in paid for one in line.refunds]
        return {
            **super().get_context_data(**kwargs),
            "gift": gift,
            "lines": paid,
            "steps": lines.steps(gift, refunds),
            **(self._of(gift) if gift else {}),
        }

    def _of(self, gift: Gift) -> dict[str, Any]:
        """What is said of an agreement."""
        wishes = gift.wishes.select_related("gift").order_by("pk")
        return {
            "kind": words.kind(gift),
            "amount": words.money(gift.amount, gift.currency) if gift.currency else "",
            "state": words.gift(gift),
            "url": lines.own_page_of(gift),
            "wishes": [(one, words.wish(one)) for one in wishes],
            "may_see_giver": gift.reader_id is not None and sees_readers(self.request.user),
        }


class PaymentView(GiftView):
    """A payment of which nobody knows the agreement (yet); else the agreement's page."""

    page_title = "A payment"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        row = get_object_or_404(Payment, pk=self.kwargs["pk"])
        if row.gift_id:
            here = reverse("contributions:gift", args=[row.gift_id])
            return redirect(f"{here}#payment-{row.pk}")
        return super().get(request, *args, **kwargs)

    def gift(self) -> Gift | None:
        return None

    def payments(self, gift: Gift | None) -> list[Payment]:
        return list(Payment.objects.filter(pk=self.kwargs["pk"]))
