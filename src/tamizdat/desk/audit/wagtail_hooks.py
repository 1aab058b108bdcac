# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of the audit trail: which log entries to write, the page and its words.

Wagtail asks its registry which model logs what. We register ours (a proxy whose manager records),
so every entry is recorded on its way, in its transaction, and no signal is needed. What it logs
nothing of, its actions upon many at once, is logged here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.http import HttpRequest
from django.urls import URLPattern, URLResolver, include, path, reverse
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.log_actions import LogActionRegistry, log
from wagtail.models import ModelLogEntry, Page, PageLogEntry

from tamizdat.desk.audit import urls, words
from tamizdat.desk.audit.models import RecordedEntry, RecordedPageEntry
from tamizdat.desk.staff.menu import ItemFor

AFTER_WAGTAIL = 100


@hooks.register("register_log_actions", order=AFTER_WAGTAIL)
def record_what_is_logged(registry: LogActionRegistry) -> None:
    registry.register_model(models.Model, RecordedEntry)
    registry.register_model(Page, RecordedPageEntry)
    # The same rows, and Wagtail's reports would show them twice.
    registry.log_entry_models -= {ModelLogEntry, PageLogEntry}


@hooks.register("register_log_actions")
def register_words(registry: LogActionRegistry) -> None:
    for action, (label, sentence) in words.OF_OPERATORS.items():
        registry.register_action(action, label, sentence)


@hooks.register("before_bulk_action")
def log_deleted(request: HttpRequest, action: str, objects: Iterable[Any], view: Any) -> None:
    """Within the transaction in which they go."""
    if action == "delete":
        for one in objects:
            log(one, "wagtail.delete", user=request.user, deleted=True)


@hooks.register("after_bulk_action")
def log_changed(request: HttpRequest, action: str, objects: Iterable[Any], view: Any) -> None:
    """As they are now: who is in which role, who may sign in. Pages log by themselves."""
    for one in objects:
        if action != "delete" and not isinstance(one, Page):
            one.refresh_from_db()
            log(one, "wagtail.edit", user=request.user, data={"bulk": action})


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    return [path("audit/", include((urls.urlpatterns, urls.app_name)))]


@hooks.register("register_reports_menu_item")
def trail_item() -> MenuItem:
    where = reverse("audit:trail")
    return ItemFor(
        lambda user: bool(user.has_perm("audit.view_record")),
        "Audit trail",
        where,
        name="audit",
        icon_name="list-ul",
        order=1100,
    )
