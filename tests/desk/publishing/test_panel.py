# SPDX-License-Identifier: AGPL-3.0-or-later
"""The publish panel and its neighbours, as a browser without script uses them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.publishing import actions, state
from tamizdat.desk.publishing.models import BuildRequest, StoryVersion
from tamizdat.desk.staff.models import User
from tests.desk.publishing.conftest import Paper

SignIn = Callable[[User], Client]


def fresh(article: Article) -> Article:
    return Article.objects.get(pk=article.pk)


def page(name: str, article: Article) -> str:
    return reverse(f"publishing:{name}", args=[article.pk])


def hidden(html: str) -> dict[str, str]:
    """The hidden fields of the page's own form, as a browser would send them."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', html)
    return {name: value for name, value in found if name != "csrfmiddlewaretoken"}


def confirm(client: Client, article: Article, **when: Any) -> dict[str, str]:
    answer = client.get(page("confirm", article), {"when": "now", **when})
    assert answer.status_code == 200, answer
    return hidden(answer.content.decode())


def text(answer: Any) -> str:
    return answer.content.decode()


def test_the_panel_says_what_will_happen_and_what_is_missing(
    paper: Paper, article: Article, publisher: User, signed_in: SignIn
) -> None:
    article.sources.all().delete()
    draft = fresh(article)
    draft.headline = "A headline that goes on " * 5
    draft.save_revision(user=article.created_by)
    html = text(signed_in(publisher).get(page("panel", article)))
    assert "front page in English" in html
    assert "the section News" in html
    assert "The newsletter is not sent" in html
    assert "names no source" in html
    assert "mail programs cut it" in html
    assert "Continue" in html


def test_publishing_from_the_panel_asks_once_more_in_plain_words_and_then_queues(
    paper: Paper, article: Article, publisher: User, signed_in: SignIn
) -> None:
    client = signed_in(publisher)
    asked = client.get(page("confirm", article), {"when": "now"})
    assert "goes to every reader now" in text(asked)
    answer = client.post(page("confirm", article), hidden(text(asked)), follow=True)
    assert "Queued" in text(answer)
    paper.build()
    answer = client.get(page("state", article))
    assert answer["X-Waiting"] == "no"
    assert f"Live in edition {paper.edition.number} since" in text(answer)
    assert "https://meridian.example/en/" in text(answer)


def test_a_double_click_publishes_once(
    paper: Paper, article: Article, publisher: User, signed_in: SignIn
) -> None:
    client = signed_in(publisher)
    sent = confirm(client, article)
    for _ in range(2):
        assert client.post(page("confirm", article), sent).status_code == 302
    assert StoryVersion.objects.count() == 1


def test_a_text_that_changed_since_it_was_looked_at_is_not_published(
    paper: Paper, article: Article, reporter: User, publisher: User, signed_in: SignIn
) -> None:
    client = signed_in(publisher)
    sent = confirm(client, article)
    draft = fresh(article)
    draft.headline = "Changed at the last moment"
    draft.save_revision(user=reporter)
    answer = client.post(page("confirm", article), sent, follow=True)
    assert "changed meanwhile" in text(answer)
    assert not StoryVersion.objects.exists()


def test_who_wrote_it_is_told_to_fetch_a_second_person(
    paper: Paper, article: Article, publisher: User, signed_in: SignIn
) -> None:
    draft = fresh(article)
    draft.standfirst = "Changed by the publisher."
    draft.save_revision(user=publisher)
    client = signed_in(publisher)
    html = text(client.get(page("panel", article)))
    assert "Needs a second person" in html
    assert "Continue" not in html
    assert client.get(page("confirm", article), {"when": "now"}).status_code == 302
    assert not StoryVersion.objects.exists()


def test_what_readers_need_stops_the_publication(
    paper: Paper, article: Article, reporter: User, publisher: User, signed_in: SignIn
) -> None:
    draft = fresh(article)
    draft.section = None
    draft.save_revision(user=reporter)
    html = text(signed_in(publisher).get(page("panel", article)))
    assert "It is in no section" in html
    assert "Must be done" in html
    assert "Continue" not in html


def test_a_time_is_the_newsrooms_and_the_schedule_can_be_cancelled(
    paper: Paper, article: Article, publisher: User, signed_in: SignIn
) -> None:
    client = signed_in(publisher)
    at = (timezone.localtime() + timedelta(days=1)).replace(second=0, microsecond=0)
    sent = confirm(client, article, when="later", at=at.strftime("%Y-%m-%dT%H:%M"))
    client.post(page("confirm", article), sent)
    assert state.due_at(fresh(article)) == at
    assert state.of(fresh(article)).kind == "scheduled"
    assert not StoryVersion.objects.exists()
    client.post(page("unschedule", article))
    assert state.of(fresh(article)).kind == "draft"


def test_a_time_in_the_past_is_refused_beside_the_field(
    paper: Paper, article: Article, publisher: User, signed_in: SignIn
) -> None:
    answer = signed_in(publisher).get(
        page("confirm", article), {"when": "later", "at": "2020-01-01T10:00"}
    )
    assert "That time has passed" in text(answer)
    assert not StoryVersion.objects.exists()


def test_a_correction_page_publishes_the_note(
    paper: Paper, article: Article, publisher: User, signed_in: SignIn
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    client = signed_in(publisher)
    form = client.get(page("correct", article))
    assert "How readers will see it" in text(form)
    sent = {**hidden(text(form)), "text": "The date was wrong.", "date": "2026-11-20T10:00"}
    client.post(page("correct", article), sent)
    paper.build()
    assert "The date was wrong." in paper.read(fresh(article).path)


def test_a_withdrawal_wants_a_reason_and_the_typed_word(
    paper: Paper, article: Article, publisher: User, signed_in: SignIn
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    client = signed_in(publisher)
    sent = hidden(text(client.get(page("withdraw", article))))
    answer = client.post(page("withdraw", article), {**sent, "reason": "A source is at risk."})
    assert "A source is at risk." in text(answer)
    assert fresh(article).live
    client.post(
        page("withdraw", article),
        {**sent, "reason": "A source is at risk.", "confirmation": "Withdraw"},
    )
    assert not fresh(article).live
    assert "Restore the text as it was" in text(client.get(page("panel", article)))
    client.post(page("restore", article))
    assert fresh(article).live


def test_an_address_is_changed_on_its_own_page(
    paper: Paper, article: Article, publisher: User, signed_in: SignIn
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    client = signed_in(publisher)
    sent = hidden(text(client.get(page("address", article))))
    client.post(page("address", article), {**sent, "slug": "crews-return"})
    assert fresh(article).path.endswith("/crews-return/")


def test_a_failure_is_shown_with_its_reason_and_retried(
    paper: Paper, article: Article, publisher: User, signed_in: SignIn
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    BuildRequest.objects.update(state="failed", error="The photo “Harbour” is missing.")
    client = signed_in(publisher)
    html = text(client.get(page("panel", article)))
    assert "The photo “Harbour” is missing." in html
    assert "Retry" in html
    home = text(client.get(reverse("wagtailadmin_home")))
    assert "The photo “Harbour” is missing." in home
    client.post(reverse("publishing:retry", args=[BuildRequest.objects.get().pk]))
    assert BuildRequest.objects.get().state == "queued"


@pytest.mark.parametrize("name", ["confirm", "correct", "withdraw", "address"])
@pytest.mark.parametrize("role", ["reporter", "editor"])
def test_only_publishers_reach_what_changes_the_paper(
    paper: Paper,
    article: Article,
    publisher: User,
    signed_in: SignIn,
    request: pytest.FixtureRequest,
    name: str,
    role: str,
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    client = signed_in(request.getfixturevalue(role))
    for answer in (client.get(page(name, article)), client.post(page(name, article))):
        assert answer.status_code == 302
        assert answer["Location"] == reverse("wagtailadmin_home")
    assert StoryVersion.objects.count() == 1


@pytest.mark.parametrize("name", ["restore", "unschedule"])
def test_buttons_refuse_a_reporter_too(
    paper: Paper, article: Article, reporter: User, signed_in: SignIn, name: str
) -> None:
    client = signed_in(reporter)
    assert client.post(page(name, article))["Location"] == reverse("wagtailadmin_home")
    assert client.get(page(name, article)).status_code in (302, 405)


def test_a_reporter_sees_where_it_stands_but_no_button(
    paper: Paper, article: Article, reporter: User, signed_in: SignIn
) -> None:
    html = text(signed_in(reporter).get(page("panel", article)))
    assert "Not published yet." in html
    assert "Continue" not in html
    assert "a publisher sends it out" in html


def test_nobody_gets_in_without_signing_in(paper: Paper, article: Article) -> None:
    for name in ("panel", "state", "confirm", "withdraw"):
        assert "/login/" in Client().get(page(name, article))["Location"]


def test_the_editors_menu_leads_to_the_panel(
    paper: Paper, article: Article, publisher: User, signed_in: SignIn
) -> None:
    client = signed_in(publisher)
    url = reverse(Article.snippet_viewset.get_url_name("edit"), args=[article.pk])
    html = text(client.get(url))
    assert "Publish…" in html
    assert 'name="action-publish"' not in html
    actions.publish_article(article=article, acting_user=publisher)
    html = text(client.get(url))
    for words in ("Correct…", "Withdraw…", "Change address…"):
        assert words in html
    unpublish = reverse(Article.snippet_viewset.get_url_name("unpublish"), args=[article.pk])
    assert client.post(unpublish)["Location"] == page("withdraw", article)


def test_a_published_article_cannot_be_deleted(
    paper: Paper, article: Article, publisher: User, operator: User, signed_in: SignIn
) -> None:
    actions.publish_article(article=article, acting_user=publisher)
    publisher.is_superuser = True
    publisher.save()
    url = reverse(Article.snippet_viewset.get_url_name("delete"), args=[article.pk])
    answer = signed_in(publisher).post(url, follow=True)
    assert "cannot be deleted" in text(answer)
    assert Article.objects.filter(pk=article.pk).exists()
