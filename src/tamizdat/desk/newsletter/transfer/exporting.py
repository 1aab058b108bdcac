# SPDX-License-Identifier: AGPL-3.0-or-later
"""Hands a newsletter's subscribers out, as a table that can be brought in again.

What always holds: only who holds the vault's key can; that it was done, and how many there were,
is in the audit trail. Memory does not grow with the list.

What is not done here: where the file goes, and who may read it (the command).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TextIO

from django.conf import settings
from django.db.models import OuterRef, Subquery

from tamizdat.desk.audit import actions as audit
from tamizdat.desk.newsletter.models import Newsletter, Subscription
from tamizdat.desk.newsletter.signup import PURPOSE
from tamizdat.desk.outgoing.models import Suppression
from tamizdat.desk.readers.consents import IN_FORCE
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.desk.readers.vault import Vault

if TYPE_CHECKING:
    from tamizdat.desk.staff.models import User

COLUMNS = (
    *("email", "status", "language", "text", "since", "left", "paused until"),
    *("consent", "consent form", "privacy policy", "evidence", "cohort"),
)
AT_ONCE = 1_000
State = Subscription.State
Reason = Suppression.Reason
_STATUS = {Reason.COMPLAINT: "complained", Reason.BY_HAND: "blocked", Reason.IMPORTED: "suppressed"}
_FORMULA = ("=", "+", "-", "@", "\t")


def export(
    *, newsletter: Newsletter, out: TextIO, acting_user: User | None = None
) -> dict[str, int]:
    """Write the table; how many rows, by status. Who was never confirmed is not in it.

    Raises ``VaultError``.
    """
    vault, counts = Vault.open(settings.NEWSROOM), dict[str, int]()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for row in _rows(newsletter, vault):
        counts[row[1]] = counts.get(row[1], 0) + 1
        table.writerow([_harmless(str(cell or "")) for cell in row])
    audit.record(
        action="tamizdat.newsletter_export",
        acting_user=acting_user,
        name="" if acting_user else audit.at_keyboard(),
        kind="newsletter.newsletter",
        object_id=str(newsletter.pk),
        label=str(newsletter),
        data={"number": sum(counts.values())},
    )
    return counts


def _rows(newsletter: Newsletter, vault: Vault) -> Iterator[list[str]]:
    for chunk in _chunks(newsletter):
        proofs = Consent.objects.in_bulk([one.consent for one in chunk if one.consent])
        readers: list[Reader] = [one.reader for one in chunk]
        addresses = dict(vault.opened(readers))
        for one in chunk:
            if one.reader_id in addresses:
                yield _row(one, addresses[one.reader_id], proofs.get(one.consent))


def _chunks(newsletter: Newsletter) -> Iterator[Any]:
    """By the index of the audience, so that the database sorts nothing."""
    said = Consent.objects.filter(
        reader=OuterRef("reader"), purpose=PURPOSE, subject=newsletter.slug, event__in=IN_FORCE
    ).order_by("-id")
    held = Suppression.objects.filter(reader=OuterRef("reader"), lifted=None)
    found = (
        Subscription.objects.filter(newsletter=newsletter)
        .annotate(held=Subquery(held.values("reason")[:1]), consent=Subquery(said.values("pk")[:1]))
        .select_related("reader")
        .order_by("pk")
    )
    for state in (State.ACTIVE, State.LEFT):
        last = 0
        while chunk := list(found.filter(state=state, pk__gt=last)[:AT_ONCE]):
            yield chunk
            last = chunk[-1].pk


def _row(one: Subscription, address: str, proof: Consent | None) -> list[str]:
    held = getattr(one, "held", None)
    status = _STATUS.get(held, "bounced") if held else _standing(one)
    paused = one.paused_until.isoformat() if one.paused_until else ""
    return [
        address,
        status,
        one.reader.language,
        one.text,
        one.since.isoformat(),
        one.left.isoformat() if one.left else "",
        paused,
        proof.day.isoformat() if proof else "",
        proof.form if proof else "",
        str(proof.privacy or "") if proof else "",
        proof.evidence if proof else "",
        one.reader.cohort,
    ]


def _standing(one: Subscription) -> str:
    return "subscribed" if one.state == State.ACTIVE else "unsubscribed"


def _harmless(cell: str) -> str:
    """So that no spreadsheet takes a cell for a formula; bringing in takes the mark off again."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
