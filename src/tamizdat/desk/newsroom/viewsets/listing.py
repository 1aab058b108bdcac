# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of articles and the chooser of articles.

What always holds: both need a constant number of queries a page, and no query reads the texts.
"""

from __future__ import annotations

from typing import Any, ClassVar

import django_filters
from django import forms
from django.core.paginator import Page
from django.db import models
from django.db.models import Prefetch
from django.http import HttpRequest
from django.utils.functional import cached_property
from wagtail.admin.filters import DateRangePickerWidget, WagtailFilterSet
from wagtail.admin.forms.choosers import BaseFilterForm, LocaleFilterMixin
from wagtail.admin.ui.tables import Column, DateColumn, LocaleColumn, TitleColumn
from wagtail.snippets.views.chooser import (
    BaseSnippetChooseView,
    ChooseResultsView,
    ChooseView,
    SnippetChooserViewSet,
)
from wagtail.snippets.views.snippets import IndexView

from tamizdat.desk.newsroom.models import Article, Byline, Person, Section, Topic
from tamizdat.desk.newsroom.search import MOST, found_keys, search_articles
from tamizdat.desk.newsroom.statuses import Status, statuses_of, with_status
from tamizdat.desk.newsroom.widgets import LongSelect
from tamizdat.desk.staff.models import User

LISTED = (
    *("pk", "headline", "working_headline", "live", "has_unpublished_changes", "withdrawn_at"),
    *("updated_at", "path", "locale", "section__title", "edited_by__first_name"),
    *("edited_by__last_name", "edited_by__username", "latest_revision_id"),
)


def listed() -> models.QuerySet[Article]:
    """Articles with what a list shows and nothing more."""
    return (
        Article.objects.select_related("section", "edited_by")
        .only(*LISTED)
        .prefetch_related(Prefetch("bylines__person", Person.objects.only("name")))
    )


def mine(user: User) -> models.Q:
    """What this person started, was the last to change, or signs."""
    every = Article.objects.order_by()
    signed = Byline.objects.order_by().filter(person__account=user)
    # Three questions, each with its index: with “or” SQLite reads all articles.
    keys = every.filter(created_by=user).values("pk")
    keys = keys.union(every.filter(edited_by=user).values("pk"), signed.values("article_id"))
    return models.Q(pk__in=keys)


class ArticleFilters(WagtailFilterSet):
    status = django_filters.ChoiceFilter(
        label="Status",
        choices=Status.choices,
        method="by_status",
        empty_label="All",
        widget=forms.RadioSelect,
    )
    mine = django_filters.ChoiceFilter(
        label="Whose",
        choices=[("on", "Only what I work on")],
        method="by_me",
        empty_label="Everybody's",
        widget=forms.RadioSelect,
    )
    topics = django_filters.ModelChoiceFilter(
        label="Topic",
        queryset=Topic.objects.only("title"),
        method="by_topic",
        widget=LongSelect,
    )
    section = django_filters.ModelChoiceFilter(
        label="Section", queryset=Section.objects.only("title"), widget=LongSelect
    )
    byline = django_filters.ModelChoiceFilter(
        label="Byline", queryset=Person.objects.only("name"), method="by_person", widget=LongSelect
    )
    updated_at = django_filters.DateFromToRangeFilter(label="Changed", widget=DateRangePickerWidget)

    class Meta:
        model = Article
        fields: ClassVar[list[str]] = []

    def by_status(self, articles: Any, name: str, value: str) -> Any:
        return with_status(articles, value)

    def by_person(self, articles: Any, name: str, value: Person) -> Any:
        return articles.filter(pk__in=value.bylines.values("article_id"))

    def by_topic(self, articles: Any, name: str, value: Topic) -> Any:
        return articles.filter(pk__in=value.articles.order_by().values("pk"))

    def by_me(self, articles: Any, name: str, value: str) -> Any:
        return articles.filter(mine(self.request.user))


class StatusColumn(Column):
    """A chip: where the article stands."""

    cell_template_name = "newsroom/status_cell.html"


_WIDE = "newsroom-wide"


def _section(article: Article) -> str:
    return str(article.section or "")


def _names(article: Article) -> str:
    return ", ".join(line.person.name for line in article.bylines.all())


class ArticleIndexView(IndexView):
    """All articles, whatever their language, the last changed first."""

    default_ordering = "-updated_at"
    paginate_by = 40
    too_many = False
    most = MOST

    @cached_property
    def columns(self) -> list[Column]:
        return [
            TitleColumn(
                "working_headline",
                label="Headline",
                accessor=str,
                get_url=self.get_edit_url,
                width="44%",
            ),
            Column("section", label="Section", accessor=_section, classname=_WIDE),
            StatusColumn("status", label="Status", accessor=lambda a: a.status),
            Column("bylines", label="By", accessor=_names, classname=_WIDE),
            LocaleColumn(label="Language", sort_key=None, classname=_WIDE),
            DateColumn("updated_at", label="Changed", sort_key="updated_at"),
        ]

    def get_base_queryset(self) -> Any:
        return listed()

    def order_queryset(self, queryset: Any) -> Any:
        if self.ordering == "updated_at":
            return queryset.order_by("updated_at", "pk")
        return queryset.order_by("-updated_at", "-pk")

    def search_queryset(self, queryset: Any) -> Any:
        if not self.is_searching:
            return queryset
        keys = found_keys(self.search_query)
        self.too_many = len(keys) == MOST
        return queryset.filter(pk__in=keys)

    def paginate_queryset(self, queryset: Any, page_size: int) -> Any:
        paginator, page, _objects, more = super().paginate_queryset(queryset, page_size)
        return paginator, page, _with_statuses(page), more


def _with_statuses(page: Page[Article]) -> list[Article]:
    rows = list(page.object_list)
    words = statuses_of(rows)
    for article in rows:
        article.status = words[article.pk]
    page.object_list = rows
    return rows


class ArticleSearchForm(LocaleFilterMixin, BaseFilterForm):
    """Words and language. (Wagtail's own sorts by relevance, which costs seconds here.)"""

    q = forms.CharField(
        label="Search",
        widget=forms.TextInput(attrs={"placeholder": "Words of the headline or text"}),
        required=False,
    )

    def filter(self, objects: Any) -> Any:
        objects = super().filter(objects)
        self.search_query = self.cleaned_data.get("q") or ""
        self.is_searching = bool(self.search_query)
        return search_articles(objects, self.search_query) if self.is_searching else objects


class _ArticleChooseMixin(BaseSnippetChooseView):
    filter_form_class = ArticleSearchForm
    ordering = ("-updated_at", "-pk")
    per_page = 20

    def get_object_list(self) -> Any:
        return listed()

    @property
    def columns(self) -> list[Column]:
        return [
            self.title_column,
            Column("section", label="Section", accessor=_section, classname=_WIDE),
            StatusColumn("status", label="Status", accessor=lambda a: a.status),
            LocaleColumn(label="Language", sort_key=None, classname=_WIDE),
            DateColumn("updated_at", label="Changed"),
        ]

    def get_results_page(self, request: HttpRequest) -> Any:
        page = super().get_results_page(request)
        _with_statuses(page)
        return page


class ArticleChooseView(_ArticleChooseMixin, ChooseView):
    pass


class ArticleChooseResultsView(_ArticleChooseMixin, ChooseResultsView):
    pass


class ArticleChooserViewSet(SnippetChooserViewSet):
    choose_view_class = ArticleChooseView
    choose_results_view_class = ArticleChooseResultsView
