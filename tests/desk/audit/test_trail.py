# SPDX-License-Identifier: AGPL-3.0-or-later
"""What staff do is written down where they cannot edit it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from wagtail.log_actions import log

from tamizdat.desk.audit import actions, anchors, chain, trail, triggers
from tamizdat.desk.audit.errors import AnchorsError
from tamizdat.desk.audit.models import Record, SignIns
from tamizdat.desk.newsroom.models import Article
from tamizdat.desk.publishing import actions as publishing
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import OPERATOR, READERS_DESK
from tests.desk.conftest import make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 21, 0, tzinfo=UTC)


def settle() -> None:
    """On PostgreSQL rows get their places when a transaction ends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def newest() -> dict[str, object]:
    settle()
    said: dict[str, object] = json.loads(Record.objects.order_by("-number")[0].entry)
    return said


@pytest.fixture
def unguarded() -> Iterator[None]:
    """The database as its owner can make it: without what refuses."""
    settle()
    with connection.cursor() as cursor:
        for statement in triggers.DROP[connection.vendor]:
            cursor.execute(statement)
    yield
    with connection.cursor() as cursor:
        for statement in triggers.CREATE[connection.vendor]:
            cursor.execute(statement)


@pytest.fixture
def five(publisher: User) -> list[Record]:
    for number in range(5):
        actions.record(action="wagtail.edit", acting_user=publisher, kind="newsroom.article",
                       object_id=str(number), label=f"Story {number}", now=NOW)  # fmt: skip
    settle()
    return list(Record.objects.order_by("-number")[:5])[::-1]


def test_publishing_is_in_the_trail_with_who_and_what(article: Article, publisher: User) -> None:
    publishing.publish_article(article=article, acting_user=publisher)
    settle()
    rows = trail.look_for(trail.Wanted(account=publisher.pk))
    said = json.loads(rows[0].entry)
    assert said["action"] == "wagtail.publish"
    assert said["name"] == "petra"
    assert said["object"] == f"newsroom.article:{article.pk}"
    assert said["label"] == "Ferry crews end their strike"
    assert trail.verify()[1] == []


def test_every_entry_of_wagtails_log_has_its_record(article: Article, editor: User) -> None:
    for action in ("wagtail.edit", "wagtail.lock", "tamizdat.comment"):
        log(article, action, user=editor)
        assert newest()["action"] == action


def test_what_is_taken_back_leaves_no_record(article: Article, editor: User) -> None:
    settle()
    before = Record.objects.count()

    def fails() -> None:
        with transaction.atomic():
            log(article, "wagtail.edit", user=editor)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert Record.objects.count() == before


def test_a_change_of_role_is_in_the_trail(operator: User, reporter: User) -> None:
    reporter.groups.add(Group.objects.get(name="Readers' desk"))
    log(reporter, "wagtail.edit", user=operator)
    assert newest()["data"] == {
        "active": True, "roles": ["Readers' desk", "Reporter"], "superuser": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET entry = '{}'",
        "UPDATE audit_record SET action = 'x'",
        "UPDATE audit_record SET hash = 'x'",
        "DELETE FROM audit_record",
        "INSERT INTO audit_record (number, time, action, kind, object_id, entry, previous, hash) "
        "VALUES (99, '2026-11-22', 'x', '', '', '{}', '', '')",
    ],
)
def test_the_database_refuses_to_change_the_trail(five: list[Record], statement: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert trail.verify()[1] == []


def _change(rows: list[Record]) -> None:
    entry = rows[2].entry.replace("Story 2", "Story 9")
    Record.objects.filter(pk=rows[2].pk).update(entry=entry)


def _change_with_its_hash(rows: list[Record]) -> None:
    row = rows[2]
    row.entry = row.entry.replace("Story 2", "Story 9")
    row.hash = chain.hash_of(row.entry, row.number or 0, row.previous)
    row.save()


def _change_what_is_looked_for(rows: list[Record]) -> None:
    Record.objects.filter(pk=rows[2].pk).update(account=None)


def _remove(rows: list[Record]) -> None:
    Record.objects.filter(pk=rows[2].pk).delete()


def _remove_and_close_the_gap(rows: list[Record]) -> None:
    gone = rows[2].number or 0
    Record.objects.filter(pk=rows[2].pk).delete()
    for row in rows[3:]:
        Record.objects.filter(pk=row.pk).update(number=gone)
        gone += 1


def _swap(rows: list[Record]) -> None:
    first, second = rows[1], rows[2]
    number = first.number
    Record.objects.filter(pk=first.pk).update(number=10**6)
    Record.objects.filter(pk=second.pk).update(number=number)
    Record.objects.filter(pk=first.pk).update(number=second.number)


def _put_in(rows: list[Record]) -> None:
    for row in reversed(rows[2:]):
        Record.objects.filter(pk=row.pk).update(number=(row.number or 0) + 1)
    like = rows[2]
    made = chain.hash_of(like.entry, like.number or 0, like.previous)
    Record.objects.create(time=like.time, account=like.account, action=like.action, kind=like.kind,
                          object_id=like.object_id, entry=like.entry, number=like.number,
                          previous=like.previous, hash=made)  # fmt: skip


def _cut(rows: list[Record]) -> None:
    Record.objects.filter(pk__in=[rows[3].pk, rows[4].pk]).delete()


def _make_anew(rows: list[Record]) -> None:
    previous = chain.NOTHING_BEFORE
    for row in Record.objects.order_by("number"):
        row.entry = row.entry.replace("Story 2", "Story 9")
        row.previous = previous
        row.hash = previous = chain.hash_of(row.entry, row.number or 0, previous)
        row.save()


@pytest.mark.parametrize(
    "tamper",
    [_change, _change_with_its_hash, _change_what_is_looked_for, _remove,
     _remove_and_close_the_gap, _swap, _put_in, _cut, _make_anew],
)  # fmt: skip
def test_whatever_the_databases_owner_does_is_found(
    tamper: Callable[[list[Record]], None], five: list[Record], unguarded: None, tmp_path: Path
) -> None:
    anchors.note(tmp_path, NOW)
    noted = anchors.read(tmp_path / anchors.NAME)
    assert trail.verify(noted)[1] == []
    tamper(five)
    assert trail.verify(noted)[1] != []


def test_only_anchors_tell_a_trail_cut_or_made_anew(five: list[Record], unguarded: None) -> None:
    noted = chain.Anchor(five[4].number or 0, five[4].hash, "2026-11-22T21:00:00Z")
    _cut(five)
    assert trail.verify()[1] == []
    assert "is gone; the trail ends at" in trail.verify([noted])[1][0]


def test_anchors_are_appended_and_junk_among_them_is_refused(
    five: list[Record], tmp_path: Path
) -> None:
    anchors.note(tmp_path, NOW)
    anchors.note(tmp_path, NOW + timedelta(days=1))
    file = tmp_path / anchors.NAME
    assert [a.noted for a in anchors.read(file)] == ["2026-11-22T21:00:00Z", "2026-11-23T21:00:00Z"]
    assert file.stat().st_mode & 0o077 == 0
    with file.open("a") as more:
        more.write("2026-11-24T21:00:00Z 12 00")
    assert len(anchors.read(file)) == 2, "a line cut short by a crash is passed over"
    anchors.note(tmp_path, NOW + timedelta(days=2))
    assert len(anchors.read(file)) == 3, "and the next one does not stick to it"
    with file.open("a") as more:
        more.write("2026-11-25T21:00:00Z 12 00")
    with file.open("a") as more:
        more.write("\n")
    with pytest.raises(AnchorsError, match="line 4"):
        anchors.read(file)


def test_sign_ins_are_counted_and_become_rows_when_the_day_is_over(reporter: User) -> None:
    client = Client()
    login = reverse("wagtailadmin_login")
    for password in ("wrong one", "wrong again"):
        client.post(login, {"username": "rita", "password": password})
    client.post(login, {"username": "my password by mistake", "password": "x"})
    client.force_login(reporter)
    client.post(reverse("wagtailadmin_logout"))
    actions.close_days(now=timezone.now() + timedelta(days=1))
    settle()
    told = {json.loads(r.entry)["label"]: json.loads(r.entry)["data"]
            for r in trail.look_for(trail.Wanted(action="tamizdat.sign_ins"))}  # fmt: skip
    rita = {name: told["rita"].get(name) for name in ("in", "out", "failed")}
    assert rita == {"in": 1, "out": 1, "failed": 2}
    assert told[""]["failed"] == 1
    assert not SignIns.objects.exists()
    entries = " ".join(Record.objects.values_list("entry", flat=True))
    assert "my password" not in entries
    assert "127.0.0.1" not in entries


@given(st.text(), st.emails(), st.text())
def test_no_address_is_ever_in_an_entry(before: str, address: str, after: str) -> None:
    said = chain.entry(time=NOW, action="x", label=f"{before} {address} {after}",
                       data={"a": [{"b": address}], address: 1})  # fmt: skip
    assert address not in said
    assert not re.search(r"[a-z0-9]@[a-z0-9]", said)
    assert json.loads(said)["v"] == 1


@given(st.dictionaries(st.text(), st.integers() | st.text() | st.none() | st.lists(st.text())))
def test_an_entry_is_written_in_one_way_only(data: dict[str, object]) -> None:
    one = chain.entry(time=NOW, action="x", data=data)
    other = chain.entry(time=NOW, action="x", data=dict(reversed(data.items())))
    assert one == other == chain.canonical(json.loads(one))
    one.encode()


def test_a_hash_is_as_the_documentation_says() -> None:
    entry = chain.entry(time=NOW, action="wagtail.publish", account=3, name="petra",
                        object="newsroom.article:12", label="Ferries",
                        data={"revision": 7})  # fmt: skip
    assert entry == (
        '{"account":3,"action":"wagtail.publish","data":{"revision":7},"label":"Ferries",'
        '"name":"petra","object":"newsroom.article:12","time":"2026-11-22T21:00:00.000000Z","v":1}'
    )
    assert (
        chain.hash_of(entry, 1, chain.NOTHING_BEFORE)
        == "198ec715c1bec99d23e710e6a480fb49139c404a0fab9fd507e1281095526fe7"
    )


def test_operators_look_through_it_and_nobody_else(
    operator: User, publisher: User, five: list[Record], signed_in: Callable[[User], Client]
) -> None:
    page = signed_in(operator).get(reverse("audit:trail"), {"person": publisher.pk})
    assert "Story 4" in page.content.decode()
    assert signed_in(publisher).get(reverse("audit:trail")).status_code in (302, 403)
    assert signed_in(operator).post(reverse("audit:trail")).status_code == 405


def test_it_is_looked_through_by_person_object_action_and_day(
    five: list[Record], publisher: User, operator: User, signed_in: Callable[[User], Client]
) -> None:
    def found(**wanted: object) -> int:
        page = signed_in(operator).get(reverse("audit:trail"), wanted)
        return page.content.decode().count('data-of="No."')

    assert found(kind="newsroom.article", number="3") == 1
    assert found(action="wagtail.edit", person=publisher.pk, day="2026-11-22") == 5
    assert found(action="wagtail.edit", day="2026-11-21") == 0
    page = signed_in(operator).get(reverse("audit:trail"), {"day": "yesterday"})
    assert "Enter a valid date" in page.content.decode()


def test_a_page_has_fifty_rows_and_leads_to_older_ones(
    publisher: User, operator: User, signed_in: Callable[[User], Client]
) -> None:
    for number in range(120):
        actions.record(action="wagtail.edit", acting_user=publisher, label=f"No. {number:03}")
    settle()
    client, seen = signed_in(operator), set()
    address = f"?person={publisher.pk}"
    for _ in range(3):
        page = client.get(reverse("audit:trail") + address).content.decode()
        seen |= set(re.findall(r"No\. \d{3}", page))
        older = re.search(r'href="(\?[^"]*before[^"]*)"', page)
        address = older[1].replace("&amp;", "&") if older else ""
    assert len(seen) == 120
    assert not address


def test_what_is_done_to_many_at_once_is_recorded_of_each(reporter: User) -> None:
    operator = make_user("olga", OPERATOR)
    client = Client()
    client.force_login(operator)

    def do(action: str, **form: object) -> dict[str, object]:
        path = reverse("wagtail_bulk_action", args=["staff", "user", action])
        assert client.post(f"{path}?id={operator.pk}&id={reporter.pk}", form).status_code == 302
        return newest()

    joined = do("assign_role", role=Group.objects.get(name=READERS_DESK).pk)
    assert joined["name"] == "olga"
    assert joined["data"]["roles"][-1] == READERS_DESK  # type: ignore[index] # of JSON
    assert Record.objects.filter(object_id=str(operator.pk), action="wagtail.edit").exists()
    shut = do("set_active_state", mark_as_active="False")
    assert (shut["object"], shut["data"]["active"]) == (f"staff.user:{reporter.pk}", False)  # type: ignore[index] # of JSON
    gone = do("delete")
    assert (gone["action"], gone["object"]) == ("wagtail.delete", f"staff.user:{reporter.pk}")
