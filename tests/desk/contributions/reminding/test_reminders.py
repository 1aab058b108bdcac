# SPDX-License-Identifier: AGPL-3.0-or-later
"""“Remind me”: one mail that asks, one that reminds, and nobody who gave."""

from __future__ import annotations

import datetime
from datetime import date, timedelta
from typing import Any

import pytest
from django.utils import timezone

from tamizdat.desk.contributions import reminders
from tamizdat.desk.contributions.models import Reminder
from tamizdat.desk.outgoing import notices
from tamizdat.desk.outgoing.models import Mail, Suppression
from tamizdat.desk.readers import requests, retention
from tamizdat.desk.readers.models import Consent, Reader
from tests.desk.contributions.reminding.conftest import ADA, Desk, moment

LATER = "2099-01-01T12:00"


def due(row: Reminder) -> datetime.datetime:
    """Noon of the day on which it is to go."""
    return datetime.datetime.combine(row.due, datetime.time(12), datetime.UTC)


def test_one_mail_asks_and_says_when_and_how_to_end_it(desk: Desk) -> None:
    desk.ask(1, at="2026-11-22T10:00")
    row = Reminder.objects.get()
    assert (row.state, row.asked, row.due) == ("asked", date(2026, 11, 22), date(2026, 12, 22))
    said = desk.text()
    assert "22 December 2026" in said
    assert "/v1/confirm/" in said
    assert "/v1/stop-reminding/" in said
    assert "The Meridian" not in said.splitlines()[0]  # A subject that tells nothing.


def test_nothing_is_sent_before_the_mailboxs_owner_confirmed(desk: Desk) -> None:
    desk.ask(1, at="2026-11-22T10:00")
    assert reminders.send_due(moment(LATER)) == 0
    assert len(desk.letters()) == 1


def test_the_reminder_comes_on_its_day_and_once(desk: Desk) -> None:
    row = desk.confirmed(3, message="autumn", variant="plain")
    assert reminders.send_due(due(row) - timedelta(days=1)) == 0
    assert reminders.send_due(due(row)) == 1
    assert reminders.send_due(due(row) + timedelta(days=1)) == 0
    said = desk.text()
    assert "https://meridian.example/en/support/#message=autumn&variant=plain" in said
    assert "https://drop.example/v1/give?language=en&message=autumn&variant=plain" in said
    row.refresh_from_db()
    assert (row.state, row.sent) == ("done", 2)


def test_a_demo_need_not_wait_for_the_day_and_its_mail_goes_out_now(desk: Desk) -> None:
    row = desk.confirmed(3)
    now = moment("2026-11-22T12:00")
    assert reminders.send_due(now, ahead=timedelta(days=80)) == 0
    assert reminders.send_due(now, ahead=timedelta(days=100)) == 1
    assert Mail.objects.latest("pk").not_before == now
    row.refresh_from_db()
    assert row.done == now.date()


def test_not_before_the_morning_where_the_newsroom_is(desk: Desk) -> None:
    row = desk.confirmed()
    night = datetime.datetime.combine(row.due, datetime.time(5), datetime.UTC)
    assert reminders.send_due(night) == 0


def test_a_reader_who_gave_since_is_not_reminded(desk: Desk) -> None:
    row = desk.confirmed()
    desk.give(row.asked)
    assert reminders.send_due(due(row)) == 0
    assert len(desk.letters()) == 1
    row.refresh_from_db()
    assert (row.state, row.sent) == ("done", 1)


def test_one_who_gave_before_and_asked_again_is_reminded(desk: Desk) -> None:
    row = desk.confirmed()
    desk.give(row.asked - timedelta(days=1))
    assert reminders.send_due(due(row)) == 1


@pytest.mark.parametrize("state", ["active", "late"])
def test_one_who_gives_every_month_is_not_reminded(desk: Desk, state: str) -> None:
    row = desk.confirmed()
    desk.give(row.asked - timedelta(days=40), kind="monthly", state=state)
    assert reminders.send_due(due(row)) == 0


def test_a_failed_try_is_no_gift(desk: Desk) -> None:
    row = desk.confirmed()
    payment = desk.give(row.asked)
    payment.state = "failed"
    payment.save()
    assert reminders.send_due(due(row)) == 1


def test_what_was_sent_is_erased_the_day_after_with_the_address(desk: Desk) -> None:
    row = desk.confirmed()
    assert reminders.send_due(due(row)) == 1
    retention.run(row.due + timedelta(days=1))
    assert Reminder.objects.exists()  # No relay has taken the mail yet.
    desk.sent()
    retention.run(row.due)
    assert Reminder.objects.exists()
    retention.run(row.due + timedelta(days=1))
    for model in (Reminder, Consent, Mail, Reader):
        assert not model.objects.exists(), model


def test_what_nobody_confirmed_is_erased_after_a_week(desk: Desk) -> None:
    desk.ask()
    desk.sent()
    retention.run(timezone.localdate() + timedelta(days=6))
    assert Reminder.objects.exists()
    retention.run(timezone.localdate() + timedelta(days=7))
    for model in (Reminder, Consent, Mail, Reader):
        assert not model.objects.exists(), model


@pytest.mark.parametrize("confirmed", [False, True])
def test_one_link_ends_it_all_at_once(desk: Desk, *, confirmed: bool) -> None:
    desk.ask()
    confirm, stop = desk.link("confirm"), desk.link("stop-reminding")
    if confirmed:
        desk.take("confirm", token=confirm)
    desk.take("stop-reminding", token=stop)
    desk.take("stop-reminding", token=stop)
    desk.take("confirm", token=confirm)
    for model in (Reminder, Consent, Mail, Reader):
        assert not model.objects.exists(), model


def test_the_link_in_the_reminder_deletes_the_address_now(desk: Desk) -> None:
    row = desk.confirmed()
    reminders.send_due(due(row))
    stop = desk.link("stop-reminding")
    desk.sent()
    desk.take("stop-reminding", token=stop)
    assert not Reader.objects.exists()


def test_confirming_twice_reminds_once(desk: Desk) -> None:
    desk.ask()
    token = desk.link("confirm")
    desk.take("confirm", token=token)
    desk.take("confirm", token=token)
    row = Reminder.objects.get()
    assert (row.state, row.sent) == ("waits", 1)
    assert [c.event for c in Consent.objects.order_by("pk")] == ["asked", "confirmed"]


def test_asking_again_before_confirming_counts_from_then(desk: Desk) -> None:
    desk.ask(1, at="2026-11-22T10:00")
    desk.ask(3, at="2026-11-25T10:00")
    row = Reminder.objects.get()
    assert row.due == date(2027, 2, 25)


def test_whoever_knows_an_address_cannot_change_what_was_confirmed(desk: Desk) -> None:
    row = desk.confirmed(3)
    before = len(desk.letters())
    desk.ask(1)
    desk.ask(12)
    assert len(desk.letters()) == before
    row.refresh_from_db()
    assert row.months == 3


def test_a_mailbox_is_not_flooded_with_questions(desk: Desk) -> None:
    for n in range(8):
        desk.ask(address=f"ada+{n}@post.example")
    assert len(desk.letters()) == 3
    assert Reader.objects.count() == 3


def test_a_policy_that_never_was_cannot_be_agreed_to(desk: Desk) -> None:
    desk.ask(privacy=7)
    assert not Reader.objects.exists()


def test_what_is_no_address_is_passed_over(desk: Desk) -> None:
    desk.ask(address="ada@x..y")
    assert not Reminder.objects.exists()


def test_an_address_that_does_not_exist_is_not_written_to(desk: Desk) -> None:
    row = desk.confirmed()
    Suppression.objects.create(reader=row.reader, reason="hard", day=row.asked)
    assert reminders.send_due(due(row)) == 0


def test_who_asks_again_after_it_was_sent_is_asked_anew(desk: Desk) -> None:
    row = desk.confirmed()
    reminders.send_due(due(row))
    desk.sent()
    desk.ask(2)
    retention.run(timezone.localdate() + timedelta(days=1))
    again = Reminder.objects.exclude(pk=row.pk).get()
    assert again.state == "asked"
    desk.take("confirm", token=desk.link("confirm"))
    again.refresh_from_db()
    assert again.state == "waits"


def test_somebody_learns_and_erases_what_is_held_of_them(desk: Desk) -> None:
    desk.confirmed(3, message="autumn")
    found = requests.export(vault=desk.vault, address=ADA, acting_user=None)
    [part] = [part for part in found.parts if part.title == "Reminders"]
    assert part.records[0]["message"] == "autumn"
    requests.erase(vault=desk.vault, address=ADA, acting_user=None)
    assert not Reminder.objects.exists()


def test_no_table_and_no_log_shows_the_address(desk: Desk, caplog: Any) -> None:
    with caplog.at_level("DEBUG"):
        desk.ask(address="canary@post.example")
        desk.take("confirm", token=desk.link("confirm"))
        reminders.send_due(moment(LATER))
    for model in (Reader, Consent, Reminder, Mail):
        for row in model.objects.values():
            for value in row.values():
                raw = bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()
                assert b"canary" not in raw
    assert "canary" not in caplog.text


@pytest.mark.parametrize("language", ["ru", "ar"])
def test_every_language_says_the_same(language: str) -> None:
    english, other = (notices.words(reminders.APP, code) for code in ("en", language))
    assert {k for k in english if k != "code"} == {k for k in other if k != "code"}
    for key, lines in english.items():
        if key.endswith((".lines", ".after")):
            assert len(other[key]) == len(lines), key


@pytest.mark.parametrize("language", ["ru", "ar"])
def test_mails_are_in_the_readers_language(desk: Desk, language: str) -> None:
    desk.ask(language=language)
    notice = desk.letters()[-1].notice
    assert notice is not None
    assert notice.language == language
    assert f"?language={language}" in notice.url
