# SPDX-License-Identifier: AGPL-3.0-or-later
"""Composing an issue: the page, what its script asks, and what it saves."""

from __future__ import annotations

from typing import Any

import msgspec
from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property

from tamizdat.desk.newsletter import actions, composing, composition, suggest
from tamizdat.desk.newsletter.composition import Change, Outcome
from tamizdat.desk.newsletter.errors import IssueError
from tamizdat.desk.newsletter.forms import NoteForm, note_html
from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.newsletter.views.base import CHANGE, AskView, Guarded, IssueView, person
from tamizdat.desk.newsroom.search import search_articles

PAGE = 20


class ComposeView(IssueView):
    """The picker and the issue. Who may not change it reads it."""

    page_title = "Compose"
    template_name = "newsletter/compose.html"

    @cached_property
    def form(self) -> NoteForm:
        # Wagtail's reader of HTML wants every element closed.
        note = self.issue.note.replace("<br>", "<br/>")
        return NoteForm(initial={"note": note, "picture": self.issue.picture_id})

    @property
    def media(self) -> forms.Media:
        return self.form.media

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        may = context["may_change"] and composition.editable(self.issue)
        return {
            **context,
            "media": self.media,
            "form": self.form,
            "composition": composition.shown(self.issue) | {"may": may},
            "may_write": may,
            "sections": self.issue.sections.all(),
            "lengths": composing.LONGEST,
        }


class SaveView(Guarded):
    """Takes parts (POST, JSON: ``{"changes": [{"part", "was", "is"}]}``); answers with the whole
    composition as it is then. GET gives the composition alone."""

    http_method_names = ["get", "post"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return self._answer(Outcome())

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(CHANGE):
            return JsonResponse({"error": "You may look at issues, not change them."}, status=403)
        try:
            changes = _changes(request.body)
            outcome = composing.save_parts(
                issue=self.issue, changes=changes, acting_user=person(request)
            )
        except ValidationError as error:
            return JsonResponse({"error": " ".join(error.messages)}, status=400)
        except IssueError as error:
            return JsonResponse({"error": str(error)}, status=409)
        return self._answer(outcome)

    def _answer(self, outcome: Outcome) -> HttpResponse:
        found = Issue.objects.select_related("newsletter", "edited_by").defer("frozen")
        issue = found.get(pk=self.issue.pk)
        return JsonResponse(
            {
                "composition": composition.shown(issue),
                "taken": outcome.taken,
                "conflicts": outcome.conflicts,
                "refused": outcome.refused,
            }
        )


class _Sent(msgspec.Struct):
    part: str
    was: Any
    wanted: Any = msgspec.field(name="is")


class _Save(msgspec.Struct):
    changes: list[_Sent]


def _changes(data: bytes) -> list[Change]:
    """Raises ``ValidationError``."""
    try:
        sent = msgspec.json.decode(data, type=_Save)
    except msgspec.DecodeError as error:
        raise ValidationError("That could not be read. Reload the page.") from error
    return [Change(one.part, one.was, _wanted(one)) for one in sent.changes]


def _wanted(sent: _Sent) -> Any:
    if sent.part == "note" and isinstance(sent.wanted, str):
        return note_html(sent.wanted)
    return sent.wanted


class StoriesView(Guarded):
    """Published stories of the newsletter's language, the newest first, or those with words."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        words = request.GET.get("q", "").strip()[:200]
        number = request.GET.get("p", "1")
        page = min(int(number), 5_000) if number.isdecimal() and int(number) else 1
        articles = suggest.pickable(self.issue)
        if words:
            articles = search_articles(articles, words)
        found = list(articles[(page - 1) * PAGE : page * PAGE + 1])
        start = suggest.since(self.issue, timezone.now())
        cards = composition.cards(found[:PAGE])
        fresh = {a.pk for a in found if a.first_published_at and a.first_published_at >= start}
        stories = [{**cards[str(a.pk)], "fresh": a.pk in fresh} for a in found[:PAGE]]
        return JsonResponse({"stories": stories, "more": len(found) > PAGE})


class SuggestView(Guarded):
    """What could be added under each heading. Nothing is written: the page adds it, and can take
    it back."""

    permissions = (CHANGE,)
    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        proposed = suggest.propose(self.issue, timezone.now())
        keys = [key for heading in proposed for key in heading]
        cards = composition.cards(suggest.pickable(self.issue).filter(pk__in=keys))
        return JsonResponse({"headings": proposed, "stories": cards})


class DiscardView(AskView):
    """Delete an issue that was never sent."""

    permissions = (CHANGE,)
    page_title = "Discard"
    then = "newsletter:compose"
    button, keep = "Discard it", "Keep it"
    otherwise = "It can no longer be discarded."

    def possible(self) -> bool:
        return composition.editable(self.issue)

    def sentence(self) -> str:
        return f"{self.issue} is deleted, and nobody can bring it back."

    def lines(self) -> list[str]:
        stories = len(composition.items_of(self.issue))
        picked = f", which {stories} stories stand in it" if stories else ""
        return [
            f"With it go its subject, its note, the words written for it{picked}, its picture of "
            "the week and its approval. The stories themselves stay as they are."
        ]

    def act(self, form: Any) -> str:
        actions.discard(issue=self.issue, acting_user=person(self.request))
        return "The issue is discarded."

    def target(self) -> str:
        if Issue.objects.filter(pk=self.kwargs["pk"]).exists():
            return super().target()
        return reverse("newsletter:index")
