# SPDX-License-Identifier: AGPL-3.0-or-later
"""Four eyes, scheduling, and what may not go out."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import Any

import msgspec
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tamizdat.config import Newsroom
from tamizdat.desk.newsletter import actions, approval, schedule
from tamizdat.desk.newsletter.errors import ApprovalError, IssueError, NotReadyError
from tamizdat.desk.newsletter.models import Issue, Newsletter, Sender, Tally
from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.publishing.models import StoryHead
from tamizdat.desk.publishing.worker import Worker
from tamizdat.desk.staff.models import User
from tests.desk.newsletter.desk.conftest import Composer

Compose = Callable[[User], Composer]
TOMORROW = timedelta(days=1)


def fresh(issue: Issue) -> Issue:
    return Issue.objects.select_related("newsletter").get(pk=issue.pk)


def test_another_person_approves_what_they_have_seen(
    ready: Issue, publisher: User, compose: Compose
) -> None:
    at = compose(publisher)
    page = at.see("sending/")
    assert "Approve it as it is" in page
    digest = page.split('name="digest" value="')[1].split('"')[0]
    assert "Approved as it is now" in at.press("approve", digest=digest)
    found = fresh(ready)
    assert (found.state, found.approved_by) == ("approved", publisher)
    assert "Send now" in at.see("sending/")


def test_who_last_changed_it_does_not_approve_it(
    ready: Issue, publisher: User, compose: Compose
) -> None:
    at = compose(publisher)
    at.write("subject", "My own words")
    digest = approval.digest_of(fresh(ready))
    assert "another person has to approve it" in at.press("approve", digest=digest)
    assert "Approve it as it is" not in at.see("sending/")
    assert fresh(ready).approved_hash == ""


def test_one_person_is_enough_where_four_eyes_is_off(
    ready: Issue, publisher: User, compose: Compose, newsroom: Newsroom
) -> None:
    desk = msgspec.structs.replace(newsroom.settings.desk, four_eyes=False)
    newsroom.settings = msgspec.structs.replace(newsroom.settings, desk=desk)
    at = compose(publisher)
    at.write("subject", "My own words")
    at.press("approve", digest=approval.digest_of(fresh(ready)))
    assert fresh(ready).approved_by == publisher


def test_what_changed_while_it_was_looked_at_is_not_approved(
    ready: Issue, editor: User, publisher: User, compose: Compose
) -> None:
    seen = approval.digest_of(ready)
    compose(editor).write("subject", "Other words")
    assert "Look at it once more" in compose(publisher).press("approve", digest=seen)
    assert fresh(ready).approved_hash == ""


@pytest.mark.parametrize(
    ("part", "wanted"),
    [("subject", "Other words"), ("signed", "The night desk"), ("preheader", "Other")],
)
def test_any_change_asks_for_approval_again(
    approved: Issue, editor: User, compose: Compose, part: str, wanted: str
) -> None:
    at = compose(editor)
    before = at.part(part)
    at.write(part, wanted)
    assert not approval.approved(fresh(approved)).allowed
    at.write(part, before)  # Back to what was approved.
    assert approval.approved(fresh(approved)).allowed


def test_a_story_that_was_corrected_since_asks_again(
    approved: Issue, ferry: Article, publisher: User, compose: Compose
) -> None:
    publishing.correct_article(article=ferry, text="Nine days, not ten.", acting_user=publisher)
    verdict = approval.approved(fresh(approved))
    assert not verdict.allowed
    page = compose(publisher).see("sending/")
    assert "was changed after Petra approved it" in page
    assert "was corrected since it was picked" in page


def test_when_it_goes_changes_nothing_of_the_approval(
    approved: Issue, publisher: User, newsroom: Newsroom
) -> None:
    when = timezone.now() + timedelta(days=9)
    actions.schedule_issue(issue=approved, when=when, acting_user=publisher)
    assert approval.approved(fresh(approved)).allowed


def test_what_is_not_ready_is_not_approved(issue: Issue, publisher: User, compose: Compose) -> None:
    page = compose(publisher).see("sending/")
    assert "It has no subject." in page
    assert "No story is picked." in page
    with pytest.raises(NotReadyError, match="no subject"):
        actions.approve(issue=issue, digest=approval.digest_of(issue), acting_user=publisher)


def test_nothing_withdrawn_is_scheduled_or_sent(
    approved: Issue, ferry: Article, publisher: User, vault: None
) -> None:
    publishing.withdraw_article(article=ferry, reason="Wrong.", acting_user=publisher)
    with pytest.raises(NotReadyError, match="Ferry crews"):
        actions.send_now(issue=approved, acting_user=publisher)
    with pytest.raises(IssueError):
        actions.schedule_issue(
            issue=approved, when=timezone.now() + TOMORROW, acting_user=publisher
        )


def test_nothing_goes_out_unapproved(ready: Issue, publisher: User) -> None:
    with pytest.raises(ApprovalError, match="Nobody has approved"):
        actions.send_now(issue=ready, acting_user=publisher)


def test_an_editor_composes_and_neither_approves_nor_sends(
    approved: Issue, second_editor: User, compose: Compose
) -> None:
    at = compose(second_editor)
    page = at.see("sending/")
    assert "Approve it as it is" not in page
    assert "Schedule it" not in page
    for deed in ("approve", "schedule", "send", "pause", "cancel", "rest", "unknown", "relay"):
        at.press(deed, digest="x", at="2031-01-01T10:00")
    assert fresh(approved).state == "approved"


def test_scheduling_is_by_the_newsletters_clocks(
    approved: Issue, publisher: User, compose: Compose
) -> None:
    Newsletter.objects.update(zone="America/New_York")
    at = compose(publisher)
    page = at.press("schedule", at="2031-07-04T17:00")
    assert "Friday, 4 July 2031, 17:00" in page
    assert fresh(approved).scheduled_for == datetime.datetime(2031, 7, 4, 21, tzinfo=UTC)
    assert "will not go out by itself" in at.press("unschedule")
    assert fresh(approved).state == "approved"
    assert "has passed" in at.press("schedule", at="2001-07-04T17:00")
    assert "Say when" in at.press("schedule", at="soon")
    assert "Say when" in at.press("schedule", at="2031-07-04T17:00+00:00")


def test_sent_now_it_goes_once_however_often_it_is_pressed(
    approved: Issue, publisher: User, compose: Compose, vault: None
) -> None:
    at = compose(publisher)
    assert "goes to about 0 readers now" in at.see("confirm/")
    token = "6a8e2f0e-7c1d-4a5f-9a55-0f7de0b7a001"
    at.press("send", token=token)
    found = fresh(approved)
    assert found.state == "starting"
    assert StoryHead.objects.filter(path="/en/newsletter/weekly/1/").exists()
    at.press("send", token=token)
    at.press("send")
    assert fresh(approved).started == found.started


def test_while_it_is_on_its_way_it_is_paused_resumed_and_cancelled_but_not_changed(
    approved: Issue, editor: User, publisher: User, compose: Compose, vault: None
) -> None:
    at = compose(publisher)
    at.press("send")
    assert "can no longer be changed" in compose(editor).write("subject", "Other")["error"]
    assert "readers are gathered" in at.see("sending/")
    assert "Paused" in at.press("pause")
    assert "goes on" in at.press("resume")
    assert "Cancelled" in at.press("cancel")
    assert "cannot be done" in at.press("pause")
    assert at.client.get(f"{at.here}progress/")["X-Waiting"] == "no"


def test_how_it_goes_is_shown_while_it_goes_and_afterwards(
    approved: Issue, publisher: User, compose: Compose, vault: None
) -> None:
    at = compose(publisher)
    at.press("send")
    Issue.objects.update(state="sending", audience=10)
    for kind, name, count in (
        ("state", "sent", 7), ("state", "refused", 1), ("state", "queued", 1),
        ("state", "unknown", 1), ("refused", "gmail.com", 1), ("relay", "outbox", 7),
    ):  # fmt: skip
        Tally.objects.create(issue=approved, worker="one", kind=kind, name=name, count=count)
    Tally.objects.filter(worker="desk").delete()
    assert "none is running" in at.see("progress/")
    Sender.objects.create(name="one", place="here", rate=2.0)
    answer = at.client.get(f"{at.here}progress/")
    page = answer.content.decode()
    assert answer["X-Waiting"] == "yes"
    for words in ("7 of 10 readers have it", "90 %", "2.0 mails a second", "gmail.com", "7 sent"):
        assert words in page
    assert "Send again where it is not known" in at.see("sending/")
    Issue.objects.update(state="sent", finished=timezone.now())
    page = at.see("sending/")
    assert "Sent to 7 of 10 readers" in page
    assert "https://meridian.example/en/newsletter/weekly/1/" in page
    listed = at.client.get("/desk/newsletters/").content.decode()
    assert '<td class="is-number">7</td>' in listed
    assert '<td class="is-number">1</td>' in listed


def test_an_operator_pauses_issues_and_relays_and_changes_no_word(
    approved: Issue, operator: User, publisher: User, compose: Compose, vault: None
) -> None:
    compose(publisher).press("send")
    at = compose(operator)
    assert "Pause it" in at.see("sending/")
    assert "Nothing more goes through outbox" in at.press("relay", relay="outbox", pause="yes")
    assert "is used again" in at.press("relay", relay="outbox", pause="no")
    assert "no such relay" in at.press("relay", relay="other", pause="no")
    assert "Paused" in at.press("pause")
    at.press("cancel")
    assert fresh(approved).state == "paused"


# Time.


def test_what_is_due_is_begun_once_by_whichever_worker_comes(
    approved: Issue, publisher: User, vault: None
) -> None:
    when = timezone.now() + TOMORROW
    actions.schedule_issue(issue=approved, when=when, acting_user=publisher)
    assert schedule.carry_out(when - timedelta(seconds=1)) == 0
    assert schedule.carry_out(when) == 1
    assert schedule.carry_out(when) == 0
    assert not actions.begin_due(issue=approved, now=when)
    assert fresh(approved).state == "starting"


def test_the_worker_begins_what_is_due(approved: Issue, publisher: User, vault: None) -> None:
    from tamizdat.desk.publishing import services

    when = timezone.now() + TOMORROW
    actions.schedule_issue(issue=approved, when=when, acting_user=publisher)
    Worker(services.edition(), "one", clock=lambda: when).step()
    assert fresh(approved).state == "starting"


@pytest.mark.parametrize(
    ("late", "missed", "state"),
    [
        (timedelta(hours=5), "hold", "starting"),
        (timedelta(hours=7), "hold", "held"),
        (timedelta(hours=7), "send", "starting"),
    ],
)
def test_a_missed_hour_is_sent_or_held_by_the_newsletters_rule(
    approved: Issue, publisher: User, vault: None, late: timedelta, missed: str, state: str
) -> None:
    Newsletter.objects.update(missed=missed, missed_hours=6)
    when = timezone.now() + TOMORROW
    actions.schedule_issue(issue=approved, when=when, acting_user=publisher)
    schedule.carry_out(when + late)
    assert fresh(approved).state == state
    assert schedule.carry_out(when + late) == 0


def test_what_may_not_go_out_is_held_with_the_reason_and_sent_by_people_alone(
    approved: Issue,
    editor: User,
    publisher: User,
    second_publisher: User,
    compose: Compose,
    vault: None,
) -> None:
    when = timezone.now() + TOMORROW
    actions.schedule_issue(issue=approved, when=when, acting_user=publisher)
    compose(editor).write("subject", "Changed on Friday")
    assert "would be held at its hour" in compose(publisher).see("sending/")
    assert schedule.carry_out(when) == 0
    found = fresh(approved)
    assert found.state == "held"
    assert "approve it again" in found.problem
    assert "approve it again" in compose(publisher).see("sending/")
    home = compose(publisher).client.get("/desk/").content.decode()
    assert "The Meridian Weekly, No. 1" in home
    assert "approve it again" in home
    actions.approve(issue=found, digest=approval.digest_of(found), acting_user=second_publisher)
    assert schedule.carry_out(when + TOMORROW) == 0
    actions.send_now(issue=found, acting_user=publisher)
    assert fresh(approved).state == "starting"  # fmt: skip


BERLIN: list[tuple[Any, str, str]] = [
    # A Sunday without 02:30: clocks go from 02:00 to 03:00.
    ((2027, 3, 28), "02:30", "2027-03-28T03:30:00+02:00"),
    # A Sunday with 02:30 twice: the first.
    ((2027, 10, 31), "02:30", "2027-10-31T02:30:00+02:00"),
    ((2027, 3, 26), "17:00", "2027-03-26T17:00:00+01:00"),
    ((2027, 4, 2), "17:00", "2027-04-02T17:00:00+02:00"),
]


@pytest.mark.parametrize(("day", "clock", "moment"), BERLIN)
def test_an_hour_is_the_one_that_clocks_on_the_wall_show(
    day: tuple[int, int, int], clock: str, moment: str
) -> None:
    noon = datetime.datetime(*day, 12)
    found = schedule.moment(noon, datetime.time.fromisoformat(clock), "Europe/Berlin")
    assert found.isoformat() == moment


@given(
    st.datetimes(datetime.datetime(2024, 1, 1), datetime.datetime(2034, 1, 1)),
    st.integers(0, 6),
    st.times(),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Tehran", "Australia/Lord_Howe"]),
)
def test_the_next_hour_is_ahead_on_its_weekday_and_at_most_eight_days_off(
    after: datetime.datetime, weekday: int, hour: datetime.time, zone: str
) -> None:
    newsletter = Newsletter(weekday=weekday, hour=hour.replace(microsecond=0), zone=zone)
    now = after.replace(tzinfo=UTC)
    found = schedule.next_hour(newsletter, now)
    assert timedelta(0) < found - now <= timedelta(days=7, hours=2)
    late = found - timedelta(hours=1)  # An hour that is missing may lead past midnight.
    assert weekday in (found.weekday(), late.weekday())
