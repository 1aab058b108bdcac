# SPDX-License-Identifier: AGPL-3.0-or-later
"""Lists and forms of people, sections, topics, places and series."""

from __future__ import annotations

from typing import ClassVar

from django import forms
from wagtail.admin.panels import FieldPanel, InlinePanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import LocaleColumn
from wagtail.snippets.views.snippets import SnippetViewSet, SnippetViewSetGroup

from tamizdat.desk.newsroom.models import Person, Place, Section, Series, Topic

_SHORT = forms.Textarea(attrs={"rows": 2})


class PersonViewSet(SnippetViewSet):
    model = Person
    icon = "user"
    menu_label = "People"
    menu_name = "people"
    add_to_admin_menu = True
    menu_order = 130
    list_display: ClassVar = ["name", "slug"]
    list_per_page = 40
    # A copy would show the note and the account of somebody whom one may not edit.
    copy_view_enabled = False
    edit_handler = ObjectList(
        [
            FieldPanel("name", classname="title"),
            FieldPanel("bio", widget=_SHORT),
            FieldPanel("photo"),
            FieldPanel("slug"),
            InlinePanel("texts", heading="In other languages", label="language", max_num=20),
            MultiFieldPanel(
                [
                    FieldPanel("is_pseudonym"),
                    FieldPanel("staff_note", widget=_SHORT),
                    FieldPanel("account", widget=forms.Select),
                ],
                heading="Only for staff: never leaves the desk",
            ),
        ]
    )


class _TermViewSet(SnippetViewSet):
    list_display: ClassVar = ["title", LocaleColumn(label="Language"), "slug"]
    list_per_page = 40
    edit_handler = ObjectList(
        [
            FieldPanel("title", classname="title"),
            FieldPanel("description", widget=_SHORT),
            FieldPanel("slug"),
        ]
    )


class SectionViewSet(_TermViewSet):
    model = Section
    icon = "folder-open-1"
    menu_label = "Sections"
    list_display: ClassVar = ["title", LocaleColumn(label="Language"), "slug", "order"]
    edit_handler = ObjectList(
        [
            FieldPanel("title", classname="title"),
            FieldPanel("description", widget=_SHORT),
            FieldPanel("slug"),
            FieldPanel("order"),
        ]
    )


class TopicViewSet(_TermViewSet):
    model = Topic
    icon = "tag"
    menu_label = "Topics"


class PlaceViewSet(_TermViewSet):
    model = Place
    icon = "globe"
    menu_label = "Places"


class SeriesViewSet(_TermViewSet):
    model = Series
    icon = "list-ol"
    menu_label = "Series"


class FilingGroup(SnippetViewSetGroup):
    menu_label = "Filing"
    menu_name = "filing"
    menu_icon = "folder-open-1"
    menu_order = 140
    items: ClassVar = (SectionViewSet, TopicViewSet, PlaceViewSet, SeriesViewSet)
