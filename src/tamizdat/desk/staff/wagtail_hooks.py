# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every page of the desk notices when its session has ended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from laces.components import Component
from wagtail import hooks
from wagtail.log_actions import LogActionRegistry
from wagtail.users.widgets import UserListingButton

from tamizdat.desk.staff import inline_scripts, signed_out
from tamizdat.desk.staff.access import urls as access_urls
from tamizdat.desk.staff.access.factors import factors_of
from tamizdat.desk.staff.access.words import ACTIONS
from tamizdat.desk.staff.models import User

inline_scripts.of_choosers()


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern]:
    return [path("session/", signed_out.session, name="desk_session"), *access_urls.inside]


@hooks.register("register_account_menu_item")
def access_item(request: HttpRequest) -> dict[str, str]:
    return {
        "url": reverse("staff_access"),
        "label": gettext("Sign-in and sessions"),
        "help_text": gettext("Passkeys, codes, and where you are signed in."),
    }


@hooks.register("register_log_actions")
def register_log_actions(registry: LogActionRegistry) -> None:
    for name, said in ACTIONS.items():
        registry.register_action(name, said, said)


@hooks.register("insert_global_admin_js")
def session_script() -> str:
    return format_html(
        '<script src="{}" data-session="{}" data-words="{}" defer></script>',
        static("staff/session.js"),
        reverse("desk_session"),
        signed_out.SIGNED_OUT,
    )


@hooks.register("register_user_listing_buttons")
def sessions_button(user: User, request_user: User) -> Iterator[UserListingButton]:
    if request_user.has_perm("staff.change_user"):
        yield UserListingButton(
            gettext("Sessions"), reverse("staff_sessions", args=[user.pk]), icon_name="key"
        )


class SecondFactorPanel(Component):
    """Says on the home page that a password alone opens this account."""

    order = 10
    template_name = "staff/access/notice.html"


# After the newsroom's own panels, which replace Wagtail's.
@hooks.register("construct_homepage_panels", order=10)
def second_factor_panel(request: HttpRequest, panels: list[Any]) -> None:
    if isinstance(request.user, User) and not factors_of(request.user).asked:
        panels.insert(0, SecondFactorPanel())
