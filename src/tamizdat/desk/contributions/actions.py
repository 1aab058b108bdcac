# SPDX-License-Identifier: AGPL-3.0-or-later
"""Refunds: one person asks, another approves, the provider does. Wishes that a provider refused;
having a provider asked before its day is over.

What always holds:

- Who asked for a refund does not approve it while ``[desk] four_eyes`` is on; the database refuses
  the same person in both places whatever is switched on, so with it off nobody's name stands in the
  second.
- What was given back, is on its way or waits for approval is never more than was paid. It is looked
  at when somebody asks, and once more when somebody approves: in between a bank may have taken the
  payment back, or somebody may have given it back on the provider's own page.
- An approved refund is asked of the provider under its own key until the provider said yes or no:
  however often, it is given back once.
- Each step is in the audit trail, with the amount and without the giver.

What is not done here: the provider's word on it (``facts``), the books, disputes: those are
answered on the provider's own page, where the evidence goes.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Sum
from django.utils import timezone
from wagtail.log_actions import log as note

from tamizdat.config import ConfigError
from tamizdat.desk.contributions import facts, providers
from tamizdat.desk.contributions.errors import ContributionsError, FourEyesError, RefundError
from tamizdat.desk.contributions.models import Dispute, Payment, Refund, Standing, Trouble, Wish
from tamizdat.desk.staff.models import User
from tamizdat.giving.errors import AccountError, ProviderError
from tamizdat.giving.money import Money, plain
from tamizdat.giving.port import Fact, RefundFact

log = logging.getLogger("tamizdat.contributions")
State = Refund.State
GONE = (State.FAILED, State.DECLINED)  # of these nothing is given back
ASK, APPROVE = "contributions.ask_refund", "contributions.approve_refund"
LOOK_AFTER = "contributions.view_standing"


@transaction.atomic
def ask_refund(*, payment: Payment, money: Money, why: str, acting_user: User) -> Refund:
    """Ask for a payment, or a part of it, to be given back. Raises ``RefundError``."""
    _require(acting_user, ASK)
    facts.lock(payment.provider)
    payment = Payment.objects.get(pk=payment.pk)
    if not why.strip():
        raise RefundError("Say why: whoever approves it reads that.")
    _check(payment, money)
    refund = Refund.objects.create(
        provider=payment.provider,
        payment_ref=payment.ref,
        amount=money.amount,
        currency=money.currency,
        state=State.ASKED,
        day=timezone.localdate(),
        why=why.strip()[:300],
        asked_by=acting_user,
    )
    _note(refund, "ask", acting_user)
    return refund


def _check(payment: Payment, money: Money, *, but: int | None = None) -> None:
    """Whether this much of a payment can be given back; ``but`` is a refund that is not counted."""
    if payment.state != Payment.State.PAID:
        raise RefundError("Only what was paid can be given back.")
    if money.currency != payment.currency or money.amount <= 0:
        raise RefundError(f"Give back an amount in {payment.currency}, above nothing.")
    ours = {"provider": payment.provider, "payment_ref": payment.ref}
    if Dispute.objects.filter(**ours).exclude(state=Dispute.State.WON).exists():
        raise RefundError(
            "This payment is disputed: its bank takes it back already. Answer the dispute instead."
        )
    left = left_of(payment, but=but)
    if not left.amount:
        raise RefundError("All of it was given back, or is on its way.")
    if money.amount > left.amount:
        raise RefundError(f"At most {plain(left)} {left.currency} of it are left to be given back.")


def left_of(payment: Payment, *, but: int | None = None) -> Money:
    """How much of a payment is not given back, on its way, or asked for; ``but`` is a refund that
    is not counted."""
    ours = Refund.objects.filter(provider=payment.provider, payment_ref=payment.ref)
    ours = ours.exclude(pk=but) if but else ours
    back = ours.exclude(state__in=GONE).aggregate(sum=Sum("amount"))["sum"] or 0
    return Money(max(0, payment.amount - back), payment.currency)


@transaction.atomic
def approve_refund(*, refund: Refund, acting_user: User) -> Refund:
    """The second person says yes; the worker then asks the provider. Raises ``RefundError``."""
    _require(acting_user, APPROVE)
    facts.lock(refund.provider)
    refund = _waiting(refund)
    _check_again(refund)
    alone = refund.asked_by_id == acting_user.pk
    if alone and settings.NEWSROOM.settings.desk.four_eyes:
        raise FourEyesError("You asked for this refund, so another person has to approve it.")
    refund.state, refund.key = State.APPROVED, f"refund-{refund.pk}"
    refund.approved_by = None if alone else acting_user
    refund.save(update_fields=["state", "key", "approved_by"])
    _note(refund, "approve", acting_user)
    return refund


@transaction.atomic
def decline_refund(*, refund: Refund, why: str, acting_user: User) -> Refund:
    """Do not give it back. Who asked may take it back so. Raises ``RefundError``."""
    if acting_user.pk != refund.asked_by_id:
        _require(acting_user, APPROVE)
    refund = _waiting(refund)
    refund.state, refund.said = State.DECLINED, why.strip()[:300]
    refund.save(update_fields=["state", "said"])
    _note(refund, "decline", acting_user)
    return refund


def _check_again(refund: Refund) -> None:
    """What became of the payment since somebody asked. Raises ``RefundError``."""
    payment = Payment.objects.get(provider=refund.provider, ref=refund.payment_ref)
    try:
        _check(payment, Money(refund.amount, refund.currency), but=refund.pk)
    except RefundError as error:
        raise RefundError(f"Since this was asked for something changed. {error}") from error


def _waiting(refund: Refund) -> Refund:
    """The row as it is now, held. Raises ``RefundError``."""
    found = Refund.objects.select_for_update().filter(pk=refund.pk).first()
    if found is None or found.state != State.ASKED:
        raise RefundError("Somebody has decided on this refund meanwhile: look at it again.")
    return found


def _require(user: User, right: str) -> None:
    if not user.has_perm(right):
        raise PermissionDenied


def _note(refund: Refund, step: str, user: User | None, **more: str) -> None:
    amount = f"{plain(Money(refund.amount, refund.currency))} {refund.currency}"
    data = {"amount": amount, "payment": refund.payment_ref, **more}
    note(refund, f"tamizdat.refund_{step}", user=user, data=data)


@transaction.atomic
def see_to_wish(*, wish: Wish, acting_user: User) -> None:
    """Somebody did by hand what a giver asked for and the provider had refused, and answered.
    Raises ``ContributionsError`` where somebody else was quicker."""
    _require(acting_user, APPROVE)
    if not Wish.objects.filter(pk=wish.pk, refused=True).delete()[0]:
        raise ContributionsError("Somebody has seen to it meanwhile: it is not here any more.")
    data = {"ask": wish.ask, "said": wish.said}
    note(wish.gift, "tamizdat.wish_seen_to", user=acting_user, data=data)


@transaction.atomic
def ask_to_reconcile(*, provider: str, acting_user: User, now: datetime | None = None) -> None:
    """Have the worker ask a provider within a minute what happened, before its day is over. Raises
    ``ConfigError`` for one that the newsroom does not have."""
    _require(acting_user, LOOK_AFTER)
    if providers.settings_of(provider) is None:
        raise ConfigError(f"this newsroom has no provider “{provider}”")
    now = now or timezone.now()
    row, _ = Standing.objects.get_or_create(provider=provider, defaults={"begun": now})
    Standing.objects.filter(pk=row.pk).update(next_try=now)
    note(row, "tamizdat.reconcile_ask", user=acting_user)


def note_trouble(*, task: str, said: str, now: datetime | None = None) -> None:
    """Write down that the worker cannot do one of its tasks; since when stays as it was."""
    fresh = {"said": said[:500]}
    first = {**fresh, "since": now or timezone.now()}
    Trouble.objects.update_or_create(pk=task, defaults=fresh, create_defaults=first)


def note_that_it_goes(*, task: str) -> None:
    """The worker did it: whatever kept it from that is over."""
    Trouble.objects.filter(pk=task).delete()


# What the worker does of it


def carry_out_refunds(*, now: datetime | None = None) -> int:
    """Ask the providers for what was approved; how many answered. Trouble is told on the row."""
    now = now or timezone.now()
    approved = Refund.objects.filter(state=State.APPROVED).order_by("pk")
    return sum(_carry_out(refund, now) for refund in approved[:20] if _turn(refund, now))


def _turn(refund: Refund, now: datetime) -> bool:
    """At once, then every minute: the last try is told by ``at``, which the provider has not set
    yet. One that is told to come was before the clock was set back."""
    return not 0 <= int(now.timestamp()) - refund.at < 60


def _carry_out(refund: Refund, now: datetime) -> int:
    tried = Refund.objects.filter(pk=refund.pk, state=State.APPROVED, at=refund.at)
    if not tried.update(at=int(now.timestamp())):
        return 0
    money = Money(refund.amount, refund.currency)
    try:
        provider = providers.of(refund.provider)
        told = tuple(provider.refund(refund.payment_ref, money, key=refund.key or ""))
    except (AccountError, ConfigError) as error:
        _tried(refund, f"{error}")
    except ProviderError as error:
        if error.permanent:
            _fail(refund, f"{error}")
        else:
            _tried(refund, f"{error}")
    else:
        _keep(refund, told, now)
        return 1
    return 0


def _tried(refund: Refund, said: str) -> None:
    log.warning("a refund is tried again: %s", said)
    Refund.objects.filter(pk=refund.pk, state=State.APPROVED).update(said=said[:300])


@transaction.atomic
def _fail(refund: Refund, said: str) -> None:
    log.warning("a provider refused a refund: %s", said)
    held = Refund.objects.filter(pk=refund.pk, state=State.APPROVED)
    if held.update(state=State.FAILED, said=said[:300]):
        _note(refund, "fail", None, said=said[:300])


@transaction.atomic
def _keep(refund: Refund, told: tuple[Fact, ...], now: datetime) -> None:
    """The provider's name for it goes to our row, also where its webhook was quicker."""
    facts.lock(refund.provider, now)
    named = next((fact for fact in told if isinstance(fact, RefundFact)), None)
    mine = Refund.objects.get(pk=refund.pk)
    if named is not None and mine.ref is None:
        _name(mine, named.ref)
    if mine.state == State.APPROVED:
        mine.state, mine.at, mine.said = State.PENDING, 0, ""
        mine.save(update_fields=["state", "at", "said"])
    facts.apply(told, provider=refund.provider, now=now)


def _name(mine: Refund, ref: str) -> None:
    """Of two rows about one refund ours stays, with what the other was told. Where that is another
    one that people asked for, of the same amount, a webhook was quicker than this answer and was
    taken for the wrong one of the two: the other is asked for as before."""
    other = Refund.objects.filter(provider=mine.provider, ref=ref).first()
    if other is not None:
        mine.state, mine.at, mine.day = other.state, other.at, other.day
        if other.key is None:
            other.delete()
        else:
            other.state, other.ref, other.at = State.APPROVED, None, 0
            other.save(update_fields=["state", "ref", "at"])
    mine.ref = ref
    mine.save(update_fields=["ref", "state", "at", "day"])
