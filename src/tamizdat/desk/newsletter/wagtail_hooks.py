# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of newsletters: lists and forms, addresses, menus, the log's words."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, include, path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.log_actions import LogActionRegistry
from wagtail.snippets.models import register_snippet

from tamizdat.desk.newsletter import home, urls
from tamizdat.desk.newsletter.viewset import NewsletterViewSet, after_saving
from tamizdat.desk.staff.menu import ItemFor
from tamizdat.desk.staff.roles import sees_readers

register_snippet(NewsletterViewSet)
hooks.register("after_create_snippet", after_saving)
hooks.register("after_edit_snippet", after_saving)


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    return [path("newsletters/", include((urls.urlpatterns, urls.app_name)))]


@hooks.register("register_log_actions")
def register_log_actions(registry: LogActionRegistry) -> None:
    for name, label, said in _WORDS:
        registry.register_action(f"tamizdat.issue_{name}", label, said)
    registry.register_action(
        "tamizdat.newsletter_import", "Import", "Brought subscribers in from a file"
    )
    registry.register_action(
        "tamizdat.newsletter_upload", "Hand in a list", "Handed in a file of subscribers"
    )
    registry.register_action(
        "tamizdat.newsletter_take_in", "Yes to a list", "Had a file of subscribers taken in"
    )
    registry.register_action(
        "tamizdat.newsletter_throw_away", "No to a list", "Threw a file of subscribers away"
    )
    registry.register_action(
        "tamizdat.newsletter_export", "Export", "Wrote all subscribers to a file"
    )


_WORDS = (
    ("create", "New issue", "Began an issue"),
    ("edit", "Compose", "Composed an issue"),
    ("approve", "Approve", "Approved an issue as it was"),
    ("schedule", "Schedule", "Set the hour of an issue"),
    ("unschedule", "Unschedule", "Took the hour of an issue away"),
    ("hold", "Hold", "Held an issue that was due"),
    ("discard", "Discard", "Discarded an issue"),
    ("restore", "Put back", "Put the page of an issue back"),
    ("test", "Test", "Sent a test of an issue"),
)


def _sees_issues(user: Any) -> bool:
    return bool(user.has_perm("newsletter.view_issue"))


# After the newsroom's own panels, which replace Wagtail's.
@hooks.register("construct_homepage_panels", order=5)
def issues_panel(request: HttpRequest, panels: list[Any]) -> None:
    """Where an issue was held, the desk is told at once."""
    found = home.rows() if _sees_issues(request.user) else []
    if found:
        panels.insert(0, home.IssuesPanel(found))


@hooks.register("register_admin_menu_item")
def issues_item() -> MenuItem:
    where = reverse("newsletter:index")
    return ItemFor(
        _sees_issues, "Newsletters", where, name="newsletters", icon_name="mail", order=107
    )


@hooks.register("register_admin_menu_item")
def subscribers_item() -> MenuItem:
    where = reverse("newsletter:subscribers")
    return ItemFor(
        sees_readers, "Subscribers", where, name="subscribers", icon_name="group", order=126
    )
