# SPDX-License-Identifier: AGPL-3.0-or-later
"""The desk's half: reads webhooks and lists invoices.

What always holds: nothing can be taken again and again with bitcoin, so there is nothing to change
or to end; and nobody can be paid back without saying where to, so refunds are made in BTCPay, which
asks the giver for an address by a link. Each of these is refused in words.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NoReturn

import msgspec

from tamizdat.giving.ages import in_its_hour
from tamizdat.giving.btcpay import facts
from tamizdat.giving.btcpay.client import Client
from tamizdat.giving.errors import EventError, ForgedEventError, ProviderError, RefusedError
from tamizdat.giving.money import Money
from tamizdat.giving.port import Event, Fact
from tamizdat.giving.registry import DeskSettings

HEADER: Final = "btcpay-sig"
# What a call says of its time is when it was first made: those that nobody took wait in a queue.
QUEUED: Final = 86_400
SLOW: Final = timedelta(days=15)
PAGE: Final = 100
READS: Final = "btcpay.store.canviewinvoices"


class _Key(msgspec.Struct, frozen=True):
    permissions: list[str] = []


class BtcpayProvider:
    """``port.Provider``."""

    name = "btcpay"

    def __init__(self, settings: DeskSettings) -> None:
        self._settings = settings
        self._client = Client(settings.url, settings.key, settings.account)

    def read(self, body: bytes, headers: Mapping[str, str], *, received: datetime) -> Event:
        self._prove(body, headers.get(HEADER, ""))
        try:
            told = msgspec.json.decode(body, type=facts.Delivery)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise EventError(f"a call of BTCPay cannot be read: {error}") from None
        if told.store_id != self._settings.account:
            raise ForgedEventError("this call is of another shop")
        if not in_its_hour(told.timestamp, received, late=QUEUED):
            raise ForgedEventError("this call was made at another time than it came")
        return Event(
            id=told.original_delivery_id or told.delivery_id,
            type=told.type,
            at=told.timestamp,
            facts=facts.of_delivery(told),
        )

    def events(self, since: datetime) -> Iterator[Event]:
        """None: BTCPay lists what there is, not what happened."""
        yield from ()

    def listing(self, since: datetime) -> Iterator[Fact]:
        try:
            for invoice in self._invoices(since - SLOW):
                yield from self._told(invoice)
        except EventError as error:  # No fault of one event: somebody must look.
            raise RefusedError(str(error)) from None

    def refund(self, payment: str, money: Money, *, key: str) -> Iterable[Fact]:
        raise RefusedError(
            "bitcoin goes back only to an address that its giver names: open the invoice "
            f"{payment} in BTCPay, choose Refund, and send the giver the link"
        )

    def cancel(self, gift: str, *, key: str) -> Iterable[Fact]:
        _once()

    def pause(self, gift: str, until: datetime, *, key: str) -> Iterable[Fact]:
        _once()

    def resume(self, gift: str, *, key: str) -> Iterable[Fact]:
        _once()

    def change(self, gift: str, money: Money, *, key: str) -> Iterable[Fact]:
        _once()

    def new_card(self, gift: str, *, back: str, language: str) -> str:
        _once()

    def check(self) -> list[str]:
        try:
            rights = self._client.of_key(_Key).permissions
            self._client.get("invoices", list[facts.Invoice], {"take": 1})
        except ProviderError as error:
            return [f"BTCPay: {error}"]
        wrong = []
        if any(right.split(":")[0] != READS for right in rights):
            wrong.append(f"BTCPay: the desk's key needs the right {READS} and no other")
        if not self._settings.webhook:
            wrong.append("BTCPay: without the webhook's secret no call can be believed")
        return wrong

    def close(self) -> None:
        self._client.close()

    def _told(self, invoice: facts.Invoice) -> Iterator[Fact]:
        yield from facts.of_invoice(invoice)
        if invoice.status == "Settled":
            path = f"invoices/{invoice.id}/payment-methods"
            if told := facts.movement(invoice, self._client.get(path, list[facts.Method])):
                yield told

    def _invoices(self, since: datetime) -> Iterator[facts.Invoice]:
        skip, more = 0, True
        while more:
            asked = {"startDate": int(since.timestamp()), "skip": skip, "take": PAGE}
            found = self._client.get("invoices", list[facts.Invoice], asked)
            yield from found
            skip, more = skip + len(found), len(found) == PAGE

    def _prove(self, body: bytes, header: str) -> None:
        said = header.encode()
        if not any(
            hmac.compare_digest(b"sha256=" + _digest(body, secret), said)
            for secret in self._settings.webhook
        ):
            raise ForgedEventError("BTCPay did not sign this call")


def _digest(body: bytes, secret: str) -> bytes:
    return hmac.digest(secret.encode(), body, "sha256").hex().encode()


def _once() -> NoReturn:
    raise RefusedError("with bitcoin one gives once: there is nothing to change or to end")


def make_provider(settings: DeskSettings) -> BtcpayProvider:
    """Raises ``AccountError`` for an address that is not safe, or without a shop."""
    return BtcpayProvider(settings)
