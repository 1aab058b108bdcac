# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an operator may do about other people's sessions: see that there are some, and end them."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from wagtail.admin import messages

from tamizdat.desk.staff.access import actions
from tamizdat.desk.staff.access.factors import factors_of
from tamizdat.desk.staff.access.sessions import open_sessions
from tamizdat.desk.staff.access.views_own import person
from tamizdat.desk.staff.models import User


def sessions(request: HttpRequest, pk: int) -> HttpResponse:
    """The open sessions of an account; POST ends all of them."""
    acting = person(request)
    if not acting.has_perm("staff.change_user"):
        raise PermissionDenied
    user = get_object_or_404(User, pk=pk)
    if request.method == "POST":
        actions.end_sessions(acting_user=acting, user=user)
        messages.success(request, _("“{}” is signed out everywhere.").format(user))
        return redirect("wagtailusers_users:edit", user.pk)
    context = {"account": user, "sessions": open_sessions(user), "has": factors_of(user)}
    return render(request, "staff/access/sessions.html", context)
