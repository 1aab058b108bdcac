# SPDX-License-Identifier: AGPL-3.0-or-later
"""What providers tell, taken in: rows, books, and what follows for who gave.

::

    take_event(provider.read(…), provider="stripe")   # a webhook, or an event from a list
    apply(provider.listing(…), provider="stripe")     # what there is now

What always holds:

- One event, or one call of ``apply``, is one transaction: rows, books, the reader in the vault and
  mails that wait, all or nothing. An event is taken once (``SeenEvent``).
- Of a provider one transaction is at work at a time (its row of ``Standing`` is locked).
- The same facts in any order, however often, end in the same rows and the same books: of two about
  one object the later counts (``at``, then the rank of its state); what never changes of an object
  is filled in by whichever fact tells it.
- An address goes into the vault at once and stands nowhere else. One that was forgotten does not
  come back by a fact that is repeated.

What is not done here: verifying events (``giving``), what is booked where (``books``), words.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, TypeVar

from django.conf import settings
from django.db import connection, models, transaction
from django.db.models import Max
from django.utils import timezone

from tamizdat.desk.contributions import books
from tamizdat.desk.contributions.givers import receipts
from tamizdat.desk.contributions.models import (
    Dispute,
    Gift,
    Movement,
    Payment,
    Payout,
    Refund,
    Standing,
)
from tamizdat.desk.readers.errors import AddressError
from tamizdat.desk.readers.vault import Vault
from tamizdat.giving import choice
from tamizdat.giving.port import (
    RANKS,
    DisputeFact,
    Event,
    Fact,
    GiftFact,
    MovementFact,
    PaymentFact,
    PayoutFact,
    RefundFact,
)

log = logging.getLogger("tamizdat.contributions")
Changes = dict[str, Any]
_Row = TypeVar("_Row", bound=models.Model)
GIFT_RANK, PAYMENT_RANK, DISPUTE_RANK, PAYOUT_RANK = (
    {state: rank for rank, state in enumerate(RANKS[kind])}
    for kind in (GiftFact, PaymentFact, DisputeFact, PayoutFact)
)
# What people asked for and the provider has not named yet is older than anything it says.
REFUND_RANK = {"asked": -1, "approved": -1, "declined": -1, "pending": 0, "done": 1, "failed": 2}
OVER = ("ended", "expired")
_NEVER = -1  # before any provider's clock
_CLOCKS = frozenset(("at", "amount_at", "next_at"))
_GIFT_TOLD = ("intent", "kind", "currency", "language", "message", "variant", "checkout", "behalf")
_SHAPES = {
    "message": choice.SLUG,
    "variant": choice.SLUG,
    "language": re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*\Z"),
}
_LONGEST = {"message": 60, "variant": 60, "language": 35, "checkout": 255}


@transaction.atomic(savepoint=False)
def take_event(
    event: Event, *, provider: str, heard: datetime | None = None, now: datetime | None = None
) -> bool:
    """Take an event in. Whether it was new and told us anything. ``heard``: the hour in which a
    call of the webhook told it. Raises ``VaultError``."""
    now = now or timezone.now()
    last = lock(provider, now)
    if heard and (last is None or last < heard):
        Standing.objects.filter(pk=provider).update(last_event=heard)
    if not event.facts or not _remember(provider, event.id, timezone.localdate(now)):
        return False
    for fact in event.facts:
        _apply(provider, fact, now)
    return True


def _remember(provider: str, event: str, day: date) -> bool:
    """Whether it was new."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO contributions_seenevent (provider, event, day) VALUES (%s, %s, %s) "
            "ON CONFLICT DO NOTHING",
            [provider, event[:255], day],
        )
        return cursor.rowcount == 1


@transaction.atomic(savepoint=False)
def apply(facts: Iterable[Fact], *, provider: str, now: datetime | None = None) -> int:
    """Take facts in. How many of them told something that was not known. Raises ``VaultError``."""
    lock(provider, now)
    return sum(_apply(provider, fact, now or timezone.now()) for fact in facts)


def lock(provider: str, now: datetime | None = None) -> datetime | None:
    """Let nobody else take facts of this provider in until the transaction ends. When its last
    call came."""
    found = _locked(provider)
    if not found:
        begun = now or timezone.now()
        Standing.objects.get_or_create(provider=provider, defaults={"begun": begun})
        found = _locked(provider)
    last: datetime | None = found[0]
    return last


def _locked(provider: str) -> tuple[Any, ...]:
    # From a cursor: a queryset takes longer to be made than the database to answer.
    end = " FOR UPDATE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT last_event FROM contributions_standing WHERE provider = %s{end}",  # noqa: S608 - ours
            [provider],
        )
        row: tuple[Any, ...] = cursor.fetchone() or ()
    if row and isinstance(row[0], datetime) and timezone.is_naive(row[0]):
        return (row[0].replace(tzinfo=UTC),)
    return row


@cache
def _query(model: type[models.Model]) -> tuple[str, tuple[str, ...]]:
    """How one row of a provider's object is read, and its fields."""
    names = tuple(field.attname for field in model._meta.concrete_fields)
    columns = ", ".join(str(field.column) for field in model._meta.concrete_fields)
    table = model._meta.db_table
    return f"SELECT {columns} FROM {table} WHERE provider = %s AND ref = %s", names  # noqa: S608 - ours


def _row(model: type[_Row], provider: str, ref: str) -> _Row | None:
    """An object of a provider as it is known here."""
    query, names = _query(model)
    with connection.cursor() as cursor:
        cursor.execute(query, [provider, ref])
        found = cursor.fetchone()
    return None if found is None else model.from_db(connection.alias, names, found)


def _apply(provider: str, fact: Fact, now: datetime) -> bool:
    match fact:
        case GiftFact():
            return _gift(provider, fact, now)
        case PaymentFact():
            return _payment(provider, fact, now)
        case RefundFact():
            return _refund(provider, fact)
        case DisputeFact():
            return _dispute(provider, fact)
        case MovementFact():
            return _movement(provider, fact)
        case PayoutFact():
            return _payout(provider, fact)


def day_of(at: int) -> date:
    """The newsroom's day at this moment (unix seconds)."""
    return timezone.localdate(datetime.fromtimestamp(at, UTC))


# Agreements


def _gift(provider: str, fact: GiftFact, now: datetime) -> bool:
    row = _row(Gift, provider, fact.ref)
    known = row is not None
    row = row or Gift(
        provider=provider, ref=fact.ref, state=fact.state, at=_NEVER, day=day_of(fact.at)
    )
    changes = _gift_changes(row, fact)
    told = _keep(row, changes, known=known)
    if _take_address(row, fact):
        told = True
    adopted = (not known or "intent" in changes) and _adopt_payments(row)
    if adopted or (known and "kind" in changes):
        books.book_gift(row)
    if adopted or (known and told):
        receipts.settle(row, now=now)
    return told


def _gift_changes(row: Gift, fact: GiftFact) -> Changes:
    changes: Changes = {"day": min(row.day, day_of(fact.at))}
    for name in _GIFT_TOLD:
        if not getattr(row, name) and (value := getattr(fact, name)) and _can_be(name, value):
            changes[name] = value[: _LONGEST[name]] if name in _LONGEST else value
    if fact.amount and (fact.at, fact.amount) > (row.amount_at, row.amount):
        changes |= {"amount": fact.amount, "amount_at": fact.at}
    if fact.next_at:
        due = day_of(fact.next_at)
        if (fact.at, due) > (row.next_at, row.next_day or date.min):
            changes |= {"next_day": due, "next_at": fact.at}
    later = _later(row, fact, GIFT_RANK)
    if later:
        changes |= {"state": fact.state, "at": fact.at}
        if fact.state == "active":
            changes |= {"failed": 0, "warned": None}
    state = changes.get("state", row.state)
    changes["ended"] = _day(row.ended, row.state, fact, later) if state in OVER else None
    return changes


def _can_be(name: str, value: Any) -> bool:
    """Whether it is what our pages write upon a checkout: who has a till's key, or the provider's
    page, may write anything there. It goes into files and names files of words."""
    return name not in _SHAPES or bool(_SHAPES[name].match(value))


def _later(row: Any, fact: Any, rank: Mapping[str, int]) -> bool:
    told: tuple[int, int] = (fact.at, rank[fact.state])
    return told >= (row.at, rank[row.state])


def _day(had: date | None, state: str, fact: Any, later: bool) -> date | None:
    """The day on which an object came into its state, as the facts about it tell."""
    own = day_of(fact.at)
    if state == fact.state:
        return min(had, own) if had else own
    return own if later else had


def _keep(row: models.Model, changes: Changes, *, known: bool) -> bool:
    """Write what changed. Whether it is more than when it was said."""
    fresh = {name: value for name, value in changes.items() if getattr(row, name) != value}
    for name, value in fresh.items():
        setattr(row, name, value)
    if not known:
        row.save(force_insert=True)
    elif fresh:
        type(row)._default_manager.filter(pk=row.pk).update(**fresh)
    return not known or bool(set(fresh) - _CLOCKS)


def _take_address(row: Gift, fact: GiftFact) -> bool:
    """The giver into the vault, once. Whether that is news."""
    if not fact.address or row.reader_id or row.forgotten:
        return False
    language = row.language or settings.NEWSROOM.settings.languages[0]
    try:
        reader = Vault(settings.NEWSROOM).add(fact.address, language)
    except AddressError:
        log.info("a provider told an address that is none: nobody is written to")
        return False
    numbers = Gift.objects.filter(reader=reader).aggregate(last=Max("number"))
    number = (numbers["last"] or 0) + 1
    free = Gift.objects.filter(pk=row.pk, reader=None, forgotten=False)
    if free.update(reader=reader, number=number):
        row.reader, row.number = reader, number
    return True


def _adopt_payments(row: Gift) -> bool:
    """Payments that came before their agreement. Whether there were any."""
    alone = Payment.objects.filter(provider=row.provider, gift=None)
    wanted = models.Q(gift_ref=row.ref)
    if row.intent:
        wanted |= models.Q(intent=row.intent)
    return bool(alone.filter(wanted).update(gift=row))


# Payments and what becomes of them


def _payment(provider: str, fact: PaymentFact, now: datetime) -> bool:
    if fact.amount <= 0:  # Nothing was asked for, as while an agreement is paused.
        return False
    row = _row(Payment, provider, fact.ref)
    known = row is not None
    row = row or Payment(
        provider=provider,
        ref=fact.ref,
        state=fact.state,
        at=_NEVER,
        day=day_of(fact.at),
        amount=fact.amount,
        currency=fact.currency,
    )
    changes = _payment_changes(row, fact)
    told = _keep(row, changes, known=known)
    if told:
        books.book_payment(row)
        if row.gift_id and row.state == Payment.State.PAID:
            receipts.settle(row.gift, now=now)
    return told


def _payment_changes(row: Payment, fact: PaymentFact) -> Changes:
    later = _later(row, fact, PAYMENT_RANK)
    changes: Changes = {"day": _day(row.day, row.state, fact, later)}
    if later:
        changes |= {"state": fact.state, "at": fact.at, "amount": fact.amount}
        changes |= {"currency": fact.currency}
        changes["cause"] = fact.cause[:60] if fact.state == "failed" else ""
    if fact.gift and not row.gift_ref:
        changes["gift_ref"] = fact.gift
    if fact.intent and not row.intent:
        changes["intent"] = fact.intent
    if row.gift_id is None:
        changes["gift"] = _gift_of(
            row.provider, row.gift_ref or fact.gift, row.intent or fact.intent
        )
    return changes


def _gift_of(provider: str, ref: str, intent: str) -> Gift | None:
    found = _row(Gift, provider, ref) if ref else None
    if found is None and intent:
        found = Gift.objects.filter(provider=provider, intent=intent).first()
    return found


def _refund(provider: str, fact: RefundFact) -> bool:
    if fact.amount <= 0:
        return False
    row = _row(Refund, provider, fact.ref)
    row = row or _asked_for(provider, fact)
    known = row is not None
    row = row or Refund(
        provider=provider,
        payment_ref=fact.payment,
        state=fact.state,
        at=_NEVER,
        day=day_of(fact.at),
        amount=fact.amount,
        currency=fact.currency,
    )
    # Until the provider named it, ``at`` only says when it was last asked for.
    later = row.ref is None or _later(row, fact, REFUND_RANK)
    changes: Changes = {"ref": fact.ref, "day": _day(row.day, row.state, fact, later)}
    if later:
        changes |= {"state": fact.state, "at": fact.at}
    told = _keep(row, changes, known=known)
    if told:
        books.book_refund(row)
    return told


def _asked_for(provider: str, fact: RefundFact) -> Refund | None:
    """What people here approved and the provider names now."""
    ours = Refund.objects.filter(
        provider=provider,
        payment_ref=fact.payment,
        amount=fact.amount,
        currency=fact.currency,
        ref=None,
        state__in=(Refund.State.APPROVED, Refund.State.PENDING),
    )
    return ours.order_by("pk").first()


def _dispute(provider: str, fact: DisputeFact) -> bool:
    row = _row(Dispute, provider, fact.ref)
    known = row is not None
    row = row or Dispute(
        provider=provider,
        ref=fact.ref,
        payment_ref=fact.payment,
        state=fact.state,
        at=_NEVER,
        day=day_of(fact.at),
        amount=fact.amount,
        currency=fact.currency,
    )
    later = _later(row, fact, DISPUTE_RANK)
    # The day on which it began: its winning or losing has one in the books.
    changes: Changes = {"day": min(row.day, day_of(fact.at))}
    if later:
        changes |= {"state": fact.state, "at": fact.at, "amount": fact.amount}
    if fact.reason and not row.reason:
        changes["reason"] = fact.reason[:60]
    if fact.due_at and row.due is None:
        changes["due"] = day_of(fact.due_at)
    told = _keep(row, changes, known=known)
    if told:
        books.book_dispute(row)
    return told


def _movement(provider: str, fact: MovementFact) -> bool:
    row = _row(Movement, provider, fact.ref)
    if row is not None:
        fresh = {
            name: getattr(fact, name)
            for name in ("payout", "about")
            if getattr(fact, name) and not getattr(row, name)
        }
        return bool(fresh) and _keep(row, fresh, known=True)
    row = Movement.objects.create(
        provider=provider,
        ref=fact.ref,
        kind=fact.kind,
        gross=fact.gross,
        fee=fact.fee,
        net=fact.net,
        currency=fact.currency,
        source_amount=fact.source_amount or fact.gross,
        source_currency=fact.source_currency or fact.currency,
        about=fact.about,
        payout=fact.payout,
        at=fact.at,
        day=day_of(fact.at),
    )
    books.book_movement(row)
    return True


def _payout(provider: str, fact: PayoutFact) -> bool:
    row = _row(Payout, provider, fact.ref)
    known = row is not None
    row = row or Payout(
        provider=provider,
        ref=fact.ref,
        state=fact.state,
        at=_NEVER,
        day=day_of(fact.at),
        amount=fact.amount,
        currency=fact.currency,
    )
    later = _later(row, fact, PAYOUT_RANK)
    changes: Changes = {"day": _day(row.day, row.state, fact, later)}
    if later:
        changes |= {"state": fact.state, "at": fact.at, "amount": fact.amount}
    told = _keep(row, changes, known=known)
    if told:
        books.book_payout(row)
    return told
