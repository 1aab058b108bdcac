# SPDX-License-Identifier: AGPL-3.0-or-later
"""A session that ends while somebody writes costs nobody their text."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.staff.models import User

pytestmark = pytest.mark.django_db
ADD = "/desk/snippets/newsroom/article/add/"
WRITTEN = {"headline": "Ночная смена", "standfirst": "Two\nlines & a <tag>", "topics": ["1", "2"]}


def test_a_form_of_somebody_signed_out_comes_back_with_every_field(client: Client) -> None:
    page = client.post(ADD, WRITTEN | {"password": "never shown"})
    text = page.content.decode()
    assert page.status_code == 401
    assert page["Cache-Control"] == "no-store"
    assert "What you wrote is kept" in text
    assert "Ночная смена" in text
    assert "Two\nlines &amp; a &lt;tag&gt;" in text
    assert re.findall(r'name="topics" hidden>\n(\d)<', text) == ["1", "2"]
    assert f'action="{ADD}"' in text
    assert "never shown" not in text
    assert not Article.objects.exists()


def test_autosave_of_somebody_signed_out_is_told_what_to_do(client: Client) -> None:
    answer = client.post(ADD, WRITTEN, headers={"accept": "application/json"})
    assert answer.status_code == 401
    assert "sign in to the desk in another tab" in answer.json()["error_message"]


def test_a_form_opened_before_signing_in_anew_is_kept_too(reporter: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(reporter)
    page = strict.post(ADD, WRITTEN, headers={"origin": "http://testserver"})
    assert page.status_code == 403
    assert "Ночная смена" in page.content.decode()
    assert "before you last signed in" in page.content.decode()


def test_a_form_sent_by_a_strangers_page_is_refused_and_not_shown(reporter: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(reporter)
    for headers in ({}, {"origin": "https://stranger.example"}):
        page = strict.post(ADD, WRITTEN, headers=headers)
        assert page.status_code == 403
        assert "Ночная смена" not in page.content.decode()


def test_only_somebody_signed_in_gets_a_fresh_token(
    signed_in: Callable[[User], Client], client: Client, reporter: User
) -> None:
    assert len(signed_in(reporter).get("/desk/session/").json()["token"]) == 64
    assert client.get("/desk/session/").status_code == 302


def test_signing_in_is_not_in_the_way_of_it(client: Client, reporter: User) -> None:
    wrong = client.post("/desk/login/", {"username": "rita", "password": "wrong"})
    assert wrong.status_code == 200
    page = client.get("/desk/login/?next=/desk/").content.decode()
    assert "session.js" in page
