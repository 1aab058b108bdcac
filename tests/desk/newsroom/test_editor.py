# SPDX-License-Identifier: AGPL-3.0-or-later
"""The article's editor over HTTP, as people in each role use it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from wagtail.models import Locale, TaskState

from tamizdat.desk.newsroom.models import Article, Person, Photo, Section, Topic
from tamizdat.desk.staff.models import User

pytestmark = pytest.mark.django_db
ADD = "/desk/snippets/newsroom/article/add/"
LIST = "/desk/snippets/newsroom/article/"


FIELDS = (
    *("kicker", "headline", "standfirst", "lead_photo", "lead_caption", "lead_alt", "section"),
    *("dateline", "series", "slug", "embargoed_until", "go_live_at", "expire_at"),
)


def edit_url(article: Article) -> str:
    return f"{LIST}edit/{article.pk}/"


def form(**fields: Any) -> dict[str, Any]:
    """What the browser sends: every field, no blocks and no rows unless given."""
    empty = {
        f"{name}-{part}": "0"
        for name in ("bylines", "sources", "corrections")
        for part in ("TOTAL_FORMS", "INITIAL_FORMS", "MIN_NUM_FORMS")
    }
    return {
        **dict.fromkeys(FIELDS, ""),
        "body-count": "0",
        **empty,
        **fields,
    }


def rows(name: str, *values: dict[str, str]) -> dict[str, str]:
    """New rows of an inline list."""
    sent = {f"{name}-TOTAL_FORMS": str(len(values))}
    for number, value in enumerate(values):
        row = {"id": "", "ORDER": str(number + 1), "DELETE": "", **value}
        sent |= {f"{name}-{number}-{key}": text for key, text in row.items()}
    return sent


def text_block(number: int, words: str) -> dict[str, str]:
    """A text block as the editor sends it: Draftail's own JSON."""
    block = {"key": "k", "text": words, "type": "unstyled", "depth": 0}
    raw = {"blocks": [block | {"inlineStyleRanges": [], "entityRanges": []}], "entityMap": {}}
    return {
        f"body-{number}-deleted": "",
        f"body-{number}-order": str(number),
        f"body-{number}-type": "text",
        f"body-{number}-id": "",
        f"body-{number}-value": json.dumps(raw),
    }


def test_a_reporter_writes_an_article_with_photo_text_byline_and_source(
    signed_in: Callable[[User], Client],
    reporter: User,
    news: Section,
    topic: Topic,
    person: Person,
    photo: Photo,
) -> None:
    sent = form(
        headline="Свет в окне",
        standfirst="A lamp that nobody switched off.",
        section=str(news.pk),
        topics=[str(topic.pk)],
        lead_photo=str(photo.pk),
        **{"body-count": "1"},
        **text_block(0, "It burned all night."),
        **rows("bylines", {"person": str(person.pk), "role": "author"}),
        **rows(
            "sources", {"name": "Fire watch", "kind": "official", "link": "", "supports": "Time"}
        ),
    )
    response = signed_in(reporter).post(ADD, sent)
    assert response.status_code == 302, response.context and response.context["form"].errors
    article = Article.objects.get()
    assert not article.live
    assert (article.slug, article.created_by) == ("svet-v-okne", reporter)
    assert [line.person for line in article.bylines.all()] == [person]
    assert [source.name for source in article.sources.all()] == ["Fire watch"]
    assert list(article.topics.all()) == [topic]
    assert "It burned all night." in str(article.body[0].value)


def test_the_address_follows_the_headline_until_somebody_types_one(
    signed_in: Callable[[User], Client], reporter: User
) -> None:
    client = signed_in(reporter)
    client.post(ADD, form(headline="Fe"))
    article = Article.objects.get()
    assert article.slug == "fe"
    client.post(edit_url(article), form(headline="Ferry crews return", slug="fe"))
    article = Article.objects.get()
    assert article.slug == "ferry-crews-return"
    client.post(edit_url(article), form(headline="Ferry crews return", slug="night-boats"))
    client.post(edit_url(article), form(headline="All crews return", slug="night-boats"))
    assert Article.objects.get().slug == "night-boats"


def test_autosave_keeps_what_is_written_without_leaving_the_page(
    signed_in: Callable[[User], Client], article: Article, reporter: User
) -> None:
    response = signed_in(reporter).post(
        edit_url(article),
        form(headline="Half a headl", slug=article.slug),
        headers={"accept": "application/json"},
    )
    assert response.status_code == 200
    assert response.json()["success"] is True
    assert Article.objects.get().headline == "Half a headl"


def test_bad_input_is_told_and_nothing_typed_is_lost(
    signed_in: Callable[[User], Client], article: Article, reporter: User
) -> None:
    sent = form(headline="A new headline", standfirst="x" * 700, slug="not a slug!")
    page = signed_in(reporter).post(edit_url(article), sent)
    assert page.status_code == 200
    assert {"standfirst", "slug"} <= set(page.context["form"].errors)
    assert "x" * 700 in page.content.decode()
    assert Article.objects.get().headline == article.headline


def test_an_article_in_russian_is_offered_only_russian_sections(
    signed_in: Callable[[User], Client], reporter: User, news: Section, novosti: Section
) -> None:
    page = signed_in(reporter).get(ADD, {"locale": "ru"})
    offered = set(page.context["form"].fields["section"].queryset)
    assert offered == {novosti}


def test_the_lists_show_the_draft_of_a_published_article_too(
    signed_in: Callable[[User], Client], article: Article, editor: User
) -> None:
    article.get_latest_revision().publish()
    signed_in(editor).post(edit_url(article), form(headline="A better headline", slug="s"))
    stored = Article.objects.get()
    assert stored.headline == "Ferry crews end their strike"
    assert (str(stored), stored.edited_by) == ("A better headline", editor)


def test_restoring_an_old_version_keeps_what_belongs_to_the_story(
    signed_in: Callable[[User], Client], article: Article, editor: User
) -> None:
    old = article.get_latest_revision()
    Article.objects.filter(pk=article.pk).update(path="/en/2026/11/22/x/", import_key="wxr:1")
    revived = old.as_object()
    assert (revived.path, revived.import_key) == ("/en/2026/11/22/x/", "wxr:1")
    assert revived.story_uri == article.story_uri


@pytest.mark.parametrize("what", ["history", "compare", "revert"])
def test_every_version_can_be_seen_compared_and_taken_back(
    what: str, signed_in: Callable[[User], Client], article: Article, editor: User
) -> None:
    first = article.get_latest_revision()
    client = signed_in(editor)
    client.post(edit_url(article), form(headline="Second headline", slug="second"))
    history = f"{LIST}history/{article.pk}/"
    page = {
        "history": history,
        "compare": f"{history}revisions/compare/{first.pk}...latest/",
        "revert": f"{history}revisions/{first.pk}/revert/",
    }[what]
    response = client.get(page)
    assert response.status_code == 200
    expected = {"history": "Edited", "compare": "Second", "revert": "Ferry crews end"}[what]
    assert expected in response.content.decode()


def test_an_article_locked_by_a_colleague_says_so_and_is_not_overwritten(
    signed_in: Callable[[User], Client], article: Article, editor: User, reporter: User
) -> None:
    signed_in(editor).post(f"{LIST}lock/{article.pk}/")
    page = signed_in(reporter).get(edit_url(article))
    assert "Edgar" in page.content.decode()
    signed_in(reporter).post(edit_url(article), form(headline="Mine now", slug="x"))
    assert Article.objects.get().headline == article.headline


def test_a_reporter_sends_to_review_and_only_another_person_may_approve(
    signed_in: Callable[[User], Client], article: Article, reporter: User, editor: User
) -> None:
    sent = form(headline=article.headline, slug=article.slug) | {"action-submit": "1"}
    signed_in(reporter).post(edit_url(article), sent)
    state = TaskState.objects.get()
    assert state.status == TaskState.STATUS_IN_PROGRESS
    task = state.task.specific
    stored = Article.objects.get()
    assert "approve" in {action[0] for action in task.get_actions(stored, editor)}
    assert task.get_actions(stored, reporter) == []


def test_an_editor_cannot_approve_what_they_changed_last_even_by_hand(
    signed_in: Callable[[User], Client], article: Article, editor: User, publisher: User
) -> None:
    client = signed_in(editor)
    sent = form(headline="Edited by Edgar", slug="e") | {"action-submit": "1"}
    client.post(edit_url(article), sent)
    state = TaskState.objects.get()
    approve = f"{LIST}workflow/action/{article.pk}/approve/{state.pk}/"
    response = client.post(approve, {"comment": ""})
    assert response.status_code in (302, 403)
    state.refresh_from_db()
    assert state.status == TaskState.STATUS_IN_PROGRESS
    assert not Article.objects.get().live


def test_who_changes_a_text_while_approving_it_is_told_why_not_and_the_change_is_kept(
    signed_in: Callable[[User], Client], article: Article, reporter: User, editor: User
) -> None:
    article.get_workflow().start(article, reporter)
    client = signed_in(editor)
    approve = {"action-workflow-action": "1", "workflow-action-name": "approve"}
    sent = form(headline="Edgar's better headline", slug=article.slug) | approve
    response = client.post(edit_url(article), sent)
    assert response.status_code == 302
    assert response["location"] == edit_url(article)
    page = client.get(edit_url(article)).content.decode()
    assert "somebody else has to approve it" in page
    assert "Edgar&#x27;s better headline" in page
    assert TaskState.objects.get().status == TaskState.STATUS_IN_PROGRESS


def test_with_four_eyes_switched_off_one_person_is_enough(
    article: Article, editor: User, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import msgspec

    newsroom = settings.NEWSROOM
    desk = msgspec.structs.replace(newsroom.settings.desk, four_eyes=False)
    monkeypatch.setattr(newsroom, "settings", msgspec.structs.replace(newsroom.settings, desk=desk))
    article.get_workflow().start(article, editor)
    task = TaskState.objects.get().task.specific
    assert "approve" in {action[0] for action in task.get_actions(article, editor)}


def test_a_reporter_is_not_offered_publishing_or_deleting(
    signed_in: Callable[[User], Client], article: Article, reporter: User
) -> None:
    client = signed_in(reporter)
    client.post(edit_url(article), form(headline="x", slug="x") | {"action-publish": "1"})
    assert not Article.objects.get().live
    assert client.post(f"{LIST}delete/{article.pk}/").status_code == 302
    assert Article.objects.exists()


def test_the_preview_is_the_readers_page(
    signed_in: Callable[[User], Client], article: Article, reporter: User
) -> None:
    client = signed_in(reporter)
    preview = f"{LIST}preview/{article.pk}/"
    client.post(preview, form(headline="Only in the preview", slug="p"))
    page = client.get(preview, {"mode": ""}).content.decode()
    assert "Only in the preview" in page
    assert "<article" in page
    assert Article.objects.get().headline == article.headline


def test_nobody_gets_in_without_an_account(article: Article, client: Client) -> None:
    for address in (LIST, ADD, edit_url(article), "/desk/newsroom/front/", "/desk/images/"):
        response = client.get(address)
        assert response.status_code == 302
        assert "/desk/login/" in response["location"]


def test_review_is_spoken_of_in_words_of_a_newsroom(
    signed_in: Callable[[User], Client], article: Article, reporter: User, editor: User
) -> None:
    rita, sent = signed_in(reporter), form(headline=article.headline, slug=article.slug)
    assert "Send to review" in rita.get(edit_url(article)).content.decode()
    page = rita.post(edit_url(article), sent | {"action-submit": "1"}, follow=True)
    assert "has been sent to review" in page.content.decode()
    assert "Take back from review" in rita.get(edit_url(article)).content.decode()
    edgar = signed_in(editor)
    page = edgar.get(edit_url(article)).content.decode()
    assert "Ask for changes" in page
    assert "and Publish" not in page
    approve = {"action-workflow-action": "1", "workflow-action-name": "approve"}
    page = edgar.post(edit_url(article), sent | approve, follow=True).content.decode()
    assert "You approved “Ferry crews end their strike”" in page


def test_the_first_action_is_to_publish_only_for_who_may(
    signed_in: Callable[[User], Client], article: Article, reporter: User, publisher: User
) -> None:
    def first(user: User) -> str:
        page = signed_in(user).get(edit_url(article)).content.decode()
        foot = page[page.index('aria-label="Actions') :]
        return min(("Publish…", "Save draft"), key=foot.index)

    assert first(publisher) == "Publish…"
    assert first(reporter) == "Save draft"


def test_the_desk_bears_the_name_of_the_paper(
    signed_in: Callable[[User], Client], client: Client, reporter: User
) -> None:
    for page in (client.get("/desk/login/"), signed_in(reporter).get(ADD)):
        text = page.content.decode()
        title = text[text.index("<title>") : text.index("</title>")]
        assert title.endswith("- The Meridian")
        assert "Sign in to Wagtail" not in text
        assert "wordmark" not in text
    assert "Choose a photo" in text


def test_the_list_opens_without_a_filter(
    signed_in: Callable[[User], Client], article: Article, reporter: User
) -> None:
    page = signed_in(reporter).get(LIST).content.decode()
    assert "Ferry crews end their strike" in page
    assert "Clear all filters" not in page
    assert "w-pill__content" not in page


def test_the_menu_speaks_of_the_newsroom(
    signed_in: Callable[[User], Client], operator: User, english: Locale
) -> None:
    page = signed_in(operator).get(LIST).content.decode()
    for word in ("Articles", "Front page", "Photos", "People", "Filing"):
        assert f'"{word}"' in page
    assert '"Snippets"' not in page
    assert "explorer" not in page.lower().replace("internet explorer", "")
