# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the worker does again and again: trouble with one thing keeps no other from being done."""

from __future__ import annotations

import logging

import pytest

from tamizdat.config import ConfigError
from tamizdat.desk.contributions import alarm
from tamizdat.desk.contributions.models import Trouble
from tamizdat.desk.contributions.rounds import TASKS, Rounds, Task
from tests.desk.contributions.events.conftest import ADA, House


def test_trouble_with_one_task_is_told_and_holds_up_no_other(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []
    broken: list[Exception] = [RuntimeError(f"{ADA} is not a number")]

    def fails() -> None:
        if broken:
            raise broken[0]
        done.append("first")

    tasks = (Task("first", 0.0, fails), Task("second", 0.0, lambda: done.append("second")))
    rounds = Rounds(house.newsroom.folder, tasks=tasks)
    rounds.after_trouble = 0.0
    with caplog.at_level(logging.ERROR):
        rounds.turn()
    assert done == ["second"]
    [said] = alarm.alarms(house.now)
    assert "first (RuntimeError in test_rounds.py" in said
    assert ADA not in said + caplog.text
    since = Trouble.objects.get().since
    broken[:] = [ConfigError("secrets/stripe-desk is missing")]
    rounds.turn()
    [said] = alarm.alarms(house.now)
    assert "secrets/stripe-desk is missing" in said
    assert Trouble.objects.get().since == since
    broken.clear()
    rounds.turn()
    assert done == ["second", "second", "first", "second"]
    assert alarm.alarms(house.now) == []


def test_what_is_in_trouble_is_left_alone_for_a_while_and_the_others_are_not(
    house: House,
) -> None:
    tried: list[str] = []

    def fails() -> None:
        tried.append("first")
        raise RuntimeError

    tasks = (Task("first", 0.0, fails), Task("second", 0.0, lambda: tried.append("second")))
    rounds = Rounds(house.newsroom.folder, tasks=tasks)
    for _ in range(3):
        assert rounds.turn() < rounds.after_trouble
    assert tried == ["first", "second", "second", "second"]


def test_trouble_of_a_worker_before_is_over_once_it_goes(house: House) -> None:
    Trouble.objects.create(pk=TASKS[0].name, since=house.now, said="one of those days")
    Rounds(house.newsroom.folder).turn()
    assert not Trouble.objects.exists()
