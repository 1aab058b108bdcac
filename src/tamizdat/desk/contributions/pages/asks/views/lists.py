# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of messages, and what one said before."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.conf import settings
from django.core.paginator import Paginator
from django.urls import reverse
from wagtail.admin.widgets.button import HeaderButton

from tamizdat.desk.contributions.models import Ask, AskVersion, Place
from tamizdat.desk.contributions.pages.asks import changes, standing
from tamizdat.desk.contributions.pages.asks.changes import Change
from tamizdat.desk.contributions.pages.asks.standing import KINDS, Standing
from tamizdat.desk.contributions.pages.asks.views.base import ADD, AskView, DeskView
from tamizdat.theme.words import endonym

PAGE = 30
PLACES = ((Place.RIBBON, "Ribbon"), (Place.MESSAGE, "Message"), (Place.THANKS, "Thank-you"))


class Row(NamedTuple):
    ask: Ask
    place: str
    standing: Standing
    languages: str


class IndexView(DeskView):
    """All messages, what was changed last on top."""

    template_name = "contributions/asks/index.html"

    def get_header_buttons(self) -> list[Any]:
        if not self.request.user.has_perm(ADD):
            return []
        new = reverse("contributions:ask_new")
        return [HeaderButton("New message", url=new, icon_name="plus")]

    def _filtered(self, name: str, choices: tuple[tuple[str, str], ...]) -> str:
        """What was chosen; nothing where it is no choice."""
        chosen = self.request.GET.get(name, "")
        return chosen if chosen in dict(choices) else ""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        place, state = self._filtered("place", PLACES), self._filtered("state", KINDS)
        every = Ask.objects.select_related("changed_by").order_by("-changed", "-pk")
        asks = every.filter(place=place) if place else every
        fitting = [one for one in standing.of_all(list(asks)) if one[1].fits(state)]
        page = Paginator(fitting, PAGE).get_page(self.request.GET.get("p"))
        newsroom = settings.NEWSROOM.settings
        return {
            **super().get_context_data(**kwargs),
            "rows": [_row(ask, where) for ask, where in page],
            "page": page,
            "any": bool(fitting) or Ask.objects.exists(),
            "places": PLACES, "states": KINDS, "place": place, "state": state,
            "may_make": self.request.user.has_perm(ADD),
            "gives": bool(
                newsroom.letterboxes and newsroom.giving.providers and newsroom.giving.offers
            ),
        }  # fmt: skip


def _row(ask: Ask, where: Standing) -> Row:
    said = standing.said_in(ask.content)
    names = ", ".join(endonym(code) for code in said.languages)
    return Row(ask, dict(PLACES).get(Place(ask.place), ask.place), where, names)


class Told(NamedTuple):
    """A version, and what differs from the one before it; ``first`` has none."""

    version: AskVersion
    changes: list[Change]
    first: bool


class HistoryView(AskView):
    """What was approved, when, and by whom; the newest first."""

    page_title = "History"
    template_name = "contributions/asks/history.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = AskVersion.objects.filter(ask=self.ask).select_related("written_by", "approved_by")
        page = Paginator(found.order_by("-number"), PAGE).get_page(self.request.GET.get("p"))
        context = super().get_context_data(**kwargs)
        where = context["standing"]
        waiting = where.version and where.waits
        written = changes.differences(changes.of_version(where.version), changes.of_draft(self.ask))
        return {
            **context,
            "page": page,
            "told": list(self._told(list(page))),
            "waiting": written if waiting else [],
        }

    def _told(self, versions: list[AskVersion]) -> list[Told]:
        wanted = [one.number - 1 for one in versions]
        before = {one.number: one for one in self.ask.versions.filter(number__in=wanted)}
        return [
            Told(
                one,
                changes.differences(
                    changes.of_version(before.get(one.number - 1)), changes.of_version(one)
                ),
                one.number - 1 not in before,
            )
            for one in versions
        ]
