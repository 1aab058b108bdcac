# SPDX-License-Identifier: AGPL-3.0-or-later
"""From Stripe's API to the books: what its adapter tells, taken in by the desk. Its other side is
ours (``tests/fakes/stripe``)."""

from __future__ import annotations

import random
from typing import Any

import pytest
from django.db import transaction

from tamizdat.desk.contributions import facts, ledger
from tamizdat.desk.contributions.models import Gift, Payment
from tamizdat.giving.port import Event
from tests.desk.contributions.events.conftest import House
from tests.desk.contributions.events.test_orders import UndoError, everything
from tests.fakes.stripe.server import serving
from tests.fakes.stripe.world import World
from tests.giving.rigs import ADDRESS, BEFORE, NOW, StripeRig
from tests.giving.test_contract import lived


def taken_in(rig: StripeRig, events: list[Event]) -> None:
    for event in events:
        facts.take_event(event, provider="stripe")
    facts.apply(rig.provider.listing(BEFORE), provider="stripe")


def in_the_end(rig: StripeRig, events: list[Event]) -> dict[str, Any]:
    """What the desk knows of it then; nothing stays."""
    found: dict[str, Any] = {}
    try:
        with transaction.atomic():
            taken_in(rig, events)
            found = everything()
            raise UndoError
    except UndoError:
        return found


@pytest.mark.parametrize("settles", ["", "eur"])
def test_the_books_end_where_stripe_s_balance_does(house: House, settles: str) -> None:
    with serving(World(now=NOW, settles=settles)) as server:
        rig = StripeRig(server)
        taken_in(rig, lived(rig))
        lines = rig.world.all("line")
        paid_out = sum(one["amount"] for one in rig.world.all("payout"))
    books = {(line.account, line.currency): line.amount for line in ledger.balances()}
    sums: dict[str, int] = {}
    for (account, currency), amount in books.items():
        assert "Receivable" not in account, "all that was promised is there"
        assert "Payouts" not in account, "all that was sent has arrived"
        sums[currency] = sums.get(currency, 0) + amount
    assert set(sums.values()) == {0}
    currency = (settles or "usd").upper()
    assert books.get(("Assets:Stripe:Balance", currency), 0) == sum(one["net"] for one in lines)
    assert books["Assets:Bank", currency] == paid_out
    assert books["Income:Monthly", "USD"] == -2 * 200
    assert ("Income:Other", "USD") not in books


def test_each_payment_finds_its_agreement_and_its_giver(house: House) -> None:
    with serving(World(now=NOW)) as server:
        rig = StripeRig(server)
        taken_in(rig, lived(rig))
    assert not Payment.objects.filter(gift=None).exists()
    assert {gift.kind for gift in Gift.objects.filter(state="active")} == {"once", "monthly"}
    reader = house.reader(ADDRESS)
    assert reader is not None
    assert {gift.reader_id for gift in Gift.objects.filter(state="active")} == {reader.pk}


def test_lost_repeated_and_shuffled_webhooks_end_in_the_same_books(house: House) -> None:
    with serving(World(now=NOW)) as server:
        rig = StripeRig(server)
        events = lived(rig)
        expected = in_the_end(rig, events)
        for seed in range(4):
            chance = random.Random(seed)
            some = [chance.choice(events) for _ in range(len(events))]
            assert in_the_end(rig, some) == expected
