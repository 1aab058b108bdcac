# SPDX-License-Identifier: AGPL-3.0-or-later
"""Writing the books, and nothing else writes them.

What always holds (the database refuses anything else, see ``triggers``):

- A transaction's legs sum to nothing in each currency. Nothing is changed or deleted.
- A source is booked once. ``settle`` brings the books to what is wanted of a source however often,
  in whatever order and wherever the last try was killed: what was booked otherwise is reversed and
  booked anew as ``SOURCE#2``, ``SOURCE#3``, ….

What is not done here: what is booked where (``books``), sums over it (``reports``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Sum

from tamizdat.desk.contributions.errors import BookedError, LedgerError, UnbalancedError
from tamizdat.desk.contributions.models import Account, Leg, Transaction
from tamizdat.desk.readers.models import random_id

REVERSE = "reverse:"


class Line(NamedTuple):
    """What goes to an account (positive, debit) or comes from it (negative, credit), in the
    currency's smallest unit."""

    account: str
    amount: int
    currency: str


def merged(legs: Iterable[Line]) -> tuple[Line, ...]:
    """One line for each account and currency, none of nothing, in the order of their names."""
    sums: Counter[tuple[str, str]] = Counter()
    for leg in legs:
        sums[leg.account, leg.currency] += leg.amount
    return tuple(
        Line(account, amount, currency)
        for (account, currency), amount in sorted(sums.items())
        if amount
    )


def write(
    *,
    source: str,
    words: str,
    day: date,
    legs: Iterable[Line],
    reverses: Transaction | None = None,
) -> Transaction:
    """The transaction that books ``source``; written now unless it was before.

    Raises ``UnbalancedError`` and ``BookedError`` (the source stands there with other legs).
    """
    wanted = merged(legs)
    _check(source, wanted)
    found = Transaction.objects.filter(source=source).first()
    if found is None:
        return _insert(source, words, day, wanted, reverses)
    if lines(found) != wanted:
        raise BookedError(f"{source} was booked otherwise before: reverse that first")
    return found


def reverse(entry: Transaction, *, day: date, words: str = "") -> Transaction:
    """What takes ``entry`` back; the same one however often it is asked."""
    return write(
        source=f"{REVERSE}{entry.source}",
        words=words or f"Taken back: {entry.words}"[:200],
        day=day,
        legs=[Line(leg.account, -leg.amount, leg.currency) for leg in lines(entry)],
        reverses=entry,
    )


def settle(*, source: str, words: str, day: date, legs: Iterable[Line]) -> Transaction | None:
    """Make the books say exactly ``legs`` of ``source``; None where that is nothing.

    What was booked otherwise is reversed on ``day``. Raises ``UnbalancedError``.
    """
    wanted = merged(legs)
    if wanted:
        _check(source, wanted)
    with transaction.atomic():
        standing, number = _standing(source)
        if standing is not None:
            if lines(standing) == wanted:
                return standing
            reverse(standing, day=day)
            number += 1
        if not wanted:
            return None
        return _insert(_numbered(source, number), words, day, wanted, None)


def lines(entry: Transaction) -> tuple[Line, ...]:
    """The legs of a transaction, as ``merged`` gives them."""
    rows = Leg.objects.filter(transaction=entry)
    return merged(Line(*row) for row in rows.values_list("account__name", "amount", "currency"))


def balances(until: date | None = None) -> tuple[Line, ...]:
    """What each account holds in each currency, ``until`` included; empty ones are left out."""
    rows = Leg.objects.all()
    # To look at each leg's day costs as much again: only where there are later ones.
    if until is not None and Transaction.objects.filter(day__gt=until).exists():
        rows = rows.filter(transaction__day__lte=until)
    sums = rows.values_list("account__name", "currency").annotate(sum=Sum("amount")).order_by()
    return merged(Line(account, sum_, currency) for account, currency, sum_ in sums)


def _numbered(source: str, number: int) -> str:
    return source if number == 1 else f"{source}#{number}"


def _standing(source: str) -> tuple[Transaction | None, int]:
    """The transaction that stands for a source, unreversed, and its number; None and the number
    of the next one."""
    number = 1
    while True:
        name = _numbered(source, number)
        both = (name, f"{REVERSE}{name}")
        found = {row.source: row for row in Transaction.objects.filter(source__in=both)}
        if len(found) < 2:
            return found.get(name), number
        number += 1


def _check(source: str, legs: tuple[Line, ...]) -> None:
    sums: Counter[str] = Counter()
    for leg in legs:
        sums[leg.currency] += leg.amount
    uneven = [f"{amount} {currency}" for currency, amount in sorted(sums.items()) if amount]
    if uneven or len(legs) < 2:
        raise UnbalancedError(
            f"{source} does not balance: {', '.join(uneven) or 'it needs two legs at least'}"
        )


def _insert(
    source: str, words: str, day: date, legs: tuple[Line, ...], reverses: Transaction | None
) -> Transaction:
    """Legs first: a transaction is refused while they do not balance. Who comes second where two
    write the same source takes what the first one wrote."""
    entry = Transaction(id=random_id(), source=source, words=words, day=day, reverses=reverses)
    accounts = _accounts({leg.account for leg in legs})
    rows = [
        Leg(
            transaction_id=entry.pk,
            account_id=accounts[leg.account],
            amount=leg.amount,
            currency=leg.currency,
        )
        for leg in legs
    ]
    try:
        with transaction.atomic():
            Leg.objects.bulk_create(rows)
            entry.save(force_insert=True)
    except IntegrityError as error:
        found = Transaction.objects.filter(source=source).first()
        if found is None or lines(found) != legs:
            raise LedgerError(f"the books refuse {source}: {error}") from error
        return found
    return entry


def _accounts(names: set[str]) -> dict[str, int]:
    """The accounts' ids; those that are not there yet are opened."""
    found = _ids(names)
    if missing := sorted(names - found.keys()):
        Account.objects.bulk_create([_account(name) for name in missing], ignore_conflicts=True)
        found = _ids(names)
    return found


def _ids(names: set[str]) -> dict[str, int]:
    return dict(Account.objects.filter(name__in=names).order_by().values_list("name", "id"))


def _account(name: str) -> Account:
    kind = name.partition(":")[0]
    if kind not in Account.Kind.values or len(name) > 100:
        raise LedgerError(f"“{name[:100]}” is no account: it begins with none of the five kinds")
    return Account(name=name, kind=kind)
