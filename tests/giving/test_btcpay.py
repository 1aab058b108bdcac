# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is particular to BTCPay. Its other side is ours (``tests/fakes/btcpay``)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from tamizdat.giving.btcpay.client import WRONG, Client, refusal
from tamizdat.giving.btcpay.till import BtcpayTill
from tamizdat.giving.choice import KINDS
from tamizdat.giving.errors import (
    AccountError,
    ForgedEventError,
    ProviderError,
    RefusedError,
    UnreachableError,
)
from tamizdat.giving.money import Money
from tamizdat.giving.registry import (
    DeskSettings,
    TillSettings,
    make_provider,
    make_till,
    takes,
)
from tests.fakes.btcpay import server
from tests.fakes.btcpay.server import serving
from tests.fakes.btcpay.world import STORE, World
from tests.giving.folding import folded
from tests.giving.rigs import BEFORE, DONE, GAVE_UP, NOW, PAPER, RIGS, BtcpayRig, choice
from tests.giving.test_contract import given_by, of, only, opened, told


@pytest.fixture
def rig() -> Iterator[BtcpayRig]:
    with RIGS["btcpay"]() as made:
        yield made


@pytest.mark.parametrize("status", [*WRONG, 402, 418, 500, 502, 503])
def test_every_refusal_has_its_words_and_repeats_none_of_the_server_s(
    rig: BtcpayRig, status: int
) -> None:
    rig.server.status = status
    expected = type(refusal(status))
    with pytest.raises(expected) as raised:
        list(rig.provider.listing(BEFORE))
    assert "Quist" not in str(raised.value)
    assert raised.value.permanent is (expected is not UnreachableError)
    assert rig.provider.check()


def test_a_server_that_is_not_there_is_out_of_reach() -> None:
    with serving(World(now=NOW)) as gone:
        url = gone.url
    provider = make_provider(DeskSettings(kind="btcpay", key="desk", url=url, account=STORE))
    with pytest.raises(UnreachableError):
        list(provider.listing(BEFORE))


@pytest.mark.parametrize(
    ("url", "account"), [("http://pay.example", STORE), ("https://pay.example", "")]
)
def test_an_unsafe_address_and_a_missing_shop_are_refused(url: str, account: str) -> None:
    with pytest.raises(AccountError):
        make_till(TillSettings(kind="btcpay", key="till", url=url, account=account))


def test_an_onion_service_needs_no_certificate() -> None:
    asyncio.run(
        make_till(
            TillSettings(kind="btcpay", key="till", url=f"http://{'p' * 56}.onion", account=STORE)
        ).close()
    )


def test_the_letterbox_s_key_can_look_at_nothing(rig: BtcpayRig) -> None:
    with pytest.raises(AccountError):
        list(rig.another(key="till").listing(BEFORE))


def test_a_wish_is_another_invoice_once_the_first_cannot_be_paid(rig: BtcpayRig) -> None:
    now = [float(NOW)]
    till = BtcpayTill(Client(rig.server.url, "till", STORE), clock=lambda: now[0])
    wanted = choice()

    async def three() -> list[str]:
        found = []
        for minutes in (0, 10, 40):
            now[0] = NOW + minutes * 60
            made = await till.open(wanted, done=DONE, gave_up=GAVE_UP, paper=PAPER)
            found.append(made.ref)
        await till.close()
        return found

    first, same, other = asyncio.run(three())
    assert first == same != other


def test_a_failure_is_not_kept(rig: BtcpayRig) -> None:
    wanted = choice()

    async def twice() -> str:
        rig.server.status = 503
        with pytest.raises(UnreachableError):
            await rig.till.open(wanted, done=DONE, gave_up=GAVE_UP, paper=PAPER)
        rig.server.status = 0
        return (await rig.till.open(wanted, done=DONE, gave_up=GAVE_UP, paper=PAPER)).ref

    assert asyncio.run(twice())
    assert rig.made() == 1


def test_a_call_that_waited_in_the_queue_is_believed_for_a_day(rig: BtcpayRig) -> None:
    given_by(rig, choice())
    body, headers = rig.hooks()[-1]
    later = rig.received() + timedelta(hours=23)
    assert rig.provider.read(body, headers, received=later).facts


def test_a_call_made_again_is_the_same_event(rig: BtcpayRig) -> None:
    given_by(rig, choice())
    body, headers = rig.hooks()[-1]
    again = json.loads(body) | {"deliveryId": "another", "isRedelivery": True}
    other = json.dumps(again).encode()
    first = rig.provider.read(body, headers, received=rig.received())
    assert rig.provider.read(other, rig.sign(other), received=rig.received()) == first


def test_a_call_of_another_shop_is_refused(rig: BtcpayRig) -> None:
    given_by(rig, choice())
    body, _ = rig.hooks()[-1]
    other = json.dumps(json.loads(body) | {"storeId": "Other"}).encode()
    with pytest.raises(ForgedEventError, match="another shop"):
        rig.provider.read(other, rig.sign(other), received=rig.received())


def _foreign(rig: BtcpayRig, **change: Any) -> str:
    asked = {"amount": "7.5", "currency": "EUR", "metadata": {}, "checkout": {}, **change}
    return str(rig.world.open(asked, rig.server.url)["id"])


def test_an_invoice_made_in_btcpay_itself_is_told_by_the_listing(rig: BtcpayRig) -> None:
    rig.world.pay(_foreign(rig))
    assert told(rig) == []
    known = folded(rig.provider.listing(BEFORE))
    assert only(known, "Payment")["amount"] == 750
    assert only(known, "Gift")["intent"] == ""


def test_how_much_it_was_is_told_by_the_invoice_and_by_no_mark_on_it(rig: BtcpayRig) -> None:
    """Who has the till's key can write upon an invoice of a cent that it is over a million."""
    marks = {"intent": "i" * 22, "amount": 10**8, "currency": "USD", "at": 1}
    rig.world.pay(_foreign(rig, amount="0.01", metadata={"tamizdat": marks}))
    known = folded(rig.provider.listing(BEFORE))
    payment = only(known, "Payment")
    assert (payment["amount"], payment["currency"]) == (1, "EUR")
    assert only(known, "Gift")["amount"] == 1
    assert only(known, "Movement")["source_amount"] == 1


def test_what_the_wallet_got_is_booked_in_bitcoin(rig: BtcpayRig) -> None:
    given_by(rig, choice("once", 1000, "EUR"))
    line = only(folded(rig.provider.listing(BEFORE)), "Movement")
    assert (line["gross"], line["fee"], line["currency"]) == (10_601, 0, "BTC")
    assert (line["source_amount"], line["source_currency"]) == (1000, "EUR")


def test_many_pages_are_read_to_their_end(rig: BtcpayRig) -> None:
    for _ in range(230):
        rig.world.expire(_foreign(rig))
    assert len(of(folded(rig.provider.listing(BEFORE)), "Gift")) == 230


def test_what_bitcoin_cannot_do_is_refused_in_words(rig: BtcpayRig) -> None:
    given_by(rig, choice())
    payment = only(folded(told(rig)), "Payment")["ref"]
    with pytest.raises(RefusedError, match=f"{payment} in BTCPay, choose Refund"):
        rig.provider.refund(payment, Money(100, "USD"), key="r")
    with pytest.raises(ProviderError, match="gives once"):
        opened(rig, choice("annual"))


def test_bitcoin_is_offered_for_single_gifts_alone() -> None:
    assert [takes("btcpay", kind) for kind in KINDS] == [True, False, False]
    assert all(takes("stripe", kind) for kind in KINDS)


def test_a_key_with_more_rights_than_it_needs_is_told_of(rig: BtcpayRig) -> None:
    assert rig.provider.check() == []
    assert any("no other" in line for line in _check_with(rig, "btcpay.store.canmodifyinvoices"))
    assert any("no other" in line for line in _check_with(rig, "unrestricted"))


def _check_with(rig: BtcpayRig, right: str) -> list[str]:
    before = dict(server.RIGHTS)
    try:
        server.RIGHTS["desk"] = right
        return rig.provider.check()
    finally:
        server.RIGHTS.update(before)
