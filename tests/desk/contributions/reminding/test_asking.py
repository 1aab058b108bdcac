# SPDX-License-Identifier: AGPL-3.0-or-later
"""Messages to readers: one writes, another approves, and what was approved stays as it was."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.utils import timezone

from tamizdat import letterbox
from tamizdat.desk.contributions import asking, paper
from tamizdat.desk.contributions.content import AskContent, AskText, AskVariant
from tamizdat.desk.contributions.errors import AskError
from tamizdat.desk.contributions.models import Ask, AskVersion, Place
from tamizdat.desk.demo.asking import make_messages
from tamizdat.desk.publishing.models import BuildRequest
from tamizdat.desk.publishing.site import site_from_desk
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import EDITOR, PUBLISHER
from tests.desk.conftest import make_user
from tests.desk.contributions.reminding.conftest import Desk

SAID = AskContent(variants=(AskVariant(slug="a", texts={"en": AskText("We stay")}),))
OTHER = AskContent(variants=(AskVariant(slug="a", texts={"en": AskText("We left")}),))


def write(user: User, said: AskContent = SAID, **more: Any) -> Ask:
    facts = {"slug": "autumn", "title": "Autumn", "place": Place.RIBBON, **more}
    return asking.write_ask(said=said, acting_user=user, **facts)


def shown() -> list[str]:
    return [one.variants[0].title for one in paper.asks_of("en")]


def test_one_writes_another_approves_and_readers_see_it_with_the_next_edition(
    desk: Desk, editor: User, publisher: User, django_capture_on_commit_callbacks: Any
) -> None:
    ask = write(editor)
    assert asking.waits(ask)
    assert shown() == []
    with django_capture_on_commit_callbacks(execute=True):
        version = asking.approve_ask(ask=ask, acting_user=publisher)
    assert (version.number, version.written_by, version.approved_by) == (1, editor, publisher)
    assert shown() == ["We stay"]
    assert BuildRequest.objects.filter(kind="refresh").exists()


def test_nobody_approves_what_they_were_the_last_to_change(
    desk: Desk, editor: User, publisher: User
) -> None:
    ask = write(publisher)
    with pytest.raises(AskError, match="somebody else"):
        asking.approve_ask(ask=ask, acting_user=publisher)
    write(editor, OTHER, ask=ask)
    asking.approve_ask(ask=ask, acting_user=publisher)
    assert shown() == ["We left"]


def test_saving_it_unchanged_makes_nobody_its_author(
    desk: Desk, editor: User, publisher: User
) -> None:
    ask = write(editor)
    write(publisher, ask=ask)
    asking.approve_ask(ask=ask, acting_user=publisher)
    assert shown() == ["We stay"]


def test_alone_at_a_desk_without_four_eyes_one_approves_ones_own(
    desk: Desk, publisher: User
) -> None:
    alone = msgspec.structs.replace(desk.newsroom.settings.desk, four_eyes=False)
    desk.newsroom.settings = msgspec.structs.replace(desk.newsroom.settings, desk=alone)
    asking.approve_ask(ask=write(publisher), acting_user=publisher)
    assert shown() == ["We stay"]


def test_writing_on_changes_nothing_for_readers_until_it_is_approved_again(
    desk: Desk, editor: User, publisher: User
) -> None:
    ask = write(editor)
    asking.approve_ask(ask=ask, acting_user=publisher)
    ask = write(editor, OTHER, ask=ask)
    assert shown() == ["We stay"]
    asking.approve_ask(ask=ask, acting_user=publisher)
    asking.approve_ask(ask=ask, acting_user=publisher)
    assert shown() == ["We left"]
    assert [v.number for v in AskVersion.objects.all()] == [2, 1]


def test_what_was_approved_cannot_be_changed_by_anybody(
    desk: Desk, editor: User, publisher: User
) -> None:
    version = asking.approve_ask(ask=write(editor), acting_user=publisher)
    with pytest.raises(DatabaseError), transaction.atomic():
        AskVersion.objects.filter(pk=version.pk).update(content={})
    with pytest.raises(DatabaseError), transaction.atomic():
        version.delete()


def test_it_is_taken_down_and_brought_back(desk: Desk, editor: User, publisher: User) -> None:
    ask = write(editor)
    asking.approve_ask(ask=ask, acting_user=publisher)
    asking.stop_ask(ask=ask, acting_user=editor)
    assert shown() == []
    asking.approve_ask(ask=ask, acting_user=publisher)
    assert shown() == ["We stay"]


def test_a_name_that_gifts_bear_stays(desk: Desk, editor: User, publisher: User) -> None:
    ask = write(editor)
    write(editor, ask=ask, slug="winter")
    ask.refresh_from_db()
    asking.approve_ask(ask=ask, acting_user=publisher)
    with pytest.raises(AskError, match="short name stays"):
        write(editor, ask=ask, slug="spring")


def test_what_cannot_be_is_refused_in_words(desk: Desk, editor: User, publisher: User) -> None:
    now = timezone.now()
    with pytest.raises(AskError, match="before it begins"):
        write(editor, begins=now, ends=now - timedelta(days=1))
    write(editor)
    with pytest.raises(AskError, match="already exists"):
        write(editor)
    ask = write(editor, AskContent(), slug="empty")
    with pytest.raises(AskError, match="nothing in any language"):
        asking.approve_ask(ask=ask, acting_user=publisher)


def test_a_reporter_writes_no_messages_and_an_editor_approves_none(
    desk: Desk, reporter: User, editor: User
) -> None:
    with pytest.raises(PermissionDenied):
        write(reporter)
    ask = write(editor)
    with pytest.raises(PermissionDenied):
        asking.approve_ask(ask=ask, acting_user=editor)


def test_the_demos_messages_are_written_and_approved_once(desk: Desk) -> None:
    make_user("editor", EDITOR)
    make_user("publisher", PUBLISHER)
    for _ in range(2):
        make_messages()
    letterbox.ensure_keys(desk.newsroom)
    site = site_from_desk()
    for code in ("en", "ru"):
        assert {one.place for one in site.language(code).asks} == {"ribbon", "message"}
    assert AskVersion.objects.count() == 2
