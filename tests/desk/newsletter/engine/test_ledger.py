# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who gets an issue, who may claim its rows, what becomes of rows in doubt."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from tamizdat.config import MailSettings, Newsroom, RelaySettings
from tamizdat.desk.newsletter.engine import (
    actions,
    finish,
    journal,
    rows,
    senders,
    standing,
    start,
    tallies,
    unknown,
)
from tamizdat.desk.newsletter.engine.errors import LostError, StateError
from tamizdat.desk.newsletter.engine.journal import Journal, Place
from tamizdat.desk.newsletter.engine.ledger import Answer, Ledger
from tamizdat.desk.newsletter.engine.press import MessageIds, Press
from tamizdat.desk.newsletter.engine.senders import Fence, Watch
from tamizdat.desk.newsletter.models import Delivery, Issue, Sender, Subscription
from tamizdat.desk.outgoing import limits, relays, suppression
from tamizdat.desk.outgoing.models import Relay, Suppression
from tamizdat.desk.readers import consents
from tamizdat.desk.readers.vault import Vault
from tests.desk.newsletter.engine import house

pytestmark = pytest.mark.django_db
ONE = RelaySettings(name="one", host="127.0.0.1")


def open_newsroom(folder: Path, settings: Any, mail: str = "", relay: str = "") -> Newsroom:
    folder.mkdir(exist_ok=True)
    text = house.settings_of("sqlite", relay or house.relay(2525), mail)
    (folder / "tamizdat.toml").write_text(text)
    newsroom = settings.NEWSROOM = Newsroom(folder)
    newsroom.secret("desk-key", create=True)
    house.prepare(newsroom)
    return newsroom


@pytest.fixture
def newsroom(tmp_path: Path, settings: Any) -> Newsroom:
    return open_newsroom(tmp_path / "newsroom", settings)


def ledger(newsroom: Newsroom, mail: MailSettings | None = None) -> Ledger:
    name = senders.register(Place.here())
    return Ledger(name, Vault.open(newsroom), mail or newsroom.settings.mail)


def counts(issue: Issue) -> dict[str, int]:
    """By the tallies, which have to be what the rows say."""
    told = {of.name: n for of, n in tallies.of(issue.pk).items() if of.kind == "state"}
    states = Delivery.objects.filter(issue=issue).values_list("state", flat=True)
    assert told == {state: list(states).count(state) for state in set(states)}
    return told


# The audience


def test_an_issue_goes_to_those_who_want_it_now(newsroom: Newsroom) -> None:
    today = timezone.localdate()
    addresses = [f"{name}@post.example" for name in ("ada", "ben", "cleo", "dan", "eve", "fay")]
    ada, ben, cleo, dan, eve, fay = house.subscribe(newsroom, addresses)
    Subscription.objects.filter(pk=ben.pk).update(state="left", left=today)
    Subscription.objects.filter(pk=cleo.pk).update(paused_until=today + timedelta(days=1))
    Subscription.objects.filter(pk=dan.pk).update(paused_until=today)
    suppression.suppress(reader=eve.reader, reason=Suppression.Reason.HARD)
    consents.withdraw(
        reader=fay.reader, purpose="newsletter", subject="weekly", form="test", language="en"
    )
    issue = house.begin(house.issue())
    got = set(Delivery.objects.values_list("subscription", flat=True))
    assert got == {ada.pk, dan.pk}
    assert (issue.state, issue.audience, counts(issue)) == ("sending", 2, {"queued": 2})


def test_no_mail_leaves_before_the_audience_is_whole_and_gathering_goes_on_after_a_kill(
    newsroom: Newsroom,
) -> None:
    house.subscribe(newsroom, [f"reader{n}@post.example" for n in range(25)])
    issue, one = house.issue(), ledger(newsroom)
    house.begin(issue, gather=False)
    assert start.gather(issue.pk, piece=10)
    assert one.turn(issue.pk, ONE, [], 10).rows == []
    assert Delivery.objects.count() == 10
    while start.gather(issue.pk, piece=10):
        assert one.turn(issue.pk, ONE, [], 10).rows == []
    assert len(one.turn(issue.pk, ONE, [], 100).rows) == 25
    assert not start.gather(issue.pk)


def test_starting_twice_makes_one(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, ["ada@post.example"])
    issue = house.begin(house.issue())
    contents = {"summary": (house.content(), {})}
    assert not start.start(issue=issue, acting_user=None, contents=contents)
    assert counts(issue) == {"queued": 1}


def test_what_nobody_approved_is_not_started(newsroom: Newsroom) -> None:
    issue = house.issue()
    Issue.objects.update(state="draft")
    with pytest.raises(StateError, match="approved first"):
        actions.start(issue=issue, acting_user=None)


# Mails


def test_a_message_id_is_the_same_each_time_and_cannot_be_computed_from_outside(
    newsroom: Newsroom, tmp_path: Path, settings: Any
) -> None:
    first = MessageIds(newsroom, 1).of(77)
    assert first == MessageIds(newsroom, 1).of(77)
    other = open_newsroom(tmp_path / "other", settings)
    assert len({first, MessageIds(newsroom, 2).of(77), MessageIds(other, 1).of(77)}) == 3


def test_a_mail_carries_its_readers_own_links_and_comes_back_to_a_path_of_its_own(
    newsroom: Newsroom,
) -> None:
    house.subscribe(newsroom, ["ada@post.example"])
    issue = house.begin(house.issue())
    (row,) = ledger(newsroom).turn(issue.pk, ONE, [], 10).rows
    press = Press(newsroom, issue.pk)
    data = press.data(row).decode()
    assert "To: ada@post.example\r\n" in data
    assert f"Message-ID: <{press.message_id(row)}@returns.meridian.example>" in data
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in data
    assert "TOKEN-" not in data
    assert press.sender(row).endswith("@returns.meridian.example")


# Claims and answers


def test_two_workers_never_have_the_same_row(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, [f"reader{n}@post.example" for n in range(30)])
    issue = house.begin(house.issue())
    one, two = ledger(newsroom), ledger(newsroom)
    had: list[int] = []
    while got := [*one.turn(issue.pk, ONE, [], 7).rows, *two.turn(issue.pk, ONE, [], 4).rows]:
        had += [row.id for row in got]
    assert len(had) == len(set(had)) == 30
    assert counts(issue) == {"sending": 30}


def test_answers_are_kept_and_the_issue_is_done_when_nothing_waits(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, [f"reader{n}@gmail.com" for n in range(4)])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    a, b, c, d = one.turn(issue.pk, ONE, [], 10).rows
    answers = [
        Answer(a, "sent", "250 2.0.0"),
        Answer(b, "refused", "550 5.1.1", "no such user"),
        Answer(c, "deferred", "451 4.7.1", "later"),
        Answer(d, "queued"),
    ]
    assert one.turn(issue.pk, ONE, answers, 0).rows == []
    assert counts(issue) == {"sent": 1, "refused": 1, "deferred": 1, "queued": 1}
    assert suppression.in_force(Subscription.objects.get(pk=b.subscription).reader)
    assert finish.look() == [issue.pk]
    (again,) = one.turn(issue.pk, ONE, [], 10).rows
    assert again.id == d.id
    one.turn(issue.pk, ONE, [Answer(again, "sent", "250")], 0)
    Delivery.objects.filter(pk=c.id).update(not_before=timezone.now())
    (late,) = one.turn(issue.pk, ONE, [], 10).rows
    assert (late.id, late.attempts) == (c.id, 1)
    one.turn(issue.pk, ONE, [Answer(late, "sent", "250")], 0)
    assert finish.look() == []
    issue.refresh_from_db()
    assert (issue.state, counts(issue)) == ("sent", {"sent": 3, "refused": 1})
    found = standing.of(issue)
    assert (found.sent, found.refusals, found.done) == (3, (("gmail.com", 1),), 1.0)
    assert [relay.sent for relay in found.relays] == [3]


def test_what_is_put_off_for_two_days_is_given_up(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, ["ada@post.example"])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    tries = 0
    while found := one.turn(issue.pk, ONE, [], 1).rows:
        one.turn(issue.pk, ONE, [Answer(found[0], "deferred", "451", "later")], 0)
        Delivery.objects.filter(state="deferred").update(not_before=timezone.now())
        tries += 1
    assert 10 < tries < 25
    assert counts(issue) == {"refused": 1}
    assert not Suppression.objects.exists()
    Issue.objects.update(state="sent", finished=timezone.now())
    actions.send_rest(issue=issue, acting_user=None)
    while start.gather(issue.pk):
        pass
    assert counts(issue) == {"queued": 1}


def test_who_left_meanwhile_gets_nothing(newsroom: Newsroom) -> None:
    ada, ben, _ = house.subscribe(newsroom, [f"{n}@post.example" for n in ("ada", "ben", "cleo")])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    Subscription.objects.filter(pk=ada.pk).update(state="left", left=timezone.localdate())
    suppression.suppress(reader=ben.reader, reason=Suppression.Reason.COMPLAINT)
    (row,) = one.turn(issue.pk, ONE, [], 10).rows
    assert row.address == "cleo@post.example"
    assert counts(issue) == {"sending": 1, "refused": 2}
    assert standing.of(issue).left == 2


def test_who_left_and_came_back_gets_it_where_their_turn_had_not_come(newsroom: Newsroom) -> None:
    early, late = house.subscribe(newsroom, ["ada@post.example", "ben@post.example"])
    first = min(early, late, key=lambda one: one.pk)
    issue, one = house.begin(house.issue()), ledger(newsroom)
    gone = {"state": "left", "left": timezone.localdate()}
    Subscription.objects.update(**gone)
    assert one.turn(issue.pk, ONE, [], 1).rows == []  # The turn of the first.
    Subscription.objects.update(state="active", left=None)
    (row,) = one.turn(issue.pk, ONE, [], 10).rows
    assert row.subscription != first.pk
    one.turn(issue.pk, ONE, [Answer(row, "sent", "250")], 0)
    finish.look()
    actions.send_rest(issue=issue, acting_user=None)
    while start.gather(issue.pk):
        pass
    assert one.turn(issue.pk, ONE, [], 10).rows == []
    assert counts(issue) == {"refused": 1, "sent": 1}


def test_only_large_domains_are_kept(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, ["ada@gmail.com", "ben@bens-own.example"])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    found = one.turn(issue.pk, ONE, [], 10).rows
    one.turn(issue.pk, ONE, [Answer(row, "sent", "250") for row in found], 0)
    assert sorted(Delivery.objects.values_list("domain", flat=True)) == ["", "gmail.com"]


def test_what_a_transaction_left_that_nobody_knows_of_is_queued_again(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, [f"reader{n}@post.example" for n in range(3)])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    Delivery.objects.filter(pk__in=list(Delivery.objects.values_list("pk", flat=True)[:2])).update(
        state="sending", worker=one.worker
    )
    one._doubt = True  # The answer to COMMIT was lost on the way.
    assert len(one.turn(issue.pk, ONE, [], 10).rows) == 3


def test_pause_resume_cancel(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, [f"reader{n}@post.example" for n in range(3)])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    actions.pause(issue=issue, acting_user=None)
    assert one.turn(issue.pk, ONE, [], 10).rows == []
    with pytest.raises(StateError):
        actions.pause(issue=issue, acting_user=None)
    actions.resume(issue=issue, acting_user=None)
    (row,) = one.turn(issue.pk, ONE, [], 1).rows
    assert actions.cancel(issue=issue, acting_user=None) == 3
    one.turn(issue.pk, ONE, [Answer(row, "sent", "250")], 10)
    assert counts(issue) == {"sent": 1, "queued": 2}


def test_the_rest_goes_to_those_who_signed_up_since(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, ["ada@post.example"])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    (row,) = one.turn(issue.pk, ONE, [], 1).rows
    one.turn(issue.pk, ONE, [Answer(row, "sent", "250")], 0)
    finish.look()
    house.subscribe(newsroom, ["ben@post.example"])
    actions.send_rest(issue=issue, acting_user=None)
    while start.gather(issue.pk):
        pass
    (row,) = one.turn(issue.pk, ONE, [], 5).rows
    assert row.address == "ben@post.example"


# Workers that are gone


class Steady:
    """A clock that the test turns."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def looks(watch: Watch, clock: Steady, number: int, each: float) -> None:
    for _ in range(number):
        clock.now += each
        watch.look()


def test_a_worker_is_dead_when_its_number_stands_still_while_one_looks(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, ["ada@post.example"])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    (row,) = one.turn(issue.pk, ONE, [], 1).rows
    Sender.objects.update(place="elsewhere 1 1 1")
    clock = Steady()
    watch = Watch("me", newsroom.run, steady=clock)
    looks(watch, clock, 20, 1.0)
    assert senders.beat(one.worker, 0.0), "29 seconds are not enough"
    looks(watch, clock, 20, 1.0)
    assert counts(issue) == {"sending": 1}, "it had moved"
    clock.now += 600.0  # The looker itself stood still.
    looks(watch, clock, 20, 1.0)
    assert counts(issue) == {"sending": 1}
    fence = Fence(one.worker)
    assert fence.open()
    looks(watch, clock, 20, 1.0)
    assert counts(issue) == {"unknown": 1}
    assert not fence.open()
    assert not senders.beat(one.worker, 0.0)
    with pytest.raises(LostError):
        one.turn(issue.pk, ONE, [Answer(row, "sent", "250")], 1)


def test_the_journal_of_a_worker_that_was_killed_says_what_is_known(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, [f"reader{n}@gmail.com" for n in range(4)])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    a, b, c, _ = one.turn(issue.pk, ONE, [], 10).rows
    folder = journal.folder_of(newsroom.run)
    gone = Place.here()._replace(pid=2**22 + 1)
    Sender.objects.update(place=str(gone))
    kept = Journal(folder, one.worker, 0, gone)
    for row in (a, b, c):
        kept.begin(row.id)
    kept.end(a.id, "sent", "250")
    kept.end(b.id, "refused", "550 5.1.1")
    kept.close()
    with kept.path.open("ab") as file:
        file.write(b"B\0\0")  # It was killed while it wrote.
    Watch("me", newsroom.run).look()
    assert counts(issue) == {"sent": 1, "refused": 1, "unknown": 1, "queued": 1}
    assert not Sender.objects.exists()
    assert not kept.path.exists()


def test_a_journal_from_before_the_machine_was_started_is_not_believed(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, ["ada@post.example"])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    one.turn(issue.pk, ONE, [], 10)
    before = Place.here()._replace(boot="before", pid=2**22 + 1)
    Sender.objects.update(place=str(before))
    Journal(journal.folder_of(newsroom.run), one.worker, 0, before).close()
    clock = Steady()
    watch = Watch("me", newsroom.run, steady=clock)
    looks(watch, clock, 40, 1.0)
    assert counts(issue) == {"unknown": 1}


def test_what_was_in_doubt_when_its_worker_ended_stays_so(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, ["ada@post.example"])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    folder = journal.folder_of(newsroom.run)
    kept = Journal(folder, one.worker, 0, Place.here())
    (row,) = one.turn(issue.pk, ONE, [], 1).rows
    kept.begin(row.id)
    one.turn(issue.pk, ONE, [Answer(row, "unknown")], 0)
    kept.empty()
    kept.close()
    senders.settle_here(folder, one.worker, ended=True)
    assert counts(issue) == {"unknown": 1}


# In doubt


def doubtful(newsroom: Newsroom, number: int = 1) -> Issue:
    house.subscribe(newsroom, [f"reader{n}@post.example" for n in range(number)])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    found = one.turn(issue.pk, ONE, [], number).rows
    one.turn(issue.pk, ONE, [Answer(row, "unknown") for row in found], 0)
    return issue


def test_what_is_in_doubt_is_held_until_a_person_decides(newsroom: Newsroom) -> None:
    issue = doubtful(newsroom, 3)
    assert unknown.settle(newsroom) == 0
    finish.look()
    assert (counts(issue), standing.of(issue).state) == ({"unknown": 3}, "sent")
    assert actions.resend_unknown(issue=issue, acting_user=None) == 3
    assert counts(issue) == {"queued": 3}
    assert standing.of(issue).state == "sending"
    assert Delivery.objects.filter(resent=True).count() == 3


def test_a_newsroom_may_have_it_sent_again_once(tmp_path: Path, settings: Any) -> None:
    newsroom = open_newsroom(tmp_path / "newsroom", settings, "unknown = 'resend'")
    issue = doubtful(newsroom)
    assert unknown.settle(newsroom) == 1
    one = ledger(newsroom)
    (row,) = one.turn(issue.pk, ONE, [], 1).rows
    one.turn(issue.pk, ONE, [Answer(row, "unknown")], 0)
    assert unknown.settle(newsroom) == 0
    assert counts(issue) == {"unknown": 1}


def test_the_relays_log_settles_what_is_in_doubt(tmp_path: Path, settings: Any) -> None:
    log = tmp_path / "mail.log"
    table = house.relay(2525, log=str(log))
    newsroom = open_newsroom(tmp_path / "newsroom", settings, relay=table)
    issue = doubtful(newsroom, 4)
    ids = [
        MessageIds(newsroom, issue.pk).of(subscription)
        for subscription in Delivery.objects.order_by("pk").values_list("subscription", flat=True)
    ]
    log.write_text(
        f"2026-01-02 mx postfix/cleanup[7]: 4A1: message-id=<{ids[0]}@returns.meridian.example>\n"
        "2026-01-02 mx postfix/qmgr[1]: 4A1: from=<r@b>, size=19000, nrcpt=1 (queue active)\n"
        f"2026-01-02 mx postfix/cleanup[7]: 4A2: message-id=<{ids[1]}@returns.meridian.example>\n"
        "2026-01-02 mx postfix/qmgr[1]: 4A2: from=<r@b>, size=19000, nrcpt=1 (queue active)\n"
        "2026-01-02 mx postfix/smtp[9]: 4A2: to=<x@y>, relay=z, dsn=5.1.1, status=bounced (no)\n"
        f"2026-01-02 mx postfix/cleanup[7]: 4A3: message-id=<{ids[2]}@returns.meridian.example>\n"
    )
    assert unknown.settle(newsroom) == 2, "the log may not know of the others yet"
    assert counts(issue) == {"sent": 1, "refused": 1, "unknown": 2}
    Delivery.objects.filter(state="unknown").update(finished=timezone.now() - timedelta(hours=1))
    assert unknown.settle(newsroom) == 2
    assert counts(issue) == {"sent": 1, "refused": 1, "queued": 2}
    assert not Delivery.objects.filter(resent=True).exists()


# Limits and relays


def test_a_limited_domain_does_not_hold_up_the_others(tmp_path: Path, settings: Any) -> None:
    table = "[[mail.domains]]\ndomain = 'gmail.com'\nper_minute = 5"
    newsroom = open_newsroom(tmp_path / "newsroom", settings, table)
    house.subscribe(newsroom, [f"reader{n}@gmail.com" for n in range(20)])
    house.subscribe(newsroom, [f"reader{n}@post.example" for n in range(20)])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    found = one.turn(issue.pk, ONE, [], 100).rows
    assert sum(row.domain == "gmail.com" for row in found) == 5
    assert len(found) == 25
    assert counts(issue) == {"sending": 25, "deferred": 15}
    due = Delivery.objects.filter(state="deferred").order_by("not_before")
    times = list(due.values_list("not_before", flat=True))
    assert times[-1] - times[0] > timedelta(minutes=2), "as fast as the limit lets them in"


def test_a_relay_takes_no_more_than_its_limit(newsroom: Newsroom) -> None:
    relay = RelaySettings(name="one", per_minute=10, per_hour=12)
    allowed = limits.of_relay(relay)
    assert [limits.take(allowed, 7), limits.take(allowed, 7), limits.take(allowed, 7)] == [7, 3, 0]
    limits.give_back(allowed, 2)
    assert limits.take(allowed, 7) == 2
    with connection.cursor() as cursor:
        cursor.execute("UPDATE outgoing_spent SET slice = slice - 11 WHERE span = 60")
    assert limits.take(allowed, 7) == 2, "the hour's limit holds"
    assert limits.take((), 7) == 7


def test_trouble_rests_the_relay_longer_each_time(newsroom: Newsroom) -> None:
    rests = []
    for _ in range(4):
        relays.note_trouble(name="one", problem="it cannot be reached")
        row = Relay.objects.get(name="one")
        assert row.next_try
        rests.append(row.next_try - timezone.now())
        assert relays.usable(newsroom) == []
        relays.note_trouble(name="one", problem="two found out at once")
        Relay.objects.update(next_try=timezone.now() - timedelta(seconds=1))
    assert rests == sorted(rests)
    assert [relay.name for relay in relays.usable(newsroom)] == ["one"]
    relays.note_recovery(name="one")
    assert not relays.troubled()
    relays.pause(name="one", acting_user=None)
    assert relays.usable(newsroom) == []
    relays.resume(name="one", acting_user=None)
    assert len(relays.usable(newsroom)) == 1


# A million


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="as SQLite explains it")
def test_no_question_about_states_reads_all_rows(newsroom: Newsroom) -> None:
    doubtful(newsroom, 3)
    with connection.cursor() as cursor:
        for state in ("queued", "sending", "deferred", "unknown", "refused"):
            question = "SELECT 1 FROM newsletter_delivery WHERE issue_id = 1 AND {}"
            cursor.execute("EXPLAIN QUERY PLAN " + question.format(rows.of_state(state)))
            plan = cursor.fetchall()[0][-1]
            assert "newsletter_delivery_" in plan, (state, plan)
