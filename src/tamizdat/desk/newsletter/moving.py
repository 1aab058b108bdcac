# SPDX-License-Identifier: AGPL-3.0-or-later
"""Another address: the new mailbox confirms, the old one is told.

What always holds:

- Until who reads the new mailbox says yes, everything goes on to the old one. Asking again for
  another address ends what was asked before.
- Subscriptions move, with their pauses, wishes and cohort. What was agreed to does not: consents
  are said by an address and are never changed; the new one's begin with its confirmation, the old
  one's end.
- Neither mailbox is told the other's address, and what was held of the old one is not handed to
  the new one.

What is not done here: other preferences.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tamizdat.desk.newsletter.models import Newsletter, Subscription
from tamizdat.desk.newsletter.notices import notice, policy_versions
from tamizdat.desk.newsletter.signup import (
    ASKING,
    PURPOSE,
    locked,
    may_confirm,
    send_asking,
    sender_of,
)
from tamizdat.desk.outgoing import lanes, suppression
from tamizdat.desk.outgoing.links import Link, Links, Purpose, day_stamp
from tamizdat.desk.readers import consents, retention
from tamizdat.desk.readers.errors import AddressError
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.desk.readers.vault import Vault

FORM = "move"
State = Subscription.State


def ask_to_move(*, reader: Reader, address: str, now: datetime) -> bool:
    """Ask the new mailbox. Inside a transaction; whether anything was asked. Raises
    ``VaultError``."""
    active = Subscription.objects.select_for_update().filter(reader=reader, state=State.ACTIVE)
    mine = list(active.select_related("newsletter"))
    try:
        new = Vault(settings.NEWSROOM).add(address, reader.language) if mine else None
    except AddressError:
        new = None
    if new is None or new.pk == reader.pk or not locked(new):
        return False
    if lanes.reached(ASKING, "confirm", new, now):
        retention.erase_rows_of_nothing({new.pk})
        return False
    privacy = max(policy_versions())
    for one in mine:
        one.moves_to = new
        one.save(update_fields=["moves_to"])
        consents.ask(
            reader=new,
            purpose=PURPOSE,
            subject=one.newsletter.slug,
            form=FORM,
            privacy=privacy,
            language=reader.language,
        )
    stamp = day_stamp(timezone.localdate(now))
    token = Links(settings.NEWSROOM).make(Purpose.MOVE, new.pk, stamp)
    newsletters = [one.newsletter for one in mine]
    send_asking(new, "move", Purpose.MOVE, token, newsletters, reader.language, privacy, now)
    return True


@transaction.atomic
def confirm_move(*, link: Link, token: str, language: str, now: datetime | None = None) -> int:
    """The new mailbox said yes; how many newsletters moved. Again it does nothing."""
    now = now or timezone.now()
    found = Reader.objects.filter(pk=link.subject).first()
    new = found and locked(found)
    if not new:
        return 0
    waiting = Subscription.objects.select_for_update().filter(moves_to=new, state=State.ACTIVE)
    moved: dict[Reader, list[Newsletter]] = {}
    for one in waiting.select_related("newsletter", "reader"):
        old = one.reader
        if _move(one, new, token, language, now):
            moved.setdefault(old, []).append(one.newsletter)
    for old, newsletters in moved.items():
        like_old = {"language": old.language, "cohort": old.cohort or new.cohort}
        Reader.objects.filter(pk=new.pk).update(**like_old)
        _tell_old(old, newsletters, now)
    if moved:
        suppression.lift(reader=new, why="confirmed")
    return sum(map(len, moved.values()))


def _move(one: Subscription, new: Reader, token: str, language: str, now: datetime) -> bool:
    slug = one.newsletter.slug
    asked = Consent.objects.filter(
        reader=new, purpose=PURPOSE, subject=slug, event=Consent.Event.ASKED, form=FORM
    ).last()
    if asked is None or not may_confirm(asked, token):
        return False
    consents.confirm(asked=asked, token=token, form="confirm", language=language)
    consents.withdraw(
        reader=one.reader, purpose=PURPOSE, subject=slug, form=FORM, language=language
    )
    own = Subscription.objects.filter(reader=new, newsletter=one.newsletter).first()
    one.moves_to = None
    if own is None:
        one.reader = new
    else:
        own.state, own.left, own.text, own.paused_until = State.ACTIVE, None, one.text, None
        own.save()
        one.state, one.left = State.LEFT, timezone.localdate(now)
    one.save()
    return True


def _tell_old(old: Reader, newsletters: Sequence[Newsletter], now: datetime) -> None:
    lanes.send(
        purpose="moved",
        reader=old,
        notice=notice("moved", old.language, newsletters=newsletters),
        sender=sender_of(newsletters),
        now=now,
    )
