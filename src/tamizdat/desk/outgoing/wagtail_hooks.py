# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of outgoing mail: the demo's outbox, suppressions, the log's words."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.urls import URLPattern, URLResolver, include, path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.log_actions import LogActionRegistry

from tamizdat.desk.outgoing import lifting, urls
from tamizdat.desk.readers import offers
from tamizdat.desk.staff.menu import ItemFor

offers.register(lifting.offer)


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    return [
        path("outbox/", include((urls.urlpatterns, urls.app_name))),
        path("suppressions/", include((urls.suppressions, "suppressions"))),
    ]


@hooks.register("register_log_actions")
def register_log_actions(registry: LogActionRegistry) -> None:
    registry.register_action("tamizdat.suppress", "Suppress", "Stopped writing to a reader")
    registry.register_action(
        "tamizdat.unsuppress", "Write again", "Lifted what kept us from writing to a reader"
    )


def _in_a_demo(user: AbstractBaseUser | AnonymousUser) -> bool:
    return bool(settings.NEWSROOM.settings.demo)


@hooks.register("register_admin_menu_item")
def outbox_item() -> MenuItem:
    where = reverse("outgoing:outbox")
    return ItemFor(_in_a_demo, "Outbox", where, name="outbox", icon_name="mail", order=128)
