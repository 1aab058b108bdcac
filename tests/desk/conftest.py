# SPDX-License-Identifier: AGPL-3.0-or-later
"""A small newsroom for every test of the desk: people in each role, sections, an article."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from wagtail.models import Locale

from tamizdat.desk.newsroom.models import Article, Byline, Person, Photo, Section, Source, Topic
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import EDITOR, OPERATOR, PUBLISHER, REPORTER

# Wagtail leaves the temporary file of a small picture to the garbage collector.
_WAGTAIL_LEAVES_FILES = pytest.mark.filterwarnings(
    "ignore:Exception ignored in.*:pytest.PytestUnraisableExceptionWarning",
    "ignore:Unclosed file <tempfile.SpooledTemporaryFile:ResourceWarning",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(_WAGTAIL_LEAVES_FILES)


PASSWORD = "correct horse battery"


def make_user(name: str, role: str) -> User:
    user = User.objects.create_user(
        username=name, email=f"{name}@meridian.example", password=PASSWORD, first_name=name.title()
    )
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def reporter(db: None) -> User:
    return make_user("rita", REPORTER)


@pytest.fixture
def editor(db: None) -> User:
    return make_user("edgar", EDITOR)


@pytest.fixture
def publisher(db: None) -> User:
    return make_user("petra", PUBLISHER)


@pytest.fixture
def operator(db: None) -> User:
    return make_user("oleg", OPERATOR)


@pytest.fixture
def signed_in() -> Callable[[User], Client]:
    """A browser in which this person is signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def english(db: None) -> Locale:
    return Locale.objects.get(language_code="en")


@pytest.fixture
def russian(db: None) -> Locale:
    return Locale.objects.get(language_code="ru")


@pytest.fixture
def news(english: Locale) -> Section:
    return Section.objects.create(locale=english, title="News", slug="news", order=1)


@pytest.fixture
def culture(english: Locale) -> Section:
    return Section.objects.create(locale=english, title="Culture", slug="culture", order=2)


@pytest.fixture
def novosti(russian: Locale, news: Section) -> Section:
    """The Russian translation of ``news``."""
    return Section.objects.create(
        locale=russian, translation_key=news.translation_key, title="Новости", slug="novosti"
    )


@pytest.fixture
def person(db: None) -> Person:
    return Person.objects.create(name="Mira Valdis", slug="mira-valdis")


@pytest.fixture
def topic(english: Locale) -> Topic:
    return Topic.objects.create(locale=english, title="Harbours", slug="harbours")


def jpeg(width: int = 1600, height: int = 1000, **save: Any) -> bytes:
    """A real photograph's worth of bytes: a gradient, so that it compresses like one."""
    image = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85, **save)
    return out.getvalue()


def pdf(**told: str) -> bytes:
    """A real PDF of one empty page; ``told`` are entries of its notes, such as ``Author``."""
    out = io.BytesIO()
    with pikepdf.new() as document:
        document.add_blank_page()
        for name, value in told.items():
            document.docinfo[f"/{name}"] = value
        document.save(out)
    return out.getvalue()


@pytest.fixture
def media(tmp_path: Path, settings: Any) -> Path:
    """A media folder of this test's own."""
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def photo(db: None, media: Path) -> Photo:
    return Photo.objects.create(
        title="The harbour at dawn",
        file=SimpleUploadedFile("harbour.jpg", jpeg(), "image/jpeg"),
        description="Fishing boats in fog behind a stone wall",
        caption="The harbour of Port Ostrava at dawn.",
        credit="Lena Orr",
    )


@pytest.fixture
def article(reporter: User, english: Locale, news: Section, person: Person) -> Article:
    """A complete draft in English with a byline and a source, saved by the reporter."""
    article = Article(
        locale=english,
        kicker="Ports",
        headline="Ferry crews end their strike",
        standfirst="After nine days the boats run again.",
        section=news,
        dateline="Port Ostrava",
        slug="ferry-crews-end-their-strike",
        created_by=reporter,
        body=[("text", "<p>The crews went back on Monday.</p>")],
    )
    article.bylines.add(Byline(person=person))
    article.sources.add(Source(name="Harbour office", kind="official", supports="The date."))
    article.full_clean()
    article.save()
    article.save_revision(user=reporter)
    return Article.objects.get(pk=article.pk)
