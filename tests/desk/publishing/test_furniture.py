# SPDX-License-Identifier: AGPL-3.0-or-later
"""What staff change outside the articles reaches readers without anybody publishing it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.test import Client
from wagtail.models import Locale

from tamizdat.desk.newsroom.models import Article, NewsroomSettings, Person, Section, Topic
from tamizdat.desk.publishing import actions
from tamizdat.desk.publishing.models import BuildRequest
from tamizdat.desk.staff.models import User
from tests.desk.publishing.conftest import Paper

SignIn = Callable[[User], Client]
OnCommit = Callable[..., AbstractContextManager[Any]]
DESK = "/desk/snippets/newsroom"


@pytest.fixture
def live(paper: Paper, article: Article, publisher: User) -> Article:
    """A story that readers have; nothing waits."""
    actions.publish_article(article=article, acting_user=publisher)
    paper.build()
    return Article.objects.get(pk=article.pk)


def no_rows(name: str) -> dict[str, str]:
    parts = ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS")
    return {f"{name}-{part}": "0" for part in parts}


def test_new_colours_and_words_of_the_paper_reach_every_page(
    paper: Paper,
    live: Article,
    operator: User,
    english: Locale,
    signed_in: SignIn,
    django_capture_on_commit_callbacks: OnCommit,
) -> None:
    client = signed_in(operator)
    pk = NewsroomSettings.load().pk
    sent = {
        **{"organisation": "Meridian Trust", "contact": "", "accent": "#123456"},
        **{"accent_dark": "#f0907f", "read_more": "4", "front_stories": "30"},
        **no_rows("texts"),
        **{"texts-TOTAL_FORMS": "1", "texts-0-id": "", "texts-0-locale": str(english.pk)},
        **{"texts-0-name": "", "texts-0-tagline": "News from the islands"},
        **{"texts-0-description": "", "texts-0-ORDER": "1", "texts-0-DELETE": ""},
    }
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"/desk/settings/newsroom/newsroomsettings/{pk}/", sent)
    assert answer.status_code == 302, answer.context["form"].errors
    assert paper.build() == 1
    assert "News from the islands" in paper.read("/en/")
    assert "#123456" in paper.read(live.path)


def test_a_renamed_section_is_renamed_for_readers(
    paper: Paper,
    live: Article,
    news: Section,
    editor: User,
    signed_in: SignIn,
    django_capture_on_commit_callbacks: OnCommit,
) -> None:
    sent = {"title": "Daily news", "slug": "news", "description": "", "order": "1"}
    with django_capture_on_commit_callbacks(execute=True):
        answer = signed_in(editor).post(f"{DESK}/section/edit/{news.pk}/", sent)
    assert answer.status_code == 302, answer.context["form"].errors
    paper.build()
    assert "Daily news" in paper.read("/en/")
    assert "Daily news" in paper.read(live.path)


def test_what_a_person_says_of_themselves_is_on_their_page(
    paper: Paper,
    live: Article,
    person: Person,
    editor: User,
    signed_in: SignIn,
    django_capture_on_commit_callbacks: OnCommit,
) -> None:
    sent = {
        **{"name": person.name, "slug": person.slug, "bio": "Writes about ferries.", "photo": ""},
        **{"staff_note": "never shown", "account": ""},
        **no_rows("texts"),
    }
    with django_capture_on_commit_callbacks(execute=True):
        answer = signed_in(editor).post(f"{DESK}/person/edit/{person.pk}/", sent)
    assert answer.status_code == 302, answer.context["form"].errors
    paper.build()
    page = paper.read("/en/people/mira-valdis/")
    assert "Writes about ferries." in page
    assert "never shown" not in page


def test_deleting_a_topic_has_the_lists_built_anew_once(
    paper: Paper,
    live: Article,
    topic: Topic,
    operator: User,
    signed_in: SignIn,
    django_capture_on_commit_callbacks: OnCommit,
) -> None:
    other = Topic.objects.create(locale=topic.locale, title="Ferries", slug="ferries")
    with django_capture_on_commit_callbacks(execute=True):
        for gone in (topic, other):
            signed_in(operator).post(f"{DESK}/topic/delete/{gone.pk}/")
    assert not Topic.objects.exists()
    waiting = BuildRequest.objects.filter(state=BuildRequest.State.QUEUED)
    assert [request.kind for request in waiting] == [BuildRequest.Kind.REFRESH]
