# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is held about a person because mail to them came back (``readers.holdings``)."""

from __future__ import annotations

from collections.abc import Sequence

from tamizdat.desk.outgoing.models import Return
from tamizdat.desk.readers import holdings
from tamizdat.desk.readers.holdings import Outcome, Person, Row


class Returned:
    name, title = "returns", "Mail that came back"

    def export(self, person: Person) -> Sequence[Row]:
        if person.reader is None:
            return []
        back = Return.objects.filter(reader=person.reader).order_by("id")
        return [{"what": r.kind, "day": r.day, "status": r.code, "said": r.said} for r in back]

    def erase(self, person: Person) -> Outcome:
        if person.reader is None:
            return Outcome()
        return Outcome(erased=Return.objects.filter(reader=person.reader).delete()[0])


def register() -> None:
    holdings.register(Returned())
