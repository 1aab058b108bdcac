# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk asks its database as often for fifty rows as for ten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from wagtail.models import Locale
from wagtail.search import index

from tamizdat.desk.newsroom.models import Article, Byline, Person, Photo, Section, Source, Topic
from tamizdat.desk.staff.models import User

pytestmark = pytest.mark.django_db
FEW, MANY = 10, 50
LIST = "/desk/snippets/newsroom/article/"
CHOOSER = "/desk/snippets/choose/newsroom/article/"


@contextmanager
def queries() -> Iterator[list[str]]:
    found: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield found
    found += [query["sql"] for query in captured]


def asked(client: Client, path: str) -> int:
    """How many queries the second request for a page needs (the first fills caches)."""
    assert client.get(path).status_code == 200
    with queries() as found:
        assert client.get(path).status_code == 200
    return len(found)


def add_articles(count: int, locale: Locale, section: Section, user: User) -> None:
    first = Article.objects.count()
    for number in range(first, count):
        person = Person.objects.create(name=f"Person {number}", slug=f"person-{number}")
        Topic.objects.create(locale=locale, title=f"Topic {number}", slug=f"topic-{number}")
        article = Article(
            locale=locale, section=section, headline=f"Ferry {number}", created_by=user
        )
        article.bylines.add(Byline(person=person))
        article.full_clean()
        article.save()
        article.save_revision(user=user)
        index.insert_or_update_object(article)
        if number % 2:
            article.get_workflow().start(article, user)


@pytest.mark.parametrize(
    "path",
    [
        LIST,
        f"{LIST}?q=ferry",
        f"{LIST}?status=draft",
        CHOOSER,
        f"{CHOOSER}results/?q=ferry",
        "/desk/",
    ],
)
def test_a_page_with_many_rows_needs_no_more_queries(
    signed_in: Callable[[User], Client],
    english: Locale,
    news: Section,
    reporter: User,
    editor: User,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    from tamizdat.desk.newsroom.viewsets import listing

    monkeypatch.setattr(listing.ArticleIndexView, "paginate_by", MANY)
    monkeypatch.setattr(listing._ArticleChooseMixin, "per_page", MANY)
    client = signed_in(editor)
    add_articles(FEW, english, news, reporter)
    few = asked(client, path)
    add_articles(MANY, english, news, reporter)
    assert asked(client, path) == few


def long_article(count: int, locale: Locale, section: Section, user: User, photo: Photo) -> Article:
    """An article with as many of everything as asked for."""
    people = [
        Person.objects.create(name=f"{count} {n}", slug=f"person-{count}-{n}") for n in range(count)
    ]
    article = Article(locale=locale, section=section, headline=f"Long {count}", created_by=user)
    article.body = [
        *(("text", f"<p>Paragraph {n}.</p>") for n in range(count)),
        *(("photo", {"photo": photo, "caption": "", "alt": ""}) for _ in range(count)),
    ]
    article.bylines = [Byline(person=person) for person in people]
    article.sources = [Source(name=f"Source {n}") for n in range(count)]
    article.full_clean()
    article.save()
    article.save_revision(user=user)
    return article


def test_a_long_article_opens_with_no_more_queries_than_a_short_one(
    signed_in: Callable[[User], Client],
    english: Locale,
    news: Section,
    reporter: User,
    editor: User,
    photo: Photo,
) -> None:
    client = signed_in(editor)
    viewset = Article.snippet_viewset
    counts = {}
    for count in (FEW, MANY):
        article = long_article(count, english, news, reporter, photo)
        for name, path in {
            "editor": reverse(viewset.get_url_name("edit"), args=[article.pk]),
            "panel": reverse("publishing:panel", args=[article.pk]),
        }.items():
            counts.setdefault(name, []).append(asked(client, path))
    assert {name: few for name, (few, _) in counts.items()} == {
        name: many for name, (_, many) in counts.items()
    }


def test_a_newer_draft_opens_when_a_person_it_names_was_deleted(
    signed_in: Callable[[User], Client], article: Article, reporter: User, editor: User
) -> None:
    gone = Person.objects.create(name="Gone", slug="gone")
    article.live = True
    article.save()
    article.bylines = [*article.bylines.all(), Byline(person=gone)]
    article.save_revision(user=reporter)
    Person.objects.filter(pk=gone.pk).delete()
    path = reverse(Article.snippet_viewset.get_url_name("edit"), args=[article.pk])
    page = signed_in(editor).get(path)
    assert page.status_code == 200
    assert "Mira Valdis" in page.content.decode()
    assert "Gone" not in page.content.decode()
