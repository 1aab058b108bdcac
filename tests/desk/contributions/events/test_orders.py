# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever order, repetition and loss of events: rows and books are the same in the end."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tamizdat.desk.contributions import facts, ledger, reconcile
from tamizdat.desk.contributions.models import (
    Dispute,
    Gift,
    Movement,
    Payment,
    Payout,
    Refund,
    SeenEvent,
    Transaction,
)
from tamizdat.desk.outgoing.models import Mail
from tamizdat.desk.readers.models import Reader
from tests.desk.contributions.events.conftest import House
from tests.fakes.payments import NAME, Bank, History

SEEDS = st.integers(0, 10**9)
DATABASE = settings(
    max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
ROWS: dict[type[Any], tuple[str, ...]] = {
    Gift: ("ref", "state", "kind", "amount", "currency", "intent", "language", "message",
           "variant", "day", "ended", "next_day", "thanked", "reader__language"),
    Payment: ("ref", "state", "amount", "currency", "gift__ref", "cause", "day"),
    Refund: ("ref", "payment_ref", "state", "amount", "currency", "day"),
    Dispute: ("ref", "payment_ref", "state", "amount", "currency", "reason", "day"),
    Movement: ("ref", "kind", "gross", "fee", "net", "currency", "about", "payout", "day"),
    Payout: ("ref", "state", "amount", "currency", "day"),
}  # fmt: skip


def everything() -> dict[str, Any]:
    """Rows and balances, without what only tells in which order they came."""
    found: dict[str, Any] = {
        model.__name__: sorted(map(str, model.objects.values_list(*fields)))
        for model, fields in ROWS.items()
    }
    return found | {
        "balances": ledger.balances(),
        "readers": Reader.objects.count(),
        "receipts": sorted(Payment.objects.exclude(receipt=0).values_list("ref", flat=True)),
        "mails": Mail.objects.count(),
    }


class UndoError(Exception):
    """Ends an example."""


def in_the_end(bank: Bank, told: list[int], *, then_reconciled: bool) -> dict[str, Any]:
    """What the desk knows once these events came, and nothing of it stays."""
    found: dict[str, Any] = {}
    try:
        with transaction.atomic():
            for number in told:
                facts.take_event(bank.happened[number], provider=NAME)
            if then_reconciled:
                now = datetime.fromtimestamp(bank.clock, UTC) + timedelta(hours=5)
                report = reconcile.one(NAME, now=now)
                assert (report.problem, report.failed) == ("", 0)
            found = everything()
            raise UndoError
    except UndoError:
        return found


@pytest.fixture
def of_seed(house: House, monkeypatch: pytest.MonkeyPatch) -> Any:
    from tamizdat.desk.contributions import providers

    def invent(seed: int, gifts: int = 5) -> Bank:
        bank = History(seed, gifts=gifts).bank
        monkeypatch.setattr(providers, "_made", lambda wanted: bank)
        return bank

    return invent


@pytest.mark.slow
@DATABASE
@given(SEEDS, SEEDS)
def test_events_in_any_order_and_repeated_give_the_same(
    of_seed: Any, seed: int, order: int
) -> None:
    bank, chance = of_seed(seed), random.Random(order)
    straight = list(range(len(bank.happened)))
    shuffled = straight + [chance.choice(straight) for _ in straight]
    chance.shuffle(shuffled)
    expected = in_the_end(bank, straight, then_reconciled=False)
    assert in_the_end(bank, shuffled, then_reconciled=False) == expected


@pytest.mark.slow
@DATABASE
@given(SEEDS, SEEDS, st.floats(0, 1))
def test_what_was_lost_is_found_by_the_reconciliation(
    of_seed: Any, seed: int, order: int, lost: float
) -> None:
    bank, chance = of_seed(seed), random.Random(order)
    straight = list(range(len(bank.happened)))
    some = [number for number in straight if chance.random() >= lost]
    chance.shuffle(some)
    expected = in_the_end(bank, straight, then_reconciled=True)
    assert in_the_end(bank, some, then_reconciled=True) == expected


@pytest.mark.slow
@DATABASE
@given(SEEDS)
def test_any_sequence_balances_and_says_what_the_provider_says(of_seed: Any, seed: int) -> None:
    bank = of_seed(seed)
    found = in_the_end(bank, [], then_reconciled=True)
    sums: dict[str, int] = {}
    for line in found["balances"]:
        sums[line.currency] = sums.get(line.currency, 0) + line.amount
    assert set(sums.values()) <= {0}
    balance = {
        line.currency: line.amount
        for line in found["balances"]
        if line.account == "Assets:Sandbox:Balance"
    }
    expected: dict[str, int] = {}
    for (kind, _), fact in bank.there.items():
        if kind == "MovementFact":
            expected[fact.currency] = expected.get(fact.currency, 0) + fact.net
    assert balance == {code: amount for code, amount in expected.items() if amount}


@pytest.mark.slow
def test_a_list_of_events_that_begins_too_late_is_made_up_for(of_seed: Any, house: House) -> None:
    bank = of_seed(11, gifts=8)
    expected = in_the_end(bank, list(range(len(bank.happened))), then_reconciled=True)
    bank.happened.clear()
    found = in_the_end(bank, [], then_reconciled=True)
    # Only since when somebody gives was told by events alone.
    assert found | {"Gift": []} == expected | {"Gift": []}
    assert Transaction.objects.count() == SeenEvent.objects.count() == 0  # Nothing was left over.


@pytest.mark.parametrize("seed", [3, 8])
def test_backwards_twice_and_with_gaps_is_the_same(of_seed: Any, seed: int) -> None:
    bank = of_seed(seed, gifts=4)
    straight = list(range(len(bank.happened)))
    expected = in_the_end(bank, straight, then_reconciled=True)
    assert in_the_end(bank, straight[::-2] * 2, then_reconciled=True) == expected
