# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who holds what about a person: the register that export and erasure go through.

An app that keeps anything about readers registers a holder in its ``AppConfig.ready``::

    class Subscriptions:
        name, title = "newsletter", "Newsletters"

        def export(self, person): return [{"newsletter": s.slug, "since": s.day} for s in …]
        def erase(self, person): return Outcome(erased=n, kept=[Kept("Bounces", 2, why, until)])

    holdings.register(Subscriptions())

What always holds: an export or an erasure asks every holder, in one transaction; one that fails
undoes all of it. A holder may know the person by ``person.reader`` (an address in the vault) or
compare what it holds with ``person.address``; it keeps neither.

What is not done here: asking (``requests``).
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from tamizdat.desk.readers import consents
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.desk.readers.purposes import PURPOSES
from tamizdat.desk.readers.vault import Vault

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Person:
    """Whose request it is. ``address`` as it was given; ``reader`` the row, also an erased one."""

    address: str
    reader: Reader | None
    vault: Vault


class Kept(msgspec.Struct, frozen=True):
    """What was not erased, and until when, in words for the person."""

    what: str
    count: int
    why: str
    until: datetime.date | None = None


class Outcome(msgspec.Struct, frozen=True):
    """What a holder did. ``erased`` counts its records."""

    erased: int = 0
    kept: list[Kept] = []


class Holder(Protocol):
    """``name`` is unique, ``title`` is for people."""

    name: str
    title: str

    def export(self, person: Person) -> Sequence[Row]:
        """Everything held about the person; values are text, numbers, dates."""

    def erase(self, person: Person) -> Outcome:
        """Erase all that may be. Runs inside the transaction of the whole erasure."""


HOLDERS: dict[str, Holder] = {}


def register(holder: Holder) -> None:
    """Add a holder; one of the same name takes its place."""
    HOLDERS[holder.name] = holder


def all_holders() -> list[Holder]:
    """Consents last: their rows hold on to the reader's."""
    own = [HOLDERS[Consents.name]]
    return [h for name, h in HOLDERS.items() if name != Consents.name] + own


class Consents:
    """What was asked for, confirmed and withdrawn."""

    name, title = "consents", "What you agreed to"
    WHY = (
        "Who writes to people must be able to prove that they agreed (GDPR Art. 7(1), 5(2)); this "
        "is kept until claims have lapsed (Art. 17(3)(e)), without your address"
    )

    def export(self, person: Person) -> Sequence[Row]:
        if person.reader is None:
            return []
        said = Consent.objects.filter(reader=person.reader).order_by("id")
        return [
            {
                "purpose": PURPOSES[c.purpose].words if c.purpose in PURPOSES else c.purpose,
                "subject": c.subject,
                "event": c.get_event_display(),
                "day": c.day,
                "form": c.form,
                "privacy policy": c.privacy,
                "language": c.language,
                "proof": c.proof,
                "evidence": c.evidence,
            }
            for c in said
        ]

    def erase(self, person: Person) -> Outcome:
        """Withdraw everything; remove what was never confirmed."""
        if person.reader is None:
            return Outcome()
        consents.withdraw_all(reader=person.reader, form="erasure")
        erased = remove_unconfirmed(person.reader)
        left = Consent.objects.filter(reader=person.reader)
        last = left.order_by("-day").first()
        if last is None:
            return Outcome(erased=erased)
        until = last.day + datetime.timedelta(
            days=person.vault.newsroom.settings.vault.keep_withdrawn
        )
        return Outcome(
            erased=erased, kept=[Kept("Proof of consent", left.count(), self.WHY, until)]
        )


def remove_unconfirmed(reader: Reader) -> int:
    """Remove what somebody asked for and nobody ever confirmed; how many rows."""
    said = Consent.objects.filter(reader=reader)
    decided = set(
        said.exclude(event=Consent.Event.ASKED).values_list("purpose", "subject").distinct()
    )
    gone = [c.pk for c in said if (c.purpose, c.subject) not in decided]
    return Consent.objects.filter(pk__in=gone).delete()[0]


register(Consents())
