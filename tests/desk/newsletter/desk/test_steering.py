# SPDX-License-Identifier: AGPL-3.0-or-later
"""What can be done to an issue on its way and afterwards: shown as it is now, asked where it is for
good, and done by those who may."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tamizdat.desk.newsletter import numbers, paper
from tamizdat.desk.newsletter.models import Issue, Newsletter
from tamizdat.desk.publishing.models import StoryVersion
from tamizdat.desk.staff.models import User
from tests.desk.newsletter.desk.conftest import Composer

pytestmark = pytest.mark.django_db
Compose = Callable[[User], Composer]


@pytest.fixture
def going(approved: Issue, publisher: User, compose: Compose, vault: None) -> Composer:
    """A publisher's browser at an issue that is being sent."""
    at = compose(publisher)
    at.press("send")
    return at


def asked(at: Composer) -> tuple[str, str]:
    """What the open page is told of: whether to ask again, and its HTML."""
    answer = at.client.get(f"{at.here}progress/")
    return answer["X-Waiting"], answer.content.decode()


def test_the_open_page_gets_the_buttons_of_the_state_as_it_is_now(going: Composer) -> None:
    for state, again, there, gone in (
        ("sending", "yes", "Pause", "Go on"),
        ("paused", "seldom", "Go on", ">Pause<"),
        ("sent", "seldom", "Send to the rest", "Cancel for good"),
        ("cancelled", "no", "readers did not get it", "Send to the rest"),
    ):
        Issue.objects.update(state=state, finished=timezone.now())
        waiting, page = asked(going)
        assert waiting == again
        assert there in page
        assert gone not in page
        assert page.count('role="status"') == 1


def test_the_open_page_of_an_issue_that_has_not_begun_is_told_when_it_does(
    approved: Issue, publisher: User, editor: User, compose: Compose, vault: None
) -> None:
    at = compose(editor)
    assert 'data-waiting="seldom"' in at.see("sending/")
    assert asked(at) == ("seldom", "")
    compose(publisher).press("send")
    waiting, page = asked(at)
    assert waiting == "yes"
    assert "How it goes" in page
    assert "<button" not in page  # An editor may do nothing to it.


def test_cancelling_asks_first_and_says_how_many_do_not_get_it(going: Composer) -> None:
    Issue.objects.update(state="sending")
    page = going.see("cancel/")
    assert "readers will not get" in page
    assert "nobody can change that" in page
    assert Issue.objects.get().state == "sending"
    assert "Cancelled." in going.press("cancel")
    assert "nothing to cancel" in going.see("cancel/")


def test_discarding_asks_first_and_says_what_is_lost(
    ready: Issue, editor: User, reporter: User, compose: Compose
) -> None:
    at = compose(editor)
    assert f"{at.here}discard/" in at.see()
    page = at.see("discard/")
    assert "nobody can bring it back" in page
    assert "The stories themselves stay" in page
    assert Issue.objects.filter(pk=ready.pk).exists()
    answer = compose(reporter).client.get(f"{at.here}discard/")
    assert answer.status_code in (302, 403)
    assert "The issue is discarded." in at.press("discard")
    assert not Issue.objects.exists()


def withdraw(at: Composer, **form: Any) -> str:
    form = {"token": str(uuid.uuid4()), "reason": "It named a source.", **form}
    answer = at.client.post(f"{at.here}withdraw/", form, follow=True)
    return str(answer.content.decode())


def test_a_page_is_withdrawn_for_a_reason_by_who_types_the_word(
    going: Composer, editor: User, operator: User, compose: Compose
) -> None:
    Issue.objects.update(state="sent", finished=timezone.now())
    assert f"{going.here}withdraw/" in going.see("sending/")
    for who in (editor, operator):
        assert f"{going.here}withdraw/" not in compose(who).see("sending/")
        withdraw(compose(who), confirmation="withdraw")
    issue = Issue.objects.select_related("newsletter").get()
    said = withdraw(going, confirmation="yes")
    assert "Type the word" in said
    assert "It named a source." in said  # What was written is still there.
    assert paper.place(issue) == "there"
    assert "Its page says so in a moment" in withdraw(going, confirmation="withdraw")
    assert paper.place(issue) == "withdrawn"
    row = StoryVersion.objects.order_by("-version").filter(uri=paper.uri_of(issue)).first()
    assert row is not None
    assert row.pub_status == "canceled"
    page = going.see("sending/")
    assert "was withdrawn; readers see why" in page
    assert f"{going.here}withdraw/" not in page
    assert "withdrawn already" in going.see("withdraw/")
    before = StoryVersion.objects.count()
    withdraw(going, confirmation="withdraw")
    assert StoryVersion.objects.count() == before


def test_a_page_that_was_withdrawn_is_put_back_with_one_button_by_who_may_send(
    going: Composer, editor: User, operator: User, compose: Compose
) -> None:
    Issue.objects.update(state="sent", finished=timezone.now())
    assert f"{going.here}restore/" not in going.see("sending/")
    withdraw(going, confirmation="withdraw")
    issue = Issue.objects.select_related("newsletter").get()
    for who in (editor, operator):
        assert f"{going.here}restore/" not in compose(who).see("sending/")
        compose(who).client.post(f"{going.here}restore/", {"token": str(uuid.uuid4())})
        assert paper.place(issue) == "withdrawn"
    assert "Put its page back" in going.see("sending/")
    page = going.press("restore")
    assert "on its way back into the paper" in page
    assert paper.place(issue) == "there"
    assert f"{going.here}withdraw/" in page
    assert f"{going.here}restore/" not in page


def test_what_was_never_in_the_paper_is_not_withdrawn(
    approved: Issue, publisher: User, compose: Compose
) -> None:
    at = compose(publisher)
    assert "nothing to withdraw" in at.see("withdraw/")
    assert "nothing to withdraw" in withdraw(at, confirmation="withdraw")


def test_numbers_of_subscribers_are_counted_in_indexes(weekly: Newsletter) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("says what SQLite's planner does")
    today = timezone.localdate()
    with CaptureQueriesContext(connection) as found:
        numbers.of_subscribers(today)
        numbers.audience_now(weekly, today)
    asked = [one["sql"] for one in found if 'FROM "newsletter_subscription"' in one["sql"]]
    assert len(asked) == 6
    for sql in asked:
        with connection.cursor() as cursor:
            plan = str(cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
        assert "COVERING INDEX" in plan, (sql, plan)
