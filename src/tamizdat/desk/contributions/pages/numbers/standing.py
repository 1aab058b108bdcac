# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whether the books and the providers agree, and what lies where.

What always holds: nobody is asked here. What is said is as of the last reconciliation, and says so.
"""

from __future__ import annotations

import msgspec
from django.utils import formats, timezone

from tamizdat.desk.contributions import alarm, books
from tamizdat.desk.contributions.models import Standing
from tamizdat.desk.contributions.pages.numbers.wording import cell, counted
from tamizdat.desk.contributions.reports import Report


class Agreed(msgspec.Struct, frozen=True):
    """One provider: whether it agrees, in a word and in a sentence; ``bad`` where somebody must
    look at it."""

    provider: str
    word: str
    words: str
    bad: bool = False


class Held(msgspec.Struct, frozen=True):
    """``where`` in the reader's words; ``account`` as the books call it."""

    where: str
    account: str
    amount: str


def agreed(report: Report) -> list[Agreed]:
    """The newsroom's providers in their order, then those that it had."""
    rows = Standing.objects.in_bulk()
    boxes = {box.name: box for box in alarm.standing()}
    names = [*boxes, *(name for name in sorted(rows) if name not in boxes)]
    return [_agreed(name, boxes.get(name), rows.get(name), report) for name in names]


def _agreed(name: str, box: alarm.Box | None, row: Standing | None, report: Report) -> Agreed:
    if box is not None and box.bad:
        return Agreed(name, "look at it", box.words, bad=True)
    if row is None or row.reconciled is None:
        return Agreed(name, "not known yet", box.words if box else "It was never reconciled.")
    when = formats.date_format(timezone.localtime(row.reconciled), "j F Y, H:i")
    wrong = sum(1 for one in report.payouts if one.provider == name and one.missing)
    if wrong:
        said = (
            f"All that it lists was in the books on {when}, but of "
            f"{counted(wrong, 'payout')} of this time no line of its balance accounts for all: see "
            f"the table of payouts."
        )
        return Agreed(name, "not explained", said, bad=True)
    gaps = (
        f" {counted(row.gaps, 'event')} that no call had told came by this reconciliation."
        if row.gaps
        else ""
    )
    return Agreed(name, "agrees", f"All that it lists was in the books on {when}.{gaps}")


def held(report: Report, currency: str) -> list[Held]:
    """What the newsroom has, by where it lies, on the last day of the time."""
    return [
        Held(_where(one.account), one.account, cell(one.amount, currency))
        for one in report.balances
        if one.currency == currency and one.account.startswith("Assets:")
    ]


def _where(account: str) -> str:
    if account == books.BANK:
        return "Reached the bank so far"
    _, shelf, what = account.split(":", 2)
    said = {
        "Receivable": "Paid, on its way to the balance at",
        "Balance": "Lies with",
        "Payouts": "On its way to the bank from",
        "Disputed": "Disputed, held by",
    }.get(what)
    return f"{said} {shelf}" if said else account
