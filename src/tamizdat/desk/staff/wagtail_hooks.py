# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every page of the desk notices when its session has ended."""

from __future__ import annotations

from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from wagtail import hooks

from tamizdat.desk.staff import signed_out


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern]:
    return [path("session/", signed_out.session, name="desk_session")]


@hooks.register("insert_global_admin_js")
def session_script() -> str:
    return format_html(
        '<script src="{}" data-session="{}" data-words="{}" defer></script>',
        static("staff/session.js"),
        reverse("desk_session"),
        signed_out.SIGNED_OUT,
    )
