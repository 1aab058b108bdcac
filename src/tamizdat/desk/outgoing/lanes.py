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
  a mail is not taken in, and nobody is told. Where the limit is the mailbox's, ``a+b@`` and ``a@``
  share it: to most providers they are one.

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
from django.db.models import Q
from django.utils import timezone

from tamizdat.desk.outgoing.errors import LaneError
from tamizdat.desk.outgoing.models import Mail
from tamizdat.desk.readers.errors import ErasedError, SealedError
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
    """How many mails of one purpose a reader may be sent in a day, and in ``KEPT``; with
    ``by_mailbox`` all readers together whose addresses differ by a ``+tag`` alone."""

    a_day: int
    a_week: int
    by_mailbox: bool = False


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
    _check(one_way=(reader is None) != (not to), one_thing=(notice is None) != (laid is None))
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
        purpose=purpose,
        reader=reader,
        mailbox=next(iter(_mailboxes(reader)), ""),
        sealed=sealed,
        created=now,
        not_before=now,
    )


def _check(*, one_way: bool, one_thing: bool) -> None:
    if not (one_way and one_thing):
        raise LaneError("a mail goes to a reader or to an address, and says one thing")
    if not connection.in_atomic_block:
        raise LaneError("a mail belongs into the transaction of what it tells of: open one first")


def _mailboxes(reader: Reader | None) -> list[str]:
    """Nothing where the address is gone or cannot be opened: then no mail will go there either."""
    vault = Vault(settings.NEWSROOM)
    try:
        return vault.mailboxes(vault.address_of(reader)) if reader else []
    except (ErasedError, SealedError):
        return []


def _checked(files: tuple[Enclosed, ...]) -> tuple[Enclosed, ...]:
    if sum(len(file.data) for file in files) > MOST_BYTES:
        raise LaneError(f"the files of one mail may have {MOST_BYTES // 1_000_000} MB together")
    return files


def reached(limit: Limit, purpose: str, reader: Reader, now: datetime) -> bool:
    """Whether this reader was sent so many already. Lock the reader's row before."""
    theirs = Q(reader=reader)
    if limit.by_mailbox:
        theirs |= Q(mailbox__in=_mailboxes(reader))
    sent = Mail.objects.filter(theirs, purpose=purpose)
    a_day = sent.filter(created__gt=now - timedelta(days=1)).count()
    return a_day >= limit.a_day or sent.filter(created__gt=now - KEPT).count() >= limit.a_week


def opened(mail: Mail) -> Letter:
    """What a mail that waits says. Raises ``VaultError``."""
    data = Vault(settings.NEWSROOM).open_sealed(SEALED, mail.sealed)
    return msgspec.json.decode(data, type=Letter)
