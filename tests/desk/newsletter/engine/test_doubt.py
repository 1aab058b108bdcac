# SPDX-License-Identifier: AGPL-3.0-or-later
"""Doubt that outlives its worker: nothing is sent twice by it, nothing is forgotten."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from tamizdat.config import Newsroom
from tamizdat.desk.newsletter.engine import finish, journal, rows, senders, unknown
from tamizdat.desk.newsletter.engine.journal import Journal, Place
from tamizdat.desk.newsletter.engine.ledger import Answer
from tamizdat.desk.newsletter.engine.worker import Crew, Worker
from tamizdat.desk.newsletter.models import Delivery, Issue, Sender
from tamizdat.desk.outgoing.models import Suppression
from tamizdat.desk.readers.errors import SealedError
from tamizdat.desk.readers.models import Reader
from tests.desk.newsletter.engine import house
from tests.desk.newsletter.engine.test_ledger import (
    ONE,
    Steady,
    counts,
    doubtful,
    ledger,
    looks,
    newsroom,
    open_newsroom,
)

pytestmark = pytest.mark.django_db
__all__ = ["newsroom"]


def test_what_a_relay_left_in_doubt_stays_so_when_its_worker_ends(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, ["ada@post.example"])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    folder = journal.folder_of(newsroom.run)
    kept = Journal(folder, one.worker, 0, Place.here())
    (row,) = one.turn(issue.pk, ONE, [], 1).rows
    kept.begin(row.id)
    kept.end(row.id, "unknown", "")
    one.turn(issue.pk, ONE, [Answer(row, "unknown")], 0)
    kept.empty()  # The database has it.
    kept.close()
    senders.settle_here(folder, one.worker, ended=True)
    assert counts(issue) == {"unknown": 1}


def test_what_a_stopped_worker_had_not_begun_is_sent_though_the_issue_was_done(
    newsroom: Newsroom,
) -> None:
    house.subscribe(newsroom, [f"reader{n}@post.example" for n in range(2)])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    folder = journal.folder_of(newsroom.run)
    kept = Journal(folder, one.worker, 0, Place.here())
    first, _ = one.turn(issue.pk, ONE, [], 2).rows
    kept.begin(first.id)
    clock = Steady()
    looks(senders.Watch("me", newsroom.run, steady=clock), clock, 40, 1.0)
    assert counts(issue) == {"unknown": 2}
    finish.look()
    kept.close()
    senders.settle_here(folder, one.worker, ended=True)  # It woke, and ended.
    assert counts(issue) == {"unknown": 1, "queued": 1}
    assert rows.any_waiting(issue.pk)
    assert finish.look() == [issue.pk]
    assert not Sender.objects.exists()


def test_an_issue_that_cannot_be_made_does_not_hold_up_the_others(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, ["ada@post.example"])
    bad, good = house.begin(house.issue()), house.begin(house.issue(2))
    bad.frozen["summary"] = bad.frozen["summary"].replace("run again", r"run\nBcc: all@b.example")
    bad.save()
    worker, crew = Worker(newsroom), Crew(newsroom, 10)
    worker._settle(crew, [bad.pk, good.pk])
    crew.end(5.0)
    assert [press.issue for press in crew.presses] == [good.pk]


@pytest.mark.parametrize("begins", ["2026-01-02T07:00:00+01:00", "later", "no time at all"])
def test_a_log_that_begins_after_the_issue_says_nothing_of_what_it_lacks(
    tmp_path: Path, settings: Any, begins: str
) -> None:
    log = tmp_path / "mail.log"
    newsroom = open_newsroom(tmp_path / "house", settings, relay=house.relay(2525, log=str(log)))
    issue = doubtful(newsroom)
    Delivery.objects.update(finished=timezone.now() - timedelta(hours=1))
    told = f"{timezone.now():%b %e %H:%M:%S}" if begins == "later" else begins
    log.write_text(f"{told} mx postfix/master[1]: the log was turned over twice\n")
    Issue.objects.update(started=timezone.now() - timedelta(days=2))
    before = begins.startswith("2026")
    assert unknown.settle(newsroom) == before
    assert counts(issue) == {"queued" if before else "unknown": 1}


def test_one_address_that_cannot_be_opened_does_not_hold_up_the_others(newsroom: Newsroom) -> None:
    ada, _, _ = house.subscribe(
        newsroom, [f"{name}@post.example" for name in ("ada", "ben", "eve")]
    )
    Reader.objects.filter(pk=ada.reader_id).update(sealed=b"x" * 60)
    issue, one = house.begin(house.issue()), ledger(newsroom)
    found = one.turn(issue.pk, ONE, [], 10).rows
    assert sorted(row.address for row in found) == ["ben@post.example", "eve@post.example"]
    assert counts(issue) == {"sending": 2, "refused": 1}
    assert not Suppression.objects.exists()
    assert Delivery.objects.get(state="refused").said == "its address cannot be opened"


def test_where_no_address_can_be_opened_nothing_is_given_up(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, ["ada@post.example", "ben@post.example"])
    issue, one = house.begin(house.issue()), ledger(newsroom)
    Reader.objects.update(sealed=b"x" * 60)
    with pytest.raises(SealedError):
        one.turn(issue.pk, ONE, [], 10)
    assert counts(issue) == {"queued": 2}
