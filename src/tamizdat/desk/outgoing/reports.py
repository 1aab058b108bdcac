# SPDX-License-Identifier: AGPL-3.0-or-later
"""Takes in what comes back, whichever way it came (``maildir``, ``lmtp``, a pipe).

An app whose mails carry tokens of their own registers who they are about, in ``AppConfig.ready``::

    def about(link: Link, report: Report) -> Reader | None: …
    reports.register(Purpose.RETURN_ISSUE, about)

What always holds:

- A report acts once: its SHA-256 is kept in the transaction that acts.
- It acts upon a reader only where a token in it is proven to be ours (``links``).
- One that cannot be understood, or names nobody, is kept aside, sealed, for ``KEPT`` days; of all
  others only day, kind, status and words without addresses are kept. No report is answered.

What is not done here: reading mails (``mail.reports``), the rules (``suppression``).
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from tamizdat.config import Newsroom
from tamizdat.desk.outgoing import suppression
from tamizdat.desk.outgoing.errors import LinkError
from tamizdat.desk.outgoing.links import Link, Links, Purpose
from tamizdat.desk.outgoing.models import Return
from tamizdat.desk.readers.errors import ErasedError, SealedError
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.mail.replies import without
from tamizdat.mail.reports import MOST, Report, read
from tamizdat.mail.verdicts import Kind

SEALED = "outgoing.return"
KEPT = timedelta(days=30)
KEPT_AT_MOST = 500
REMEMBERED = timedelta(days=400)
ABOUT_A_READER = (Kind.HARD, Kind.SOFT, Kind.COMPLAINT)
NOBODY = "it names nobody whom we wrote to"

About = Callable[[Link, Report], Reader | None]
_ABOUT: dict[Purpose, About] = {}


def register(purpose: Purpose, about: About) -> None:
    """Say who a token of this purpose is about. ``about`` runs in the transaction of the report
    and does what its app has to (a complaint: the reader leaves)."""
    _ABOUT[purpose] = about


def take(
    newsroom: Newsroom, data: bytes, *, recipient: str = "", today: datetime.date | None = None
) -> Kind | None:
    """Act upon one mail that came back. Its kind; None where it was taken in before.

    ``recipient`` is the envelope's. Raises ``VaultError``, ``ConfigError`` and ``DatabaseError``:
    then nothing happened, and it may be handed in again.
    """
    today = today or timezone.localdate()
    data = data[:MOST]
    digest = hashlib.sha256(recipient.encode("utf-8", "replace") + b"\0" + data).hexdigest()
    if Return.objects.filter(digest=digest).exists():
        return None
    report = read(data, recipient=recipient)
    try:
        with transaction.atomic():
            return _act(newsroom, report, data, digest, today)
    except IntegrityError:
        if Return.objects.filter(digest=digest).exists():
            return None  # Another worker was faster.
        raise


def _act(
    newsroom: Newsroom, report: Report, data: bytes, digest: str, today: datetime.date
) -> Kind:
    if report.kind == Kind.UNKNOWN:
        _keep_aside(newsroom, report, report.why, data, digest, today)
        return Kind.UNKNOWN
    reader = _reader(newsroom, report, today) if report.kind in ABOUT_A_READER else None
    if report.kind in ABOUT_A_READER and reader is None:
        _keep_aside(newsroom, report, NOBODY, data, digest, today)
        return Kind.UNKNOWN
    suppression.note_return(
        reader=reader,
        kind=report.kind,
        code=report.code,
        said=_nameless(newsroom, reader, report.said),
        digest=digest,
        today=today,
    )
    return report.kind


def _nameless(newsroom: Newsroom, reader: Reader | None, said: str) -> str:
    """A server's words without the reader's address and its parts, which it need not say whole."""
    if reader is None or not said:
        return said
    try:
        return without(said, Vault(newsroom).address_of(reader))
    except (ErasedError, SealedError):
        return ""


def _reader(newsroom: Newsroom, report: Report, today: datetime.date) -> Reader | None:
    """Whom the first genuine token is about."""
    links = Links(newsroom)
    for token in report.tokens:
        try:
            link = links.read(token, today=today)
        except LinkError:
            continue  # Anybody can write one; only a proven one counts.
        about = _ABOUT.get(link.purpose)
        reader = about(link, report) if about else None
        if reader is not None:
            return reader
    return None


def _of_single_mail(link: Link, report: Report) -> Reader | None:
    return Reader.objects.filter(pk=link.subject).first()


register(Purpose.RETURN_MAIL, _of_single_mail)


def _keep_aside(
    newsroom: Newsroom, report: Report, why: str, data: bytes, digest: str, today: datetime.date
) -> None:
    """Sealed, with the reason; its words lie in it alone. In a flood of such mails only the newest
    stay whole."""
    Return.objects.create(
        digest=digest,
        kind=Kind.UNKNOWN,
        day=today,
        code=report.code,
        why=why,
        sealed=Vault(newsroom).seal(SEALED, data),
    )
    whole = Return.objects.exclude(sealed=b"").order_by("-pk").values_list("pk", flat=True)
    Return.objects.filter(pk__in=list(whole[KEPT_AT_MOST : KEPT_AT_MOST + 50])).update(sealed=b"")


def kept_aside() -> list[Return]:
    """Those that nobody understood, the newest first."""
    return list(Return.objects.filter(kind=Kind.UNKNOWN).exclude(sealed=b"").order_by("-pk"))


def opened(newsroom: Newsroom, kept: Return) -> bytes:
    """One of them, as it came. Raises ``VaultError``."""
    return Vault(newsroom).open_sealed(SEALED, kept.sealed)


def tidy(today: datetime.date | None = None) -> int:
    """Forget what is over: reports that were kept aside, then that there was anything."""
    today = today or timezone.localdate()
    Return.objects.filter(day__lt=today - KEPT).exclude(sealed=b"").update(sealed=b"")
    return Return.objects.filter(day__lt=today - REMEMBERED).delete()[0]
