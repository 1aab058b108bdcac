# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signing up: asked for with a form, confirmed by who reads the mailbox.

What always holds:

- Nothing is sent but one mail that asks, before the mailbox's owner said yes with its link. It
  confirms what the mail named and nothing else, once; who left since then stays away.
- What somebody learns who signs up another's address is nothing: the letterbox answers everybody
  alike, and what is known about an address is told to that mailbox alone.
- A mailbox gets at most ``ASKING`` such mails, whoever fills in how many forms with how many
  ``+tags``; what goes beyond is not written down either.
- A confirmation lifts what kept us from writing: it shows that the mailbox lives, and is its
  owner's own word.

What is not done here: reading submissions (``handlers``), what is confirmed of an address that
moves (``moving``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tamizdat.desk.newsletter.models import Newsletter, Subscription
from tamizdat.desk.newsletter.notices import notice, policy_versions
from tamizdat.desk.outgoing import lanes, links, suppression
from tamizdat.desk.outgoing.lanes import Limit
from tamizdat.desk.outgoing.links import DAYS, Link, Links, Purpose, day_stamp
from tamizdat.desk.readers import consents, retention
from tamizdat.desk.readers.errors import AddressError
from tamizdat.desk.readers.models import Consent, Reader
from tamizdat.desk.readers.vault import Vault

log = logging.getLogger("tamizdat.newsletter")
PURPOSE = "newsletter"
ASKING = Limit(a_day=3, a_week=6, by_mailbox=True)
TELLING = Limit(a_day=1, a_week=3, by_mailbox=True)
State = Subscription.State


@transaction.atomic
def sign_up(
    *,
    address: str,
    slugs: Iterable[str],
    privacy: int,
    form: str,
    language: str,
    now: datetime | None = None,
) -> None:
    """Somebody filled in the form. Raises ``VaultError`` and ``ConfigError`` where it has to wait.

    Newsletters that are not, or not any more, are passed over. A version of the privacy policy
    that was never published cannot have been agreed to: nothing is taken in.
    """
    now = now or timezone.now()
    newsletters = list(Newsletter.objects.filter(slug__in=list(slugs), active=True))
    if privacy not in policy_versions():
        log.warning(
            "a sign-up names version %d of the privacy policy, which was never published: it is "
            "not taken in. Does privacy in drop.toml fit?",
            privacy,
        )
        return
    try:
        reader = newsletters and Vault(settings.NEWSROOM).add(address, language)
    except AddressError:
        reader = None
    if not reader:
        log.info("a sign-up names no newsletter of ours, or no mail address")
        return
    locked(reader)
    wanted = [one for one in newsletters if not receives(reader, one)]
    if wanted:
        _ask(reader, wanted, privacy, form, language, now)
    else:
        tell_known(reader, newsletters, language, now)


def locked(reader: Reader) -> Reader | None:
    """The row as it is now, held until the transaction ends; None where it is gone or erased."""
    return Reader.objects.select_for_update().filter(pk=reader.pk, erased=None).first()


def receives(reader: Reader, newsletter: Newsletter) -> bool:
    """Whether the next issue goes to this reader, a pause aside."""
    there = Subscription.objects.filter(reader=reader, newsletter=newsletter, state=State.ACTIVE)
    return there.exists() and suppression.in_force(reader) is None


def _ask(
    reader: Reader,
    wanted: Sequence[Newsletter],
    privacy: int,
    form: str,
    language: str,
    now: datetime,
) -> None:
    if lanes.reached(ASKING, "confirm", reader, now):
        log.info("a sign-up asks for one mail more than a mailbox is sent: it is not taken in")
        retention.erase_rows_of_nothing({reader.pk})
        return
    today = timezone.localdate(now)
    asked = [ask(reader, one, privacy, form, language, today) for one in wanted]
    token = Links(settings.NEWSROOM).make(
        Purpose.CONFIRM, asked[0].pk, day_stamp(today), extra=len(asked)
    )
    send_asking(reader, "confirm", Purpose.CONFIRM, token, wanted, language, privacy, now)


def send_asking(
    reader: Reader,
    words: str,
    purpose: Purpose,
    token: str,
    newsletters: Sequence[Newsletter],
    language: str,
    privacy: int,
    now: datetime,
) -> None:
    """The one mail with the link that confirms; ``words`` names what it says (``notices``)."""
    lanes.send(
        purpose="confirm",
        reader=reader,
        notice=notice(
            words,
            language,
            url=links.address(settings.NEWSROOM, "confirm", token, language),
            newsletters=newsletters,
            privacy=privacy,
            days=DAYS[purpose] or 0,
        ),
        sender=sender_of(newsletters),
        now=now,
    )


def ask(
    reader: Reader, newsletter: Newsletter, privacy: int, form: str, language: str, today: date
) -> Consent:
    """Write down that it was asked for. Who left before counts as gone until it is confirmed."""
    Subscription.objects.get_or_create(
        newsletter=newsletter, reader=reader, defaults={"since": today}
    )
    return consents.ask(
        reader=reader,
        purpose=PURPOSE,
        subject=newsletter.slug,
        form=form,
        privacy=privacy,
        language=language,
    )


def tell_known(
    reader: Reader, newsletters: Sequence[Newsletter], language: str, now: datetime
) -> None:
    """Tell the mailbox, and nobody else, that it is subscribed already."""
    lanes.send(
        purpose="known",
        reader=reader,
        notice=notice(
            "known",
            language,
            url=preferences_address(reader, language, now),
            newsletters=newsletters,
        ),
        sender=sender_of(newsletters),
        limit=TELLING,
        now=now,
    )


def sender_of(newsletters: Sequence[Newsletter]) -> str:
    """Who a single mail comes from: ``[mail] sender`` (empty here), else the newsletter's own."""
    if settings.NEWSROOM.settings.mail.sender or not newsletters:
        return ""
    return newsletters[0].sender_address


def preferences_address(reader: Reader, language: str, now: datetime) -> str:
    """A link to the reader's own preferences."""
    stamp = day_stamp(timezone.localdate(now))
    token = Links(settings.NEWSROOM).make(Purpose.PREFERENCES, reader.pk, stamp)
    return links.address(settings.NEWSROOM, "preferences", token, language)


@transaction.atomic
def confirm(*, link: Link, token: str, language: str, now: datetime | None = None) -> int:
    """The mailbox's owner said yes; how many newsletters begin by it.

    Again it does nothing, nor where it was forgotten, withdrawn or erased meanwhile.
    """
    first = Consent.objects.filter(pk=link.subject, event=Consent.Event.ASKED).first()
    reader = first and locked(first.reader)
    if first is None or not reader:
        return 0
    asked = Consent.objects.filter(
        reader=reader, purpose=PURPOSE, event=Consent.Event.ASKED, pk__gte=first.pk
    ).order_by("pk")[: link.extra]
    begun = [one for one in asked if _begin(one, token, language, now or timezone.now())]
    if begun:
        suppression.lift(reader=reader, why="confirmed")
    return len(begun)


def _begin(asked: Consent, token: str, language: str, now: datetime) -> bool:
    newsletter = Newsletter.objects.filter(slug=asked.subject).first()
    if newsletter is None or not may_confirm(asked, token):
        return False
    consents.confirm(asked=asked, token=token, form="confirm", language=language)
    begin(asked.reader, newsletter, asked.language, timezone.localdate(now))
    return True


def may_confirm(asked: Consent, token: str) -> bool:
    """Not what this token confirmed before, nor what was withdrawn since it was asked for."""
    later = Consent.objects.filter(
        reader=asked.reader, purpose=asked.purpose, subject=asked.subject, pk__gt=asked.pk
    )
    if later.filter(event__in=consents.OVER).exists():
        return False
    return not later.filter(proof=consents.proof_of(token)).exists()


def begin(reader: Reader, newsletter: Newsletter, language: str, today: date) -> None:
    """From now on each issue goes to this reader, who agreed to it. A first newsletter sets the
    language of our mails; a further one comes as long as those before."""
    there = Subscription.objects.filter(reader=reader)
    if not there.filter(state=State.ACTIVE).exists() and reader.language != language:
        Reader.objects.filter(pk=reader.pk).update(language=language)
    like = there.filter(state=State.ACTIVE).values_list("text", flat=True).first()
    fresh = {"state": State.ACTIVE, "since": today, "text": like or Subscription.Text.SUMMARY}
    own, made = there.get_or_create(newsletter=newsletter, reader=reader, defaults=fresh)
    if not made and own.state != State.ACTIVE:
        own.state, own.since, own.left, own.paused_until = State.ACTIVE, today, None, None
        own.save(update_fields=["state", "since", "left", "paused_until"])


@transaction.atomic
def leave(
    *, subscription: Subscription, form: str, language: str, now: datetime | None = None
) -> bool:
    """The reader wants no more of this newsletter. Whether there was anything to end."""
    own = (
        Subscription.objects.select_for_update()
        .select_related("newsletter", "reader")
        .filter(pk=subscription.pk)
        .exclude(state=State.LEFT)
        .first()
    )
    if own is None:
        return False
    own.state, own.left = State.LEFT, timezone.localdate(now)
    own.paused_until = own.moves_to = None
    own.save(update_fields=["state", "left", "paused_until", "moves_to"])
    consents.withdraw(
        reader=own.reader,
        purpose=PURPOSE,
        subject=own.newsletter.slug,
        form=form,
        language=language,
    )
    return True
