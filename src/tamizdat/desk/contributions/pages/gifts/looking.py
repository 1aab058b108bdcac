# SPDX-License-Identifier: AGPL-3.0-or-later
"""What somebody must see to: disputes, what givers asked for in vain, how providers stand."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from tamizdat.desk.contributions import actions, alarm, providers
from tamizdat.desk.contributions.errors import ContributionsError
from tamizdat.desk.contributions.givers import wishes
from tamizdat.desk.contributions.models import Dispute, Standing, Wish
from tamizdat.desk.contributions.pages.gifts import lines, words
from tamizdat.desk.contributions.pages.gifts.base import DeskView, PostView, number_of_page
from tamizdat.desk.publishing.forms import TokenForm
from tamizdat.desk.staff.roles import sees_readers

PAGE = 50
TRIED = 20  # wishes that are being tried again, shown at most


class DisputesView(DeskView):
    """The open ones first, by when they must be answered; then those that are over."""

    template_name = "contributions/gifts/disputes.html"
    page_title = "Disputes"
    tab = "disputes"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        still = Dispute.objects.filter(state=Dispute.State.OPEN)
        over = Dispute.objects.exclude(state=Dispute.State.OPEN).order_by("-day", "-pk")
        page = Paginator(over, PAGE).get_page(number_of_page(self.request))
        return {
            **super().get_context_data(**kwargs),
            "open": lines.of_disputes(still.order_by(F("due").asc(nulls_last=True), "pk")),
            "page": page,
            "over": lines.of_disputes(page.object_list),
            "today": timezone.localdate(),
        }


class WishesView(DeskView):
    """What givers asked for by their link and the provider refused."""

    template_name = "contributions/gifts/wishes.html"
    page_title = "Asked by givers"
    tab = "wishes"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tried = Wish.objects.filter(refused=False).exclude(said="").select_related("gift")
        return {
            **super().get_context_data(**kwargs),
            "refused": [self._told(one) for one in wishes.refused()],
            "tried": [self._told(one) for one in tried.order_by("pk")[:TRIED]],
            "sees_readers": sees_readers(self.request.user),
        }

    def _told(self, wish: Wish) -> dict[str, Any]:
        return {
            "wish": wish,
            "words": words.wish(wish),
            "kind": words.kind(wish.gift),
            "url": lines.own_page_of(wish.gift),
            "token": uuid.uuid4(),
        }


class SeenView(PostView):
    """Somebody did by hand what a giver had asked for."""

    permission = actions.APPROVE

    def act(self, form: TokenForm) -> str:
        rows = Wish.objects.filter(refused=True).select_related("gift")
        wish = rows.filter(pk=self.kwargs["pk"]).first()
        if wish is None:
            raise ContributionsError("Somebody has seen to it meanwhile: it is not here any more.")
        actions.see_to_wish(wish=wish, acting_user=self.person)
        return "Noted: it is done. It stands in the audit trail of that gift."

    def target(self) -> str:
        return reverse("contributions:wishes")


class StandingView(DeskView):
    """Each provider: what it told last, what was missed, and whether somebody must act."""

    permission = actions.LOOK_AFTER
    template_name = "contributions/gifts/standing.html"
    page_title = "Payment providers"
    tab = "standing"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = timezone.now()
        rows = Standing.objects.in_bulk([one.kind for one in providers.all_settings()])
        boxes = [(box, rows.get(box.name)) for box in alarm.standing(now)]
        return {
            **super().get_context_data(**kwargs),
            "boxes": [
                {
                    "box": box,
                    "row": row,
                    "asked": row is not None and (row.next_try is None or row.next_try <= now),
                    "token": uuid.uuid4(),
                }
                for box, row in boxes
            ],
        }


class ReconcileView(PostView):
    """Have the worker ask a provider now."""

    permission = actions.LOOK_AFTER

    def act(self, form: TokenForm) -> str:
        actions.ask_to_reconcile(provider=self.kwargs["name"], acting_user=self.person)
        return "Asked. The worker looks within a minute; load this page again to see what it found."

    def target(self) -> str:
        return reverse("contributions:standing")
