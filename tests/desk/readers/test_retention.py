# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is not needed goes by itself, and a clock that is wrong takes nothing with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tamizdat.desk.readers import consents, retention
from tamizdat.desk.readers.errors import RetentionError
from tamizdat.desk.readers.models import Consent, Reader, RetentionRun
from tamizdat.desk.readers.vault import Vault

TODAY = timezone.localdate


def said(reader: Reader, *events: str, days: int, **more: Any) -> None:
    """These words of a reader as they stand there, the last one ``days`` days old."""
    first = TODAY() - timedelta(days=days + len(events) - 1)
    for number, event in enumerate(events):
        row: dict[str, Any] = {
            "purpose": "newsletter", "subject": "weekly", "form": "article", "language": "en",
            "privacy": 1, "proof": "x" if event == "confirmed" else "",
        }  # fmt: skip
        Consent(
            reader=reader, event=event, day=first + timedelta(days=number), **{**row, **more}
        ).save(force_insert=True)


def reader(vault: Vault, name: str) -> Reader:
    return vault.add(f"{name}@post.example", "en")


def by_rule(outcomes: list[retention.Outcome]) -> dict[str, int]:
    return {outcome.rule: outcome.erased for outcome in outcomes}


def test_sign_ups_that_nobody_confirmed_are_gone_after_a_week(vault: Vault) -> None:
    said(reader(vault, "young"), "asked", days=6)
    said(reader(vault, "old"), "asked", days=7)
    said(reader(vault, "faithful"), "asked", "confirmed", days=400)
    assert by_rule(retention.run(TODAY()))["unconfirmed"] == 1
    assert vault.find("old@post.example", erased=True) is None
    assert vault.find("young@post.example")
    assert vault.find("faithful@post.example")


def test_a_reminder_is_forgotten_once_it_was_sent(vault: Vault) -> None:
    once = reader(vault, "once")
    asked = consents.ask(reader=once, purpose="reminder", form="box", privacy=1, language="en")
    consents.confirm(asked=asked, token="t", form="mail", language="en")
    consents.fulfil(reader=once, purpose="reminder", form="reminder")
    assert by_rule(retention.run(TODAY()))["fulfilled"] == 3
    assert not Reader.objects.exists()


def test_withdrawn_addresses_go_after_the_legal_term_and_not_before(vault: Vault) -> None:
    said(reader(vault, "early"), "asked", "confirmed", "withdrawn", days=1094)
    said(reader(vault, "due"), "asked", "confirmed", "withdrawn", days=1095)
    said(reader(vault, "back"), "asked", "confirmed", "withdrawn", "confirmed", days=1095)
    said(reader(vault, "two"), "asked", "confirmed", "withdrawn", days=1095)
    said(reader(vault, "two"), "asked", "confirmed", days=3000, subject="daily")
    assert by_rule(retention.run(TODAY()))["withdrawn"] == 6
    left = {name for name in ("early", "due", "back", "two") if vault.find(f"{name}@post.example")}
    assert left == {"early", "back", "two"}
    assert Consent.objects.filter(reader=vault.find("two@post.example")).count() == 2


def test_a_clock_that_jumped_a_year_erases_nothing(vault: Vault) -> None:
    retention.run(TODAY())
    said(reader(vault, "young"), "asked", days=0)
    said(reader(vault, "gone"), "asked", "confirmed", "withdrawn", days=1000)
    outcomes = retention.run(TODAY() + timedelta(days=366))
    assert set(by_rule(outcomes).values()) == {0}
    assert all("Is the clock right?" in outcome.refused for outcome in outcomes)
    tomorrow = retention.run(TODAY() + timedelta(days=367))
    assert all(outcome.refused for outcome in tomorrow)
    assert Consent.objects.count() == 4
    assert retention.run(TODAY())[0].refused == ""


def test_a_rule_that_wants_too_much_waits_for_a_person(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "FEW", 2)
    for number in range(4):
        said(reader(vault, f"gone{number}"), "asked", "confirmed", "withdrawn", days=1200)
    refused = {o.rule: o for o in retention.run(TODAY())}["withdrawn"]
    assert (refused.due, refused.erased) == (4, 0)
    assert "tamizdat vault retention --run --yes withdrawn" in refused.refused
    done = retention.run(TODAY(), allowed=["withdrawn"])
    assert by_rule(done)["withdrawn"] == 12
    with pytest.raises(RetentionError, match="no rule"):
        retention.run(TODAY(), allowed=["everything"])


def test_rules_run_once_a_day_and_leave_counts_only(vault: Vault) -> None:
    said(reader(vault, "old"), "asked", days=30)
    daily = retention.Daily()
    assert by_rule(daily.look(TODAY()))["unconfirmed"] == 1
    assert daily.look(TODAY()) == []
    assert retention.Daily().look(TODAY()) == []
    run = RetentionRun.objects.get(rule="unconfirmed")
    assert (run.day, run.erased) == (TODAY(), 1)


def test_other_apps_have_rules_of_their_own(vault: Vault) -> None:
    retention.register(
        retention.Rule("leaves", "Autumn leaves", due=lambda day: 3, erase=lambda day: 3)
    )
    try:
        assert by_rule(retention.run(TODAY()))["leaves"] == 3
    finally:
        retention.RULES.pop("leaves")
