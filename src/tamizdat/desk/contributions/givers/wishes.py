# SPDX-License-Identifier: AGPL-3.0-or-later
"""What givers asked for by link, done at the provider.

What always holds:

- A wish is a row (``want``) before anything is asked of a provider. It is gone in the transaction
  that keeps what the provider said and writes the answer: who dies in between leaves it, and who
  comes next asks the same again under the same key, which the provider does once.
- Of one agreement the oldest wish is done first; one that cannot be done now holds up no other
  agreement's.
- An agreement that the provider does not know any more is ended, so to cancel it is done.
- What a provider refuses for good is told to the giver, and stays for the desk to see.

What is not done here: reading what givers ask (``selfservice``), when (``contributions.rounds``).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from tamizdat.config import ConfigError
from tamizdat.desk.contributions import facts, providers
from tamizdat.desk.contributions.givers import mails
from tamizdat.desk.contributions.models import Gift, Wish
from tamizdat.giving.errors import AccountError, NotFoundError, ProviderError
from tamizdat.giving.money import Money
from tamizdat.giving.port import Fact, GiftFact, Provider

log = logging.getLogger("tamizdat.contributions")
LEASE = timedelta(minutes=5)  # longer than any call of a provider
PAUSES = [timedelta(minutes=n) for n in (1, 5, 15, 60)]
MOST = 50  # in one look
Ask = Wish.Ask


class _Done(NamedTuple):
    """What the provider said, and the address of its own page for a new card."""

    facts: tuple[Fact, ...] = ()
    url: str = ""


def want(
    *,
    gift: Gift,
    ask: Ask,
    amount: int = 0,
    until: date | None = None,
    answer: bool = True,
    now: datetime | None = None,
) -> Wish:
    """Write a wish down, in the caller's transaction. The same one while it waits is the same."""
    same = Wish.objects.filter(gift=gift, ask=ask, amount=amount, until=until, refused=False)
    found = same.first()
    return found or Wish.objects.create(
        gift=gift,
        ask=ask,
        amount=amount,
        until=until,
        answer=answer,
        not_before=now or timezone.now(),
    )


def carry_out(now: datetime | None = None) -> int:
    """Do what is due; how many wishes are done. Raises ``VaultError``."""
    now = now or timezone.now()
    # Nothing waits for longer than that: what says so was written while the clock was ahead.
    ahead = Q(not_before__gt=now + max(LEASE, *PAUSES))
    due = Wish.objects.filter(Q(not_before__lte=now) | ahead, refused=False).order_by("pk")
    done, seen = 0, set[int]()
    for wish in due.select_related("gift", "gift__reader")[:MOST]:
        if wish.gift_id in seen or _waits_for_another(wish):
            continue
        seen.add(wish.gift_id)
        done += _try(wish, now)
    return done


def _waits_for_another(wish: Wish) -> bool:
    earlier = Wish.objects.filter(gift=wish.gift_id, refused=False, pk__lt=wish.pk)
    return earlier.exists()


def _try(wish: Wish, now: datetime) -> int:
    """Whether it is done now."""
    mine = Wish.objects.filter(pk=wish.pk, not_before=wish.not_before)
    if not mine.update(not_before=now + LEASE, attempts=F("attempts") + 1):
        return 0
    try:
        done = _ask(providers.of(wish.gift.provider), wish)
    except (AccountError, ConfigError) as error:
        _later(wish, f"{error}", now)
    except ProviderError as error:
        if error.permanent:
            _refused(wish, f"{error}", now)
        else:
            _later(wish, f"{error}", now)
    else:
        return _keep(wish, done, now)
    return 0


def _ask(provider: Provider, wish: Wish) -> _Done:
    """Ask the provider. Raises ``ProviderError``."""
    ref, key = wish.gift.ref, f"wish-{wish.pk}"
    try:
        match Ask(wish.ask):
            case Ask.AMOUNT:
                said = provider.change(ref, Money(wish.amount, wish.gift.currency), key=key)
            case Ask.PAUSE:
                said = provider.pause(ref, _morning(wish.until), key=key)
            case Ask.RESUME:
                said = provider.resume(ref, key=key)
            case Ask.CANCEL:
                said = provider.cancel(ref, key=key)
            case Ask.CARD:
                language = mails.language_of(wish.gift)
                return _Done(url=provider.new_card(ref, back=_back(language), language=language))
    except NotFoundError:
        if wish.ask != Ask.CANCEL:
            raise
        gone = GiftFact(ref=ref, at=int(timezone.now().timestamp()), state="ended")
        return _Done((gone,))
    return _Done(tuple(said))


def _morning(day: date | None) -> datetime:
    zone = ZoneInfo(settings.NEWSROOM.settings.timezone)
    return datetime.combine(day or timezone.localdate(), time(), zone)


def _back(language: str) -> str:
    """Where the provider's page leads back to: the paper's support page."""
    return f"{settings.NEWSROOM.settings.address.rstrip('/')}/{language}/support/"


@transaction.atomic
def _keep(wish: Wish, done: _Done, now: datetime) -> int:
    """Keep what the provider said and tell the giver; nothing where somebody else did."""
    facts.lock(wish.gift.provider, now)
    if not Wish.objects.filter(pk=wish.pk).delete()[0]:
        return 0
    facts.apply(done.facts, provider=wish.gift.provider, now=now)
    gift = Gift.objects.select_related("reader").get(pk=wish.gift_id)
    if wish.answer and gift.reader is not None:
        _tell(f"done-{wish.ask}", wish, gift, now, url=done.url)
    return 1


@transaction.atomic
def _refused(wish: Wish, said: str, now: datetime) -> None:
    log.warning("a provider refused what a giver asked for (%s): %s", wish.ask, said)
    if not Wish.objects.filter(pk=wish.pk, refused=False).update(refused=True, said=said[:300]):
        return
    if wish.answer and wish.gift.reader is not None:
        _tell("refused", wish, wish.gift, now)


def _later(wish: Wish, said: str, now: datetime) -> None:
    pause = PAUSES[min(wish.attempts, len(PAUSES) - 1)]
    Wish.objects.filter(pk=wish.pk).update(not_before=now + pause, said=said[:300])
    log.info("what a giver asked for (%s) is tried again: %s", wish.ask, said)


def _tell(kind: str, wish: Wish, gift: Gift, now: datetime, *, url: str = "") -> None:
    language = mails.language_of(gift)
    assert gift.reader is not None  # noqa: S101 - looked at by who calls
    mails.send(
        kind,
        gift.reader,
        language,
        now=now,
        url=url,
        how=mails.how_much(gift.kind, gift.amount, gift.currency, language),
        was=mails.how_much(gift.kind, wish.amount or gift.amount, gift.currency, language),
        until=mails.day(wish.until, language),
        next=mails.day(gift.next_day, language),
    )


def refused() -> Iterable[Wish]:
    """What somebody at the desk has to look at, the oldest first."""
    return Wish.objects.filter(refused=True).select_related("gift").order_by("pk")
