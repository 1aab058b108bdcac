# SPDX-License-Identifier: AGPL-3.0-or-later
"""A person's own requests: what do you have of me, and erase it.

What always holds: every holder is asked (``holdings``); an erasure happens whole or not at all and
gives a receipt that says what was there, what was erased, what is kept, why and until when. Both
are in the audit trail, without the address.

What is not done here: proving that who asks is the person (a signed link, a letter; who stands at
the command line or in the desk has looked).
"""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log

from tamizdat.desk.readers.addresses import normalised
from tamizdat.desk.readers.holdings import Kept, Person, all_holders
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.desk.staff.models import User


class Part(msgspec.Struct, frozen=True):
    """What one holder has."""

    title: str
    records: list[dict[str, Any]]


class Export(msgspec.Struct, frozen=True):
    """Everything that a newsroom has of a person."""

    newsroom: str
    day: datetime.date
    address: str
    known: bool
    parts: list[Part]


class ErasedPart(msgspec.Struct, frozen=True):
    title: str
    count: int


class Receipt(msgspec.Struct, frozen=True):
    """What an erasure did. It carries no address."""

    newsroom: str
    day: datetime.date
    known: bool
    erased: list[ErasedPart]
    kept: list[Kept]


def look_up(*, vault: Vault, address: str, acting_user: User) -> Export:
    """What somebody at the desk sees of a reader; in the audit trail also where nobody is found.

    Raises ``ReadersError``.
    """
    person = _person(vault, address)
    found = _everything(person)
    _note("tamizdat.reader_find", person.reader, acting_user, found=found.known)
    return found


def find(*, vault: Vault, address: str, acting_user: User) -> Reader | None:
    """The reader with this address, for a page about something of theirs; in the audit trail as
    every look is. Raises ``ReadersError``."""
    reader = vault.find(address)
    _note("tamizdat.reader_find", reader, acting_user, found=reader is not None)
    return reader


def address_of(*, vault: Vault, reader: Reader, acting_user: User) -> str:
    """The address of somebody of whom only something else was known; in the audit trail too.
    Raises ``ReadersError``."""
    address = vault.address_of(reader)
    _note("tamizdat.reader_find", reader, acting_user, found=True)
    return address


def export(*, vault: Vault, address: str, acting_user: User | None) -> Export:
    """Everything held about whoever has this address. Raises ``ReadersError``."""
    person = _person(vault, address)
    found = _everything(person)
    _note("tamizdat.reader_export", person.reader, acting_user, found=found.known)
    return found


def _everything(person: Person) -> Export:
    parts = [Part("Your address", _of_row(person))] if person.reader is not None else []
    for holder in all_holders():
        records = [dict(record) for record in holder.export(person)]
        if records:
            parts.append(Part(holder.title, records))
    return Export(
        newsroom=person.vault.newsroom.settings.name,
        day=timezone.localdate(),
        address=person.address,
        known=bool(parts),
        parts=parts,
    )


@transaction.atomic
def erase(*, vault: Vault, address: str, acting_user: User | None) -> Receipt:
    """Erase everything held about whoever has this address, but for what must be kept.

    Raises ``ReadersError``; nothing is erased then.
    """
    person = _person(vault, address)
    outcomes = [(holder.title, holder.erase(person)) for holder in all_holders()]
    erased = [ErasedPart(title, outcome.erased) for title, outcome in outcomes if outcome.erased]
    kept = [kept for _, outcome in outcomes for kept in outcome.kept]
    _note("tamizdat.reader_erase", person.reader, acting_user, found=bool(erased or kept))
    if person.reader is not None:
        was_held = person.reader.erased is None
        until = max((k.until for k in kept if k.until), default=None)
        kept += erase_row(person.reader, until)
        if was_held:
            erased.insert(0, ErasedPart("Your address", 1))
    return Receipt(
        newsroom=vault.newsroom.settings.name,
        day=timezone.localdate(),
        known=bool(erased or kept),
        erased=erased,
        kept=kept,
    )


def erase_row(reader: Reader, until: datetime.date | None) -> list[Kept]:
    """Take the address out of a row, and the row away where nothing holds on to it."""
    if not Consent.objects.filter(reader=reader).exists() and not _held_by_others(reader):
        reader.delete()
        return []
    if reader.erased is None:
        reader.sealed, reader.cohort, reader.erased = b"", "", timezone.localdate()
        reader.save(update_fields=["sealed", "cohort", "erased"])
    why = (
        "A number computed from your address with a secret key, from which nobody can compute the "
        "address: by it your proof of consent is found if you ask for it"
    )
    return [Kept("Fingerprint of the address", 1, why, until)]


def _held_by_others(reader: Reader) -> bool:
    """Whether a row of any other app refers to this reader."""
    return any(
        relation.related_model._default_manager.filter(**{relation.field.name: reader}).exists()
        for relation in Reader._meta.related_objects
        if relation.related_model is not Consent
    )


def _person(vault: Vault, address: str) -> Person:
    normalised(address)
    return Person(address.strip(), vault.find(address, erased=True), vault)


def _of_row(person: Person) -> list[dict[str, Any]]:
    reader = person.reader
    assert reader is not None  # noqa: S101 - asked for a person with a row only
    if reader.erased is not None:
        return [{"erased": reader.erased}]
    return [
        {
            "address": person.vault.address_of(reader),
            "language": reader.language,
            "since": reader.added,
            "cohort": reader.cohort,
        }
    ]


def _note(action: str, reader: Reader | None, acting_user: User | None, *, found: bool) -> None:
    subject = reader if reader is not None else acting_user
    if subject is None:  # The command line about nobody: there is nothing to write it to.
        return
    log(subject, action, user=acting_user, data={"found": found})
