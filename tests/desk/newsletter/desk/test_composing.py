# SPDX-License-Identifier: AGPL-3.0-or-later
"""Composing an issue: picking, writing, two people at once, suggestions."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from wagtail.models import Locale, ModelLogEntry
from wagtail.search import index

from tamizdat.desk.newsletter import actions
from tamizdat.desk.newsletter.models import Issue, IssueItem, Newsletter
from tamizdat.desk.newsletter.suggest import A_HEADING, Candidate, pickable, spread
from tamizdat.desk.newsroom.models import Article, FrontPin, Person, PersonText, Section
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.staff.models import User
from tests.desk.newsletter.desk.conftest import Composer

Compose = Callable[[User], Composer]
Publish = Callable[..., Article]


def test_a_new_issue_has_the_next_number_the_headings_and_a_proposed_hour(
    weekly: Newsletter, editor: User, signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(editor)
    page = client.get("/desk/newsletters/").content.decode()
    token = page.split('name="token" value="')[1].split('"')[0]
    for _ in range(2):  # Pressed twice, it is made once.
        client.post(f"/desk/newsletters/{weekly.pk}/new/", {"token": token})
    made = Issue.objects.get()
    assert made.number == 1
    assert [section.title for section in made.sections.all()] == ["News", "Features", "Analysis"]
    assert made.scheduled_for is not None
    assert made.scheduled_for.weekday() == weekly.weekday
    assert made.state == "draft"


def test_a_new_issue_is_signed_as_readers_know_who_began_it(
    weekly: Newsletter, editor: User, second_editor: User
) -> None:
    def signature(user: User) -> str:
        return actions.create_issue(newsletter=weekly, acting_user=user).signed

    User.objects.filter(pk=editor.pk).update(first_name="Account", last_name="Name")
    person = Person.objects.create(name="Irena Moll", slug="irena-moll", account=editor)
    russian, _ = Locale.objects.get_or_create(language_code="ru")
    PersonText.objects.create(person=person, locale=russian, name="Ирена Молль")
    assert signature(User.objects.get(pk=editor.pk)) == "Irena Moll"
    weekly.language = "ru"
    assert signature(editor) == "Ирена Молль"
    assert signature(second_editor) == ""


def test_what_is_picked_moved_and_written_is_kept(
    issue: Issue, ferry: Article, quay: Article, editor: User, compose: Compose
) -> None:
    at = compose(editor)
    assert at.write("subject", "The ferries run again")["taken"] == ["subject"]
    at.pick(ferry, quay)
    at.write(f"blurb:{ferry.pk}", "Nine days, and then a handshake.")
    headings = at.part("stories")
    headings[0]["items"], headings[1]["items"] = [quay.pk], [ferry.pk]
    assert at.write("stories", headings)["taken"] == ["stories"]
    now = at.now()
    assert now["parts"]["stories"][1]["items"] == [ferry.pk]
    assert now["parts"][f"blurb:{ferry.pk}"] == "Nine days, and then a handshake."
    assert now["stories"][str(ferry.pk)]["headline"] == ferry.headline
    assert Issue.objects.get().edited_by == editor


def test_a_story_and_its_words_can_come_together(
    issue: Issue, ferry: Article, editor: User, compose: Compose
) -> None:
    at = compose(editor)
    there = at.part("stories")
    wanted = json.loads(json.dumps(there))
    wanted[2]["items"] = [ferry.pk]
    said = at.changes(
        [
            {"part": f"headline:{ferry.pk}", "was": "", "is": "Boats again"},
            {"part": "stories", "was": there, "is": wanted},
        ]
    )
    assert sorted(said["taken"]) == [f"headline:{ferry.pk}", "stories"]
    assert IssueItem.objects.get().headline == "Boats again"


def test_two_people_in_different_parts_both_get_their_way(
    issue: Issue, ferry: Article, editor: User, second_editor: User, compose: Compose
) -> None:
    one, other = compose(editor), compose(second_editor)
    seen = one.now()["parts"]
    other.pick(ferry)
    assert one.change("subject", seen["subject"], "Mine")["conflicts"] == {}
    now = one.now()["parts"]
    assert now["subject"] == "Mine"
    assert now["stories"][0]["items"] == [ferry.pk]


def test_nobody_writes_over_what_they_have_not_seen(
    issue: Issue, editor: User, second_editor: User, compose: Compose
) -> None:
    one, other = compose(editor), compose(second_editor)
    other.change("subject", "", "Theirs")
    said = one.changes(
        [
            {"part": "subject", "was": "", "is": "Mine"},
            {"part": "preheader", "was": "", "is": "Goes through"},
        ]
    )
    assert said["conflicts"] == {"subject": "Theirs"}
    assert said["taken"] == ["preheader"]
    assert one.part("subject") == "Theirs"
    assert one.change("subject", "Theirs", "Mine")["taken"] == ["subject"]


def test_words_for_a_story_that_was_taken_out_come_back_as_a_conflict(
    issue: Issue, ferry: Article, editor: User, second_editor: User, compose: Compose
) -> None:
    one, other = compose(editor), compose(second_editor)
    one.pick(ferry)
    other.write("stories", [{"title": "News", "items": []}])
    said = one.change(f"blurb:{ferry.pk}", "", "Written meanwhile")
    assert said["conflicts"] == {f"blurb:{ferry.pk}": None}


def test_what_does_not_fit_is_refused_with_the_reason_and_the_rest_is_kept(
    issue: Issue, ferry: Article, editor: User, compose: Compose
) -> None:
    at = compose(editor)
    said = at.changes(
        [
            {"part": "subject", "was": "", "is": "x" * 151},
            {"part": "signed", "was": at.part("signed"), "is": "The desk"},
        ]
    )
    assert "At most 150 characters" in said["refused"]["subject"]
    assert said["taken"] == ["signed"]
    twice = [{"title": "News", "items": [ferry.pk, ferry.pk]}]
    assert "twice" in at.write("stories", twice)["refused"]["stories"]
    bad: list[Any] = [[{"title": "", "items": []}], [{"items": []}], "no list", [{"title": "A"}], 7]
    for wrong in bad:
        assert "stories" in at.write("stories", wrong)["refused"]
    assert "unknown" in at.change("unknown", None, "x")["refused"]


def test_only_published_stories_of_its_language_are_picked(
    issue: Issue,
    article: Article,
    publish: Publish,
    russian: Locale,
    novosti: Section,
    editor: User,
    compose: Compose,
) -> None:
    other = publish("parom", locale=russian, section=novosti)
    at = compose(editor)
    for wrong in (article.pk, other.pk, 999_999):
        said = at.write("stories", [{"title": "News", "items": [wrong]}])
        assert "not published" in said["refused"]["stories"]  # fmt: skip


def test_a_note_with_a_line_break_opens_again(issue: Issue, editor: User, compose: Compose) -> None:
    at = compose(editor)
    block = {"key": "a", "type": "unstyled", "depth": 0, "text": "Dear readers,\nlook",
             "inlineStyleRanges": [], "entityRanges": []}  # fmt: skip
    at.write("note", json.dumps({"blocks": [block], "entityMap": {}}))
    assert Issue.objects.get().note == "<p>Dear readers,<br>look</p>"
    assert "Dear readers," in at.see()


def test_a_note_is_kept_clean(issue: Issue, editor: User, compose: Compose) -> None:
    at = compose(editor)
    raw = json.dumps(
        {
            "blocks": [
                {"key": "a", "type": "unstyled", "depth": 0, "text": "Dear readers, <b>look</b>",
                 "inlineStyleRanges": [{"offset": 0, "length": 4, "style": "BOLD"}],
                 "entityRanges": [{"offset": 5, "length": 7, "key": 0}]}
            ],
            "entityMap": {"0": {"type": "LINK", "mutability": "MUTABLE",
                                "data": {"url": "javascript:alert(1)"}}},
        }
    )  # fmt: skip
    at.write("note", raw)
    note = Issue.objects.get().note
    assert note.startswith("<p><strong>Dear</strong>")
    assert "javascript" not in note
    assert "&lt;b&gt;" in note
    assert at.change("note", note, "no JSON")["status"] == 400
    assert at.change("note", note, '{"blocks": 3}')["status"] == 400
    assert Issue.objects.get().note == note


def test_a_sitting_is_one_row_in_the_log(issue: Issue, editor: User, compose: Compose) -> None:
    at = compose(editor)
    for words in ("T", "Th", "The ferries"):
        at.write("subject", words)
    assert ModelLogEntry.objects.filter(action="tamizdat.issue_edit").count() == 1


def test_the_picker_shows_this_weeks_stories_first_and_finds_by_words(
    issue: Issue, publish: Publish, editor: User, compose: Compose
) -> None:
    old = publish("an-old-lighthouse", days_ago=40)
    new = publish("a-new-lighthouse", days_ago=1)
    publish("the-fish-market", days_ago=2)
    at = compose(editor)
    found = at.client.get(f"{at.here}stories/").json()
    assert [one["headline"] for one in found["stories"]] == [
        *("A new lighthouse", "The fish market", "An old lighthouse"),
    ]
    assert [one["fresh"] for one in found["stories"]] == [True, True, False]
    assert not found["more"]
    for one in (old, new):
        index.insert_or_update_object(one)
    found = at.client.get(f"{at.here}stories/?q=lighth").json()
    assert [one["key"] for one in found["stories"]] == [new.pk, old.pk]
    assert at.client.get(f"{at.here}stories/?p=2").json()["stories"] == []
    assert at.client.get(f"{at.here}stories/?p=x&q=%00").status_code == 200


def test_the_picker_follows_an_index_and_reads_no_texts(issue: Issue, english: Locale) -> None:
    found = pickable(issue)[:21]
    if connection.vendor == "sqlite":
        assert "article_by_day" in found.explain()
        assert "TEMP B-TREE" not in found.explain()
    assert "body" not in str(found.query)


def test_suggestions_put_pinned_stories_first_and_leave_alone_what_is_picked(
    issue: Issue,
    publish: Publish,
    culture: Section,
    editor: User,
    english: Locale,
    compose: Compose,
) -> None:
    picked, pinned = publish("picked-already"), publish("pinned", days_ago=2)
    culture.title = "Features"
    culture.save()
    feature, plain = publish("a-feature", section=culture), publish("plain", days_ago=1)
    publish("too-old", days_ago=9)
    FrontPin.objects.create(locale=english, article=pinned, order=0)
    at = compose(editor)
    at.pick(picked, heading=2)
    said = at.client.get(f"{at.here}suggest/").json()
    assert said["headings"] == [[pinned.pk, plain.pk], [feature.pk], []]
    assert at.part("stories")[2]["items"] == [picked.pk]  # fmt: skip


def test_suggestions_begin_after_the_last_issue(
    weekly: Newsletter, issue: Issue, publish: Publish, editor: User, compose: Compose
) -> None:
    publish("before", days_ago=3)
    after = publish("after", days_ago=1)
    Issue.objects.create(
        newsletter=weekly, number=9, state="sent", created=timezone.now(), edited=timezone.now(),
        started=timezone.now() - timedelta(days=2),
    )  # fmt: skip
    at = compose(editor)
    found = at.client.get(f"{at.here}suggest/").json()["headings"]
    assert [key for heading in found for key in heading] == [after.pk]


@given(
    st.lists(st.sampled_from(["News", "Culture", "Sport", ""]), max_size=30),
    st.lists(st.sampled_from(["News", "Features", "sport", "Analysis"]), max_size=6),
    st.integers(0, A_HEADING),
)
def test_suggestions_name_a_story_once_and_fill_no_heading_beyond_its_limit(
    sections: list[str], headings: list[str], there: int
) -> None:
    found = [Candidate(key, section) for key, section in enumerate(sections)]
    filled = spread(found, headings, [there] * len(headings))
    keys = [key for heading in filled for key in heading]
    assert len(keys) == len(set(keys))
    assert all(len(heading) + there <= A_HEADING for heading in filled)
    for title, heading in zip(headings, filled, strict=True):
        if title == "Features":
            assert all(sections[key] != "News" for key in heading) or "News" not in headings


def test_a_story_that_was_corrected_or_withdrawn_is_flagged_at_once(
    ready: Issue, ferry: Article, editor: User, publisher: User, compose: Compose
) -> None:
    at = compose(editor)
    assert at.now()["stories"][str(ferry.pk)]["flag"] == ""
    publishing.correct_article(article=ferry, text="Nine days, not ten.", acting_user=publisher)
    card = at.now()["stories"][str(ferry.pk)]
    assert card["flag"] == "corrected"
    at.write(f"picked:{ferry.pk}", card["version"])
    assert at.now()["stories"][str(ferry.pk)]["flag"] == ""
    publishing.withdraw_article(article=ferry, reason="Wrong.", acting_user=publisher)
    assert at.now()["stories"][str(ferry.pk)]["flag"] == "withdrawn"
    assert "Ferry crews end their strike” was withdrawn" in at.see("sending/")


def test_a_reporter_looks_and_does_not_write(
    ready: Issue, reporter: User, compose: Compose
) -> None:
    at = compose(reporter)
    assert "editors change it" in at.see()
    assert at.change("subject", ready.subject, "Mine")["status"] == 403
    assert Issue.objects.get().subject == ready.subject


def test_the_newest_draft_can_be_discarded(ready: Issue, editor: User, compose: Compose) -> None:
    assert "The issue is discarded." in compose(editor).press("discard")
    assert not Issue.objects.exists()


def test_words_of_one_line_stay_on_one(
    issue: Issue, ferry: Article, editor: User, compose: Compose
) -> None:
    at = compose(editor)
    at.pick(ferry)
    at.write("subject", "The ferries\r\nBcc: all@post.example\u2028run")
    at.write(f"headline:{ferry.pk}", "Boats\nagain")
    at.write(f"blurb:{ferry.pk}", "Nine days.\n\nA handshake.")
    parts = at.now()["parts"]
    assert parts["subject"] == "The ferries Bcc: all@post.example run"
    assert parts[f"headline:{ferry.pk}"] == "Boats again"
    assert parts[f"blurb:{ferry.pk}"] == "Nine days.\n\nA handshake."
