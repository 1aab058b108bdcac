# SPDX-License-Identifier: AGPL-3.0-or-later
"""A second person looks at a message; it is taken down; an old wording comes back as a draft."""

from __future__ import annotations

from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.functional import cached_property
from wagtail.admin import messages

from tamizdat.desk.contributions import asking, content
from tamizdat.desk.contributions.errors import AskError
from tamizdat.desk.contributions.models import AskVersion, Place
from tamizdat.desk.contributions.pages.asks import changes, reach, standing
from tamizdat.desk.contributions.pages.asks.verdict import problems_of, second, sentence
from tamizdat.desk.contributions.pages.asks.views.base import (
    APPROVE,
    CHANGE,
    AskView,
    Guarded,
    person,
)


class ApproveView(AskView):
    """What is missing, what differs from what readers see, and the button."""

    page_title = "Approve"
    template_name = "contributions/asks/approve.html"
    http_method_names = ["get", "post"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        where = context["standing"]
        allowed, words = second(self.ask, person(self.request))
        return {
            **context,
            "problems": problems_of(self.ask),
            "second": allowed,
            "second_words": words,
            "changes": changes.differences(
                changes.of_version(where.version), changes.of_draft(self.ask)
            ),
            "seen": asking.stamp(self.ask),
            "reach": reach.of(self.ask, where),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.has_perm(APPROVE):
            raise PermissionDenied
        try:
            version = asking.approve_ask(
                ask=self.ask, acting_user=person(request), seen=request.POST.get("seen", "")
            )
        except (AskError, msgspec.ValidationError) as error:
            messages.error(request, sentence(error))
        else:
            messages.success(request, f"Approved as version {version.number}.")
        return redirect("contributions:ask_approve", self.ask.pk)


class ReachView(Guarded):
    """How far it is on its way to readers, alone, for the page to ask again."""

    http_method_names = ["get"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        found = reach.of(self.ask, standing.of(self.ask))
        response = render(request, "contributions/asks/reach.html", {"reach": found})
        response["X-Waiting"] = "yes" if found.moving else "no"
        return response


class StopView(Guarded):
    """Take it down at once: that needs nobody else."""

    permission = CHANGE
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        asking.stop_ask(ask=self.ask, acting_user=person(request))
        messages.success(request, "It is taken down. Approving it again brings it back.")
        return redirect("contributions:ask_approve", self.ask.pk)


class RestoreView(AskView):
    """Asks before an old wording takes the place of what is being written."""

    permission = CHANGE
    page_title = "History"
    template_name = "contributions/asks/restore.html"
    http_method_names = ["get", "post"]

    @cached_property
    def version(self) -> AskVersion:
        return get_object_or_404(AskVersion, ask=self.ask, number=self.kwargs["number"])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        differing = changes.differences(
            changes.of_draft(self.ask), changes.of_version(self.version)
        )
        return {
            **super().get_context_data(**kwargs),
            "version": self.version,
            "changes": differing,
            "seen": asking.stamp(self.ask),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        ask, version = self.ask, self.version
        try:
            asking.write_ask(
                ask=ask, slug=ask.slug, title=ask.title, place=Place(ask.place),
                said=content.decode(version.content), begins=version.begins, ends=version.ends,
                acting_user=person(request), seen=request.POST.get("seen", ""),
            )  # fmt: skip
        except (AskError, msgspec.ValidationError) as error:
            messages.error(request, sentence(error))
            return redirect("contributions:ask_restore", ask.pk, version.number)
        messages.success(
            request, f"Version {version.number} is the draft now. Readers see what is approved."
        )
        return redirect("contributions:ask", ask.pk)
