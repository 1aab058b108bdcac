# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reader changes by the link in a mail: which newsletters, how, where to, not at all.

What always holds:

- Who has the link has had one of our mails: it proves the mailbox as well as a confirmation does,
  and a newsletter that is ticked begins at once, with the link's token as the proof.
- What was left out of the form stays as it is. The same again changes nothing.
- A pause ends after ``LONGEST_PAUSE`` at the latest; a day that is over ends it now.
- All that is held goes only to the reader's own address; an erasure is told there last.

What is not done here: reading submissions (``handlers``), another address (``moving``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tamizdat.desk.newsletter import moving
from tamizdat.desk.newsletter.models import Newsletter, Subscription
from tamizdat.desk.newsletter.notices import notice, policy_versions
from tamizdat.desk.newsletter.signup import (
    PURPOSE,
    ask,
    begin,
    leave,
    locked,
    preferences_address,
    receives,
    sender_of,
)
from tamizdat.desk.outgoing import lanes, suppression
from tamizdat.desk.outgoing.lanes import Enclosed, Limit
from tamizdat.desk.outgoing.links import Link
from tamizdat.desk.readers import answers, consents, requests
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.desk.readers.vault import Vault

LONGEST_PAUSE = timedelta(days=366)
EXPORTING = Limit(a_day=1, a_week=3)
FORM = "preferences"
State = Subscription.State


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """The form as it was sent. None: not asked for."""

    newsletters: list[str] | None = None
    mail_language: str | None = None
    text: str | None = None
    pause_until: date | None = None
    address: str | None = None
    ask: str | None = None


@transaction.atomic
def change(
    *, link: Link, token: str, wish: Wish, language: str, now: datetime | None = None
) -> None:
    """Do what a reader wishes. Nothing where the reader is gone. Raises ``VaultError``."""
    now = now or timezone.now()
    found = Reader.objects.filter(pk=link.subject).first()
    reader = found and locked(found)
    if not reader:
        return
    if wish.newsletters is not None:
        _choose(reader, wish.newsletters, token, language, now)
    if wish.mail_language:
        reader.language = wish.mail_language
        reader.save(update_fields=["language"])
    _shape(reader, wish, timezone.localdate(now))
    if wish.address:
        moving.ask_to_move(reader=reader, address=wish.address, now=now)
    if wish.ask == "export":
        export(reader=reader, now=now)
    if wish.ask == "erase":
        erase(reader=reader, now=now)


def _choose(reader: Reader, slugs: Sequence[str], token: str, language: str, now: datetime) -> None:
    """Those that are named will come, the others will not."""
    mine = Subscription.objects.filter(reader=reader).exclude(state=State.LEFT)
    for one in mine.exclude(newsletter__slug__in=slugs):
        leave(subscription=one, form=FORM, language=language, now=now)
    for newsletter in Newsletter.objects.filter(slug__in=slugs, active=True):
        if not receives(reader, newsletter):
            _begin(reader, newsletter, token, language, timezone.localdate(now))


def _begin(reader: Reader, newsletter: Newsletter, token: str, language: str, today: date) -> None:
    agreed = last_privacy(reader)
    asked = ask(reader, newsletter, agreed, FORM, language, today)
    consents.confirm(asked=asked, token=token, form=FORM, language=language)
    begin(reader, newsletter, reader.language, today)
    suppression.lift(reader=reader, why="preferences")


def last_privacy(reader: Reader) -> int:
    """The version of the privacy policy that a reader agreed to last, else the newest."""
    said = Consent.objects.filter(reader=reader, purpose=PURPOSE, privacy__isnull=False)
    return said.order_by("-pk").values_list("privacy", flat=True).first() or max(policy_versions())


def _shape(reader: Reader, wish: Wish, today: date) -> None:
    """What holds for all of a reader's newsletters."""
    mine = Subscription.objects.filter(reader=reader).exclude(state=State.LEFT)
    if wish.text is not None:
        mine.update(text=wish.text)
    if wish.pause_until is not None:
        until = min(wish.pause_until, today + LONGEST_PAUSE)
        mine.update(paused_until=until if until > today else None)


def export(*, reader: Reader, now: datetime) -> None:
    """Send a reader all that is held about them."""
    if lanes.reached(EXPORTING, "export", reader, now):
        return
    vault = Vault(settings.NEWSROOM)
    found = requests.export(vault=vault, address=vault.address_of(reader), acting_user=None)
    lanes.send(
        purpose="export",
        reader=reader,
        notice=notice(
            "export", reader.language, url=preferences_address(reader, reader.language, now)
        ),
        files=[
            _text_file("your-data.txt", answers.export_as(found, "text")),
            Enclosed(
                "your-data.json", "application/json", answers.export_as(found, "json").encode()
            ),
        ],
        sender=_sender(reader),
        now=now,
    )


def erase(*, reader: Reader, now: datetime) -> None:
    """Erase a reader, and tell the mailbox by a last mail."""
    vault, language, sender = Vault(settings.NEWSROOM), reader.language, _sender(reader)
    address = vault.address_of(reader)
    receipt = requests.erase(vault=vault, address=address, acting_user=None)
    lanes.send(
        purpose="erased",
        to=address,
        notice=notice("erased", language),
        files=[_text_file("receipt.txt", answers.receipt_as_text(receipt))],
        sender=sender,
        now=now,
    )


def _text_file(name: str, text: str) -> Enclosed:
    return Enclosed(name, "text/plain", text.encode())


def _sender(reader: Reader) -> str:
    mine = Newsletter.objects.filter(subscriptions__reader=reader)
    return sender_of(list(mine[:1]) or list(Newsletter.objects.filter(active=True)[:1]))
