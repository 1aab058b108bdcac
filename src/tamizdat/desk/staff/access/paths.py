# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where somebody wanted to go: only ever to this desk."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def own_path(request: HttpRequest, *, query: bool = False) -> str:
    """``next`` of a request where it is a path of the desk's own, else the desk's first page.

    With ``query`` as ``next=…``.
    """
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(
        wanted, allowed_hosts=None, require_https=request.is_secure()
    )
    path = wanted if ours else reverse("wagtailadmin_home")
    return urlencode({"next": path}) if query else path
