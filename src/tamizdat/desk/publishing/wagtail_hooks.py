# SPDX-License-Identifier: AGPL-3.0-or-later
"""Where Wagtail learns of publishing: pages, the editor's menu, the log's words, the home page."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, include, path, reverse
from wagtail import hooks
from wagtail.admin import messages
from wagtail.log_actions import LogActionRegistry
from wagtail.snippets.action_menu import (
    ActionMenuItem,
    PublishMenuItem,
    UnpublishMenuItem,
)

from tamizdat.desk.newsroom import words
from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.publishing import dashboard, urls
from tamizdat.desk.publishing.models import StoryVersion

PANEL = "to-publish-panel"


def may_publish(request: HttpRequest) -> bool:
    return bool(request.user.has_perm("newsroom.publish_article"))


@hooks.register("register_admin_urls")
def register_urls() -> list[URLPattern | URLResolver]:
    return [path("publishing/", include((urls.urlpatterns, urls.app_name)))]


@hooks.register("register_log_actions")
def register_log_actions(actions: LogActionRegistry) -> None:
    actions.register_action("tamizdat.correct", "Correct", "Put a correction to it")
    actions.register_action("tamizdat.move", "Change address", "Changed its address")
    actions.register_action("tamizdat.withdraw", "Withdraw", "Withdrew it")
    actions.register_action("tamizdat.retry", "Retry", "Had it built again")


class PublishPanelItem(ActionMenuItem):
    """Saves the draft and opens the publish panel."""

    name = PANEL
    label = "Publish…"
    icon_name = "upload"

    def is_shown(self, context: dict[str, Any]) -> bool:
        return context["view"] in ("create", "edit") and not context.get("locked_for_user")


class _LinkItem(ActionMenuItem):
    """A link to one of the pages about a published article, for those who may publish."""

    target = ""

    def is_shown(self, context: dict[str, Any]) -> bool:
        if context["view"] != "edit" or not context["instance"].live:
            return False
        return may_publish(context["request"])

    def get_url(self, parent_context: dict[str, Any]) -> str:
        return reverse(f"publishing:{self.target}", args=[parent_context["instance"].pk])


class CorrectItem(_LinkItem):
    name, label, icon_name, target = "action-correct", "Correct…", "edit", "correct"


class AddressItem(_LinkItem):
    name, label, icon_name, target = "action-address", "Change address…", "link", "address"


class WithdrawItem(_LinkItem):
    name, label, icon_name, target = "action-withdraw", "Withdraw…", "warning", "withdraw"


class WhereItem(ActionMenuItem):
    """Leads to the panel where the editor is locked, as while a time is set."""

    name, label, icon_name = "action-where", "Where it stands…", "info-circle"

    def is_shown(self, context: dict[str, Any]) -> bool:
        return context["view"] == "edit" and bool(context.get("locked_for_user"))

    def get_url(self, parent_context: dict[str, Any]) -> str:
        return reverse("publishing:panel", args=[parent_context["instance"].pk])


@hooks.register("construct_snippet_action_menu")
def change_menu(items: list[ActionMenuItem], request: HttpRequest, context: dict[str, Any]) -> None:
    """Wagtail's Publish and Unpublish give way to the panel and to Withdraw."""
    if context["model"] is not Article:
        return
    kept = [i for i in items if not isinstance(i, PublishMenuItem | UnpublishMenuItem)]
    items[:] = words.in_menu(kept)
    publishing_comes_first = context["view"] == "edit" and may_publish(request)
    ours = (
        PublishPanelItem(order=-10 if publishing_comes_first else 30),
        CorrectItem(order=70),
        AddressItem(order=75),
        WithdrawItem(order=80),
        WhereItem(order=10001),
    )
    items += [item for item in ours if item.is_shown(context)]
    items.sort(key=lambda item: item.order)


@hooks.register("after_create_snippet")
@hooks.register("after_edit_snippet")
def open_panel(request: HttpRequest, instance: Any) -> HttpResponse | None:
    if isinstance(instance, Article) and PANEL in request.POST:
        return redirect("publishing:panel", instance.pk)
    return None


@hooks.register("before_unpublish")
def withdraw_instead(request: HttpRequest, instance: Any) -> HttpResponse | None:
    if isinstance(instance, Article):
        return redirect("publishing:withdraw", instance.pk)
    return None


@hooks.register("before_delete_snippet")
def keep_published(request: HttpRequest, instances: list[Any]) -> HttpResponse | None:
    """What readers have seen is withdrawn, never deleted."""
    articles = [instance.pk for instance in instances if isinstance(instance, Article)]
    if not articles or not StoryVersion.objects.filter(article__in=articles).exists():
        return None
    messages.error(request, "A story that was published cannot be deleted. Withdraw it instead.")
    if len(articles) == 1:
        return redirect("publishing:panel", articles[0])
    return redirect("wagtailadmin_home")


@hooks.register("construct_homepage_panels")
def our_home(request: HttpRequest, panels: list[Any]) -> None:
    panels[:] = [dashboard.Dashboard()]


@hooks.register("construct_homepage_summary_items")
def no_counts(request: HttpRequest, items: list[Any]) -> None:
    """Wagtail's counts of whole tables."""
    items.clear()
