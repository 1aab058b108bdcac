# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows as pages show them, with what belongs to them: a few questions for a whole page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from wagtail.models import ModelLogEntry

from tamizdat.desk.contributions import providers
from tamizdat.desk.contributions.actions import GONE
from tamizdat.desk.contributions.givers.mails import number_of
from tamizdat.desk.contributions.models import Dispute, Gift, Payment, Refund
from tamizdat.desk.contributions.pages.gifts import words
from tamizdat.desk.staff.models import User
from tamizdat.giving import registry
from tamizdat.giving.money import EXPONENTS

Name = tuple[str, str]  # a provider, and what it calls a payment


@dataclass(frozen=True)
class PaymentLine:
    """``left``: something of it can be asked to be given back."""

    payment: Payment
    amount: str
    kind: str
    state: str
    receipt: str
    left: bool
    url: str = ""
    refunds: list[RefundLine] = field(default_factory=list)
    disputes: list[DisputeLine] = field(default_factory=list)

    @property
    def bad(self) -> bool:
        return self.payment.state == Payment.State.FAILED or bool(self.disputes)


@dataclass(frozen=True)
class RefundLine:
    refund: Refund
    payment: Payment | None
    amount: str
    state: str
    asked_by: str
    approved_by: str
    mine: bool
    url: str = ""

    @property
    def waits(self) -> bool:
        return self.refund.state == Refund.State.ASKED

    @property
    def failed(self) -> bool:
        return self.refund.state == Refund.State.FAILED


@dataclass(frozen=True)
class DisputeLine:
    dispute: Dispute
    payment: Payment | None
    amount: str
    reason: str
    url: str = ""

    @property
    def open(self) -> bool:
        return self.dispute.state == Dispute.State.OPEN


def of_payments(rows: Sequence[Payment], looking: User) -> list[PaymentLine]:
    """In their order."""
    names = {(row.provider, row.ref): row for row in rows}
    refunds: defaultdict[Name, list[RefundLine]] = defaultdict(list)
    disputes: defaultdict[Name, list[DisputeLine]] = defaultdict(list)
    told = _about(names)
    people = Refund.objects.select_related("asked_by", "approved_by")
    for refund in people.filter(told).order_by("pk"):
        name = (refund.provider, refund.payment_ref)
        refunds[name].append(_refund(refund, names.get(name), looking))
    for dispute in Dispute.objects.filter(told).order_by("day", "pk"):
        name = (dispute.provider, dispute.payment_ref)
        disputes[name].append(_dispute(dispute, names.get(name)))
    return [_payment(row, refunds[name], disputes[name]) for name, row in names.items()]


def of_refunds(rows: Iterable[Refund], looking: User) -> list[RefundLine]:
    found = list(rows)
    known = _payments((row.provider, row.payment_ref) for row in found)
    return [_refund(row, known.get((row.provider, row.payment_ref)), looking) for row in found]


def of_disputes(rows: Iterable[Dispute]) -> list[DisputeLine]:
    found = list(rows)
    known = _payments((row.provider, row.payment_ref) for row in found)
    return [_dispute(row, known.get((row.provider, row.payment_ref))) for row in found]


def own_page_of(gift: Gift) -> str:
    """The provider's page about what is given again and again; empty where there is none."""
    if gift.kind not in ("monthly", "annual"):
        return ""
    return registry.own_page(gift.provider, "agreement", gift.ref, url=_url(gift.provider))


@dataclass(frozen=True)
class Step:
    """One line of the audit trail."""

    when: datetime
    who: str
    words: str
    amount: str
    said: str


def steps(gift: Gift | None, refunds: Iterable[Refund]) -> list[Step]:
    """What people here did about an agreement and its payments, in order."""
    of = ContentType.objects.get_for_models(Gift, Refund)
    wanted = Q(content_type=of[Refund], object_id__in=[str(one.pk) for one in refunds])
    if gift is not None:
        wanted |= Q(content_type=of[Gift], object_id=str(gift.pk))
    rows = ModelLogEntry.objects.filter(wanted).select_related("user").order_by("timestamp", "pk")
    return [_step(row) for row in rows]


def _step(row: ModelLogEntry) -> Step:
    told = row.data if isinstance(row.data, dict) else {}
    return Step(
        when=row.timestamp,
        who=str(row.user_display_name) if row.user_id else "The provider",
        words=str(row.message),
        amount=str(told.get("amount", "")),
        said=str(told.get("said", "")),
    )


def _payment(row: Payment, refunds: list[RefundLine], disputes: list[DisputeLine]) -> PaymentLine:
    back = [one.refund for one in refunds]
    gone = sum(one.amount for one in back if one.state not in GONE)
    lost = any(one.dispute.state != Dispute.State.WON for one in disputes)
    return PaymentLine(
        payment=row,
        amount=words.money(row.amount, row.currency),
        kind=words.kind(row.gift),
        state=words.payment(row, back, [one.dispute for one in disputes]),
        receipt=number_of(row),
        left=_paid(row) and gone < row.amount and not lost,
        url=_own_page(row.provider, row.ref),
        refunds=refunds,
        disputes=disputes,
    )


def _paid(row: Payment) -> bool:
    return row.state == Payment.State.PAID and row.currency in EXPONENTS


def _refund(row: Refund, payment: Payment | None, looking: User) -> RefundLine:
    return RefundLine(
        refund=row,
        payment=payment,
        amount=words.money(row.amount, row.currency),
        state=words.refund(row, looking),
        asked_by=words.name_of(row.asked_by),
        approved_by=words.name_of(row.approved_by),
        mine=row.asked_by_id == looking.pk,
        url=_own_page(row.provider, row.payment_ref),
    )


def _dispute(row: Dispute, payment: Payment | None) -> DisputeLine:
    return DisputeLine(
        dispute=row,
        payment=payment,
        amount=words.money(row.amount, row.currency),
        reason=words.reason(row.reason),
        url=_own_page(row.provider, row.payment_ref),
    )


def _own_page(provider: str, ref: str) -> str:
    return registry.own_page(provider, "payment", ref, url=_url(provider))


def _url(provider: str) -> str:
    known = providers.settings_of(provider)
    return known.url if known else ""


def _payments(names: Iterable[Name]) -> dict[Name, Payment]:
    wanted = set(names)
    found = Payment.objects.filter(
        provider__in={provider for provider, _ in wanted}, ref__in={ref for _, ref in wanted}
    )
    return {(row.provider, row.ref): row for row in found.select_related("gift")}


def _about(names: Iterable[Name]) -> Q:
    wanted = list(names)
    return Q(
        provider__in={provider for provider, _ in wanted},
        payment_ref__in={ref for _, ref in wanted},
    )
