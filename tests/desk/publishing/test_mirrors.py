# SPDX-License-Identifier: AGPL-3.0-or-later
"""“Published” means live on so many mirrors, and an editor sees on which."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.publishing import actions, copies
from tamizdat.desk.staff.models import User
from tamizdat.mirrors.errors import RefusedError
from tamizdat.mirrors.push import Report
from tamizdat.mirrors.state import State
from tests.desk.publishing.conftest import Paper

SignIn = Callable[[User], Client]


@pytest.fixture
def four(paper: Paper, newsroom_folder: Path) -> State:
    """A newsroom with four mirrors, and what is noted of them."""
    with (newsroom_folder / "tamizdat.toml").open("a") as file:
        for name in ("riga", "oslo", "tbilisi", "vilnius"):
            file.write(f'\n[[mirrors]]\nname = "{name}"\nkind = "folder"\ntarget = "/{name}"\n')
    return State(newsroom_folder / "run" / "mirrors")


@pytest.fixture
def story(paper: Paper, write: Callable[..., Article], publisher: User) -> Article:
    article = write("gone-out")
    actions.publish_article(article=article, acting_user=publisher)
    paper.build()
    return article


def well(state: State, *names: str, edition: int = 1) -> None:
    for name in names:
        state.went_well(name, Report(edition, "", 3, 900, 0, 0.1), time.time())


def state_of(client: Client, article: Article) -> Any:
    return client.get(reverse("publishing:state", args=[article.pk]))


def test_the_publish_panel_says_on_how_many_mirrors_a_story_is_live(
    four: State, story: Article, publisher: User, signed_in: SignIn
) -> None:
    client = signed_in(publisher)
    answer = state_of(client, story)
    assert "Live on 0 of 4 mirrors; on its way to 4." in answer.content.decode()
    assert answer["X-Waiting"] == "yes"
    well(four, "riga", "oslo", "tbilisi")
    four.went_wrong("vilnius", RefusedError("no"), time.time(), random.Random(1))
    answer = state_of(client, story)
    assert "Live on 3 of 4 mirrors; vilnius since" in answer.content.decode()
    assert ": refused." in answer.content.decode()
    assert answer["X-Waiting"] == "no"
    well(four, "vilnius")
    assert "Live on all 4 mirrors." in state_of(client, story).content.decode()


def test_a_mirror_that_is_an_edition_behind_does_not_have_the_new_story(
    four: State,
    story: Article,
    write: Callable[..., Article],
    paper: Paper,
    publisher: User,
    signed_in: SignIn,
) -> None:
    well(four, "riga", "oslo", "tbilisi", "vilnius")
    newer = write("newer")
    actions.publish_article(article=newer, acting_user=publisher)
    paper.build()
    assert "Live on 0 of 4" in state_of(signed_in(publisher), newer).content.decode()


def test_without_mirrors_nothing_is_said_of_them(
    story: Article, publisher: User, signed_in: SignIn
) -> None:
    client = signed_in(publisher)
    answer = state_of(client, story)
    assert "irror" not in answer.content.decode()
    assert answer["X-Waiting"] == "no"
    home: Any = client.get(reverse("wagtailadmin_home"))
    assert "h-mirrors" not in home.content.decode()


def test_the_dashboard_shows_each_mirror(
    four: State, story: Article, publisher: User, signed_in: SignIn, monkeypatch: Any
) -> None:
    well(four, "riga", "oslo", "tbilisi")
    refused = RefusedError("the bucket says AccessDenied: check the keys in secrets/")
    four.went_wrong("vilnius", refused, time.time(), random.Random(1))

    class Signed:
        edition = 1

    monkeypatch.setattr("tamizdat.mirrors.source.Source.head", lambda source: Signed())
    home: Any = signed_in(publisher).get(reverse("wagtailadmin_home"))
    html = home.content.decode()
    assert "Live on 3 of 4 mirrors; vilnius since" in html
    assert "check the keys in secrets/" in html


def test_a_spoilt_note_of_the_mirrors_costs_the_display_alone(
    four: State, story: Article, publisher: User, signed_in: SignIn, newsroom_folder: Path
) -> None:
    folder = newsroom_folder / "run/mirrors"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state.sqlite3").write_bytes(b"this is no database" * 100)
    assert state_of(signed_in(publisher), story).status_code == 200
    assert copies.of_edition(1) == copies.NOWHERE
    assert signed_in(publisher).get(reverse("wagtailadmin_home")).status_code == 200
