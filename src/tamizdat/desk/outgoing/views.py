# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demo's outbox in the desk. Anywhere else than in a demo these pages do not exist."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.generic import TemplateView, View
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from tamizdat.desk.outgoing import outbox
from tamizdat.desk.outgoing.outbox import Opened


class DemoOnly(View):
    """Base: 404 in a real newsroom; no browser keeps a page."""

    http_method_names = ["get"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.NEWSROOM.settings.demo:
            raise Http404
        response = super().dispatch(request, *args, **kwargs)
        response.headers["Cache-Control"] = "no-store, private"
        return response

    def mail(self) -> Opened:
        found = outbox.opened(settings.NEWSROOM, self.kwargs["name"])
        if found is None:
            raise Http404
        return found


class OutboxView(DemoOnly, WagtailAdminTemplateMixin, TemplateView):
    """All mails, the newest first; those to one address."""

    template_name = "outgoing/outbox.html"
    page_title = "Outbox"
    header_icon = "mail"
    _show_breadcrumbs = True

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        address = self.request.GET.get("address", "")[:254]
        lines, total = outbox.newest(settings.NEWSROOM, address)
        return super().get_context_data(address=address, lines=lines, total=total, **more)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": "", "label": self.page_title},
        ]


class ReadView(OutboxView):
    """One mail: as it looks, as plain text, its headers."""

    template_name = "outgoing/mail.html"
    page_title = "Mail"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        return super().get_context_data(mail=self.mail(), **more)

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        home = super().get_breadcrumbs_items()[:1]
        where = {"url": reverse("outgoing:outbox"), "label": "Outbox"}
        return [*home, where, {"url": "", "label": self.page_title}]


@method_decorator(xframe_options_sameorigin, name="dispatch")
class FrameView(DemoOnly):
    """The HTML part alone, for a frame."""

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = HttpResponse(self.mail().html)
        response.headers["Content-Security-Policy"] = outbox.POLICY
        response.headers["Referrer-Policy"] = "no-referrer"
        return response
