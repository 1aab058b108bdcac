# SPDX-License-Identifier: AGPL-3.0-or-later
"""The home page: people look at it rather than read it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.publishing import actions
from tamizdat.desk.publishing.heartbeat import Heart
from tamizdat.desk.staff.models import User
from tests.desk.publishing.conftest import Paper

SignIn = Callable[[User], Client]


def home(client: Client) -> str:
    answer: Any = client.get(reverse("wagtailadmin_home"))
    assert answer.status_code == 200
    html: str = answer.content.decode()
    return html


def test_an_empty_newsroom_says_so_in_every_panel(
    paper: Paper, editor: User, signed_in: SignIn
) -> None:
    html = home(signed_in(editor))
    for words in (
        "Nothing is published yet.",
        "Nobody waits for your review.",
        "No open drafts of yours.",
        "No story has a time set or an embargo.",
        "No story was published in the last 30 days.",
        "Nothing has failed.",
        "not running",
    ):
        assert words in html


def test_the_home_page_shows_what_is_live_due_and_being_worked_on(
    paper: Paper,
    write: Callable[..., Article],
    publisher: User,
    reporter: User,
    signed_in: SignIn,
) -> None:
    actions.publish_article(article=write("gone-out"), acting_user=publisher)
    paper.build()
    write("still-a-draft")
    tomorrow = timezone.now() + timedelta(days=1)
    actions.schedule_article(article=write("due"), when=tomorrow, acting_user=publisher)
    html = home(signed_in(reporter))
    assert f"edition {paper.edition.number}" in html
    assert "Still a draft" in html
    assert "Due" in html
    assert "1 story in 30 days, 1 today." in html
    assert "<svg" in html


def test_what_waits_for_review_waits_for_the_editor_and_not_for_its_author(
    paper: Paper, article: Article, reporter: User, editor: User, signed_in: SignIn
) -> None:
    workflow = article.get_workflow()
    if workflow is None:
        pytest.skip("this newsroom has no workflow yet")
    workflow.start(article, reporter)
    assert "Nobody waits for your review." not in home(signed_in(editor))
    html = home(signed_in(reporter))
    assert "You sent to review" in html


def test_the_worker_is_seen_while_it_lives(paper: Paper, editor: User, signed_in: SignIn) -> None:
    client = signed_in(editor)
    with Heart():
        assert "at work" in home(client)
    assert "not running" in home(client)


def test_nothing_counts_a_whole_table(paper: Paper, editor: User, signed_in: SignIn) -> None:
    client = signed_in(editor)
    home(client)
    with CaptureQueriesContext(connection) as queries:
        home(client)
    counted = [q["sql"] for q in queries if "COUNT(" in q["sql"] and "WHERE" not in q["sql"]]
    assert counted == []
    assert len(queries) < 60
