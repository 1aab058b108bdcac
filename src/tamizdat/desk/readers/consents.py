# SPDX-License-Identifier: AGPL-3.0-or-later
"""What readers agreed to, in the order in which they said it.

What always holds: every word is a row of its own, with its day, the form it came through, the
version of the privacy policy and the language that the reader saw; the database refuses to change
one (``triggers``). The last word on a purpose and subject is what counts. A confirmation carries
the SHA-256 of the token that only the mailbox's owner had; the token itself is not kept.

What is not done here: making tokens, sending mails; removing rows (``retention``, ``holdings``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from django.utils import timezone

from tamizdat.desk.readers.errors import ConsentError
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.desk.readers.purposes import purpose_of

Event = Consent.Event
IN_FORCE = (Event.CONFIRMED, Event.IMPORTED)
OVER = (Event.WITHDRAWN, Event.FULFILLED)


def ask(
    *, reader: Reader, purpose: str, subject: str = "", form: str, privacy: int, language: str
) -> Consent:
    """Somebody filled in a form; nothing is agreed to before the mailbox's owner confirms."""
    return _append(
        Consent(
            reader=reader,
            purpose=purpose,
            subject=subject,
            event=Event.ASKED,
            form=form,
            privacy=privacy,
            language=language,
        )
    )


def confirm(*, asked: Consent, token: str, form: str, language: str) -> Consent:
    """The mailbox's owner said yes to what was asked, with the token from the mail."""
    if asked.event != Event.ASKED:
        raise ConsentError("only what was asked for can be confirmed")
    return _append(
        Consent(
            reader=asked.reader,
            purpose=asked.purpose,
            subject=asked.subject,
            event=Event.CONFIRMED,
            form=form,
            privacy=asked.privacy,
            language=language,
            proof=proof_of(token),
        )
    )


def bring(
    *, reader: Reader, purpose: str, subject: str = "", evidence: str, language: str
) -> Consent:
    """A consent from another system. ``evidence`` is what that system knew, without an address."""
    if not evidence.strip() or "@" in evidence:
        raise ConsentError("a consent from elsewhere needs its evidence, without an address in it")
    return _append(
        Consent(
            reader=reader,
            purpose=purpose,
            subject=subject,
            event=Event.IMPORTED,
            form="import",
            language=language,
            evidence=evidence.strip()[:500],
        )
    )


class Brought(NamedTuple):
    """One reader from elsewhere, what shows that they agreed, and the language it was in."""

    reader: Reader
    evidence: str
    language: str


def bring_many(
    brought: Sequence[Brought], *, purpose: str, subject: str = "", ended: bool = False
) -> None:
    """``bring`` for many at once. ``ended``: they agreed, and have left, where they come from."""
    purpose_of(purpose, subject)
    if any(not one.evidence.strip() or "@" in one.evidence for one in brought):
        raise ConsentError("a consent from elsewhere needs its evidence, without an address in it")
    events = (Event.IMPORTED, Event.WITHDRAWN) if ended else (Event.IMPORTED,)
    day = timezone.localdate()
    for event in events:
        Consent.objects.bulk_create(
            Consent(
                reader=one.reader,
                purpose=purpose,
                subject=subject,
                event=event,
                form="import",
                day=day,
                language=one.language,
                evidence=one.evidence.strip()[:500] if event == Event.IMPORTED else "",
            )
            for one in brought
        )


def over_among(readers: Sequence[int], purpose: str, subject: str = "") -> set[int]:
    """Which of these readers (ids) said last that they want no more of it."""
    said = Consent.objects.filter(reader__in=readers, purpose=purpose, subject=subject)
    decided = said.exclude(event=Event.ASKED).order_by("id").values_list("reader", "event")
    return {reader for reader, event in dict(decided).items() if event in OVER}


def withdraw(
    *, reader: Reader, purpose: str, subject: str = "", form: str, language: str
) -> Consent | None:
    """The reader wants no more of it. None where there was nothing to withdraw."""
    return _end(Event.WITHDRAWN, reader, purpose, subject, form, language)


def fulfil(*, reader: Reader, purpose: str, subject: str = "", form: str) -> Consent | None:
    """What was agreed to is done, as the one reminder that was sent. Retention takes it from here;
    nothing of it is kept. None where there was nothing to do."""
    return _end(Event.FULFILLED, reader, purpose, subject, form, reader.language)


def _end(
    event: Consent.Event, reader: Reader, purpose: str, subject: str, form: str, language: str
) -> Consent | None:
    last = last_word(reader, purpose, subject)
    if last is None or last.event in OVER:
        return None
    return _append(
        Consent(
            reader=reader,
            purpose=purpose,
            subject=subject,
            event=event,
            form=form,
            privacy=last.privacy,
            language=language,
        )
    )


def _append(consent: Consent) -> Consent:
    purpose_of(consent.purpose, consent.subject)
    if not consent.form or not consent.language:
        raise ConsentError("a consent names the form and the language it came through")
    consent.day = timezone.localdate()
    consent.save(force_insert=True)
    return consent


def proof_of(token: str) -> str:
    """The SHA-256 of a token, hexadecimal."""
    if not token:
        raise ConsentError("a confirmation needs the token from the mail")
    return hashlib.sha256(token.encode()).hexdigest()


def last_word(reader: Reader, purpose: str, subject: str = "") -> Consent | None:
    """What the reader said last about this."""
    said = Consent.objects.filter(reader=reader, purpose=purpose, subject=subject)
    return said.order_by("-id").first()


def in_force(reader: Reader, purpose: str, subject: str = "") -> bool:
    """Whether the reader may be written to for this."""
    last = last_word(reader, purpose, subject)
    if last is not None and last.event == Event.ASKED:  # Asked again for what was confirmed.
        said = Consent.objects.filter(reader=reader, purpose=purpose, subject=subject)
        last = said.exclude(event=Event.ASKED).order_by("-id").first()
    return last is not None and last.event in IN_FORCE


def subjects_in_force(reader: Reader) -> list[tuple[str, str]]:
    """The purposes and subjects that the reader agrees to now, in the order first named."""
    pairs = Consent.objects.filter(reader=reader).order_by("id").values_list("purpose", "subject")
    return [pair for pair in dict.fromkeys(pairs) if in_force(reader, *pair)]


def withdraw_all(*, reader: Reader, form: str) -> list[Consent]:
    """Withdraw everything that is in force or was asked for and may yet be confirmed."""
    pairs: Iterable[tuple[str, str]] = dict.fromkeys(
        Consent.objects.filter(reader=reader).order_by("id").values_list("purpose", "subject")
    )
    withdrawn = [
        withdraw(reader=reader, purpose=p, subject=s, form=form, language=reader.language)
        for p, s in pairs
        if in_force(reader, p, s)
    ]
    return [consent for consent in withdrawn if consent is not None]
