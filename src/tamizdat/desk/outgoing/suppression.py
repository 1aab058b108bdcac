# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whom we do not write to, and why.

The rules, by what ``mail.verdicts`` says of a refusal:

- hard (the address does not exist): suppressed at once;
- soft (full, not reached for days): suppressed when it happened on ``[mail] soft_bounces`` days
  within ``soft_days``;
- a complaint: suppressed at once, and nothing but the reader's own new sign-up lifts it;
- policy (our reputation, our signatures, our size): never the reader's affair; counted for the
  desk, by day and status.

What always holds: a reader is suppressed once at a time, a graver reason takes the place of a
lighter one; each change is in the audit trail; nothing that is kept names an address.

What is not done here: leaving newsletters (``reports`` asks those who know them).
"""

from __future__ import annotations

import datetime
from datetime import timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count, F, Max
from django.utils import timezone

from tamizdat.desk.audit import actions as audit
from tamizdat.desk.outgoing.errors import SuppressionError
from tamizdat.desk.outgoing.models import Return, Suppression
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.staff.models import User
from tamizdat.mail.reports import without_addresses
from tamizdat.mail.verdicts import Kind, judge, status_in

Reason = Suppression.Reason
# A reason takes the place of those after it.
GRAVITY = (Reason.COMPLAINT, Reason.BY_HAND, Reason.IMPORTED, Reason.HARD, Reason.SOFT)
POLICY_SHOWN = 14  # days


def in_force(reader: Reader) -> Suppression | None:
    """Why this reader is not written to; None where nothing stands against it."""
    return Suppression.objects.filter(reader=reader, lifted=None).first()


def note_refusal(reader: Reader, code: str, said: str) -> Kind:
    """A relay refused a mail to this reader for good (5xx). What follows from it, by the rules.

    ``code`` is basic, enhanced or both (``550 5.1.1``), ``said`` the words, which are kept without
    addresses.
    """
    kind = judge(code, said)
    note_return(reader=reader, kind=kind, code=code, said=said)
    return kind


@transaction.atomic
def note_return(
    *,
    reader: Reader | None,
    kind: Kind,
    code: str = "",
    said: str = "",
    digest: str = "",
    today: datetime.date | None = None,
) -> Suppression | None:
    """Write down that a mail came back or was refused, and suppress where the rules say so."""
    today = today or timezone.localdate()
    code, said = (status_in(code) or code)[:20], without_addresses(said)
    if kind == Kind.POLICY:
        _count_policy(today, code, said, digest)
        return None
    Return.objects.create(digest=digest, reader=reader, kind=kind, day=today, code=code, said=said)
    if reader is None:
        return None
    if kind == Kind.SOFT and not _too_often(reader, today):
        return None
    reason = _REASONS.get(kind)
    return suppress(reader=reader, reason=reason, code=code, said=said) if reason else None


_REASONS = {Kind.HARD: Reason.HARD, Kind.SOFT: Reason.SOFT, Kind.COMPLAINT: Reason.COMPLAINT}


def _count_policy(today: datetime.date, code: str, said: str, digest: str) -> None:
    """One row a day and status, however many readers it hits; the report itself counts once."""
    if digest:
        Return.objects.create(digest=digest, kind="counted", day=today, code=code)
    row, made = Return.objects.get_or_create(
        kind=Kind.POLICY, day=today, code=code, defaults={"said": said}
    )
    if not made:
        Return.objects.filter(pk=row.pk).update(count=F("count") + 1, said=said)


def _too_often(reader: Reader, today: datetime.date) -> bool:
    """Whether mail to this reader came back on too many days since it was last let through."""
    rules = settings.NEWSROOM.settings.mail
    since = today - timedelta(days=rules.soft_days)
    lifted = Suppression.objects.filter(reader=reader).aggregate(last=Max("lifted"))["last"]
    soft = Return.objects.filter(reader=reader, kind=Kind.SOFT, day__gt=max(since, lifted or since))
    return soft.values("day").distinct().count() >= rules.soft_bounces


@transaction.atomic
def suppress(
    *,
    reader: Reader,
    reason: Suppression.Reason,
    code: str = "",
    said: str = "",
    acting_user: User | None = None,
) -> Suppression:
    """Write to this reader no more. A graver reason takes the place of a lighter one."""
    made, new = Suppression.objects.get_or_create(
        reader=reader,
        lifted=None,
        defaults={
            "reason": reason,
            "day": timezone.localdate(),
            "code": code[:20],
            "said": without_addresses(said),
        },
    )
    if not new and GRAVITY.index(reason) >= GRAVITY.index(Reason(made.reason)):
        return made
    if not new:
        made.reason, made.code, made.said = reason, code[:20], without_addresses(said)
        made.save(update_fields=["reason", "code", "said"])
    _record("tamizdat.suppress", reader, acting_user, reason=str(reason), status=code[:20])
    return made


@transaction.atomic
def lift(*, reader: Reader, why: str, acting_user: User | None = None) -> bool:
    """Write to this reader again. ``why`` is a person's reason, or the reader's own word
    (``confirmed``). Whether there was anything to lift.

    Raises ``SuppressionError`` where staff would lift a complaint: only the reader can.
    """
    found = Suppression.objects.select_for_update().filter(reader=reader, lifted=None).first()
    if found is None:
        return False
    if acting_user is not None and found.reason == Reason.COMPLAINT:
        raise SuppressionError(
            "this reader complained: only they can end that, by signing up again"
        )
    if not why.strip() or "@" in why:
        raise SuppressionError("say why in a few words, without an address in them")
    found.lifted = timezone.localdate()
    found.save(update_fields=["lifted"])
    _record("tamizdat.unsuppress", reader, acting_user, reason=found.reason, why=why.strip()[:200])
    return True


def _record(action: str, reader: Reader, acting_user: User | None, **data: str) -> None:
    audit.record(
        action=action,
        acting_user=acting_user,
        kind="readers.reader",
        object_id=str(reader.pk),
        label=str(reader),
        data=data,
    )


class Standing(NamedTuple):
    """How many are suppressed, by reason; what receivers refused for our sake lately: status,
    words, how often; how many reports could not be understood."""

    suppressed: dict[str, int]
    policy: list[tuple[str, str, int]]
    unread: int


def standing(today: datetime.date | None = None) -> Standing:
    today = today or timezone.localdate()
    held = Suppression.objects.filter(lifted=None).values("reason").annotate(n=Count("id"))
    lately = Return.objects.filter(
        kind=Kind.POLICY, day__gt=today - timedelta(days=POLICY_SHOWN)
    ).order_by("day")
    policy: dict[str, tuple[str, str, int]] = {}
    for row in lately:
        before = policy.get(row.code, ("", "", 0))[2]
        policy[row.code] = (row.code, row.said, before + row.count)
    return Standing(
        {row["reason"]: row["n"] for row in held.order_by("reason")},
        sorted(policy.values(), key=lambda found: -found[2]),
        Return.objects.filter(kind=Kind.UNKNOWN).exclude(sealed=b"").count(),
    )
