# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the pages about gifts share: who may, the tabs, forms that do their work once.

What always holds: who gave stands on no page but those of ``givers``, which only the readers' desk
opens; no browser keeps a page.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views import View
from django.views.generic import TemplateView
from wagtail.admin import messages
from wagtail.admin.views.generic import WagtailAdminTemplateMixin

from tamizdat.config import ConfigError
from tamizdat.desk.contributions.actions import APPROVE, ASK, LOOK_AFTER
from tamizdat.desk.contributions.errors import ContributionsError
from tamizdat.desk.contributions.models import Dispute, Refund, Wish
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.publishing.forms import TokenForm
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import sees_readers

VIEW = "contributions.view_gift"


class Tab(NamedTuple):
    """``number`` is how many wait there; None where that is not counted."""

    name: str
    words: str
    url: str
    number: int | None = None


def tabs(user: User) -> list[Tab]:
    """The pages that somebody may open."""
    found = []
    if user.has_perm(VIEW):
        waiting = Refund.objects.filter(state=Refund.State.ASKED).count()
        disputed = Dispute.objects.filter(state=Dispute.State.OPEN).count()
        found += [
            Tab("payments", "Payments", reverse("contributions:gifts")),
            Tab("refunds", "Refunds", reverse("contributions:refunds"), waiting),
            Tab("disputes", "Disputes", reverse("contributions:disputes"), disputed),
            Tab("wishes", "Asked by givers", reverse("contributions:wishes"), refused()),
        ]
    if user.has_perm(LOOK_AFTER):
        found.append(Tab("standing", "Providers", reverse("contributions:standing")))
    if sees_readers(user):
        found.append(Tab("find", "Find a giver", reverse("contributions:gift_find")))
    return found


def refused() -> int:
    return Wish.objects.filter(refused=True).count()


class Guarded(View):
    """``permission`` opens it."""

    permission = VIEW

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not self.admits(request):
            raise PermissionDenied
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        return response

    def admits(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(self.permission))

    @property
    def person(self) -> User:
        """Who is signed in: nobody else gets this far."""
        if not isinstance(self.request.user, User):
            raise PermissionDenied
        return self.request.user


class ForReadersDesk(Guarded):
    """For who is in the readers' desk, and for nobody else, a superuser neither."""

    def admits(self, request: HttpRequest) -> bool:
        return sees_readers(request.user)


class DeskView(Guarded, WagtailAdminTemplateMixin, TemplateView):
    """A page of the desk under one of the tabs."""

    header_icon = "pick"
    page_title = "Gifts"
    tab = "payments"
    _show_breadcrumbs = True

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        home = {"url": reverse("wagtailadmin_home"), "label": "Home"}
        return [home, *self.above(), {"url": "", "label": self.page_title}]

    def above(self) -> list[dict[str, Any]]:
        """The pages between home and this one."""
        return []

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = self.request.user.has_perm
        return {
            **super().get_context_data(**kwargs),
            "tabs": tabs(self.person),
            "tab": self.tab,
            "may_view": may(VIEW),
            "may_ask": may(ASK),
            "may_approve": may(APPROVE),
        }


class PostView(Guarded):
    """A button was pressed: do one thing, once, and say what came of it."""

    http_method_names = ["post"]
    form_class: type[TokenForm] = TokenForm

    def act(self, form: Any) -> str:
        """Do it; return what to say."""
        raise NotImplementedError

    def target(self) -> str:
        """Where one is led then."""
        raise NotImplementedError

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        form = self.form_class(request.POST)
        if form.is_valid():
            try:
                if said := self.once(form):
                    messages.success(request, said)
            except (ContributionsError, ConfigError) as error:
                messages.error(request, _sentence(error))
        else:
            messages.error(request, _wrong(form))
        return redirect(self.target())

    def once(self, form: TokenForm) -> str:
        """Nothing where the same form came before. Raises what ``act`` raises."""
        with transaction.atomic():
            return self.act(form) if publishing.first_time(form.cleaned_data["token"]) else ""


def _sentence(error: Exception) -> str:
    said = str(error)
    return f"{said[:1].upper()}{said[1:]}"


def _wrong(form: Form) -> str:
    shown = (errors for name, errors in form.errors.items() if name != "token")
    said = " ".join(str(error) for errors in shown for error in errors)
    return said or "That could not be read. Try again."


def number_of_page(request: HttpRequest) -> str:
    return request.GET.get("p", "1")
