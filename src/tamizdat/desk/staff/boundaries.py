# SPDX-License-Identifier: AGPL-3.0-or-later
"""What Wagtail shows to everybody who may enter the desk, and we show to those whose work it is.

Wagtail's dialogs to choose an article or a file, its lists for scripts and its files ask only
whether somebody may enter. With them a reader's letter-opener would see headlines of drafts, and
photos and documents not yet published.

What always holds:

- An address whose name begins like a row of ``NEEDED`` answers those who have the row's right, and
  403 to others. Every other address asks for its rights itself (``tests/desk/roles`` holds all of
  them to a table).
- Nobody becomes a superuser by an operator's hand, and no operator changes a superuser's account
  (a new password would be a way in): that is done on the command line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from tamizdat.desk.staff.models import User

_FILED = ("article", "person", "section", "topic", "place", "series", "sitepage")
WRITING = "newsroom.view_article"
NEEDED: tuple[tuple[str, str], ...] = (
    *((f"wagtailsnippetchoosers_newsroom_{model}:", f"newsroom.view_{model}") for model in _FILED),
    ("wagtailsnippetchoosers_newsletter_newsletter:", "newsletter.view_newsletter"),
    ("wagtailsnippets_newsroom_article:confirm_workflow_cancellation", WRITING),
    ("wagtailadmin_api:", WRITING),
    ("wagtailadmin_pages:", WRITING),
    ("wagtailadmin_choose_page", WRITING),
    ("wagtailadmin_tag_", WRITING),
    ("wagtail_bulk_action", WRITING),
    ("wagtailadmin_workflows:task_cho", "wagtailcore.add_task"),
    ("wagtailadmin_reports:site_history", WRITING),
    ("wagtaildocs_", WRITING),
    ("wagtailimages_", WRITING),
    ("newsroom:file", WRITING),
    ("newsroom:media", WRITING),
)


class BoundaryMiddleware:
    """Comes after authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]
    ) -> None:
        """Raises ``PermissionDenied``. Who is signed out is sent to sign in by the view."""
        name = request.resolver_match.view_name if request.resolver_match else ""
        needed = next((right for start, right in NEEDED if name.startswith(start)), "")
        if not request.user.is_authenticated:
            return
        if needed and not request.user.has_perm(needed):
            raise PermissionDenied
        if _reaches_superusers(request, name, kwargs):
            raise PermissionDenied


def _reaches_superusers(request: HttpRequest, name: str, kwargs: dict[str, Any]) -> bool:
    """Whether somebody who is none would make or change a superuser."""
    in_bulk = name == "wagtail_bulk_action" and kwargs.get("model_name") == "user"
    if getattr(request.user, "is_superuser", False) or request.method != "POST":
        return False
    if not in_bulk and not name.startswith("wagtailusers_users:"):
        return False
    asked = request.GET.getlist("id") if in_bulk else [str(kwargs.get("pk", ""))]
    superusers = User.objects.filter(is_superuser=True)
    if "all" not in asked:
        superusers = superusers.filter(pk__in=[number for key in asked for number in _read(key)])
    return "is_superuser" in request.POST or superusers.exists()


def _read(key: str) -> list[int]:
    """The number as Django reads it: “+7”, “ 7” and “٧” are 7 as well. None where it is none."""
    try:
        return [number] if 0 < (number := int(key)) < 2**63 else []
    except ValueError:
        return []
