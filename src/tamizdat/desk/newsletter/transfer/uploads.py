# SPDX-License-Identifier: AGPL-3.0-or-later
"""Everything that people do with a file of subscribers at the desk: hand it in, say yes, throw it
away. Each is one transaction with its row in the audit trail, which says numbers and no address.

What always holds: nothing is taken in before somebody saw what would happen and said yes; a file
that is no table is refused before anything of it is kept.

What is not done here: reading and taking in (``carrying``, in the worker).
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings
from django.db import transaction
from wagtail.log_actions import log

from tamizdat.desk.newsletter.models import Newsletter, Upload, UploadPart
from tamizdat.desk.newsletter.transfer import sealed_file
from tamizdat.desk.newsletter.transfer.errors import (
    EvidenceError,
    TooLateError,
    TooLongError,
)
from tamizdat.desk.newsletter.transfer.formats import reading_of
from tamizdat.desk.newsletter.transfer.reading import table_in
from tamizdat.desk.outgoing import clock
from tamizdat.desk.readers.vault import Vault

if TYPE_CHECKING:
    from tamizdat.desk.staff.models import User

MOST = 100_000_000  # bytes
State = Upload.State


def looked_over(file: BinaryIO, *, size: int, wanted: str, evidence: str) -> None:
    """Refuse what cannot be taken in at all. Raises ``TransferError``."""
    if size > MOST:
        raise TooLongError(
            f"the file is longer than {MOST // 1_000_000} MB: hand it in in parts, or let the "
            "operator take it in with “tamizdat newsletter import”"
        )
    file.seek(0)
    with table_in(file) as table:
        reading = reading_of(table.header, wanted)
    if not evidence.strip() and not reading.format.consents:
        raise EvidenceError(
            "a plain table does not say that its readers agreed: write how and when they did, and "
            "where the proof lies"
        )


@transaction.atomic
def hand_in(
    *,
    newsletter: Newsletter,
    data: bytes,
    name: str,
    wanted: str,
    evidence: str,
    cohort: str = "",
    acting_user: User,
) -> Upload:
    """Keep a file, sealed, for the worker to look at; ``cohort`` as in ``Upload``. Raises
    ``TransferError``, ``VaultError``."""
    file = io.BytesIO(data)
    looked_over(file, size=len(data), wanted=wanted, evidence=evidence)
    now = clock.now()
    upload = Upload.objects.create(
        newsletter=newsletter,
        name=_harmless(name),
        format=wanted,
        evidence=evidence.strip(),
        cohort=cohort,
        size=len(data),
        made_by=acting_user,
        made=now,
        beat=now,
    )
    sealed_file.keep(upload, file, Vault.open(settings.NEWSROOM))
    log(newsletter, "tamizdat.newsletter_upload", user=acting_user, data={"bytes": len(data)})
    return upload


def _harmless(name: str) -> str:
    """What a file is called tells what is in it (“cleaned”), but must name nobody."""
    return " ".join(word for word in name.split() if "@" not in word)[-200:]


@transaction.atomic
def take_in(*, upload: Upload, acting_user: User) -> None:
    """Say yes: what the look found is done now. Raises ``TooLateError``."""
    waiting = Upload.objects.filter(pk=upload.pk, state=State.LOOKED)
    if not waiting.update(state=State.TAKING, made_by=acting_user, read=0, report={}, problem=""):
        raise TooLateError("it does not wait for a yes any more: look at it again")
    log(upload.newsletter, "tamizdat.newsletter_take_in", user=acting_user)


@transaction.atomic
def throw_away(*, upload: Upload, acting_user: User) -> None:
    """Forget a file of which nothing was taken in. Raises ``TooLateError``."""
    gone = Upload.objects.filter(pk=upload.pk).exclude(state__in=[State.TAKING, State.DONE])
    if not gone.exists():
        raise TooLateError("it is being taken in, or was: that cannot be undone here")
    UploadPart.objects.filter(upload=upload).delete()
    gone.delete()
    log(upload.newsletter, "tamizdat.newsletter_throw_away", user=acting_user)
