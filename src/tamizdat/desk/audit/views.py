# SPDX-License-Identifier: AGPL-3.0-or-later
"""The audit trail as a page of the desk, for operators."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import PermissionRequiredMixin
from django.urls import reverse
from django.views.generic import TemplateView
from wagtail.admin.views.generic.base import WagtailAdminTemplateMixin

from tamizdat.desk.audit import trail, words
from tamizdat.desk.audit.forms import WantedForm

PAGE = 50


class TrailView(WagtailAdminTemplateMixin, PermissionRequiredMixin, TemplateView):
    """The newest first, fifty at a time; the address of a page names what is looked for."""

    permission_required = "audit.view_record"
    raise_exception = True
    http_method_names = ["get", "head"]
    template_name = "audit/trail.html"
    page_title = "Audit trail"
    header_icon = "list-ul"
    _show_breadcrumbs = True

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            {"url": reverse("wagtailadmin_home"), "label": "Home"},
            {"url": "", "label": "Audit trail"},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        form = WantedForm(self.request.GET)
        found = (
            trail.look_for(form.wanted, before=form.cleaned_data["before"], limit=PAGE + 1)
            if form.is_valid()
            else []
        )
        query = self.request.GET.copy()
        query.pop("before", None)
        context |= {
            "form": form,
            "rows": [words.of(row) for row in found[:PAGE]],
            "here": query.urlencode(),
            "later": bool(self.request.GET.get("before")),
        }
        if len(found) > PAGE:
            query["before"] = str(found[PAGE - 1].number)
            context["older"] = query.urlencode()
        return context
