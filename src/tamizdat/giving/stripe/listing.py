# SPDX-License-Identifier: AGPL-3.0-or-later
"""What there is at Stripe, as facts: what closes the gaps that lost events leave.

What always holds: whatever an event tells stands in a list too. Stripe's lists know when something
was made, not when it changed; so each list reaches back as far as what is in it can still change.
Lists of lines of the balance come by payout as well, as only that says what a payout carried.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from tamizdat.giving.port import Event, Fact
from tamizdat.giving.stripe import facts, shapes
from tamizdat.giving.stripe.client import said_at, shaped

PAGE: Final = 100
# Money by bank transfer or debit takes up to two weeks; a dispute up to a quarter of a year.
SLOW: Final = timedelta(days=15)
REFUNDS: Final = timedelta(days=45)
DISPUTES: Final = timedelta(days=130)


def events(api: Any, since: datetime) -> Iterator[Event]:
    """Oldest first, as far back as Stripe keeps them: 30 days."""
    asked = {"types": list(facts.TYPES), **_from(since)}
    found = [
        facts.event_of(shaped(one, shapes.Envelope))
        for one in api.events.list(asked).auto_paging_iter()
    ]
    yield from reversed(found)


def everything(api: Any, since: datetime) -> Iterator[Fact]:
    for session in _all(api.checkout.sessions, shapes.Session, _from(since - SLOW)):
        if fact := facts.gift_of_session(session):
            yield fact
    yield from _subscriptions(api)
    for charge in _all(api.charges, shapes.Charge, _from(since - SLOW)):
        yield facts.payment(charge)
    for refund in _all(api.refunds, shapes.Refund, _from(since - REFUNDS)):
        yield facts.refund(refund)
    for dispute in _all(api.disputes, shapes.Dispute, _from(since - DISPUTES)):
        yield facts.dispute(dispute)
    yield from _balance(api, since)


def _subscriptions(api: Any) -> Iterator[Fact]:
    """All of them, as of one second before Stripe answered: what happens in the second of the
    answer comes by its own event and counts."""
    page = api.subscriptions.list({"status": "all", "limit": PAGE})
    at = said_at(page) - 1
    for one in page.auto_paging_iter():
        yield facts.gift(shaped(one, shapes.Subscription), at)


def _balance(api: Any, since: datetime) -> Iterator[Fact]:
    expand = {"expand": ["data.source"]}
    for payout in _all(api.payouts, shapes.Payout, _from(since - SLOW)):
        yield facts.payout(payout)
        if payout.automatic:  # Of others Stripe does not say what they carried.
            asked = {"payout": payout.id, "limit": PAGE, **expand}
            for line in _all(api.balance_transactions, shapes.Line, asked):
                yield facts.movement(line, payout=payout.id)
    for line in _all(api.balance_transactions, shapes.Line, {**_from(since), **expand}):
        yield facts.movement(line)


def _all(service: Any, shape: Any, asked: dict[str, Any]) -> Iterator[Any]:
    for one in service.list(asked).auto_paging_iter():
        yield shaped(one, shape)


def _from(since: datetime) -> dict[str, Any]:
    return {"created": {"gte": int(since.timestamp())}, "limit": PAGE}
