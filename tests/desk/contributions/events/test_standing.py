# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reconciling every day, and noticing that a webhook is silent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tamizdat.desk.contributions import alarm, facts, reconcile
from tamizdat.desk.contributions.models import Gift, SeenEvent
from tamizdat.giving.errors import UnreachableError
from tamizdat.giving.port import Fact
from tests.desk.contributions.events.conftest import House
from tests.fakes.payments import Bank


def lost(house: House, bank: Bank) -> None:
    """A gift of which no call comes."""
    fact = house.gift()
    bank.tell("completed", fact)
    bank.tell("paid", house.payment(fact))


def test_what_no_call_told_is_found_the_next_day_and_counted(house: House, bank: Bank) -> None:
    house.gives()
    lost(house, bank)
    house.later(hours=20)
    report = house.reconciles()
    assert (report.events, report.gaps, report.failed) == (4, 2, 0)
    assert Gift.objects.count() == 2
    assert len(house.paid()) == 2
    assert (house.standing.gaps, house.standing.gaps_in_all) == (2, 2)


def test_what_may_yet_lie_in_the_letterbox_is_no_gap(house: House, bank: Bank) -> None:
    lost(house, bank)
    assert house.reconciles().gaps == 0


def test_reconciling_again_finds_nothing_new(house: House, bank: Bank) -> None:
    lost(house, bank)
    house.later(hours=20)
    house.reconciles()
    house.later(days=1)
    report = house.reconciles()
    assert (report.gaps, report.changed) == (0, 0)
    assert len(house.mails()) == 1


def test_a_day_is_reconciled_once_whoever_looks(house: House) -> None:
    assert len(reconcile.due(house.now)) == 1
    assert reconcile.due(house.now + timedelta(hours=23)) == []
    assert len(reconcile.due(house.now + timedelta(hours=25))) == 1


def test_a_provider_that_does_not_answer_is_asked_again_an_hour_later(
    house: House, bank: Bank
) -> None:
    bank.trouble = UnreachableError("no answer")
    [report] = reconcile.due(house.now)
    assert report.problem == "no answer"
    assert reconcile.due(house.now + timedelta(minutes=59)) == []
    bank.trouble = None
    assert reconcile.due(house.now + timedelta(minutes=61))[0].problem == ""
    assert house.standing.trouble == ""


def test_one_event_that_cannot_be_taken_in_holds_up_no_other(
    house: House, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost(house, bank)
    lost(house, bank)
    broken, whole = bank.happened[0].facts[0], facts._apply

    def apply(provider: str, fact: Fact, now: object) -> bool:
        if fact == broken:
            raise RuntimeError("one of those days")
        return whole(provider, fact, now)  # type: ignore[arg-type] # as it came

    monkeypatch.setattr(facts, "_apply", apply)
    house.later(hours=20)
    report = house.reconciles()
    assert report.failed
    assert Gift.objects.filter(ref=bank.happened[2].facts[0].ref).exists()
    assert house.standing.reconciled_to is None  # The next round looks as far back.


def test_one_fact_that_cannot_be_taken_in_keeps_no_other_of_the_list_out(
    house: House, bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost(house, bank)
    lost(house, bank)
    broken, other, whole = bank.happened[0].facts[0], bank.happened[2].facts[0], facts._apply
    bank.happened.clear()  # The provider's list of events has forgotten them.

    def apply(provider: str, fact: Fact, now: object) -> bool:
        if fact == broken:
            raise RuntimeError("one of those days")
        return whole(provider, fact, now)  # type: ignore[arg-type] # as it came

    monkeypatch.setattr(facts, "_apply", apply)
    report = house.reconciles()
    assert report.failed == 1
    assert [gift.ref for gift in Gift.objects.all()] == [other.ref]
    assert house.standing.reconciled_to is None


def test_silence_alarms_while_there_is_something_to_tell(house: House, bank: Bank) -> None:
    house.gives()
    assert [box.word for box in alarm.standing(house.now)] == ["well"]
    for _ in range(3):
        house.later(days=1)
        lost(house, bank)
        house.reconciles()
    [box] = alarm.standing(house.now)
    assert (box.word, box.bad) == ("silent", True)
    assert "more than 48 hours" in box.words
    assert alarm.alarms(house.now)


def test_nobody_is_alarmed_where_nobody_gave(house: House) -> None:
    house.gives()
    for _ in range(3):
        house.later(days=1)
        house.reconciles()
    assert [box.word for box in alarm.standing(house.now)] == ["well"]


def test_a_webhook_that_was_never_set_up_alarms_too(house: House) -> None:
    assert [box.word for box in alarm.standing(house.now)] == ["new"]
    facts.lock("sandbox", house.now)
    assert [box.word for box in alarm.standing(house.now + timedelta(days=3))] == ["silent"]


def test_a_worker_that_does_not_run_is_noticed(house: House) -> None:
    house.gives()
    house.reconciles()
    house.later(days=3)
    assert [box.word for box in alarm.standing(house.now)] == ["not reconciled"]


def test_ids_of_events_are_forgotten_once_nobody_lists_them(house: House) -> None:
    house.gives()
    assert reconcile.tidy(house.now + timedelta(days=30)) == 0
    assert reconcile.tidy(house.now + timedelta(days=61)) == 2
    assert not SeenEvent.objects.exists()


def test_a_clock_that_was_ahead_keeps_no_reconciliation_from_being_done(
    house: House, bank: Bank
) -> None:
    """Else what no call told would be found a year later, and months be called whole until then."""
    house.gives()
    house.later(days=370)
    [_] = reconcile.due(house.now)
    house.later(days=-365)
    bank.tell("completed", house.gift("once", 800))
    house.later(days=4)
    [report] = reconcile.due(house.now)
    assert (report.problem, report.gaps) == ("", 1)
    assert house.standing.reconciled_to == house.now
    assert reconcile.due(house.now) == []
