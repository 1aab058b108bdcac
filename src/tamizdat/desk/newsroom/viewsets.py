# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's lists and editors."""

from __future__ import annotations

from typing import ClassVar

from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from tamizdat.desk.newsroom.models import Article, Person, Place, Section, Series, Topic


class ArticleViewSet(SnippetViewSet):
    model = Article
    icon = "doc-full-inverse"
    menu_label = "Articles"
    add_to_admin_menu = True
    menu_order = 100


class PersonViewSet(SnippetViewSet):
    model = Person


class SectionViewSet(SnippetViewSet):
    model = Section


class TopicViewSet(SnippetViewSet):
    model = Topic


class PlaceViewSet(SnippetViewSet):
    model = Place


class SeriesViewSet(SnippetViewSet):
    model = Series


class PeopleAndTermsGroup(SnippetViewSetGroup):
    menu_label = "Filing"
    items: ClassVar = (PersonViewSet, SectionViewSet, TopicViewSet, PlaceViewSet, SeriesViewSet)
