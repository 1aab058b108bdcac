# SPDX-License-Identifier: AGPL-3.0-or-later
"""Nobody's text is lost because their session ended while they wrote.

What always holds:

- A form sent to the desk by somebody signed out comes back as a page that keeps every field, to be
  sent again after signing in. Autosave is told the same in words.
- The same for a form opened before signing in anew, whose token has expired; but only where the
  browser says that one of the desk's own pages sent it. A stranger's page gets a plain refusal.
- Passwords and files are not kept.

Nothing is written here, and nothing of the form is read but to be sent back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.views.csrf import csrf_failure as plain_refusal
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tamizdat.desk.staff.access.paths import own_path

SIGNED_OUT = (
    "You are signed out. Keep this page open, sign in to the desk in another tab, then save here."
)
NEEDS_SECOND = 428
_OPEN_TO_ALL = ("wagtailadmin_login", "wagtailadmin_logout", "wagtailadmin_password_reset")


class KeepTextMiddleware:
    """Comes after the checks of token and session."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if request.method != "POST" or request.user.is_authenticated:
            return None
        name = (request.resolver_match and request.resolver_match.url_name) or ""
        if name.startswith(_OPEN_TO_ALL) or not _is_desk(request) or is_script(request):
            return None
        return keep(request, status=401)


def token_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Django's ``CSRF_FAILURE_VIEW``."""
    if _is_door(request) and _is_our_page(request):
        # Somebody signed in or out in another tab meanwhile: the door as it stands now.
        return redirect_to_login(own_path(request), reverse("wagtailadmin_login"))
    if _is_desk(request) and _is_our_page(request) and not is_script(request):
        return keep(request, status=403)
    return plain_refusal(request, reason=reason)


@require_GET
@never_cache
def session(request: HttpRequest) -> HttpResponse:
    """``{"token": "…"}``: the token that a form needs now. Wagtail lets only staff get here."""
    return JsonResponse({"token": get_token(request)})


def _is_desk(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("wagtailadmin_home"))


def _is_door(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("wagtailadmin_login"))


def is_script(request: HttpRequest) -> bool:
    """Wagtail's dialogs, which understand a refusal by themselves."""
    return request.headers.get("x-requested-with") == "XMLHttpRequest"


def _is_our_page(request: HttpRequest) -> bool:
    origin = urlsplit(request.headers.get("Origin", ""))
    return bool(origin.netloc) and origin.netloc == request.get_host()


def keep(request: HttpRequest, *, status: int) -> HttpResponse:
    """What was sent, as a page to send it again from; for a script the same in words."""
    if request.headers.get("Accept", "").startswith("application/json"):
        # The one of Wagtail's codes whose words the editor shows and after which it goes on.
        said = {"error_code": "validation_error", "error_message": SIGNED_OUT}
        return JsonResponse({"success": False, **said}, status=status)
    if not request.POST:
        return redirect_to_login(request.get_full_path(), reverse("wagtailadmin_login"))
    context = {
        "fields": list(_fields(request)),
        "files": bool(request.FILES),
        "path": request.get_full_path(),
        "signed_out": request.user.is_anonymous,
        "second_factor": status == NEEDS_SECOND,
    }
    response = render(request, "staff/kept.html", context, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response


def _fields(request: HttpRequest) -> Iterator[tuple[str, str]]:
    for name, values in request.POST.lists():
        if name != "csrfmiddlewaretoken" and "password" not in name:
            for value in values:
                yield name, str(value)
