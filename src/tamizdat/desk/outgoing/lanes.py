# SPDX-License-Identifier: AGPL-3.0-or-later
"""Single mails: please confirm, you have left, here is your data.

::

    with transaction.atomic():
        …
        lanes.send(purpose="confirm", reader=reader, notice=notice, limit=lanes.Limit(3, 6))

What always holds:

- A mail is a row in the caller's transaction: it goes if and only if what it tells of happened.
- What it says lies sealed, and its address in the vault until its turn comes. Both are gone from
  the row as soon as it went, was refused or given up; the row itself follows after ``KEPT``.
- It waits behind no issue: a thread of its own brings it to the relay (``rounds``).
- Whoever fills in forms with another's address cannot make us flood that mailbox: beyond ``Limit``
  a mail is not taken in, and nobody is told.

What is not done here: laying out and sending (``post``).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from django.conf import settings
from django.db import connection
from django.utils import timezone

from tamizdat.desk.outgoing.errors import LaneError
from tamizdat.desk.outgoing.models import Mail
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.mail.content import Laid, Notice

SEALED = "outgoing.mail"
KEPT = timedelta(days=7)
MOST_BYTES = 5_000_000  # of all files together


class Enclosed(msgspec.Struct, frozen=True):
    """A file that travels with a mail. ``cid`` where the HTML shows it, else an attachment."""

    name: str
    media_type: str
    data: bytes
    cid: str = ""


class Letter(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a mail says, as it is sealed. Either ``notice``, laid out when it goes, or ``laid``.

    ``to`` is an address only where there is no reader. ``tokens`` replace placeholders.
    ``message_id`` is the same however often it is tried."""

    message_id: str
    to: str = ""
    notice: Notice | None = None
    laid: Laid | None = None
    files: tuple[Enclosed, ...] = ()
    sender: str = ""
    sender_name: str = ""
    reply_to: str = ""
    unsubscribe: str = ""
    list_id: str = ""
    tokens: dict[str, str] = {}


class Limit(NamedTuple):
    """How many mails of one purpose a reader may be sent in a day, and in ``KEPT``."""

    a_day: int
    a_week: int


def send(
    *,
    purpose: str,
    reader: Reader | None = None,
    to: str = "",
    notice: Notice | None = None,
    laid: Laid | None = None,
    files: Iterable[Enclosed] = (),
    sender: str = "",
    sender_name: str = "",
    reply_to: str = "",
    unsubscribe: str = "",
    list_id: str = "",
    tokens: dict[str, str] | None = None,
    limit: Limit | None = None,
    now: datetime | None = None,
) -> Mail | None:
    """Have one mail sent, once this transaction is through; None where ``limit`` is reached.

    To a reader, or to an address that is in no vault (staff, somebody who was just erased).
    ``sender`` is ``[mail] sender`` where it is left out; ``unsubscribe`` a whole address for the
    header fields of RFC 8058. Raises ``LaneError`` and ``VaultError``.
    """
    if (reader is None) == (not to) or (notice is None) == (laid is None):
        raise LaneError("a mail goes to a reader or to an address, and says one thing")
    if not connection.in_atomic_block:
        raise LaneError("a mail belongs into the transaction of what it tells of: open one first")
    now = now or timezone.now()
    if limit is not None and reader is not None and reached(limit, purpose, reader, now):
        return None
    letter = Letter(
        message_id=secrets.token_hex(16),
        to=to,
        notice=notice,
        laid=laid,
        files=_checked(tuple(files)),
        sender=sender,
        sender_name=sender_name,
        reply_to=reply_to,
        unsubscribe=unsubscribe,
        list_id=list_id,
        tokens=tokens or {},
    )
    sealed = Vault(settings.NEWSROOM).seal(SEALED, msgspec.json.encode(letter))
    return Mail.objects.create(
        purpose=purpose, reader=reader, sealed=sealed, created=now, not_before=now
    )


def _checked(files: tuple[Enclosed, ...]) -> tuple[Enclosed, ...]:
    if sum(len(file.data) for file in files) > MOST_BYTES:
        raise LaneError(f"the files of one mail may have {MOST_BYTES // 1_000_000} MB together")
    return files


def reached(limit: Limit, purpose: str, reader: Reader, now: datetime) -> bool:
    """Whether this reader was sent so many already. Lock the reader's row before."""
    sent = Mail.objects.filter(purpose=purpose, reader=reader)
    a_day = sent.filter(created__gt=now - timedelta(days=1)).count()
    return a_day >= limit.a_day or sent.filter(created__gt=now - KEPT).count() >= limit.a_week


def opened(mail: Mail) -> Letter:
    """What a mail that waits says. Raises ``VaultError``."""
    data = Vault(settings.NEWSROOM).open_sealed(SEALED, mail.sealed)
    return msgspec.json.decode(data, type=Letter)
