# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a giver asks for by the link in a receipt, without an account or a password.

What always holds:

- The letterbox knows nobody, so every answer comes by mail, to the mailbox that the link came from.
- Which agreement is meant is told by its number in the list; who has one only need not tell. Where
  it is not clear, nothing is changed and the list is sent.
- To cancel takes one page and no reason, and is done at once.
- Erasing ends what is still being given, before anything is forgotten of it.

What is not done here: asking providers (``wishes``), reading submissions (``handlers``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from tamizdat.config import offers_of
from tamizdat.desk.contributions import providers
from tamizdat.desk.contributions.givers import mails, wishes
from tamizdat.desk.contributions.models import Gift, Payment, Refund, Wish
from tamizdat.desk.outgoing import lanes, notices
from tamizdat.desk.outgoing.lanes import Enclosed, Limit
from tamizdat.desk.outgoing.links import Link
from tamizdat.desk.readers import answers, requests
from tamizdat.desk.readers.models import Reader
from tamizdat.desk.readers.vault import Vault
from tamizdat.giving.choice import offer_of
from tamizdat.giving.errors import AmountError, ChoiceError
from tamizdat.giving.money import Money, typed

LONGEST_PAUSE = timedelta(days=366)
ANSWERS = Limit(a_day=20, a_week=60)
SHOWN = 24  # payments in a list
ONGOING = (Gift.State.ACTIVE, Gift.State.LATE, Gift.State.PAUSED)
AGAIN = ("monthly", "annual")


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """The form as it was sent (kind ``gift`` of ``drop.kinds``)."""

    ask: str
    gift: int = 0
    amount: str = ""
    until: date | None = None
    year: int = 0


@transaction.atomic
def do(*, link: Link, wanted: Wanted, language: str, now: datetime | None = None) -> None:
    """Do what a giver asks. Nothing where they are gone. Raises ``VaultError``."""
    now = now or timezone.now()
    reader = Reader.objects.select_for_update().filter(pk=link.subject, erased=None).first()
    if reader is None:
        return
    if wanted.ask == "erase":
        erase(reader=reader, language=language, now=now)
        return
    if lanes.reached(ANSWERS, mails.GIVER, reader, now):
        return
    if wanted.ask == "statement":
        statement(reader, language, wanted.year or timezone.localdate(now).year, now)
    elif wanted.ask == "list" or (gift := _meant(reader, wanted.gift)) is None:
        tell_list(reader, language, now)
    else:
        _change(gift, wanted, language, now)


def _meant(reader: Reader, number: int) -> Gift | None:
    """The agreement that is going on and has this number; without one, the only one."""
    going = ongoing(reader)
    if number:
        return next((gift for gift in going if gift.number == number), None)
    return going[0] if len(going) == 1 else None


def ongoing(reader: Reader) -> list[Gift]:
    mine = Gift.objects.filter(reader=reader, kind__in=AGAIN, state__in=ONGOING)
    return list(mine.order_by("number"))


def _change(gift: Gift, wanted: Wanted, language: str, now: datetime) -> None:
    match wanted.ask:
        case "amount":
            _amount(gift, wanted.amount, language, now)
        case "pause":
            _pause(gift, wanted.until, now)
        case "resume" | "cancel" | "card":
            wishes.want(gift=gift, ask=Wish.Ask(wanted.ask), now=now)


def _amount(gift: Gift, text: str, language: str, now: datetime) -> None:
    assert gift.reader is not None  # noqa: S101 - it was found by its reader
    try:
        money = typed(text, gift.currency)
    except AmountError:
        money = None
    least, most = _bounds(gift)
    if money is None or not least <= money.amount <= most:
        mails.send(
            "wrong-amount",
            gift.reader,
            language,
            now=now,
            how=mails.how_much(gift.kind, gift.amount, gift.currency, language),
            least=mails.money(least, gift.currency, language),
            most=mails.money(most, gift.currency, language),
        )
        return
    wishes.want(gift=gift, ask=Wish.Ask.AMOUNT, amount=money.amount, now=now)


def _bounds(gift: Gift) -> tuple[int, int]:
    """Between which amounts one may choose; what is not offered any more may only get smaller."""
    try:
        offer = offer_of(offers_of(providers.newsroom().settings.giving), gift.kind, gift.currency)
    except ChoiceError:
        return 1, gift.amount
    return offer.least, offer.most


def _pause(gift: Gift, until: date | None, now: datetime) -> None:
    today = timezone.localdate(now)
    until = min(until or today + timedelta(days=90), today + LONGEST_PAUSE)
    if until > today:
        wishes.want(gift=gift, ask=Wish.Ask.PAUSE, until=until, now=now)
    else:  # A day that is over ends a pause.
        wishes.want(gift=gift, ask=Wish.Ask.RESUME, now=now)


# Answers that need no provider


def tell_list(reader: Reader, language: str, now: datetime) -> None:
    """What somebody gives and gave."""
    lines = [*_agreements(reader, language), *_payments(reader, language)]
    mails.send(
        "list",
        reader,
        language,
        now=now,
        extra=lines or [mails.said(language, "nothing")],
    )


def _agreements(reader: Reader, language: str) -> Iterator[str]:
    for gift in ongoing(reader):
        yield mails.said(
            language,
            f"gift.{gift.state}",
            number=str(gift.number),
            how=mails.how_much(gift.kind, gift.amount, gift.currency, language),
            since=mails.day(gift.day, language),
            next=mails.day(gift.next_day, language) or "–",
        )


def _payments(reader: Reader, language: str) -> Iterator[str]:
    mine = Payment.objects.filter(gift__reader=reader).order_by("-day", "-pk")
    for payment in mine[:SHOWN]:
        yield mails.said(
            language,
            f"payment.{payment.state}",
            day=mails.day(payment.day, language),
            amount=mails.money(payment.amount, payment.currency, language),
            number=mails.number_of(payment) or "–",
        )


def statement(reader: Reader, language: str, year: int, now: datetime) -> None:
    """What somebody gave in a year, as a file that can be kept."""
    text = statement_text(reader, language, year, now)
    mails.send(
        "statement",
        reader,
        language,
        now=now,
        files=[Enclosed(f"{year}.txt", "text/plain", text.encode())],
        year=str(year),
    )


def statement_text(reader: Reader, language: str, year: int, now: datetime) -> str:
    """Payments, what was given back, and sums by currency."""
    paid = Payment.objects.filter(
        gift__reader=reader, state=Payment.State.PAID, day__year=year
    ).order_by("day", "pk")
    lines = [mails.said(language, "statement.title", paper=notices.paper_name(language))]
    lines += [f"{year}; {timezone.localdate(now).isoformat()}", ""]
    sums: dict[str, int] = {}
    for payment in paid:
        lines.append(_line(payment.day, payment, mails.number_of(payment), language))
        sums[payment.currency] = sums.get(payment.currency, 0) + payment.amount
    for refund in _given_back(reader, year):
        lines.append(
            _line(refund.day, refund, mails.said(language, "statement.back"), language, -1)
        )
        sums[refund.currency] = sums.get(refund.currency, 0) - refund.amount
    lines.append("")
    total = mails.said(language, "statement.sum")
    lines += [f"{total}: {mails.money(sums[code], code, language)}" for code in sorted(sums)]
    return "\n".join(lines if sums else [*lines, mails.said(language, "nothing")]) + "\n"


def _line(day: date, row: Payment | Refund, said: str, language: str, sign: int = 1) -> str:
    money = Money(sign * row.amount, row.currency)
    return f"{day.isoformat()}  {mails.money(money.amount, money.currency, language):>14}  {said}"


def _given_back(reader: Reader, year: int) -> Sequence[Refund]:
    refs = Payment.objects.filter(gift__reader=reader).values("ref")
    done = Refund.objects.filter(payment_ref__in=refs, state=Refund.State.DONE, day__year=year)
    return list(done.order_by("day", "pk"))


def erase(*, reader: Reader, language: str, now: datetime) -> None:
    """Erase a reader, end what they give, and tell the mailbox by a last mail."""
    vault = Vault(settings.NEWSROOM)
    address, theirs = vault.address_of(reader), list(_at_providers(reader, language))
    receipt = requests.erase(vault=vault, address=address, acting_user=None)
    text = "\n".join([answers.receipt_as_text(receipt), *theirs])
    lanes.send(
        purpose=mails.GIVER,
        to=address,
        notice=notices.notice(mails.APP, "erased", language),
        files=[Enclosed("receipt.txt", "text/plain", text.encode())],
        now=now,
    )


def _at_providers(reader: Reader, language: str) -> Iterator[str]:
    """What providers keep, and by which numbers they find it: nobody here can tell any more then.
    For the giver's eyes alone, in no receipt of ours."""
    found: dict[str, list[str]] = {}
    mine = Gift.objects.filter(reader=reader).order_by("pk").values_list("provider", "ref")
    for provider, ref in mine:
        found.setdefault(provider, []).append(ref)
    for provider, refs in found.items():
        yield f"{mails.said(language, 'erased.theirs', provider=provider, refs=', '.join(refs))}\n"
