# SPDX-License-Identifier: AGPL-3.0-or-later
"""What those who give again and again will bring in the months to come.

What always holds: ``promised`` is what comes if nobody leaves, ``expected`` what comes if people
stay as they did (``kept``). Before fees. Where too little is known of how people stay,
``expected`` is ``promised`` and ``kept`` says so. It is an estimate, and nothing is booked of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date

import msgspec

from tamizdat.desk.contributions.calendar import months_later
from tamizdat.desk.contributions.models import Gift, Payment
from tamizdat.desk.contributions.reports import chance, times

AHEAD = 12
FEWEST = 10
# How far back one looks for how people stay, in months.
BACK: dict[str, int] = {"monthly": 12, "annual": 36}
_GIVING = (Gift.State.ACTIVE, Gift.State.LATE, Gift.State.PAUSED)


class Kept(msgspec.Struct, frozen=True):
    """Of ``number`` payments that another one should have followed, the share that one did; between
    ``low`` and ``high``. ``known`` is false where they are too few."""

    kind: str
    number: int
    share: float
    low: float
    high: float
    known: bool


class Ahead(msgspec.Struct, frozen=True):
    """By month of ``Forecast.months``."""

    currency: str
    promised: tuple[int, ...]
    expected: tuple[int, ...]


class Forecast(msgspec.Struct, frozen=True):
    months: tuple[str, ...]
    series: tuple[Ahead, ...]
    kept: tuple[Kept, ...]


def forecast(today: date) -> Forecast:
    """The twelve months after the present one."""
    first = times.number(today) + 1
    months = range(first, first + AHEAD)
    shares = {kind: kept(kind, today) for kind in times.STEP}
    promised: defaultdict[str, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
    expected: defaultdict[str, defaultdict[int, float]] = defaultdict(lambda: defaultdict(float))
    for gift in Gift.objects.filter(kind__in=times.STEP, state__in=_GIVING).iterator():
        stays = shares[gift.kind].share if shares[gift.kind].known else 1.0
        for nth, month in enumerate(_due(gift, today, months[-1]), start=1):
            promised[gift.currency][month] += gift.amount
            expected[gift.currency][month] += gift.amount * stays**nth
    series = (
        Ahead(
            currency,
            tuple(promised[currency][month] for month in months),
            tuple(round(expected[currency][month]) for month in months),
        )
        for currency in sorted(promised)
    )
    return Forecast(
        tuple(times.name(month) for month in months), tuple(series), (*shares.values(),)
    )


def kept(kind: str, today: date) -> Kept:
    """How people of this kind stayed, of late."""
    since = date.fromordinal(today.toordinal() - BACK[kind] * 31)
    rows = Payment.objects.filter(
        state=Payment.State.PAID, gift__kind=kind, day__range=(since, today)
    )
    days: defaultdict[int, list[date]] = defaultdict(list)
    for gift, day in rows.order_by("day").values_list("gift_id", "day").iterator():
        if gift is not None:
            days[gift].append(day)
    followed = number = 0
    for paid in days.values():
        old_enough = [times.reaches(day, kind) <= today for day in paid]
        number += sum(old_enough)
        followed += sum(old_enough[:-1])
    share = followed / number if number else 1.0
    return Kept(kind, number, share, *chance.share(followed, number), number >= FEWEST)


def _due(gift: Gift, today: date, last: int) -> Iterator[int]:
    """The months in which its payments are due, from the next one on. Where the provider did not
    say when that is, they are counted from the day on which it began; a pause without end brings
    nothing."""
    if gift.state == Gift.State.PAUSED and gift.next_day is None:
        return
    step = times.STEP[gift.kind]
    begun = gift.next_day or gift.day
    for nth in range(1 + (last - times.number(begun)) // step):
        day = months_later(begun, nth * step)
        if day >= today or (gift.next_day is not None and nth == 0):
            yield max(times.number(day), times.number(today))
