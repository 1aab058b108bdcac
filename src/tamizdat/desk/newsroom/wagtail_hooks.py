# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of the newsroom: lists and editors, the menu in newsroom words, addresses,
the words of the log, who may fetch files."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path, reverse
from django.utils.html import format_html
from wagtail import hooks
from wagtail.admin.menu import MenuItem
from wagtail.contrib.settings.registry import register_setting
from wagtail.log_actions import LogActionRegistry
from wagtail.snippets.models import register_snippet

from tamizdat.desk.newsroom import actions, urls, words
from tamizdat.desk.newsroom.models import Article, NewsroomSettings, SitePage
from tamizdat.desk.newsroom.viewsets import ArticleViewSet, FilingGroup, PersonViewSet
from tamizdat.desk.newsroom.viewsets.pages import (
    PublishPageItem,
    SitePageViewSet,
    publish_if_asked,
)
from tamizdat.desk.staff.menu import ItemFor

words.of_photos()
register_snippet(ArticleViewSet)
register_snippet(PersonViewSet)
register_snippet(FilingGroup)
register_snippet(SitePageViewSet)
register_setting(NewsroomSettings, icon="site")

# Wagtail's words and order, and ours. What is not named here keeps Wagtail's.
HIDDEN = frozenset(["explorer", "snippets", "help"])
RENAMED = {"images": ("Photos", 110), "documents": ("Files", 120)}
HIDDEN_SETTINGS = frozenset(["sites", "redirects"])
HIDDEN_REPORTS = frozenset(["aging-pages", "page-types-usage", "locked-pages"])


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    return [path("newsroom/", include((urls.urlpatterns, urls.app_name)))]


@hooks.register("register_admin_menu_item")
def front_item() -> MenuItem:
    where = reverse("newsroom:front")
    return ItemFor(
        lambda user: bool(user.has_perm("newsroom.change_frontpin")),
        "Front page",
        where,
        name="front",
        icon_name="home",
        order=105,
    )


@hooks.register("construct_main_menu")
def newsroom_words(request: HttpRequest, items: list[MenuItem]) -> None:
    items[:] = [item for item in items if item.name not in HIDDEN]
    for item in items:
        if item.name in RENAMED:
            item.label, item.order = RENAMED[item.name]


@hooks.register("construct_settings_menu")
def settings_words(request: HttpRequest, items: list[MenuItem]) -> None:
    items[:] = [item for item in items if item.name not in HIDDEN_SETTINGS]


@hooks.register("construct_reports_menu")
def reports_words(request: HttpRequest, items: list[MenuItem]) -> None:
    items[:] = [item for item in items if item.name not in HIDDEN_REPORTS]


@hooks.register("register_log_actions")
def register_log_actions(registry: LogActionRegistry) -> None:
    registry.register_action("tamizdat.comment", "Comment", "Commented on it")
    registry.register_action("tamizdat.resolve", "Resolve", "Settled a comment")
    registry.register_action("tamizdat.pin", "Front page", "Arranged a front page")
    registry.register_action("tamizdat.publish_page", "Publish page", "Published a page")


@hooks.register("before_serve_document")
def files_are_for_staff(document: Any, request: HttpRequest) -> None:
    """Readers get files from the paper; the desk hands them out to staff alone."""
    if not request.user.has_perm("wagtailadmin.access_admin"):
        raise PermissionDenied


@hooks.register("after_create_snippet")
@hooks.register("after_edit_snippet")
def names_have_changed(request: HttpRequest, instance: Any) -> None:
    """Sections, people and the like stand on fronts and pages of their own."""
    if not isinstance(instance, Article):
        actions.refresh_paper(request.user)  # type: ignore[arg-type]  # Only staff get here.


@hooks.register("after_delete_snippet")
def names_are_gone(request: HttpRequest, instances: list[Any]) -> None:
    if not all(isinstance(instance, Article) for instance in instances):
        actions.refresh_paper(request.user)  # type: ignore[arg-type]  # Only staff get here.


@hooks.register("after_edit_setting")
def paper_has_changed(request: HttpRequest, instance: Any) -> None:
    """Colours, imprint and the paper's words stand on every page: where they changed, the worker
    builds the whole paper (``Edition.needs_build``)."""
    if isinstance(instance, NewsroomSettings):
        actions.refresh_paper(request.user)  # type: ignore[arg-type]  # Only staff get here.


@hooks.register("construct_snippet_action_menu")
def publish_page_item(items: list[Any], request: HttpRequest, context: dict[str, Any]) -> None:
    item = PublishPageItem(order=20)
    if context["model"] is SitePage and item.is_shown(context):
        items.append(item)
        items.sort(key=lambda one: one.order)


hooks.register("after_create_snippet", publish_if_asked)
hooks.register("after_edit_snippet", publish_if_asked)


@hooks.register("insert_global_admin_css")
def desk_style() -> str:
    return format_html('<link rel="stylesheet" href="{}">', static("newsroom/desk.css"))


@hooks.register("insert_editor_js")
def keep_what_is_typed() -> str:
    return format_html('<script src="{}"></script>', static("newsroom/autosave.js"))
