# SPDX-License-Identifier: AGPL-3.0-or-later
"""The five roles, what each may do, and the review that stands between draft and paper.

What always holds: after every ``migrate`` the groups ``Reporter``, ``Editor``, ``Publisher``,
``Operator`` and ``Readers' desk`` exist with at least the rights listed here, and every article
goes through the workflow ``Four eyes``. Rights that an operator gave beyond that are kept.

Readers' data (the apps of ``READERS_APPS``) is for ``Readers' desk`` and for nobody else: no other
role gets a right of those apps, and ``sees_readers`` knows no superuser.

What is not done here: who is in which group (``actions``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig, apps
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AbstractUser, AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

REPORTER, EDITOR, PUBLISHER, OPERATOR = "Reporter", "Editor", "Publisher", "Operator"
READERS_DESK = "Readers' desk"
ROLES = (REPORTER, EDITOR, PUBLISHER, OPERATOR, READERS_DESK)
READERS_APPS = ("letters", "readers")
WORKFLOW = "Four eyes"

_WRITING = (
    "wagtailadmin.access_admin",
    "newsroom.add_article",
    "newsroom.change_article",
    "newsroom.view_article",
    "newsroom.view_person",
    "newsroom.add_person",
    "newsroom.view_topic",
    "newsroom.add_topic",
    "newsroom.view_place",
    "newsroom.add_place",
    "newsroom.view_section",
    "newsroom.view_series",
    "newsletter.view_newsletter",
    "newsletter.view_issue",
)
_EDITING = (
    *_WRITING,
    "newsroom.delete_article",
    "newsroom.lock_article",
    "newsroom.unlock_article",
    "newsroom.change_person",
    "newsroom.change_topic",
    "newsroom.change_place",
    "newsroom.add_series",
    "newsroom.change_series",
    "newsroom.change_section",
    "newsroom.add_frontpin",
    "newsroom.change_frontpin",
    "newsroom.delete_frontpin",
    "newsroom.view_sitepage",
    "newsroom.change_sitepage",
    "newsroom.add_sitepage",
    "simple_translation.submit_translation",
    "newsletter.add_issue",
    "newsletter.change_issue",
    "contributions.view_ask",
    "contributions.add_ask",
    "contributions.change_ask",
)
_PUBLISHING = (
    *_EDITING,
    "newsroom.publish_article",
    "newsroom.publish_sitepage",
    "newsletter.add_newsletter",
    "newsletter.change_newsletter",
    "newsletter.approve_issue",
    "newsletter.send_issue",
    "contributions.approve_ask",
    "contributions.view_gift",
    "contributions.view_standing",
    "contributions.ask_refund",
    "contributions.approve_refund",
)
RIGHTS: dict[str, tuple[str, ...]] = {
    REPORTER: _WRITING,
    EDITOR: _EDITING,
    PUBLISHER: _PUBLISHING,
}
COLLECTION_RIGHTS: dict[str, tuple[str, ...]] = {
    REPORTER: ("add", "choose"),
    EDITOR: ("add", "change", "choose"),
    PUBLISHER: ("add", "change", "choose"),
    OPERATOR: ("add", "change", "choose", "delete"),
    READERS_DESK: (),
}
_OPERATED = (
    *("newsroom", "publishing", "staff", "audit", "simple_translation"),
    *("wagtailcore", "wagtailadmin", "auth"),
)
# Operators set newsletters up and see to relays; what is in an issue is the editors'.
_OPERATING = (
    "newsletter.view_newsletter",
    "newsletter.add_newsletter",
    "newsletter.change_newsletter",
    "newsletter.view_issue",
    "outgoing.view_relay",
    "outgoing.change_relay",
    "contributions.view_standing",
)
# Who subscribes and who is not written to, in apps that others look into as well.
_READERS = (
    "newsletter.view_subscription",
    "outgoing.view_mail",
    "outgoing.view_suppression",
    "outgoing.change_suppression",
)


def sees_readers(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether a person may see what readers sent and left with us.

    A superuser may not by being one: they have to be in the role, and joining it is in the audit.
    """
    if not isinstance(user, AbstractUser) or not user.is_active:
        return False
    return user.groups.filter(name=READERS_DESK).exists()


def ensure_everything(*, sender: AppConfig, **_: Any) -> None:
    """Receiver of ``post_migrate``: runs once, after the last app."""
    if sender is last_app():
        ensure_roles()


def last_app() -> AppConfig:
    """The app for which ``post_migrate`` is sent last."""
    return [config for config in apps.get_app_configs() if config.models_module][-1]


@transaction.atomic
def ensure_roles() -> None:
    """Make the groups, their rights and the review workflow where they are missing."""
    Group.objects.filter(name__in=["Editors", "Moderators"], user=None).delete()
    for role in ROLES:
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.add(*_permissions(role))
        _share_media(group, COLLECTION_RIGHTS[role])
    _ensure_workflow()


def _permissions(role: str) -> Iterable[Permission]:
    if role == OPERATOR:
        everything = Permission.objects.filter(content_type__app_label__in=_OPERATED)
        return [*everything, *_named(_OPERATING)]
    if role == READERS_DESK:
        return [
            Permission.objects.get(content_type__app_label="wagtailadmin", codename="access_admin"),
            *Permission.objects.filter(content_type__app_label__in=READERS_APPS),
            *_named(_READERS),
        ]
    return _named(RIGHTS[role])


def _named(names: Iterable[str]) -> list[Permission]:
    """These rights, by app and name. Raises ``LookupError`` where one does not exist."""
    wanted = set(names)
    labels = {name.partition(".")[0] for name in wanted}
    candidates = Permission.objects.filter(content_type__app_label__in=labels)
    found = [
        p
        for p in candidates.select_related("content_type")
        if f"{p.content_type.app_label}.{p.codename}" in wanted
    ]
    missing = wanted - {f"{p.content_type.app_label}.{p.codename}" for p in found}
    if missing:
        raise LookupError(f"these permissions do not exist: {', '.join(sorted(missing))}")
    return found


def _share_media(group: Group, actions: Iterable[str]) -> None:
    """Let a group use the collection of all photos and files."""
    from wagtail.models import Collection, GroupCollectionPermission

    root = Collection.get_first_root_node()
    # Wagtail asks for the rights of its own models, whatever model is in use.
    for label, model in (("wagtailimages", "image"), ("wagtaildocs", "document")):
        content_type = ContentType.objects.get(app_label=label, model=model)
        for action in actions:
            permission = Permission.objects.get(
                content_type=content_type, codename=f"{action}_{model}"
            )
            GroupCollectionPermission.objects.get_or_create(
                group=group, collection=root, permission=permission
            )


def _ensure_workflow() -> None:
    from wagtail.models import Workflow, WorkflowContentType, WorkflowTask

    from tamizdat.desk.newsroom.models import Article, FourEyesTask

    Workflow.objects.filter(name="Moderators approval").update(active=False)
    workflow, _ = Workflow.objects.get_or_create(name=WORKFLOW)
    task, made = FourEyesTask.objects.get_or_create(name="Review by a second person")
    if made:
        task.groups.set(Group.objects.filter(name__in=[EDITOR, PUBLISHER, OPERATOR]))
    WorkflowTask.objects.get_or_create(workflow=workflow, task=task)
    WorkflowContentType.objects.get_or_create(
        content_type=ContentType.objects.get_for_model(Article), defaults={"workflow": workflow}
    )
