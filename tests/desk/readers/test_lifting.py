# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writing to a reader again who was suppressed: by the readers' desk, for a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from tamizdat.desk.audit.models import Record
from tamizdat.desk.outgoing import suppression
from tamizdat.desk.outgoing.models import Suppression
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import READERS_DESK

SignIn = Callable[[User], Client]
ADA = "Ada@post.example"
Reason = Suppression.Reason


@pytest.fixture
def desk(db: None, signed_in: SignIn) -> Client:
    user = User.objects.create_user("lena", password="correct horse battery")
    user.groups.add(Group.objects.get(name=READERS_DESK))
    return signed_in(user)


@pytest.fixture
def ada(vault: Vault) -> Reader:
    return vault.add(ADA, "en")


def post(client: Client, **data: Any) -> str:
    answer = client.post(reverse("suppressions:lift"), {"address": ADA, **data})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return str(answer.content.decode())


def found(client: Client) -> str:
    answer = client.post(reverse("readers:find"), {"address": ADA})
    return str(answer.content.decode())


def test_who_is_not_written_to_is_written_to_again_for_a_reason(desk: Client, ada: Reader) -> None:
    assert "Write to them again" not in found(desk)
    suppression.suppress(reader=ada, reason=Reason.HARD, code="5.1.1", said="no such mailbox")
    page = found(desk)
    assert "The address does not exist, since" in page
    assert "Write to them again…" in page
    asked = post(desk)
    assert "5.1.1 no such mailbox" in asked
    assert suppression.in_force(ada)
    assert "Say why in a few words" in post(desk, really="1", why=" ")
    assert "Leave addresses out of it" in post(desk, really="1", why=f"{ADA} rang us")
    assert suppression.in_force(ada)
    assert "Mail goes there again" in post(desk, really="1", why="She rang: it works again")
    assert suppression.in_force(ada) is None
    row = Record.objects.get(action="tamizdat.unsuppress")
    assert "She rang" in row.entry
    assert "post.example" not in row.entry
    assert "Nothing keeps us" in post(desk, really="1", why="Once more")


def test_nobody_here_ends_a_complaint(desk: Client, ada: Reader) -> None:
    suppression.suppress(reader=ada, reason=Reason.COMPLAINT)
    page = found(desk)
    assert "Only they can end that" in page
    assert reverse("suppressions:lift") not in page
    assert (
        "<form method" not in post(desk).partition("is not written to")[2].partition("<footer")[0]
    )
    post(desk, really="1", why="We are sure")
    assert suppression.in_force(ada)


def test_an_unknown_address_and_none_at_all_are_told_so(desk: Client, ada: Reader) -> None:
    assert "Nothing keeps us" in post(desk, address="nobody@post.example")
    assert "Find the reader first" in post(desk, address="")


def test_nobody_else_lifts_it_not_even_a_superuser(
    ada: Reader, signed_in: SignIn, editor: User, publisher: User, operator: User
) -> None:
    suppression.suppress(reader=ada, reason=Reason.HARD)
    chief = User.objects.create_superuser("chief", password="correct horse battery")
    for user in (editor, publisher, operator, chief):
        form = {"address": ADA, "really": "1", "why": "Because"}
        answer = signed_in(user).post(reverse("suppressions:lift"), form)
        assert answer.status_code in (302, 403)
    assert suppression.in_force(ada)
