# SPDX-License-Identifier: AGPL-3.0-or-later
"""How sure one can be of a share or a sum that was counted.

What always holds: intervals are of 95 %. Where several are looked at together (``of``), each is
widened so that all of them hold with 95 % (Bonferroni). Nothing here is drawn at random: the same
numbers give the same intervals.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import sqrt
from statistics import NormalDist

SURE = 0.95


def score(of: int = 1) -> float:
    """How many standard deviations an interval reaches to each side."""
    return NormalDist().inv_cdf(1 - (1 - SURE) / (2 * max(of, 1)))


def share(hits: int, number: int, *, of: int = 1) -> tuple[float, float]:
    """Wilson's interval of ``hits / number``; from nothing to all where nothing was counted."""
    if not number:
        return 0.0, 1.0
    z2 = score(of) ** 2
    middle = (hits + z2 / 2) / (number + z2)
    half = sqrt(z2 * (hits * (number - hits) / number + z2 / 4)) / (number + z2)
    low = 0.0 if hits == 0 else max(0.0, middle - half)
    return low, 1.0 if hits == number else min(1.0, middle + half)


def total(amounts: Iterable[int], *, of: int = 1) -> tuple[int, int]:
    """Between what a sum of so many amounts could as well have been, had other people come: their
    number and their amounts both vary (a compound Poisson process, its normal approximation). Rough
    below thirty amounts, or where a single one makes most of the sum."""
    found = list(amounts)
    half = score(of) * sqrt(sum(amount * amount for amount in found))
    return max(0, round(sum(found) - half)), round(sum(found) + half)
