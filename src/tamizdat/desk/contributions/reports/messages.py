# SPDX-License-Identifier: AGPL-3.0-or-later
"""What each message to readers brought, and each of its variants.

What always holds:

- Counted are gifts that began in the time and were paid for, and all that was paid of them since.
  Who saw a message and did not give is counted nowhere, so there is no rate: a variant's share of
  the gifts is compared with the share of readers whose browsers drew it, which is its weight.
- Something is said of variants only where there are ``FEWEST`` gifts and a share's interval leaves
  its weight out (``telling``). Look at it once, on a day that was set before: who looks daily and
  stops when it tells, is told too much.
- Where weights were changed within the time nothing is said: take a time without a change.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date

import msgspec
from django.db.models import Sum
from django.utils import timezone

from tamizdat.desk.contributions import content
from tamizdat.desk.contributions.models import AskVersion, Payment
from tamizdat.desk.contributions.reports import chance

FEWEST = 30


class OfCurrency(msgspec.Struct, frozen=True):
    """``low`` and ``high``: what the sum could as well have been (``chance.total``)."""

    currency: str
    amount: int
    low: int
    high: int


class OfVariant(msgspec.Struct, frozen=True, kw_only=True):
    """``drawn`` is the share of readers that it was drawn for (None where nobody approved such a
    message here), ``share`` that of the gifts, between ``low`` and ``high``."""

    variant: str
    gifts: int
    again: int
    drawn: float | None
    share: float
    low: float
    high: float
    sums: tuple[OfCurrency, ...]


class OfMessage(msgspec.Struct, frozen=True, kw_only=True):
    """``telling`` says whether something can be said of the variants, ``words`` what. ``gifts``
    counts those too that name a variant which is drawn for nobody: what a browser sends is its
    owner's word."""

    message: str
    gifts: int
    variants: tuple[OfVariant, ...]
    telling: bool
    words: str


class _Gift(msgspec.Struct):
    again: bool
    paid: dict[str, int]


Gifts = dict[int, _Gift]


def messages(since: date, until: date) -> tuple[OfMessage, ...]:
    """Those that brought something, the one with most gifts first."""
    found = _gifts(since, until)
    told = [_message(slug, by_variant, since, until) for slug, by_variant in found.items()]
    return tuple(sorted(told, key=lambda one: (-one.gifts, one.message)))


def _gifts(since: date, until: date) -> dict[str, dict[str, Gifts]]:
    """By message and variant."""
    rows = Payment.objects.filter(state=Payment.State.PAID, gift__day__range=(since, until))
    told = rows.exclude(gift__message="").values_list(
        "gift__message", "gift__variant", "gift__kind", "gift_id", "currency"
    )
    found: dict[str, dict[str, Gifts]] = defaultdict(lambda: defaultdict(dict))
    for message, variant, kind, gift, currency, sum_ in told.annotate(Sum("amount")).order_by():
        one = found[message][variant].setdefault(gift, _Gift(kind in ("monthly", "annual"), {}))
        one.paid[currency] = sum_
    return found


def _message(slug: str, found: dict[str, Gifts], since: date, until: date) -> OfMessage:
    weights = _weights(slug, since, until)
    drawn: dict[str, float | None] = dict(weights[-1]) if weights else dict.fromkeys(found)
    number = sum(len(found.get(name, {})) for name in drawn)
    variants = tuple(
        _variant(name, found.get(name, {}), number, share, len(drawn))
        for name, share in sorted(drawn.items())
    )
    telling, words = _verdict(variants, number, changed=len(weights) > 1)
    return OfMessage(
        message=slug,
        gifts=sum(len(gifts) for gifts in found.values()),
        variants=variants,
        telling=telling,
        words=words,
    )


def _variant(name: str, gifts: Gifts, number: int, drawn: float | None, of: int) -> OfVariant:
    low, high = chance.share(len(gifts), number, of=of)
    by_currency: defaultdict[str, list[int]] = defaultdict(list)
    for gift in gifts.values():
        for currency, amount in gift.paid.items():
            by_currency[currency].append(amount)
    return OfVariant(
        variant=name,
        gifts=len(gifts),
        again=sum(gift.again for gift in gifts.values()),
        drawn=drawn,
        share=len(gifts) / number if number else 0.0,
        low=low,
        high=high,
        sums=tuple(
            OfCurrency(currency, sum(amounts), *chance.total(amounts, of=of))
            for currency, amounts in sorted(by_currency.items())
        ),
    )


def _verdict(variants: tuple[OfVariant, ...], number: int, *, changed: bool) -> tuple[bool, str]:
    if len(variants) < 2:
        return False, "It has one variant: there is nothing to compare."
    if variants[0].drawn is None:
        return False, "How often each was drawn is not known: no such message was approved here."
    if changed:
        return False, "Its weights were changed within this time: look at a time without a change."
    if number < FEWEST:
        return False, f"Too little to tell: {number} gifts, {FEWEST} at least."
    apart = [
        one for one in variants if one.drawn is not None and not one.low <= one.drawn <= one.high
    ]
    if not apart:
        return False, "Too little to tell: each could have come about by chance."
    said = ", ".join(
        f"“{one.variant}” brings {'more' if one.low > (one.drawn or 0) else 'less'} than its share"
        for one in apart
    )
    return True, f"{said}."


def _weights(slug: str, since: date, until: date) -> list[dict[str, float]]:
    """The shares by which its variants were drawn, one for each change within the time."""
    versions = AskVersion.objects.filter(ask__slug=slug, approved__date__lte=until)
    found: list[dict[str, float]] = []
    for version in versions.order_by("number"):
        shares = _shares(version)
        if timezone.localdate(version.approved) <= since:
            found = []
        if not found or shares != found[-1]:
            found.append(shares)
    return found


def _shares(version: AskVersion) -> dict[str, float]:
    weights = {one.slug: one.weight for one in content.decode(version.content).variants}
    total = sum(weights.values())
    return {slug: weight / total for slug, weight in weights.items() if weight}
