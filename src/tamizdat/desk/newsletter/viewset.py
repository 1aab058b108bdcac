# SPDX-License-Identifier: AGPL-3.0-or-later
"""Newsletters: their list and form in the desk."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, FieldRowPanel, InlinePanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.snippets.views.snippets import SnippetViewSet

from tamizdat.desk.newsletter import paper
from tamizdat.desk.newsletter.checks import sender_problem
from tamizdat.desk.newsletter.forms import NewsletterForm
from tamizdat.desk.newsletter.help import HELP
from tamizdat.desk.newsletter.models import Newsletter
from tamizdat.desk.staff.models import User


def _field(name: str, **options: Any) -> FieldPanel:
    return FieldPanel(name, help_text=HELP[name], **options)


def _when(newsletter: Newsletter) -> str:
    day = newsletter.get_weekday_display()
    return f"{day}, {newsletter.hour:%H:%M} ({newsletter.zone})"


class NewsletterViewSet(SnippetViewSet):
    model = Newsletter
    icon = "mail"
    menu_label = "Newsletters"
    menu_name = "newsletters-settings"
    add_to_settings_menu = True
    menu_order = 150
    copy_view_enabled = False
    list_display: ClassVar = [
        "title",
        Column("language", label="Language"),
        Column("when", label="Goes out", accessor=_when),
        Column("sender_address", label="Sender"),
        BooleanColumn("active", label="Open to readers"),
    ]
    edit_handler = ObjectList(
        [
            _field("title", classname="title"),
            FieldRowPanel([_field("language"), _field("slug")]),
            _field("about"),
            _field("often"),
            MultiFieldPanel(
                [
                    FieldRowPanel([_field("sender_name"), _field("sender_address")]),
                    FieldRowPanel([_field("reply_to"), _field("postal")]),
                ],
                heading="Sender",
            ),
            MultiFieldPanel(
                [
                    FieldRowPanel([_field("weekday"), _field("hour"), _field("zone")]),
                    FieldRowPanel([_field("missed"), _field("missed_hours")]),
                ],
                heading="When it goes out",
            ),
            MultiFieldPanel(
                [_field("pictures"), _field("full_text"), _field("attach_reader")],
                heading="What is in it",
            ),
            InlinePanel(
                "sections", heading="Headings", label="heading", help_text=HELP["sections"],
                panels=[FieldPanel("title")],
            ),
            _field("active"),
        ],
        base_form_class=NewsletterForm,
    )  # fmt: skip


def after_saving(request: HttpRequest, instance: Any) -> None:
    """Have the paper say it, and tell the person plainly where its mail would be refused."""
    if not isinstance(instance, Newsletter) or not isinstance(request.user, User):
        return
    paper.refresh_newsletters(acting_user=request.user)
    problem = sender_problem(instance.sender_address)
    if problem:
        messages.warning(request, problem)
