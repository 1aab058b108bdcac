# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newsroom's folder with a real edition in it, for each test its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from wagtail.models import Locale

from tamizdat.config import Newsroom
from tamizdat.desk.newsroom.models import Article, Byline, Person, Section, Source
from tamizdat.desk.publishing import services
from tamizdat.desk.staff.models import User
from tamizdat.edition import Edition

SETTINGS = """
name = "The Meridian"
address = "https://meridian.example"
languages = ["en", "ru", "ar"]
timezone = "Europe/Berlin"

[desk]
four_eyes = {four_eyes}

[paper]
workers = 1
tree = false
"""


class Paper:
    """The paper as readers get it."""

    def __init__(self) -> None:
        self.edition: Edition = services.edition()

    def build(self) -> int:
        """Build all that waits."""
        taken = services.run_pending()
        self.edition = services.edition()
        return taken

    def read(self, path: str) -> str:
        found = self.edition.read(path)
        assert found is not None, f"nothing is at {path}"
        return found.data.decode()

    def has(self, path: str) -> bool:
        found = self.edition.read(path)
        return found is not None and found.status == 200


@pytest.fixture
def newsroom_folder(tmp_path: Path) -> Path:
    return tmp_path / "newsroom"


def make_newsroom(folder: Path, *, four_eyes: bool) -> Newsroom:
    folder.mkdir(exist_ok=True)
    text = SETTINGS.format(four_eyes="true" if four_eyes else "false")
    (folder / "tamizdat.toml").write_text(text)
    return Newsroom(folder)


@pytest.fixture
def paper(db: None, newsroom_folder: Path, settings: Any) -> Paper:
    """An empty paper; four eyes are on."""
    settings.NEWSROOM = make_newsroom(newsroom_folder, four_eyes=True)
    settings.MEDIA_ROOT = newsroom_folder / "media"
    return Paper()


@pytest.fixture
def one_person(paper: Paper, newsroom_folder: Path, settings: Any) -> None:
    """A newsroom in which four eyes are switched off."""
    settings.NEWSROOM = make_newsroom(newsroom_folder, four_eyes=False)


@pytest.fixture
def write(reporter: User, english: Locale, news: Section, person: Person) -> Callable[..., Article]:
    """Write a complete draft: ``write("headline-as-slug", …)``."""

    def make(slug: str, *, words: str = "The text of it.", **fields: Any) -> Article:
        article = Article(
            **{
                "locale": english,
                "headline": slug.replace("-", " ").capitalize(),
                "standfirst": "Why it matters.",
                "section": news,
                "slug": slug,
                "created_by": reporter,
                "body": [("text", f"<p>{words}</p>")],
                **fields,
            }
        )
        article.bylines.add(Byline(person=person))
        article.sources.add(Source(name="Harbour office", kind="official"))
        article.full_clean()
        article.save()
        article.save_revision(user=reporter)
        return Article.objects.get(pk=article.pk)

    return make
