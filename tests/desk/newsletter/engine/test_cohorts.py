# SPDX-License-Identifier: AGPL-3.0-or-later
"""Each reader's mails lead to the entries of their own cohort, and to nobody else's."""

from __future__ import annotations

import email
import email.policy
from collections import Counter
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tamizdat.config import ConfigError, Newsroom
from tamizdat.desk.newsletter.engine import press, senders, start
from tamizdat.desk.newsletter.engine.cohorts import draw
from tamizdat.desk.newsletter.engine.journal import Place
from tamizdat.desk.newsletter.engine.ledger import Ledger, Row
from tamizdat.desk.newsletter.engine.press import Press
from tamizdat.desk.newsletter.models import Issue, Subscription
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
from tests.desk.newsletter.engine import house

pytestmark = pytest.mark.django_db
NORTH, SOUTH, QUIET = (f"https://{name}.example/" for name in ("oslo", "cadiz", "quiet"))
COHORTS = f"""
[[cohorts]]
name = "north"
entries = ["{NORTH}"]
[[cohorts]]
name = "south"
entries = ["{SOUTH}"]
[[cohorts]]
name = "friends"
entries = ["{QUIET}"]
drawn = false
[[cohorts]]
name = "not-yet"
"""


def open_newsroom(folder: Path, settings: Any, cohorts: str = COHORTS) -> Newsroom:
    folder.mkdir(exist_ok=True)
    text = house.settings_of("sqlite", house.relay(2525) + cohorts)
    (folder / "tamizdat.toml").write_text(text)
    newsroom = settings.NEWSROOM = Newsroom(folder)
    newsroom.secret("desk-key", create=True)
    house.prepare(newsroom)
    return newsroom


@pytest.fixture
def newsroom(tmp_path: Path, settings: Any) -> Newsroom:
    return open_newsroom(tmp_path / "newsroom", settings)


def addresses(number: int, first: int = 0) -> list[str]:
    return [f"reader{n}@post.example" for n in range(first, first + number)]


def claimed(newsroom: Newsroom, issue: Issue) -> list[Row]:
    name = senders.register(Place.here())
    ledger = Ledger(name, Vault.open(newsroom), newsroom.settings.mail)
    return ledger.turn(issue.pk, newsroom.settings.relays[0], [], 1000).rows


def entries_in(data: bytes) -> set[str]:
    mail = email.message_from_bytes(data, EmailMessage, policy=email.policy.default)
    said = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    assert len(said) == 2
    found = [{entry for entry in (NORTH, SOUTH, QUIET) if entry in text} for text in said]
    assert found[0] == found[1]
    return found[0]


def cohorts() -> Counter[str]:
    return Counter(Reader.objects.values_list("cohort", flat=True))


def test_each_mail_leads_to_the_entries_of_its_readers_cohort_alone(
    newsroom: Newsroom, monkeypatch: pytest.MonkeyPatch
) -> None:
    friend, *_ = house.subscribe(newsroom, addresses(40))
    Reader.objects.filter(pk=friend.reader_id).update(cohort="friends")
    issue = house.begin(house.issue())
    assert set(cohorts()) == {"north", "south", "friends"}
    assert cohorts()["friends"] == 1
    made: list[Any] = []
    monkeypatch.setattr(press, "_template", _counted(press._template, made))
    rows, own = claimed(newsroom, issue), {"north": NORTH, "south": SOUTH, "friends": QUIET}
    printed = Press(newsroom, issue.pk)
    assert len(rows) == 40
    for row in rows:
        assert entries_in(printed.data(row)) == {own[row.cohort]}
    assert len(made) == 4, "laid out once for all, once for each cohort"


def _counted(function: Any, made: list[Any]) -> Any:
    def counted(*arguments: Any) -> Any:
        made.append(arguments)
        return function(*arguments)

    return counted


def test_a_reader_keeps_a_cohort_and_newcomers_fall_to_one(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, addresses(20))
    issue = house.begin(house.issue())
    before = dict(Reader.objects.values_list("pk", "cohort"))
    house.subscribe(newsroom, addresses(20, first=20))
    house.subscribe(newsroom, addresses(1, first=90), state="pending")
    Issue.objects.filter(pk=issue.pk).update(state="sent")
    house.begin(house.issue(2))
    after = dict(Reader.objects.values_list("pk", "cohort"))
    assert {pk: after[pk] for pk in before} == before
    assert Counter(after.values())[""] == 1, "who did not confirm yet"


def test_what_cohorts_are_told_is_settled_when_sending_starts(
    newsroom: Newsroom, settings: Any
) -> None:
    house.subscribe(newsroom, addresses(1))
    Reader.objects.update(cohort="north")
    issue = house.begin(house.issue())
    assert QUIET not in issue.frozen["summary"]
    [row] = claimed(newsroom, issue)
    changed = open_newsroom(newsroom.folder, settings, COHORTS.replace("oslo", "bergen"))
    assert entries_in(Press(changed, issue.pk).data(row)) == {NORTH}
    moved = row._replace(cohort="came-later")
    assert entries_in(Press(changed, issue.pk).data(moved)) == set()


def test_without_cohorts_nobody_falls_to_one(tmp_path: Path, settings: Any) -> None:
    newsroom = open_newsroom(tmp_path / "newsroom", settings, "")
    house.subscribe(newsroom, addresses(3))
    issue = house.begin(house.issue())
    assert cohorts() == {"": 3}
    issue.frozen.pop("cohorts")  # As issues were kept before there were any.
    issue.save()
    for row in claimed(newsroom, issue):
        assert entries_in(Press(newsroom, issue.pk).data(row)) == set()


def test_whoever_is_gathered_in_pieces_falls_to_one_too(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, addresses(12))
    issue = house.begin(house.issue(), gather=False)
    while start.gather(issue.pk, piece=5):
        pass
    assert Subscription.objects.count() == 12
    assert cohorts()[""] == 0


def test_a_draw_looks_at_its_own_readers_and_at_no_others(newsroom: Newsroom) -> None:
    house.subscribe(newsroom, addresses(30))
    with CaptureQueriesContext(connection) as found:
        assert draw(house.newsletter().pk, 0, start.ALL) == 30
    [sql] = [one["sql"] for one in found if "UPDATE readers_reader" in one["sql"]]
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            plan = str(cursor.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall())
            assert "SCAN" not in plan, plan
        else:
            # So few rows would be looked through at once: what would it do with many?
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert "readers_reader_pkey" in plan, plan


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ('name = "North Sea"', "a-z"),
        ('name = "north"\n[[cohorts]]\nname = "north"', "two cohorts"),
        ('name = "north"\nentries = ["oslo.example"]', "https://"),
        ('name = "north"\nentries = ["https://all.example/"]', "all are told"),
    ],
)
def test_a_cohort_that_cannot_be_is_said(tmp_path: Path, table: str, words: str) -> None:
    (tmp_path / "tamizdat.toml").write_text(
        'name = "M"\naddress = "https://m.example"\n[paper]\nentries = ["https://all.example/"]\n'
        f"[[cohorts]]\n{table}\n"
    )
    with pytest.raises(ConfigError, match=words):
        Newsroom(tmp_path)
