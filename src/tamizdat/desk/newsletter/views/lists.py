# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of issues, a new one, and the numbers of subscribers."""

from __future__ import annotations

import uuid
from typing import Any

from django.core.paginator import Paginator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils import timezone
from wagtail.admin import messages

from tamizdat.desk.newsletter import actions, numbers, schedule
from tamizdat.desk.newsletter.models import Issue, Newsletter
from tamizdat.desk.newsletter.views.base import DeskView, ForReadersDesk, PostView, person
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.publishing.forms import TokenForm

PAGE = 30


class IndexView(DeskView):
    """Every newsletter, and the issues of the one that is looked at."""

    template_name = "newsletter/index.html"

    def _shown(self) -> Newsletter | None:
        wanted = self.request.GET.get("newsletter", "")
        if not wanted:
            return Newsletter.objects.order_by("-active", "title").first()
        if not wanted.isdecimal():
            raise Http404
        return get_object_or_404(Newsletter, pk=wanted)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        shown = self._shown()
        context = super().get_context_data(**kwargs) | {
            "newsletters": Newsletter.objects.order_by("-active", "title"),
            "shown": shown,
            "may_make": self.request.user.has_perm("newsletter.add_issue"),
            "may_set_up": self.request.user.has_perm("newsletter.change_newsletter"),
            "add_url": reverse(Newsletter.snippet_viewset.get_url_name("add")),
            "token": uuid.uuid4(),
        }
        return context | (self._issues(shown) if shown else {})

    def _issues(self, shown: Newsletter) -> dict[str, Any]:
        issues = Issue.objects.filter(newsletter=shown).defer("note", "frozen")
        page = Paginator(issues.order_by("-number"), PAGE).get_page(self.request.GET.get("p"))
        edit = Newsletter.snippet_viewset.get_url_name("edit")
        return {
            "page": page,
            "rows": numbers.rows_of(page.object_list, shown),
            "next": schedule.next_hour(shown, timezone.now()),
            "edit_url": reverse(edit, args=[shown.pk]),
        }


class NewView(PostView):
    """Begin an issue."""

    permissions = ("newsletter.add_issue",)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        newsletter = get_object_or_404(Newsletter, pk=kwargs["pk"])
        listed = f"{reverse('newsletter:index')}?newsletter={newsletter.pk}"
        form = TokenForm(request.POST)
        with transaction.atomic():
            if not form.is_valid() or not publishing.first_time(form.cleaned_data["token"]):
                return redirect(listed)
            issue = actions.create_issue(newsletter=newsletter, acting_user=person(request))
        messages.success(request, "A new issue. Pick its stories, or let some be suggested.")
        return redirect("newsletter:compose", issue.pk)


class SubscribersView(ForReadersDesk, DeskView):
    """How many subscribe, never who: for the readers' desk alone."""

    page_title = "Subscribers"
    header_icon = "group"
    template_name = "newsletter/subscribers.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        today = timezone.localdate()
        return {**super().get_context_data(**kwargs), **numbers.of_subscribers(today)}
