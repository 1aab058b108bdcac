# SPDX-License-Identifier: AGPL-3.0-or-later
"""A person asks what we have of them, and that we forget it; the answer is complete."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from django.utils import timezone
from wagtail.models import ModelLogEntry

from tamizdat.desk.readers import consents, holdings, requests
from tamizdat.desk.readers.errors import AddressError
from tamizdat.desk.readers.holdings import Kept, Outcome, Person
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.desk.staff.models import User

ADA = "Ada@post.example"


class Parcels:
    """What another app might hold: known by the address alone."""

    name, title = "parcels", "Parcels"

    def __init__(self) -> None:
        self.of = {"ada@post.example": ["a book", "a scarf"]}

    def export(self, person: Person) -> Sequence[dict[str, Any]]:
        return [{"parcel": what} for what in self.of.get(person.address.lower(), [])]

    def erase(self, person: Person) -> Outcome:
        there = self.of.pop(person.address.lower(), [])
        kept = [Kept("Invoice", 1, "Tax law asks for it", date(2036, 12, 31))] if there else []
        return Outcome(erased=len(there), kept=kept)


class Broken(Parcels):
    name = "broken"

    def erase(self, person: Person) -> Outcome:
        raise OSError("the shelf fell down")


@pytest.fixture
def parcels() -> Iterator[Parcels]:
    held = Parcels()
    holdings.register(held)
    yield held
    holdings.HOLDERS.pop("parcels")


@pytest.fixture
def ada(vault: Vault) -> Reader:
    """She confirmed one newsletter and never answered for another."""
    reader = vault.add(ADA, "en")
    said: dict[str, Any] = {"purpose": "newsletter", "form": "article", "privacy": 2}
    weekly = consents.ask(reader=reader, subject="weekly", language="en", **said)
    consents.confirm(asked=weekly, token="t", form="mail", language="en")
    consents.ask(reader=reader, subject="daily", language="en", **said)
    return reader


def test_an_export_has_everything_that_anybody_holds(
    vault: Vault, ada: Reader, parcels: Parcels
) -> None:
    found = requests.export(vault=vault, address=" ada@POST.example", acting_user=None)
    told = {part.title: part.records for part in found.parts}
    assert told["Your address"][0]["address"] == ADA
    assert [row["event"] for row in told["What you agreed to"]] == [
        "asked for",
        "confirmed",
        "asked for",
    ]
    assert [row["parcel"] for row in told["Parcels"]] == ["a book", "a scarf"]
    assert msgspec.json.decode(msgspec.json.encode(found))["known"] is True


def test_an_export_about_a_stranger_is_empty(vault: Vault) -> None:
    found = requests.export(vault=vault, address="nobody@post.example", acting_user=None)
    assert (found.known, found.parts) == (False, [])
    with pytest.raises(AddressError):
        requests.export(vault=vault, address="nobody", acting_user=None)


def test_an_erasure_says_what_went_and_what_must_stay(
    vault: Vault, ada: Reader, parcels: Parcels
) -> None:
    receipt = requests.erase(vault=vault, address=ADA, acting_user=None)
    erased = {part.title: part.count for part in receipt.erased}
    assert erased == {"Your address": 1, "Parcels": 2, "What you agreed to": 1}
    kept = {one.what: one for one in receipt.kept}
    assert kept["Proof of consent"].count == 3
    assert kept["Proof of consent"].until == timezone.localdate() + timedelta(days=1095)
    assert "GDPR" in kept["Proof of consent"].why
    assert kept["Invoice"].until == date(2036, 12, 31)
    assert kept["Fingerprint of the address"].until == date(2036, 12, 31)
    assert "post.example" not in msgspec.json.encode(receipt).decode()


def test_after_an_erasure_nobody_writes_to_them_and_the_address_is_nowhere(
    vault: Vault, ada: Reader
) -> None:
    requests.erase(vault=vault, address=ADA, acting_user=None)
    assert vault.find(ADA) is None
    left = Reader.objects.get(pk=ada.pk)
    assert bytes(left.sealed) == b""
    assert consents.subjects_in_force(left) == []
    assert Consent.objects.filter(reader=left).values_list("event", flat=True).order_by("id")[
        2
    ] == ("withdrawn")
    again = requests.erase(vault=vault, address=ADA, acting_user=None)
    assert again.erased == []
    shown = requests.export(vault=vault, address=ADA, acting_user=None)
    assert shown.parts[0].records == [{"erased": timezone.localdate()}]


def test_who_confirmed_nothing_leaves_nothing_behind(vault: Vault) -> None:
    reader = vault.add(ADA, "en")
    consents.ask(reader=reader, purpose="reminder", form="article", privacy=1, language="en")
    receipt = requests.erase(vault=vault, address=ADA, acting_user=None)
    assert receipt.kept == []
    assert not Reader.objects.exists()
    assert not Consent.objects.exists()


def test_an_erasure_that_fails_erases_nothing(vault: Vault, ada: Reader) -> None:
    holdings.register(Broken())
    try:
        with pytest.raises(OSError, match="shelf"):
            requests.erase(vault=vault, address=ADA, acting_user=None)
    finally:
        holdings.HOLDERS.pop("broken")
    assert vault.find(ADA) == ada
    assert consents.in_force(ada, "newsletter", "weekly")


def test_every_request_is_in_the_audit_trail_without_the_address(
    vault: Vault, ada: Reader, reporter: User
) -> None:
    requests.look_up(vault=vault, address=ADA, acting_user=reporter)
    requests.look_up(vault=vault, address="nobody@post.example", acting_user=reporter)
    requests.export(vault=vault, address=ADA, acting_user=reporter)
    requests.erase(vault=vault, address=ADA, acting_user=reporter)
    rows = ModelLogEntry.objects.filter(action__startswith="tamizdat.reader").order_by("pk")
    assert [row.action.removeprefix("tamizdat.reader_") for row in rows] == [
        *("find", "find", "export", "erase")
    ]
    assert {row.user_id for row in rows} == {reporter.pk}
    for row in rows:
        assert "post.example" not in f"{row.label}{row.data}".lower()
