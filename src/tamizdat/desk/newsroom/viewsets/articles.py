# SPDX-License-Identifier: AGPL-3.0-or-later
"""The article's editor."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from wagtail.admin import messages
from wagtail.admin.forms.models import WagtailAdminModelForm
from wagtail.admin.panels import (
    FieldPanel,
    FieldRowPanel,
    HelpPanel,
    InlinePanel,
    MultiFieldPanel,
    ObjectList,
    TabbedInterface,
)
from wagtail.admin.ui.components import MediaContainer
from wagtail.admin.widgets.button import Button
from wagtail.blocks import StreamBlock
from wagtail.snippets.views.snippets import CreateView, EditView, SnippetViewSet

from tamizdat.desk.newsroom import words
from tamizdat.desk.newsroom.models import Article, Person
from tamizdat.desk.newsroom.models.review import OwnTextError
from tamizdat.desk.newsroom.side_panels import CommentsSidePanel
from tamizdat.desk.newsroom.viewsets.listing import (
    ArticleChooserViewSet,
    ArticleFilters,
    ArticleIndexView,
)
from tamizdat.desk.newsroom.widgets import (
    BodyWidget,
    CountedInput,
    CountedTextarea,
    KnownChooser,
    LongSelect,
    TermPicker,
)
from tamizdat.desk.publishing.side_panel import PaperSidePanel

HEADLINE_FITS = 70
STANDFIRST_FITS = 200


_BODY = "Write, or paste. The plus adds photos, quotes, tables, boxes and the like."
_BYLINES = "Who wrote and made it, in the order readers see. They need no account."
_SOURCES = (
    "Who reported it. Readers see this list under the story. Never name here, not even in a "
    "draft, somebody who must be protected."
)
_CORRECTIONS = (
    "<p>A mistake that was published is put right in the text <em>and</em> told here. Readers see "
    "the note with its date above the text, in lists and in feeds.</p>"
)
_OWN_TEXT = (
    "You changed the text, so somebody else has to approve it. Your changes are kept, and it is "
    "still in review."
)


class ArticleForm(WagtailAdminModelForm):
    """Offers only the sections, topics, places and series of the article's own language."""

    IN_LANGUAGE = ("section", "topics", "places", "series")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        locale = getattr(self.instance, "locale_id", None)
        for name in self.IN_LANGUAGE:
            if name in self.fields and locale:
                field = self.fields[name]
                field.queryset = field.queryset.filter(locale_id=locale)
        lines = self.formsets["bylines"].initial_forms if "bylines" in self.formsets else ()
        for line in lines:
            line.fields["person"].widget.known = line.instance.person


def _body_blocks() -> StreamBlock:
    return Article.body.field.stream_block


def _write_tab() -> ObjectList:
    return ObjectList(
        [
            FieldPanel("kicker"),
            FieldPanel("headline", classname="title", widget=CountedInput(fits=HEADLINE_FITS)),
            FieldPanel("standfirst", widget=CountedTextarea(fits=STANDFIRST_FITS)),
            FieldPanel("lead_photo"),
            MultiFieldPanel(
                [
                    FieldPanel("lead_caption", widget=forms.Textarea(attrs={"rows": 1})),
                    FieldPanel("lead_alt"),
                ],
                heading="Another caption here",
                classname="collapsed",
            ),
            FieldPanel("body", heading="Text", help_text=_BODY, widget=BodyWidget(_body_blocks())),
        ],
        heading="Write",
    )


def _sources_tab() -> ObjectList:
    return ObjectList(
        [
            InlinePanel(
                "bylines",
                [
                    FieldRowPanel(
                        [
                            FieldPanel("person", widget=KnownChooser(model=Person)),
                            FieldPanel("role"),
                        ]
                    )
                ],
                heading="Bylines",
                label="byline",
                help_text=_BYLINES,
            ),
            InlinePanel(
                "sources",
                [
                    FieldRowPanel([FieldPanel("name"), FieldPanel("kind")]),
                    FieldRowPanel([FieldPanel("link"), FieldPanel("supports")]),
                ],
                heading="Sources",
                label="source",
                help_text=_SOURCES,
            ),
        ],
        heading="People & sources",
    )


def _filing_tab() -> ObjectList:
    return ObjectList(
        [
            FieldRowPanel([FieldPanel("section", widget=LongSelect), FieldPanel("dateline")]),
            FieldPanel("topics", widget=TermPicker("topic")),
            FieldPanel("places", widget=TermPicker("place")),
            FieldPanel("series", widget=LongSelect),
            FieldPanel("slug"),
            FieldPanel("embargoed_until"),
            FieldPanel("sensitive"),
        ],
        heading="Filing",
    )


def _corrections_tab() -> ObjectList:
    return ObjectList(
        [
            HelpPanel(content=_CORRECTIONS),
            InlinePanel("corrections", heading="Corrections", label="correction"),
        ],
        heading="Corrections",
    )


def _edit_handler() -> TabbedInterface:
    tabs = [_write_tab(), _sources_tab(), _filing_tab(), _corrections_tab()]
    return TabbedInterface(tabs, base_form_class=ArticleForm)


class _WithComments:
    """Adds the comments, and where it stands in the paper, to the panels at the side."""

    def get_side_panels(self) -> MediaContainer:
        panels: MediaContainer = super().get_side_panels()  # type: ignore[misc]  # of the view this is mixed into
        if self.object and self.object.pk:  # type: ignore[attr-defined]  # of the view
            panels.append(PaperSidePanel(self.object, self.request))  # type: ignore[attr-defined]  # of the view
            panels.append(CommentsSidePanel(self.object, self.request))  # type: ignore[attr-defined]  # of the view
        return panels


class _InOurWords:
    """Says what was done in words of a newsroom."""

    def get_success_message(self, instance: Article | None = None) -> str:
        done = getattr(self, "workflow_action", None) or self.action  # type: ignore[attr-defined]  # of the view
        return words.what_was_done(instance or self.object, done)  # type: ignore[attr-defined]  # of the view


class ArticleCreateView(_InOurWords, CreateView):
    def get_page_subtitle(self) -> str:
        return "New article"

    def get_initial_form_instance(self) -> Article:
        article: Article = super().get_initial_form_instance()
        article.created_by = self.request.user
        return article


class ArticleEditView(_WithComments, _InOurWords, EditView):
    @cached_property
    def header_more_buttons(self) -> list[Button]:
        """Simple translation's own button would leave the address and sections as they are."""
        buttons = [b for b in super().header_more_buttons if "/translation/" not in (b.url or "")]
        if self.user_has_permission("add"):
            url = reverse("newsroom:translate", args=[self.object.pk])
            buttons.append(Button("Translate…", url=url, icon_name="globe", priority=15))
        return buttons

    def workflow_action_action(self) -> HttpResponse | None:
        """The form was saved before; who changed the text with it has become its author."""
        try:
            response: HttpResponse | None = super().workflow_action_action()
        except OwnTextError:
            messages.error(self.request, _OWN_TEXT)
            return redirect(self.get_edit_url())
        return response


class ArticleViewSet(SnippetViewSet):
    model = Article
    icon = "doc-full-inverse"
    menu_label = "Articles"
    menu_name = "articles"
    add_to_admin_menu = True
    menu_order = 100
    index_view_class = ArticleIndexView
    add_view_class = ArticleCreateView
    edit_view_class = ArticleEditView
    chooser_viewset_class = ArticleChooserViewSet
    filterset_class = ArticleFilters
    list_per_page = 40
    edit_handler = _edit_handler()
    copy_view_enabled = False
    index_template_name = "newsroom/article_index.html"
    index_results_template_name = "newsroom/article_index_results.html"
