# SPDX-License-Identifier: AGPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from wagtail.models import Locale, TaskState
from wagtail.search import index

from tamizdat.desk.newsroom.models import Article, Byline, Person, Section
from tamizdat.desk.newsroom.statuses import Status, statuses_of
from tamizdat.desk.staff.models import User

pytestmark = pytest.mark.django_db
LIST = "/desk/snippets/newsroom/article/"
CHOOSER = "/desk/snippets/choose/newsroom/article/"


@pytest.fixture
def headlines(signed_in: Callable[[User], Client], editor: User) -> Callable[..., list[str]]:
    """The headlines that the list shows for a query, in order."""

    def ask(**query: str) -> list[str]:
        response = signed_in(editor).get(LIST, query)
        assert response.status_code == 200
        return [str(article) for article in response.context["page_obj"].object_list]

    return ask


def make(locale: Locale, headline: str, **fields: Any) -> Article:
    article = Article(locale=locale, headline=headline, **fields)
    article.full_clean()
    article.save()
    index.insert_or_update_object(article)
    return article


def test_the_list_shows_all_languages_the_last_changed_first(
    headlines: Callable[..., list[str]], english: Locale, russian: Locale
) -> None:
    make(english, "Older", updated_at=timezone.now() - timedelta(days=2))
    make(russian, "Новее")
    assert headlines() == ["Новее", "Older"]
    assert headlines(locale="ru") == ["Новее"]
    assert headlines(ordering="updated_at") == ["Older", "Новее"]


def test_filters_find_by_status_section_byline_date_and_mine(
    headlines: Callable[..., list[str]],
    english: Locale,
    news: Section,
    person: Person,
    editor: User,
) -> None:
    old = timezone.now() - timedelta(days=40)
    signed = make(english, "Signed", section=news, updated_at=old)
    signed.bylines.add(Byline(person=person))
    signed.save()
    make(english, "Live", live=True)
    make(english, "Withdrawn", withdrawn_at=timezone.now())
    make(english, "Mine", created_by=editor)
    assert headlines(section=str(news.pk)) == ["Signed"]
    assert headlines(byline=str(person.pk)) == ["Signed"]
    assert headlines(status="live") == ["Live"]
    assert headlines(status="withdrawn") == ["Withdrawn"]
    assert set(headlines(status="draft")) == {"Signed", "Mine"}
    assert headlines(mine="on") == ["Mine"]
    day = (timezone.now() - timedelta(days=30)).date().isoformat()
    assert headlines(updated_at_to=day) == ["Signed"]
    assert "Signed" not in headlines(updated_at_from=day)


def test_what_i_sign_is_mine_too(
    headlines: Callable[..., list[str]], article: Article, person: Person, editor: User
) -> None:
    assert headlines(mine="on") == []
    person.account = editor
    person.save()
    assert headlines(mine="on") == [str(article)]


def test_an_article_in_review_is_found_and_says_so(
    headlines: Callable[..., list[str]], article: Article, reporter: User
) -> None:
    article.get_workflow().start(article, reporter)
    assert headlines(status="review") == [str(article)]


def test_a_text_that_somebody_approved_waits_to_be_published(
    headlines: Callable[..., list[str]], article: Article, reporter: User, editor: User
) -> None:
    article.get_workflow().start(article, reporter)
    TaskState.objects.get().approve(user=editor)
    article.refresh_from_db()
    assert headlines(status="approved") == [str(article)]
    assert statuses_of([article]) == {article.pk: Status.APPROVED}
    article.save_revision(user=reporter)
    article.refresh_from_db()
    assert headlines(status="approved") == []


def test_search_finds_begun_words_of_headlines_and_words_of_the_text(
    headlines: Callable[..., list[str]], english: Locale
) -> None:
    make(english, "Ferry crews end their strike", body=[("text", "<p>Nine quiet days.</p>")])
    make(english, "Court hears the case", body=[("text", "<p>A ferryman spoke.</p>")])
    assert headlines(q="ferr") == ["Ferry crews end their strike"]
    assert headlines(q="quiet") == ["Ferry crews end their strike"]
    assert headlines(q="ferryman spoke") == ["Court hears the case"]
    assert headlines(q="nothing") == []


def test_a_word_of_very_many_articles_finds_the_last_added_and_says_so(
    signed_in: Callable[[User], Client],
    editor: User,
    english: Locale,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in ("search", "viewsets.listing"):
        monkeypatch.setattr(f"tamizdat.desk.newsroom.{module}.MOST", 3)
    for number in range(4):
        make(english, f"Ferry {number}", updated_at=timezone.now() - timedelta(days=number))
    page = signed_in(editor).get(LIST, {"q": "ferry"})
    assert [str(a) for a in page.context["page_obj"]] == ["Ferry 1", "Ferry 2", "Ferry 3"]
    assert "Add a word" in page.content.decode()
    assert "Add a word" not in signed_in(editor).get(LIST, {"q": "ferry 2"}).content.decode()


@pytest.mark.parametrize("query", ['"', "*", "a OR", "NEAR(", "()", "col:x", "-", "ё'--"])
def test_no_search_words_break_the_list(
    headlines: Callable[..., list[str]], article: Article, query: str
) -> None:
    index.insert_or_update_object(article)
    assert isinstance(headlines(q=query), list)


def test_an_empty_list_says_what_to_do(signed_in: Callable[[User], Client], editor: User) -> None:
    assert "Write the first one" in signed_in(editor).get(LIST).content.decode()
    nothing = signed_in(editor).get(LIST, {"q": "nothing"}).content.decode()
    assert "No article fits" in nothing


@pytest.mark.parametrize("address", [LIST, CHOOSER])
def test_more_articles_cost_no_more_queries(
    address: str,
    signed_in: Callable[[User], Client],
    editor: User,
    english: Locale,
    news: Section,
    person: Person,
    django_assert_max_num_queries: Any,
) -> None:
    for number in range(15):
        article = make(english, f"Story {number}", section=news, edited_by=editor)
        article.bylines.add(Byline(person=person))
        article.save()
    client = signed_in(editor)
    client.get(address)
    with django_assert_max_num_queries(22):
        assert client.get(address).status_code == 200


def test_the_list_reads_no_texts(
    signed_in: Callable[[User], Client],
    editor: User,
    article: Article,
    django_capture_on_commit_callbacks: Any,
    django_assert_max_num_queries: Any,
) -> None:
    client = signed_in(editor)
    with django_assert_max_num_queries(40) as queries:
        client.get(LIST)
    assert not any('"newsroom_article"."body"' in q["sql"] for q in queries.captured_queries)


def test_the_chooser_finds_articles_to_put_into_a_box(
    signed_in: Callable[[User], Client], editor: User, english: Locale
) -> None:
    make(english, "Ferry crews end their strike")
    make(english, "Court hears the case")
    response = signed_in(editor).get(f"{CHOOSER}results/", {"q": "ferry"})
    assert "Ferry crews" in response.content.decode()
    assert "Court hears" not in response.content.decode()


def test_putting_an_article_into_the_index_reads_no_other_entry(
    article: Article, english: Locale, django_assert_max_num_queries: Any
) -> None:
    index.insert_or_update_object(article)
    with django_assert_max_num_queries(20) as queries:
        index.insert_or_update_object(article)
    assert not any("AVG(" in query["sql"] for query in queries.captured_queries)
