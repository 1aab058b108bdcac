# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pages of messages share: who may, where one is."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from tamizdat.desk.contributions import asking
from tamizdat.desk.contributions.models import Ask
from tamizdat.desk.contributions.pages.asks import standing
from tamizdat.desk.staff.models import User

VIEW, ADD = "contributions.view_ask", "contributions.add_ask"
CHANGE, APPROVE = asking.WRITE, asking.APPROVE


def person(request: HttpRequest) -> User:
    """Who is signed in: nobody else gets this far."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


class Guarded(View):
    """``permission`` opens it."""

    permission = VIEW

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(self.permission):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def ask(self) -> Ask:
        return get_object_or_404(Ask.objects.select_related("changed_by"), pk=self.kwargs["pk"])


class DeskView(Guarded, WagtailAdminTemplateMixin, TemplateView):
    """A page of the desk."""

    header_icon = "comment"
    page_title = "Messages"
    _show_breadcrumbs = True

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": "", "label": self.page_title},
        ]


class AskView(DeskView):
    """A page about one message."""

    def get_page_subtitle(self) -> str:
        return str(self.ask)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": reverse("contributions:asks"), "label": "Messages"},
            {"url": "", "label": str(self.ask)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return {
            **super().get_context_data(**kwargs),
            "ask": self.ask,
            "standing": standing.of(self.ask),
            "page_name": self.page_title,
            "may_change": user.has_perm(CHANGE),
            "may_approve": user.has_perm(APPROVE),
        }
