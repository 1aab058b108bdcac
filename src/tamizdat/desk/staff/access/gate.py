# SPDX-License-Identifier: AGPL-3.0-or-later
"""Leads who is signed in but may not go on yet to where they can mend that.

What always holds: where the newsroom demands a second factor, nobody without one sees any page of
the desk but those that set one up; where it takes passkeys only, a session that was opened
otherwise ends. A form that was sent meanwhile is kept (``signed_out``), never lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone

from tamizdat.desk.staff import signed_out
from tamizdat.desk.staff.access import entry, policy
from tamizdat.desk.staff.access.factors import factors_of
from tamizdat.desk.staff.access.store import USED
from tamizdat.desk.staff.models import User

_OPEN = (
    "wagtailadmin_login",
    "wagtailadmin_logout",
    "wagtailadmin_password_reset",
    "wagtailadmin_sprite",
    "wagtailadmin_javascript_catalog",
    "staff_access_setup",
    "staff_access_app",
    "staff_access_prove",
    "staff_access_passkey",
)


class GateMiddleware:
    """Comes after the session's user is known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        user = request.user
        if not isinstance(user, User):
            return None
        _note_day(request)
        if request.session.get(entry.CLEARED) == _demands() or _is_open(request):
            return None
        has = factors_of(user)
        if policy.passkeys_only() and has.passkeys and _how(request) != entry.PASSKEY:
            logout(request)
            return _stop(request, reverse("wagtailadmin_login"))
        if policy.second_factor_required() and not has.enough:
            return _stop(request, reverse("staff_access_setup"))
        request.session[entry.CLEARED] = _demands()
        return None


def _demands() -> str:
    return f"{policy.second_factor_required()} {policy.passkeys_only()}"


def _is_open(request: HttpRequest) -> bool:
    name = (request.resolver_match and request.resolver_match.url_name) or ""
    return name.startswith(_OPEN)


def _how(request: HttpRequest) -> str:
    return str(request.session.get(entry.HOW, ""))


def _note_day(request: HttpRequest) -> None:
    """The day of last use, written once a day."""
    today = timezone.localdate().isoformat()
    if request.session.get(USED) != today:
        request.session[USED] = today


def _stop(request: HttpRequest, where: str) -> HttpResponse:
    if signed_out.is_script(request):
        raise PermissionDenied
    if request.method == "POST":
        signed_in = request.user.is_authenticated
        return signed_out.keep(request, status=signed_out.NEEDS_SECOND if signed_in else 401)
    return HttpResponseRedirect(f"{where}?{urlencode({'next': request.get_full_path()})}")
