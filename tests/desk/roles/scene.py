# SPDX-License-Identifier: AGPL-3.0-or-later
"""One of everything that the desk has an address for, none of it of the person who asks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import time
from typing import Any

from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone
from wagtail.admin.models import EditingSession
from wagtail.models import Collection, Locale, Site, UploadedFile, Workflow

from tamizdat.desk.contributions import content
from tamizdat.desk.contributions.content import AskContent, AskText, AskVariant
from tamizdat.desk.contributions.models import Ask, Gift, Payment, Refund, Wish
from tamizdat.desk.newsletter import actions as newsletters
from tamizdat.desk.newsletter.models import Newsletter, Upload
from tamizdat.desk.newsroom import actions, photos
from tamizdat.desk.newsroom.models import (
    Article,
    Byline,
    FourEyesTask,
    NewsroomSettings,
    Person,
    Photo,
    Section,
    Series,
    SitePage,
    Source,
    Topic,
)
from tamizdat.desk.newsroom.models import Place as PlaceModel
from tamizdat.desk.publishing.models import BuildRequest
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import ROLES
from tests.desk.conftest import jpeg, make_user, pdf

NOBODY, NO_ROLE, SUPERUSER = "nobody", "no role", "superuser"
# The letter of a table's column, by role.
WHO = {NOBODY: "*", NO_ROLE: "A", **dict(zip(ROLES, "REPOD", strict=True)), SUPERUSER: "S"}


def somebody(who: str) -> User | None:
    """An account in this role and in no other; ``NOBODY`` has none."""
    if who == NOBODY:
        return None
    person = make_user("asker", who if who in ROLES else ROLES[0])
    if who not in ROLES:
        person.groups.clear()
        person.is_superuser = who == SUPERUSER
        person.save()
    return person


def browser_of(person: User | None) -> Client:
    """As Wagtail's dialogs ask: a refusal is then a 403 and not a page that says so."""
    client = Client(headers={"x-requested-with": "XMLHttpRequest"}, raise_request_exception=False)
    if person:
        client.force_login(person)
    return client


class Scene:
    """Another person's things, and how an address names them."""

    def __init__(self) -> None:
        self.author = make_user("author", ROLES[0])
        english = Locale.objects.get(language_code="en")
        filed = {"locale": english}
        section = Section.objects.create(**filed, title="News", slug="news")
        self.objects: dict[str, Any] = {
            "section": section,
            "topic": Topic.objects.create(**filed, title="Harbours", slug="harbours"),
            "place": PlaceModel.objects.create(**filed, title="Westering", slug="westering"),
            "series": Series.objects.create(**filed, title="Ferries", slug="ferries"),
            "sitepage": SitePage.objects.create(**filed, title="About", slug="about"),
            "person": Person.objects.create(name="Mira Valdis", slug="mira-valdis"),
        }
        self.article = self._article(english, section)
        self.objects["article"] = self.article
        self.photo = actions.add_photo(
            data=jpeg(64, 64), title="Fog", description="Fog", acting_user=self.author
        )
        self.document = actions.add_attachment(
            file=ContentFile(pdf()), name="a.pdf", title="A", acting_user=self.author
        )  # type: ignore[arg-type]  # Django's file is one in all but name.
        self.request = BuildRequest.objects.create(
            kind="full", state="failed", error="It broke.", acting_user=self.author
        )
        self.file = photos.renditions_for(self.photo)[0]
        self.upload = UploadedFile.objects.create(
            uploaded_by_user=self.author, for_content_type=ContentType.objects.get_for_model(Photo)
        )
        self.editing = EditingSession.objects.create(
            user=self.author, content_object=self.article, last_seen_at=timezone.now()
        )
        self.newsletter = Newsletter.objects.create(
            slug="weekly", language="en", title="The Weekly", sender_name="The Meridian",
            sender_address="weekly@meridian.example", hour=time(17), zone="UTC",
        )  # fmt: skip
        self.objects["newsletter"] = self.newsletter
        self.issue = newsletters.create_issue(newsletter=self.newsletter, acting_user=self.author)
        now = timezone.now()
        self.upload = Upload.objects.create(
            newsletter=self.newsletter, name="list.csv", format="auto", size=6, state="looked",
            beat=now, made=now,
        )  # fmt: skip
        self.given = self._given()
        self.ask = self._ask()
        self.state = self.article.get_workflow().start(self.article, self.author)

    def _ask(self) -> Ask:
        """A message that readers see, and that was changed since."""
        said, before = (
            content.encode(AskContent(variants=(AskVariant(slug="a", texts={"en": AskText(one)}),)))
            for one in ("We stay", "We left")
        )
        ask = Ask.objects.create(
            slug="autumn", title="Autumn", place="ribbon", state="live", content=said,
            changed_by=self.author,
        )  # fmt: skip
        ask.versions.create(number=1, content=before, approved=timezone.now())
        return ask

    def _given(self) -> dict[str, Any]:
        """What somebody gave, by the addresses that are about it."""
        told: dict[str, Any] = {"provider": "sandbox", "amount": 500, "currency": "USD"}
        day = timezone.localdate()
        gift = Gift.objects.create(**told, ref="sub_1", kind="monthly", state="active", day=day)
        payment = Payment.objects.create(**told, ref="pi_1", gift=gift, state="paid", at=1, day=day)
        refund = Refund.objects.create(
            **{**told, "amount": 100}, payment_ref="pi_1", state="asked", day=day,
            asked_by=self.author,
        )  # fmt: skip
        wish = Wish.objects.create(gift=gift, ask="pause", refused=True, not_before=timezone.now())
        rows = {"gift": gift, "payment": payment, "refund": refund, "wish": wish}
        names = {
            "gift": "gift", "gift_giver": "gift", "payment": "payment", "refund_ask": "payment",
            "refund": "refund", "refund_approve": "refund", "refund_decline": "refund",
            "wish_seen": "wish",
        }  # fmt: skip
        return {f"contributions:{name}": rows[what] for name, what in names.items()}

    def _article(self, english: Locale, section: Section) -> Article:
        article = Article(
            locale=english,
            headline="Ferry crews end their strike",
            section=section,
            slug="ferry-crews",
            created_by=self.author,
            body=[("text", "<p>The crews went back on Monday.</p>")],
        )
        article.bylines.add(Byline(person=self.objects["person"]))
        article.sources.add(Source(name="Harbour office", kind="official"))
        article.full_clean()
        article.save()
        article.save_revision(user=self.author)
        return Article.objects.get(pk=article.pk)

    def named(self, name: str) -> dict[str, Any]:
        """What stands for each part of an address, by the name of the address."""
        model = name.partition(":")[0].rpartition("_")[2]
        here: dict[str, Any] = {
            "pk": self._pk(name, model),
            "revision_id": self.article.latest_revision_id,
            "revision_id_a": "earliest",
            "revision_id_b": "latest",
            "task_state_id": self.state.current_task_state_id,
            "workflow_state_id": self.state.pk,
            "task_id": self.state.current_task_state.task_id,
            "action_name": "copy" if "api" in name else "approve",
            "page_id": 2, "parent_page_id": 2, "page_to_move_id": 2, "destination_id": 1,
            "page_pk": 2, "workflow_pk": Workflow.objects.get(active=True).pk,
            "collection_id": Collection.objects.get(depth=1).pk,
            "document_id": self.document.pk, "doc_id": self.document.pk,
            "image_id": self.photo.pk, "filter_spec": "width-20",
            "uploaded_file_id": self.upload.pk, "restriction_id": 1,
            "session_id": self.editing.pk, "object_id": str(self.article.pk),
            "uidb64": "MQ", "token": "set-password", "sha256": self.file.sha256,
            "number": 1,
            "path": self.photo.file.name, "name": "0" * 20 + "-" + "a" * 8,
            "content_type_app_name": "wagtailcore", "content_type_model_name": "page",
            "app_label": "newsroom", "app_name": "newsroom", "model_name": "article",
            "action": "delete", "month": "2026-10", "format_": "csv",
        }  # fmt: skip
        return here | _EXCEPTIONS.get(name, {})

    def bulk(self, model: str) -> int:
        """Of what a bulk action is asked for."""
        others = {
            "user": self.author.pk, "photo": self.photo.pk, "attachment": self.document.pk,
            "page": 2,
        }  # fmt: skip
        return int(others.get(model) or self.objects[model].pk)

    def _pk(self, name: str, model: str) -> int | str:
        if name.startswith("staff_access_remove"):
            return 1
        known = {
            "wagtailusers_users": self.author.pk,
            "wagtailusers_groups": Group.objects.get(name=ROLES[0]).pk,
            "wagtailsites": Site.objects.get().pk,
            "wagtailadmin_collections": Collection.objects.get(depth=1).pk,
            "publishing": self.article.pk,
            "newsletter": self.issue.pk,
            "staff_sessions": self.author.pk,
            "wagtailimages_chooser": self.photo.pk,
            "wagtaildocs_chooser": self.document.pk,
            "wagtailsettings": NewsroomSettings.load().pk,
        }
        space = name.partition(":")[0]
        if name in self.given:
            return int(self.given[name].pk)
        if name.startswith("contributions:ask"):
            return self.ask.pk
        if name == "newsletter:new":
            return self.newsletter.pk
        if name.startswith("newsletter:upload"):
            return self.upload.pk
        if name == "publishing:retry":
            return self.request.pk
        if "task" in name and space == "wagtailadmin_workflows":
            return FourEyesTask.objects.get().pk
        if space == "wagtailadmin_workflows":
            return Workflow.objects.get(active=True).pk
        if "images" in name:
            return self.photo.pk
        if "documents" in name:
            return self.document.pk
        if "api:pages" in name:
            return 2
        if space in known:
            return known[space]
        return self.objects.get(model, self.article).pk


_EXCEPTIONS: dict[str, dict[str, Any]] = {
    "wagtailsettings:edit": {"model_name": NewsroomSettings._meta.model_name},
    "wagtailsettings:preview_on_edit": {"model_name": NewsroomSettings._meta.model_name},
    "wagtailadmin_workflows:add_task": {"model_name": "foureyestask"},
    "wagtailadmin_tag_model_autocomplete": {"app_name": "taggit", "model_name": "tag"},
    "wagtailadmin_pages:choose_parent": {"app_label": "wagtailcore", "model_name": "page"},
}


def addresses() -> Iterator[tuple[str, str, URLPattern]]:
    """Every address that the desk answers at: its name, its route, its pattern."""
    yield from _walk(get_resolver(), "", ())


def _walk(
    where: URLResolver, before: str, spaces: tuple[str, ...]
) -> Iterator[tuple[str, str, URLPattern]]:
    for pattern in where.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            inside = (*spaces, pattern.namespace) if pattern.namespace else spaces
            yield from _walk(pattern, route, inside)
        elif isinstance(pattern, URLPattern):
            yield ":".join((*spaces, pattern.name or f"({route})")), route, pattern
