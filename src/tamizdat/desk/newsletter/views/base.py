# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the newsletter's pages share: who may, where one is, forms that work once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from tamizdat.desk.newsletter.engine.errors import EngineError
from tamizdat.desk.newsletter.errors import IssueError
from tamizdat.desk.newsletter.models import Issue
from tamizdat.desk.newsletter.transfer.errors import TransferError
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.publishing.forms import TokenForm
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import sees_readers

VIEW, CHANGE = "newsletter.view_issue", "newsletter.change_issue"
APPROVE, SEND = "newsletter.approve_issue", "newsletter.send_issue"
RELAYS = "outgoing.change_relay"


def person(request: HttpRequest) -> User:
    """Who is signed in: nobody else gets this far."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


class Guarded(View):
    """``permissions``: any of them opens it."""

    permissions: tuple[str, ...] = (VIEW,)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not any(request.user.has_perm(one) for one in self.permissions):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    @cached_property
    def issue(self) -> Issue:
        found = Issue.objects.select_related("newsletter", "edited_by", "approved_by", "picture")
        # What went out may be megabytes, and is never shown here.
        return get_object_or_404(found.defer("frozen"), pk=self.kwargs["pk"])


class ForReadersDesk(Guarded):
    """For who is in the readers' desk, and for nobody else, a superuser neither."""

    permissions = ("wagtailadmin.access_admin",)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not sees_readers(request.user):
            raise PermissionDenied
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        return response


class DeskView(Guarded, WagtailAdminTemplateMixin, TemplateView):
    """A page of the desk."""

    header_icon = "mail"
    page_title = "Newsletters"
    _show_breadcrumbs = True

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": "", "label": self.page_title},
        ]


class IssueView(DeskView):
    """A page about one issue."""

    def get_page_subtitle(self) -> str:
        return str(self.issue)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        listed = f"{reverse('newsletter:index')}?newsletter={self.issue.newsletter_id}"
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": listed, "label": "Newsletters"},
            {"url": "", "label": str(self.issue)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        user = self.request.user
        return {
            **super().get_context_data(**kwargs),
            "issue": self.issue,
            "newsletter": self.issue.newsletter,
            "page_name": self.page_title,
            "may_change": user.has_perm(CHANGE),
            "may_approve": user.has_perm(APPROVE),
            "may_send": user.has_perm(SEND),
            "may_pause": user.has_perm(SEND) or user.has_perm(RELAYS),
        }


class PostView(Guarded):
    """A button was pressed: do one thing, once, and say what came of it."""

    http_method_names = ["post"]
    form_class: type[TokenForm] = TokenForm
    then = "newsletter:sending"

    def act(self, form: Any) -> str:
        """Do it; return what to say."""
        raise NotImplementedError

    def form(self) -> Form:
        return self.form_class(self.request.POST)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form()
        if form.is_valid():
            self._once(form)
        else:
            said = " ".join(str(error) for errors in form.errors.values() for error in errors)
            messages.error(request, said or "That could not be read. Try again.")
        return redirect(self.target())

    def target(self) -> str:
        return reverse(self.then, args=[self.kwargs["pk"]])

    def _once(self, form: Form) -> None:
        act: Callable[[Any], str] = self.act
        try:
            with transaction.atomic():
                first = publishing.first_time(form.cleaned_data["token"])
                said = act(form) if first else ""
        except (IssueError, EngineError, TransferError) as error:
            said = str(error)
            messages.error(self.request, f"{said[:1].upper()}{said[1:]}")
            return
        if said:
            messages.success(self.request, said)


class AskView(PostView, IssueView):
    """Asks before it does what cannot be undone, and says what is lost."""

    http_method_names = ["get", "post"]
    template_name = "newsletter/ask.html"
    button, keep = "Do it", "Keep it"
    otherwise = "That cannot be done to it now."

    def possible(self) -> bool:
        return True

    def sentence(self) -> str:
        """What is about to happen."""
        raise NotImplementedError

    def lines(self) -> list[str]:
        """What is lost, and what is not."""
        raise NotImplementedError

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        possible = self.possible()
        return {
            **super().get_context_data(**kwargs),
            "possible": possible,
            "otherwise": self.otherwise,
            "sentence": self.sentence() if possible else "",
            "lines": self.lines() if possible else [],
            "button": self.button,
            "keep": self.keep,
            "back": reverse(self.then, args=[self.issue.pk]),
            "token": uuid.uuid4(),
        }
