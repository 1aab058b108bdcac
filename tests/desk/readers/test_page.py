# SPDX-License-Identifier: AGPL-3.0-or-later
"""The readers' page: one person at a time, for the readers' desk, and each look is written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from wagtail.models import ModelLogEntry

from tamizdat.desk.readers import consents, keyring
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.desk.staff.models import User
from tamizdat.desk.staff.roles import READERS_DESK

SignIn = Callable[[User], Client]
ADA = "Ada@post.example"


@pytest.fixture
def ada(vault: Vault) -> Reader:
    reader = vault.add(ADA, "en")
    asked = consents.ask(
        reader=reader, purpose="newsletter", subject="weekly", form="box", privacy=4, language="en"
    )
    consents.confirm(asked=asked, token="t", form="mail", language="en")
    return reader


@pytest.fixture
def desk(db: None, signed_in: SignIn) -> Client:
    user = User.objects.create_user("lena", password="correct horse battery")
    user.groups.add(Group.objects.get(name=READERS_DESK))
    return signed_in(user)


def post(client: Client, page: str, **data: Any) -> Any:
    return client.post(reverse(f"readers:{page}"), data)


def test_a_reader_is_found_by_the_whole_address_only(desk: Client, ada: Reader) -> None:
    found = post(desk, "find", address="ADA@post.example")
    assert found.status_code == 200
    assert "to send a newsletter by mail" in found.content.decode()
    assert "no-store" in found.headers["Cache-Control"]
    for part in ("ada", "post.example", "ad@post.example"):
        assert "to send a newsletter" not in post(desk, "find", address=part).content.decode()
    assert ADA not in desk.get(reverse("readers:find"), {"address": ADA}).content.decode()


def test_what_is_no_address_is_said_beside_the_field(desk: Client, vault: Vault) -> None:
    page = post(desk, "find", address="<b>nobody").content.decode()
    assert "This is no mail address" in page
    assert "<b>nobody" not in page


def test_the_person_gets_a_page_or_data(desk: Client, ada: Reader) -> None:
    page = post(desk, "export", address=ADA, kind="html")
    assert page.headers["Content-Disposition"] == 'attachment; filename="your-data.html"'
    assert "<h1>What The Meridian holds" in page.content.decode()
    data = post(desk, "export", address=ADA, kind="json")
    assert data.json()["parts"][0]["records"][0]["address"] == ADA
    assert desk.get(reverse("readers:export")).status_code == 405


def test_erasing_asks_whether_it_is_the_person_and_gives_a_receipt(
    desk: Client, ada: Reader, vault: Vault
) -> None:
    asked = post(desk, "erase", address=ADA).content.decode()
    assert "nobody can bring it back" in asked
    unsure = post(desk, "erase", address=ADA, really="1").content.decode()
    assert "Make sure first" in unsure
    assert vault.find(ADA) == ada
    receipt = post(desk, "erase", address=ADA, really="1", sure="on").content.decode()
    assert "Kept, because it must be" in receipt
    assert ADA not in receipt
    assert vault.find(ADA) is None


def test_each_look_is_in_the_audit_trail_without_the_address(desk: Client, ada: Reader) -> None:
    post(desk, "find", address=ADA)
    post(desk, "find", address="nobody@post.example")
    post(desk, "export", address=ADA, kind="json")
    rows = ModelLogEntry.objects.filter(action__startswith="tamizdat.reader_")
    assert sorted(rows.values_list("action", flat=True)) == [
        *("tamizdat.reader_export", "tamizdat.reader_find", "tamizdat.reader_find")
    ]
    assert not [row for row in rows if "post.example" in f"{row.label}{row.data}".lower()]


def test_nobody_else_gets_in_not_even_a_superuser(
    ada: Reader, signed_in: SignIn, reporter: User, editor: User, publisher: User, operator: User
) -> None:
    chief = User.objects.create_superuser("chief", password="correct horse battery")
    for user in (reporter, editor, publisher, operator, chief):
        client = signed_in(user)
        for page in ("find", "export", "erase"):
            for answer in (
                client.get(reverse(f"readers:{page}")),
                post(client, page, address=ADA, really="1", sure="on"),
            ):
                assert answer.status_code in (302, 403)
                assert b"newsletter" not in answer.content
        assert (
            reverse("readers:find") not in client.get(reverse("wagtailadmin_home")).content.decode()
        )
    assert Reader.objects.get(pk=ada.pk).erased is None


def test_a_shut_vault_is_said_in_words(desk: Client, ada: Reader, vault: Vault) -> None:
    keyring.destroy(vault.file.path)
    for page in ("find", "export"):
        answer = post(desk, page, address=ADA, kind="html")
        assert answer.status_code == 200
        assert "the vault is shut" in answer.content.decode()
    answer = post(desk, "erase", address=ADA, really="1", sure="on")
    assert "the vault is shut" in answer.content.decode()
