# SPDX-License-Identifier: AGPL-3.0-or-later
"""The article: what reporters write and editors publish.

What always holds:

- ``story_uri`` names the story for ever; ``path`` is its address, empty until it was first
  published and set only by publishing.
- The row of an article that is not live follows its latest draft, so that lists show what is
  being worked on; the row of a live article is what was published, and only
  ``working_headline``, ``updated_at`` and ``edited_by`` tell of the draft.
- What belongs to the story and not to one version of its text (``PRESERVED``) is never taken
  back by restoring an older version.

What is not done here: publishing, withdrawing, addresses (``desk.publishing``).
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from modelcluster.fields import ParentalKey, ParentalManyToManyField
from modelcluster.models import ClusterableModel, model_from_serializable_data
from wagtail.fields import StreamField
from wagtail.models import (
    DraftStateMixin,
    LockableMixin,
    Orderable,
    PreviewableMixin,
    Revision,
    RevisionMixin,
    TranslatableMixin,
    WorkflowMixin,
)
from wagtail.search import index

from tamizdat.desk.newsroom.blocks import ArticleBody
from tamizdat.desk.newsroom.models.article_parts import BylineRole, SourceKind
from tamizdat.desk.newsroom.models.person import Person
from tamizdat.desk.newsroom.text import new_uri, slug_from
from tamizdat.desk.publishing.mixins import PublishedMixin


# The ignored error is of relations that modelcluster gives managers of their own.
class Article(  # type: ignore[django-manager-missing]
    PublishedMixin,
    PreviewableMixin,
    WorkflowMixin,
    LockableMixin,
    DraftStateMixin,
    RevisionMixin,
    TranslatableMixin,
    index.Indexed,
    ClusterableModel,
):
    """A story as the desk works on it. ``locale`` is its language."""

    PRESERVED: ClassVar = (
        "story_uri",
        "path",
        "withdrawn_at",
        "withdrawal_reason",
        "import_key",
        "imported_from",
        "original_url",
        "created_at",
        "created_by_id",
        "updated_at",
        "edited_by_id",
        "working_headline",
    )

    live = models.BooleanField(default=False, editable=False)

    kicker = models.CharField(
        max_length=80, blank=True, help_text="One or two words above the headline. May stay empty."
    )
    headline = models.CharField(
        max_length=255, help_text="What happened. Under 70 characters it fits everywhere."
    )
    standfirst = models.TextField(
        max_length=600,
        blank=True,
        help_text="One or two sentences that say why it matters. Lists and feeds show them.",
    )
    lead_photo = models.ForeignKey(
        "newsroom.Photo",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="The picture above the text and in lists.",
    )
    lead_caption = models.TextField(
        "caption here",
        blank=True,
        help_text="Only if it must differ from the photo's own caption, as in another language.",
    )
    lead_alt = models.CharField(
        "alternative text here",
        max_length=255,
        blank=True,
        help_text="Only if it must differ: what a reader who cannot see it should know.",
    )
    body = StreamField(ArticleBody(), blank=True, help_text="The text.")

    section = models.ForeignKey(
        "newsroom.Section",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="articles",
        help_text="The part of the paper it stands in.",
    )
    topics = ParentalManyToManyField(
        "newsroom.Topic", blank=True, related_name="articles", help_text="What it is about."
    )
    places = ParentalManyToManyField(
        "newsroom.Place", blank=True, related_name="articles", help_text="Where it happens."
    )
    series = models.ForeignKey(
        "newsroom.Series",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="articles",
        help_text="If it is one of several that belong together.",
    )
    dateline = models.CharField(
        max_length=120, blank=True, help_text="Where it was reported from: “Port Ostrava”."
    )
    slug = models.SlugField(
        "address",
        max_length=100,
        blank=True,
        allow_unicode=True,
        help_text="The last part of the web address. Left empty, it is made from the headline. "
        "Changed after publication, the old address leads to the new one.",
    )
    sensitive = models.BooleanField(
        default=False,
        help_text="Tick for grief and violence: nothing is asked of the reader on this page.",
    )
    embargoed_until = models.DateTimeField(
        null=True, blank=True, help_text="It cannot be published before this moment."
    )

    story_uri = models.CharField(max_length=255, unique=True, default=new_uri, editable=False)
    path = models.CharField(max_length=400, blank=True, db_index=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True, editable=False)
    withdrawal_reason = models.TextField(blank=True, editable=False)
    original_url = models.CharField(max_length=1000, blank=True, editable=False)
    imported_from = models.CharField(max_length=40, blank=True, editable=False)
    import_key = models.CharField(
        max_length=255, unique=True, null=True, blank=True, editable=False
    )
    working_headline = models.CharField(max_length=255, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    edited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )

    _revisions = GenericRelation(
        "wagtailcore.Revision",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="article",
        for_concrete_model=False,
    )
    workflow_states = GenericRelation(
        "wagtailcore.WorkflowState",
        content_type_field="base_content_type",
        object_id_field="object_id",
        related_query_name="article",
        for_concrete_model=False,
    )

    search_fields: ClassVar = [
        index.SearchField("headline", boost=5),
        index.AutocompleteField("headline"),
        index.SearchField("working_headline", boost=2),
        index.AutocompleteField("working_headline"),
        index.SearchField("kicker"),
        index.SearchField("standfirst", boost=2),
        index.SearchField("body"),
        index.FilterField("locale_id"),
        index.FilterField("section_id"),
        index.FilterField("live"),
        index.FilterField("updated_at"),
    ]

    class Meta(TranslatableMixin.Meta):
        verbose_name = "article"
        ordering: ClassVar = ["-updated_at", "-pk"]
        indexes: ClassVar = [
            models.Index(fields=["-updated_at", "-id"], name="article_updated"),
            models.Index(fields=["locale", "-updated_at", "-id"], name="article_locale_updated"),
            models.Index(fields=["section", "-updated_at", "-id"], name="article_section_updated"),
            models.Index(fields=["live", "-updated_at", "-id"], name="article_live_updated"),
            models.Index(fields=["locale", "-first_published_at", "-id"], name="article_by_day"),
            models.Index(fields=["created_by", "-updated_at"], name="article_creator_updated"),
            models.Index(fields=["edited_by", "-updated_at"], name="article_editor_updated"),
            models.Index(fields=["original_url"], name="article_original_url"),
            models.Index(
                fields=["go_live_at"],
                name="article_scheduled",
                condition=models.Q(go_live_at__isnull=False),
            ),
            models.Index(
                fields=["expire_at"],
                name="article_expires",
                condition=models.Q(expire_at__isnull=False),
            ),
            models.Index(
                fields=["withdrawn_at"],
                name="article_withdrawn",
                condition=models.Q(withdrawn_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.working_headline or self.headline or "Untitled"

    @property
    def revisions(self) -> models.QuerySet[Revision]:
        return self._revisions

    @property
    def language(self) -> str:
        """The code of its language: ``en``."""
        code: str = self.locale.language_code
        return code

    def clean(self) -> None:
        super().clean()
        if self.slug_follows_headline:
            self.slug = slug_from(self.headline)
        self.working_headline = self.headline

    @property
    def slug_follows_headline(self) -> bool:
        """Until it is published, the address is made of the headline, unless one was typed."""
        return not self.slug or (not self.path and self.slug == slug_from(self.working_headline))

    def serve_preview(self, request: HttpRequest, mode_name: str) -> HttpResponse:
        """The article as readers will see it."""
        from tamizdat.desk.newsroom.preview import preview  # It needs this model loaded.

        return preview(self)

    @classmethod
    def from_serializable_data(
        cls, data: dict[str, Any], check_fks: bool = True, strict_fks: bool = False
    ) -> Article:
        """The text as a revision keeps it, its persons and sources read at once: the library asks
        the database for each row. A byline whose person was deleted since is left out."""
        parts = {"bylines": Byline, "sources": Source, "corrections": Correction}
        rest = {name: value for name, value in data.items() if name not in parts}
        article: Article = super().from_serializable_data(rest, check_fks, strict_fks)
        for name, model in parts.items():
            rows = [
                model_from_serializable_data(model, row, check_fks=False)
                for row in data.get(name, ())
            ]
            setattr(article, name, _with_persons(rows) if model is Byline else rows)
        return article

    def with_content_json(self, content: dict[str, Any]) -> Article:
        """An older version of the text, with what belongs to the story itself kept as it is."""
        article: Article = super().with_content_json(content)
        for name in self.PRESERVED:
            setattr(article, name, getattr(self, name))
        return article

    def _update_from_revision(self, revision: Revision, changed: bool = True) -> None:
        """Let the lists know of the draft (called by Wagtail's ``save_revision``)."""
        self.latest_revision = revision
        if changed:
            self.has_unpublished_changes = True
        self.working_headline = self.headline
        self.updated_at = revision.created_at
        self.edited_by = revision.user
        if self.live:
            self.save(
                update_fields=[
                    "latest_revision",
                    "has_unpublished_changes",
                    "working_headline",
                    "updated_at",
                    "edited_by",
                ]
            )
        else:
            self.save()


def _with_persons(bylines: list[Byline]) -> list[Byline]:
    persons = Person.objects.in_bulk({line.person_id for line in bylines})
    for line in bylines:
        if line.person_id in persons:
            line.person = persons[line.person_id]
    return [line for line in bylines if line.person_id in persons]


class Byline(Orderable):
    """A person at a story, in the order they are named."""

    article = ParentalKey(Article, on_delete=models.CASCADE, related_name="bylines")
    person = models.ForeignKey(
        "newsroom.Person",
        on_delete=models.PROTECT,
        related_name="bylines",
        help_text="Needs no account. A new name is added under People.",
    )
    role = models.CharField(
        max_length=20, choices=BylineRole.choices, default=BylineRole.AUTHOR, help_text="Did what."
    )

    class Meta(Orderable.Meta):
        verbose_name = "byline"
        indexes: ClassVar = [models.Index(fields=["person", "article"], name="byline_person")]

    def __str__(self) -> str:
        return f"{self.person} ({self.get_role_display()})"


class Source(Orderable):
    """Who reported it, and what of the story rests on them."""

    article = ParentalKey(Article, on_delete=models.CASCADE, related_name="sources")
    name = models.CharField(
        max_length=255, help_text="As readers may know it. Never the name of one to be protected."
    )
    kind = models.CharField(
        max_length=20, choices=SourceKind.choices, default=SourceKind.OWN, help_text="Who it is."
    )
    link = models.URLField(
        max_length=1000, blank=True, help_text="Where readers can check it themselves."
    )
    supports = models.CharField(
        max_length=500, blank=True, help_text="What of the story rests on it."
    )

    class Meta(Orderable.Meta):
        verbose_name = "source"

    def __str__(self) -> str:
        return self.name


class Correction(Orderable):
    """A mistake that was put right, told to readers with its date."""

    article = ParentalKey(Article, on_delete=models.CASCADE, related_name="corrections")
    date = models.DateTimeField(default=timezone.now, help_text="When it was put right.")
    text = models.TextField(
        help_text="What was wrong and what is right, in plain words. Readers see it above the text."
    )

    class Meta(Orderable.Meta):
        verbose_name = "correction"

    def __str__(self) -> str:
        return self.text[:60]
