# SPDX-License-Identifier: AGPL-3.0-or-later
"""What each role really gets done, where an address admits more people than may do everything.

Each deed is tried by every role on another person's things; a row names those who succeed. A
list that is shown with nothing to be done in it, or a form that is refused, is no success.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from wagtail.admin.models import EditingSession
from wagtail.models import UploadedFile

from tamizdat.desk.contributions import asking
from tamizdat.desk.contributions.models import Ask, AskVersion, Refund
from tamizdat.desk.newsroom import actions as newsroom
from tamizdat.desk.newsroom.models import Article, ArticleComment, Photo
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.publishing.models import StoryVersion
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import OPERATOR, READERS_DESK
from tests.desk.roles.scene import NO_ROLE, NOBODY, SUPERUSER, WHO, Scene, somebody

pytestmark = pytest.mark.django_db
Deed = Callable[[Client, Scene, User | None], object]


class Row(NamedTuple):
    may: str
    do: Deed
    done: Callable[[Scene], bool]


def _publish(client: Client, scene: Scene, _: User | None) -> None:
    form = {"token": uuid.uuid4(), "revision": scene.article.latest_revision_id, "when": "now"}
    client.post(reverse("publishing:confirm", args=[scene.article.pk]), form)


def _withdraw(client: Client, scene: Scene, _: User | None) -> None:
    publishing.publish_article(article=scene.article, acting_user=None)
    form = {"token": uuid.uuid4(), "reason": "It was wrong.", "confirmation": "withdraw"}
    client.post(reverse("publishing:withdraw", args=[scene.article.pk]), form)


def _withdrawn(scene: Scene) -> bool:
    return StoryVersion.objects.filter(reason="withdrawn").exists()


def _approve(client: Client, scene: Scene, _: User | None) -> None:
    task = scene.state.current_task_state_id
    name = "wagtailsnippets_newsroom_article:workflow_action"
    client.post(reverse(name, args=[scene.article.pk, "approve", task]), {"comment": ""})


def _approve_own(client: Client, scene: Scene, person: User | None) -> None:
    if person:
        scene.article.headline = "Ferry crews go on with their strike"
        scene.article.save_revision(user=person)
    _approve(client, scene, person)


def _approved(scene: Scene) -> bool:
    scene.state.refresh_from_db()
    return bool(scene.state.status == "approved")


def _unlock(client: Client, scene: Scene, _: User | None) -> None:
    Article.objects.filter(pk=scene.article.pk).update(
        locked=True, locked_by=scene.author, locked_at=timezone.now()
    )
    client.post(reverse("wagtailsnippets_newsroom_article:unlock", args=[scene.article.pk]))


def _delete(client: Client, scene: Scene, _: User | None) -> None:
    client.post(reverse("wagtailsnippets_newsroom_article:delete", args=[scene.article.pk]))


def _bulk(app: str, model: str, action: str, **form: object) -> Deed:
    def do(client: Client, scene: Scene, _: User | None) -> None:
        address = reverse("wagtail_bulk_action", args=[app, model, action])
        client.post(f"{address}?id={scene.bulk(model)}", form)

    return do


def _make_operator(client: Client, scene: Scene, _: User | None) -> None:
    role = Group.objects.get(name=OPERATOR).pk
    address = reverse("wagtail_bulk_action", args=["staff", "user", "assign_role"])
    client.post(f"{address}?id={scene.author.pk}", {"role": role})


def _become(role: str, **more: str) -> Deed:
    def do(client: Client, scene: Scene, person: User | None) -> None:
        for target in filter(None, (scene.author, person)):
            client.post(
                reverse("wagtailusers_users:edit", args=[target.pk]),
                {
                    "username": target.username,
                    "email": target.email,
                    "first_name": "A",
                    "last_name": "B",
                    "is_active": "on",
                    "groups": [Group.objects.get(name=role).pk],
                    **more,
                },
            )
        client.post(
            reverse("wagtailadmin_account"),
            {"is_superuser": "on", "groups": [Group.objects.get(name=role).pk]},
        )

    return do


def _in_role(role: str) -> Callable[[Scene], bool]:
    return lambda scene: scene.author.groups.filter(name=role).exists()


def _end_session(client: Client, scene: Scene, _: User | None) -> None:
    client.post(reverse("wagtailadmin_editing_sessions:release", args=[scene.editing.pk]))


def _take_upload(client: Client, scene: Scene, _: User | None) -> None:
    key = scene.upload.pk
    for name in ("create_multiple_from_uploaded_image", "delete_upload_multiple"):
        client.post(
            reverse(f"wagtailimages:{name}", args=[key]),
            headers={"x-requested-with": "XMLHttpRequest"},
        )


def _comment(client: Client, scene: Scene, _: User | None) -> None:
    client.post(
        reverse("newsroom:comments", args=[scene.article.pk]), {"what": "say", "text": "Is it so?"}
    )


def _resolve(client: Client, scene: Scene, _: User | None) -> None:
    thread = newsroom.comment(article=scene.article, acting_user=scene.author, text="Is it so?")
    client.post(
        reverse("newsroom:comments", args=[scene.article.pk]),
        {"what": "resolve", "comment": thread.pk},
    )


def _rewrite(client: Client, scene: Scene, _: User | None) -> None:
    name = "wagtailsnippets_newsroom_article:revisions_unschedule"
    client.post(reverse(name, args=[scene.article.pk, scene.article.latest_revision_id]))


def _ask_refund(client: Client, scene: Scene, _: User | None) -> None:
    payment = scene.given["contributions:payment"]
    form = {"token": uuid.uuid4(), "amount": "1", "why": "Given twice"}
    client.post(reverse("contributions:refund_ask", args=[payment.pk]), form)


def _decide(what: str) -> Deed:
    def do(client: Client, scene: Scene, _: User | None) -> None:
        refund = scene.given["contributions:refund"]
        form = {"token": uuid.uuid4(), "why": "Not so"}
        client.post(reverse(f"contributions:refund_{what}", args=[refund.pk]), form)

    return do


def _refund_is(state: str) -> Callable[[Scene], bool]:
    return lambda scene: (
        Refund.objects.get(pk=scene.given["contributions:refund"].pk).state == state
    )


def _on_ask(what: str, **form: object) -> Deed:
    def do(client: Client, scene: Scene, _: User | None) -> None:
        sent = {"seen": asking.stamp(scene.ask), **form}
        client.post(reverse(f"contributions:{what}", args=[scene.ask.pk]), sent)

    return do


def _approve_own_ask(client: Client, scene: Scene, person: User | None) -> None:
    Ask.objects.filter(pk=scene.ask.pk).update(changed_by=person)
    _on_ask("ask_approve")(client, scene, person)


_ASK = {
    "title": "Winter", "variant": "0", "v0-name": "a", "v0-weight": "1", "v0-title_en": "Winter",
}  # fmt: skip


def _gone(model: Any, which: Callable[[Scene], int]) -> Callable[[Scene], bool]:
    return lambda scene: not model.objects.filter(pk=which(scene)).exists()


DEEDS = {
    "publish": Row("POS", _publish, lambda s: StoryVersion.objects.exists()),
    "withdraw": Row("POS", _withdraw, _withdrawn),
    "approve another's text": Row("EPOS", _approve, _approved),
    "approve a text one changed": Row("", _approve_own, _approved),
    "take another's lock away": Row(
        # While a text is reviewed Wagtail lets nobody else in; it opens when the review ends.
        "S",
        _unlock,
        lambda s: not Article.objects.get(pk=s.article.pk).locked,
    ),
    "delete another's draft": Row("EPOS", _delete, _gone(Article, lambda s: s.article.pk)),
    "delete drafts in a list": Row(
        "EPOS", _bulk("newsroom", "article", "delete"), _gone(Article, lambda s: s.article.pk)
    ),
    "delete photos in a list": Row(
        "EPOS", _bulk("newsroom", "photo", "delete"), _gone(Photo, lambda s: s.photo.pk)
    ),
    "delete an account": Row(
        "OS", _bulk("staff", "user", "delete"), _gone(User, lambda s: s.author.pk)
    ),
    "shut out an account": Row(
        "OS",
        _bulk("staff", "user", "set_active_state", mark_as_active=False),
        lambda s: not User.objects.get(pk=s.author.pk).is_active,
    ),
    "make an operator": Row("OS", _make_operator, _in_role(OPERATOR)),
    "give the readers' desk": Row("OS", _become(READERS_DESK), _in_role(READERS_DESK)),
    "make a superuser": Row(
        "S",
        _become(READERS_DESK, is_superuser="on"),
        lambda s: User.objects.get(pk=s.author.pk).is_superuser,
    ),
    "end another's editing": Row("", _end_session, _gone(EditingSession, lambda s: s.editing.pk)),
    "take another's upload": Row("", _take_upload, _gone(UploadedFile, lambda s: s.upload.pk)),
    "ask for a refund": Row("PS", _ask_refund, lambda s: Refund.objects.count() == 2),
    "approve another's refund": Row("PS", _decide("approve"), _refund_is("approved")),
    "decline another's refund": Row("PS", _decide("decline"), _refund_is("declined")),
    "write on in another's message": Row(
        "EPS", _on_ask("ask", **_ASK), lambda s: Ask.objects.get().title == "Winter"
    ),
    "approve another's message": Row(
        "PS", _on_ask("ask_approve"), lambda s: AskVersion.objects.count() == 2
    ),
    "approve one's own message": Row(
        "", _approve_own_ask, lambda s: AskVersion.objects.count() == 2
    ),
    "take a message down": Row(
        "EPS", _on_ask("ask_stop"), lambda s: Ask.objects.get().state == "stopped"
    ),
    "comment": Row("REPOS", _comment, lambda s: ArticleComment.objects.exists()),
    "settle another's comment": Row(
        "REPOS",
        _resolve,
        lambda s: ArticleComment.objects.filter(resolved_at__isnull=False).exists(),
    ),
}


@pytest.mark.parametrize("who", WHO)
def test_each_role_gets_done_what_is_its_to_do(who: str, media: Path) -> None:
    person, scene = somebody(who), Scene()
    client = Client(raise_request_exception=False)
    if person:
        client.force_login(person)
    done = set()
    for name, row in DEEDS.items():
        with transaction.atomic():
            row.do(client, scene, person)
            if row.done(scene):
                done.add(name)
            transaction.set_rollback(True)
    assert done == {name for name, row in DEEDS.items() if WHO[who] in row.may}


@pytest.mark.parametrize("who", [w for w in WHO if w not in (NOBODY, SUPERUSER, OPERATOR)])
def test_nobody_makes_themselves_more_than_they_are(who: str, media: Path) -> None:
    person, scene = somebody(who), Scene()
    assert person
    client = Client(raise_request_exception=False)
    client.force_login(person)
    _become(OPERATOR)(client, scene, person)
    _become(OPERATOR, is_superuser="on")(client, scene, person)
    person.refresh_from_db()
    assert not person.is_superuser
    assert list(person.groups.values_list("name", flat=True)) == ([] if who == NO_ROLE else [who])


def test_no_operator_takes_a_superusers_account(media: Path) -> None:
    operator = somebody(OPERATOR)
    root = User.objects.create_superuser("root", "root@meridian.example", "correct horse battery")
    assert operator
    client = Client(raise_request_exception=False)
    client.force_login(operator)
    form = {"username": "root", "email": "oleg@meridian.example", "first_name": "A",
            "last_name": "B", "is_active": "on", "password1": "mine from now on",
            "password2": "mine from now on"}  # fmt: skip
    client.post(reverse("wagtailusers_users:edit", args=[root.pk]), form)
    client.post(reverse("wagtailusers_users:delete", args=[root.pk]))
    bulk = reverse("wagtail_bulk_action", args=["staff", "user", "delete"])
    client.post(f"{bulk}?id={root.pk}")
    client.post(f"{bulk}?id=all")
    shut = reverse("wagtail_bulk_action", args=["staff", "user", "set_active_state"])
    for written in (f"{root.pk}", f"%2B{root.pk}", f"%20{root.pk}", f"0{root.pk}", "all"):
        client.post(f"{shut}?id={written}", {"mark_as_active": "False"})
    root.refresh_from_db()
    assert root.is_active
    assert root.email == "root@meridian.example"
    assert root.check_password("correct horse battery")
