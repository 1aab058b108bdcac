# SPDX-License-Identifier: AGPL-3.0-or-later
"""Says why a publication was refused, wherever in the desk it was asked for.

Wagtail's own buttons (Publish, Approve) know nothing of our reasons; the draft itself is saved.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from wagtail.admin import messages

from tamizdat.desk.publishing.errors import PublishingError


class RefusalMiddleware:
    """Turns a ``PublishingError`` into a message on the page the person came from."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, PublishingError):
            return None
        if request.headers.get("Accept", "").startswith("application/json"):
            return JsonResponse({"success": False, "error_message": str(error)}, status=400)
        messages.error(request, str(error))
        back = request.META.get("HTTP_REFERER", "")
        if url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure()):
            return redirect(back)
        return redirect("wagtailadmin_home")
